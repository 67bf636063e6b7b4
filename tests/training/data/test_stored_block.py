# SPDX-License-Identifier: Apache-2.0
"""Training samples kept as records: the same batches, for Keras and for tf.data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("google_crc32c")
pytest.importorskip("keras")

from data_synth.run.record import RecordError
from relight.work.runner import Lost
from training.data import stored_block
from training.data.data_config import DataConfig
from training.data.split import DataError, Split
from training.data.stored_block import BlockWork, StoredDataset, block_path, make_blocks, read_block

CONFIG = DataConfig(batch=4, views=2, pairs=3, reuse=2, seed=5)


def fake_block(split: Split, config: DataConfig, number: int) -> dict[str, np.ndarray]:
    """Samples of the right shapes, that follow from the number."""
    rng = np.random.default_rng([config.seed, number])
    count = config.views * config.pairs
    sample = {
        name: (rng.random((count, *shape)) * (255 if dtype == "uint8" else 1)).astype(dtype)
        for name, (dtype, shape) in stored_block.SPEC.items()
    }
    sample["features"] = sample["features"] > 200
    sample["light"][:, :3] /= np.linalg.norm(sample["light"][:, :3], axis=1, keepdims=True)
    return sample


class Inline:
    """A runner in this process."""

    workers, retried = 1, 0

    def run(self, items, work):
        for item in items:
            yield from work(item)


@pytest.fixture
def work(tmp_path: Path, monkeypatch) -> BlockWork:
    monkeypatch.setattr(stored_block, "make_block", fake_block)
    return BlockWork(Split(tmp_path / "stage", [], None, None), CONFIG, tmp_path / "blocks")


def test_blocks_are_made_once_and_read_as_made(work: BlockWork) -> None:
    assert list(make_blocks(work, 2, Inline())) == [0, 1]
    for number in (0, 1):
        expected, found = (
            fake_block(work.split, CONFIG, number),
            read_block(block_path(work.out, number)),
        )
        assert found.keys() == expected.keys()
        for name in expected:
            assert found[name].dtype == expected[name].dtype
            np.testing.assert_array_equal(found[name], expected[name])
    before = {p: p.stat().st_mtime_ns for p in work.out.glob("block-*")}
    assert sorted(make_blocks(work, 3, Inline())) == [0, 1, 2]
    assert before.items() <= {p: p.stat().st_mtime_ns for p in work.out.glob("block-*")}.items()


def test_blocks_of_other_settings_are_refused(work: BlockWork) -> None:
    list(make_blocks(work, 1, Inline()))
    work.config = replace(CONFIG, seed=6)
    with pytest.raises(RecordError, match="other settings; choose another folder"):
        list(make_blocks(work, 1, Inline()))


def test_what_cannot_be_made_is_told_at_the_end(work: BlockWork, monkeypatch) -> None:
    def refuse(split, config, number):
        if number == 0:
            raise DataError("view 3 is corrupt")
        return fake_block(split, config, number)

    monkeypatch.setattr(stored_block, "make_block", refuse)
    made = make_blocks(work, 2, Inline())
    assert next(made) == 1
    with pytest.raises(RecordError, match=r"1 blocks are missing; view 3 is corrupt; run again"):
        next(made)

    class Losing(Inline):
        def run(self, items, work):
            yield Lost(items[0], "was killed")

    with pytest.raises(RecordError, match="block 0: the process was killed"):
        list(make_blocks(work, 1, Losing()))


def test_batches_are_those_made_while_training(work: BlockWork, monkeypatch) -> None:
    from training.data.pair_dataset import PairDataset

    list(make_blocks(work, 2, Inline()))
    kept = StoredDataset(work.out, "normals", steps=2, batch=4)
    made = PairDataset(work.split, "normals", CONFIG, steps=2)
    monkeypatch.setattr(made, "_block", lambda number: fake_block(work.split, CONFIG, number))
    per_block = CONFIG.batches_per_block
    for step in (0, 1, per_block):
        (inputs, target), (expected, wanted) = kept.batch(step), made.batch(step)
        np.testing.assert_array_equal(target, wanted)
        for name in expected:
            np.testing.assert_array_equal(inputs[name], expected[name])
    again = kept.batch(2 * per_block)
    assert again[1].shape == target.shape, "blocks come again when all were seen"
    kept.close()
    made.close()


def test_tensorflow_reads_the_same_samples(work: BlockWork) -> None:
    pytest.importorskip("tensorflow")
    list(make_blocks(work, 2, Inline()))
    found = list(stored_block.tf_samples(work.out))
    assert len(found) == 2 * CONFIG.views * CONFIG.pairs
    expected = fake_block(work.split, CONFIG, 1)
    for i, sample in enumerate(found[-CONFIG.views * CONFIG.pairs :]):
        for name, values in expected.items():
            np.testing.assert_array_equal(sample[name].numpy(), values[i])


def test_a_folder_without_blocks_is_named(tmp_path: Path, work: BlockWork) -> None:
    with pytest.raises(RecordError, match="no blocks; make some"):
        StoredDataset(tmp_path, "normals", steps=1)
    list(make_blocks(work, 1, Inline()))
    (work.out / stored_block.CONFIG_FILE).write_text(json.dumps({"config": {"bath": 3}}))
    with pytest.raises(RecordError, match=r"blocks\.json: missing or corrupt"):
        StoredDataset(work.out, "normals", steps=1)
