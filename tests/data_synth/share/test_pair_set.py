# SPDX-License-Identifier: Apache-2.0
"""Pairs for other people's loaders, and as files."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from typer.testing import CliRunner

from data_synth import PairSet
from data_synth.__main__ import app
from data_synth.error import SynthError
from data_synth.run.record import read_records
from data_synth.sample.pair_ranges import PairRanges
from data_synth.share.pair_file import Layout, files_of, write_pairs
from data_synth.share.pair_set import ARRAYS
from relight.color import srgb_to_linear

SAMPLE = ROOT / "examples" / "light-stage"
SMALL = PairRanges(resolution=48)
COUNT = 10


@pytest.fixture(scope="module")
def pairs() -> PairSet:
    """A few pairs of the sample set, several blocks of them."""
    return PairSet(SAMPLE, COUNT, ranges=SMALL, pairs=2)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in ARRAYS)


def test_a_number_is_always_the_same_pair(pairs: PairSet) -> None:
    again = PairSet(SAMPLE, COUNT, ranges=SMALL, pairs=2)
    assert same(pairs[7], again[7])
    assert same(pairs[1], again[1])
    assert not same(pairs[1], pairs[2])
    assert not same(pairs[1], PairSet(SAMPLE, COUNT, ranges=SMALL, pairs=2, seed=1)[1])
    with pytest.raises(IndexError):
        pairs[COUNT]


def test_a_pair_is_photo_gain_and_sum(pairs: PairSet) -> None:
    sample = pairs[3]
    assert set(sample) == set(ARRAYS)
    assert sample["photo"].shape == (48, 48, 3)
    assert sample["gain"][sample["mask"] == 0].max() == 0
    key = sample["intensity"] * sample["color"] * sample["gain"]
    brighter = sample["relit"].astype(int).sum() - sample["photo"].astype(int).sum()
    assert (key.sum() > 1) == (brighter > 0)
    # Without tone curve, noise and compression the photo is the linear picture.
    near = np.corrcoef(srgb_to_linear(sample["photo"] / 255).ravel(), sample["linear"].ravel())
    assert near[0, 1] > 0.9


def test_torch_takes_it_as_it_is(pairs: PairSet) -> None:
    torch = pytest.importorskip("torch")
    loader = torch.utils.data.DataLoader(pairs, batch_size=4)
    batches = list(loader)
    assert [len(batch["photo"]) for batch in batches] == [4, 4, 2]
    np.testing.assert_array_equal(batches[0]["gain"][2].numpy(), pairs[2]["gain"])


def test_tensorflow_takes_it_as_it_is(pairs: PairSet) -> None:
    tf = pytest.importorskip("tensorflow")
    made = tf.data.Dataset.from_generator(pairs, output_signature=pairs.tf_signature()).batch(4)
    batches = list(made)
    assert [len(batch["photo"]) for batch in batches] == [4, 4, 2]
    np.testing.assert_array_equal(batches[0]["gain"][2].numpy(), pairs[2]["gain"])


def check_files(files: dict[str, bytes], sample: dict[str, np.ndarray], key: str) -> None:
    for name in ("photo", "relit"):
        image = Image.open(io.BytesIO(files[f"{key}.{name}.png"]))
        np.testing.assert_array_equal(np.asarray(image), sample[name])
    gain = np.load(io.BytesIO(files[f"{key}.gain.npy"]))
    np.testing.assert_allclose(gain, sample["gain"], rtol=1e-3, atol=1e-4)
    numbers = json.loads(files[f"{key}.light.json"])
    np.testing.assert_allclose(numbers["light"], sample["light"], atol=1e-6)
    assert numbers["intensity"] == pytest.approx(float(sample["intensity"]), abs=1e-6)


def test_a_folder_and_its_shards_hold_the_same(pairs: PairSet, tmp_path: Path) -> None:
    done = list(write_pairs(pairs, tmp_path / "folder", Layout.FOLDER, {}))
    assert done[-1] == COUNT
    key = "00000005"
    written = {p.name: p.read_bytes() for p in (tmp_path / "folder").glob(f"{key}.*")}
    assert written == files_of(pairs[5], key)
    check_files(written, pairs[5], key)
    assert list(write_pairs(pairs, tmp_path / "tar", Layout.WEBDATASET, {}, 4)) == [4, 8, 10]
    shards = sorted((tmp_path / "tar").glob("*.tar"))
    assert len(shards) == 3
    with tarfile.open(shards[1]) as archive:
        members = {m.name: archive.extractfile(m).read() for m in archive.getmembers()}
    assert {name: members[name] for name in written} == written
    # WebDataset takes what follows one another with one basename for one sample.
    keys = [name.split(".")[0] for name in members]
    assert keys == sorted(keys)


def test_tfrecord_shards_are_read_back(pairs: PairSet, tmp_path: Path) -> None:
    pytest.importorskip("google_crc32c")
    list(write_pairs(pairs, tmp_path, Layout.TFRECORD, {}, 4))
    path = sorted(tmp_path.glob("*.tfrecord.gz"))[1]
    records = list(read_records(path, pairs.spec()))
    assert len(records) == 4
    assert same(records[1], pairs[5])


def test_what_is_there_is_not_made_again(pairs: PairSet, tmp_path: Path) -> None:
    list(write_pairs(pairs, tmp_path, Layout.WEBDATASET, {"seed": 0}, 4))
    shards = sorted(tmp_path.glob("*.tar"))
    whole = shards[1].read_bytes()
    shards[1].unlink()
    before = shards[0].stat().st_mtime_ns
    list(write_pairs(pairs, tmp_path, Layout.WEBDATASET, {"seed": 0}, 4))
    assert shards[0].stat().st_mtime_ns == before
    assert shards[1].read_bytes() == whole
    with pytest.raises(SynthError, match="other values of seed"):
        list(write_pairs(pairs, tmp_path, Layout.WEBDATASET, {"seed": 1}, 4))


def test_command(tmp_path: Path) -> None:
    data = Path(shutil.copytree(SAMPLE, tmp_path / "stage"))
    words = ["pairs", str(data), "--out", str(tmp_path / "out"), "--count", "3"]
    done = CliRunner().invoke(app, [*words, "--format", "webdataset", "--resolution", "32"])
    assert done.exit_code == 0, done.output
    assert [p.name for p in (tmp_path / "out").glob("*.tar")] == ["pairs-00000-3.tar"]
    again = CliRunner().invoke(app, [*words, "--format", "folder"])
    assert isinstance(again.exception, SynthError)
    assert "layout" in str(again.exception)
