# SPDX-License-Identifier: Apache-2.0
"""Pairs as files: a folder, WebDataset shards or TFRecord shards.

A folder and a WebDataset shard (a tar archive) hold the same files, ``KEY.photo.png`` ...:
photo and relit photo as PNG, other arrays as ``.npy``, and light, softness, colour and intensity in
``KEY.light.json``. A TFRecord shard holds each array as bytes, see :mod:`data_synth.run.record`.
Shards and pairs depend only on the settings: what is there already is not made again.

Formats: https://github.com/webdataset/webdataset (tar files whose members of one basename are one
sample).
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import numpy as np

from data_synth.error import SynthError
from data_synth.run.record import is_intact, write_records
from data_synth.share.pair_set import PairSet, Sample
from data_synth.share.picture_file import png_bytes
from relight.storage import whole_file

SETTINGS = "pairs.json"
PHOTOS = ("photo", "relit")
"""Arrays that are pictures of 8 bits."""
FLOATS = ("gain", "linear", "normals", "mask", "environment")
"""Arrays kept as float16 but for the environment, whose lamps exceed it."""
NUMBERS = ("light", "softness", "color", "intensity")
BIGGEST = 6e4
"""float16 ends there."""


class Layout(StrEnum):
    """How pairs are stored."""

    FOLDER = "folder"
    WEBDATASET = "webdataset"
    TFRECORD = "tfrecord"


def write_pairs(
    pairs: PairSet, out: Path, layout: Layout, settings: dict[str, object], shard: int = 500
) -> Iterator[int]:
    """Write pairs that are not there yet.

    Args:
        pairs: to write.
        out: folder of the files.
        layout: of the files.
        settings: what the pairs were made from, JSON-ready; a folder holds one kind.
        shard: pairs in a file of a layout with shards.

    Yields:
        The number of pairs that are there, as they are written.

    Raises:
        SynthError: if the folder holds other pairs or cannot be written.
    """
    known = {"layout": str(layout), **settings}
    if layout is not Layout.FOLDER:
        known["shard"] = shard
    try:
        out.mkdir(parents=True, exist_ok=True)
        _check_same(out / SETTINGS, known)
        per_file = 1 if layout is Layout.FOLDER else shard
        for number, start in enumerate(range(0, len(pairs), per_file)):
            chosen = range(start, min(start + per_file, len(pairs)))
            _write_file(pairs, chosen, out, number, layout)
            yield chosen.stop
    except OSError as error:
        raise SynthError(
            f"{out}: cannot be written ({error.strerror or error}); free space or choose another"
            " folder, then run again to continue"
        ) from error


def _write_file(pairs: PairSet, chosen: range, out: Path, number: int, layout: Layout) -> None:
    if layout is Layout.TFRECORD:
        path = out / f"pairs-{number:05d}-{len(chosen)}.tfrecord.gz"
        if not is_intact(path):
            write_records(path, (pairs[i] for i in chosen), pairs.spec(), {"shard": number})
    elif layout is Layout.WEBDATASET:
        path = out / f"pairs-{number:05d}-{len(chosen)}.tar"
        if not path.exists():
            with whole_file(path) as temporary, tarfile.open(temporary, "w") as archive:
                for i in chosen:
                    for name, content in files_of(pairs[i], f"{i:08d}").items():
                        member = tarfile.TarInfo(name)
                        member.size = len(content)
                        archive.addfile(member, io.BytesIO(content))
    else:
        # The last file of a pair is written last.
        key = f"{chosen.start:08d}"
        if (out / f"{key}.light.json").exists():
            return
        for name, content in files_of(pairs[chosen.start], key).items():
            with whole_file(out / name) as temporary:
                temporary.write_bytes(content)


def files_of(sample: Sample, key: str) -> dict[str, bytes]:
    """A pair's files by name, ``KEY.light.json`` last."""
    files = {f"{key}.{name}.png": png_bytes(sample[name]) for name in PHOTOS}
    for name in FLOATS:
        values = sample[name]
        if name != "environment":
            values = np.clip(values, -BIGGEST, BIGGEST).astype(np.float16)
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        files[f"{key}.{name}.npy"] = buffer.getvalue()
    numbers = {name: np.round(np.asarray(sample[name], float), 6).tolist() for name in NUMBERS}
    files[f"{key}.light.json"] = (json.dumps(numbers) + "\n").encode()
    return files


def _check_same(path: Path, settings: dict[str, object]) -> None:
    settings = json.loads(json.dumps(settings))
    try:
        stored = json.loads(path.read_text()) if path.exists() else settings
    except ValueError as error:
        raise SynthError(f"{path}: corrupt; choose another folder") from error
    if stored != settings:
        different = sorted(k for k in settings if stored.get(k) != settings[k])
        raise SynthError(
            f"{path.parent}: holds pairs with other values of {', '.join(different)};"
            " give the same ones again or choose another folder"
        )
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(settings, indent=1) + "\n")
