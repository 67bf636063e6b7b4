# SPDX-License-Identifier: Apache-2.0
"""Records: what is written is read, by this code and by TensorFlow; what is damaged is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("google_crc32c")

from data_synth.run.record import (
    RecordError,
    is_intact,
    read_records,
    read_sidecar,
    sidecar,
    write_records,
)

SPEC = {"photo": ("uint8", (4, 5, 3)), "gain": ("float16", (9, 20)), "light": ("float32", (4,))}


def samples(count: int = 3) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    return [
        {
            "photo": rng.integers(0, 256, (4, 5, 3), np.uint8),
            "gain": rng.random((9, 20)).astype(np.float16),
            "light": rng.random(4, np.float32),
        }
        for _ in range(count)
    ]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path, made = tmp_path / "a.gz", samples()
    write_records(path, made, SPEC, {"block": 7})
    for expected, found in zip(made, read_records(path, SPEC), strict=True):
        assert found.keys() == expected.keys()
        for name in expected:
            assert found[name].dtype == expected[name].dtype
            np.testing.assert_array_equal(found[name], expected[name])
    account = read_sidecar(path)
    assert account is not None
    assert (account["block"], account["records"]) == (7, 3)
    assert account["features"]["photo"] == ["uint8", [4, 5, 3]]
    assert is_intact(path)


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        write_records(tmp_path / name, samples(), SPEC, {})
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    def broken():
        yield samples(1)[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_records(tmp_path / "a.gz", broken(), SPEC, {})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RecordError, match="choose another folder"):
        write_records(tmp_path / "gone" / "a.gz", samples(), SPEC, {})


@pytest.mark.parametrize("damage", ["cut", "flipped", "no sidecar", "gone"])
def test_what_is_damaged_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.gz"
    write_records(path, samples(), SPEC, {})
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "flipped":
        data = bytearray(gzip.decompress(path.read_bytes()))
        data[40] ^= 1
        path.write_bytes(gzip.compress(bytes(data)))
    elif damage == "no sidecar":
        sidecar(path).unlink()
    else:
        path.unlink()
    assert not is_intact(path)
    if damage != "no sidecar":
        with pytest.raises(RecordError, match="make it again"):
            list(read_records(path, SPEC))


@pytest.mark.slow
def test_tensorflow_reads_the_same(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    path, made = tmp_path / "a.gz", samples()
    write_records(path, made, SPEC, {})
    features = {name: tf.io.FixedLenFeature((), tf.string) for name in SPEC}
    read = list(tf.data.TFRecordDataset(str(path), compression_type="GZIP"))
    assert len(read) == 3
    for expected, message in zip(made, read, strict=True):
        found = tf.io.parse_single_example(message, features)
        for name, (dtype, shape) in SPEC.items():
            array = tf.reshape(tf.io.decode_raw(found[name], dtype), shape).numpy()
            np.testing.assert_array_equal(array, expected[name])
