# SPDX-License-Identifier: Apache-2.0
"""Records that any framework reads: gzipped TFRecord files of ``tf.train.Example`` messages.

``tf.data.TFRecordDataset(path, compression_type="GZIP")`` reads them, and so does
:func:`read_records` without TensorFlow. Every array is one bytes feature: C order, little-endian.
A file is complete when its sidecar ``NAME.json``, written last, is there; that holds its SHA-256.

Formats: https://www.tensorflow.org/tutorials/load_data/tfrecord (frames: length, masked CRC-32C of
it, data, masked CRC-32C), https://protobuf.dev/programming-guides/encoding (messages).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import SynthError
from relight.storage import whole_file

Spec = Mapping[str, tuple[str, tuple[int, ...]]]
"""Type and shape of each array of a record."""

LEVEL = 1
"""Of gzip: more costs much time and saves little."""
_MASK = 0xA282EAD8
_LENGTH = struct.Struct("<Q")
_SUM = struct.Struct("<I")


class RecordError(SynthError):
    """A file of records is missing, corrupt or cannot be written."""


def write_records(
    path: Path, records: Iterable[Mapping[str, NDArray[Any]]], spec: Spec, about: dict[str, Any]
) -> None:
    """Write a file and its sidecar, completely or not at all; equal records give equal bytes.

    Args:
        path: of the file.
        records: arrays by name; all names of ``spec``, in its shapes.
        spec: types and shapes, kept in the sidecar.
        about: JSON-ready, kept in the sidecar.

    Raises:
        RecordError: if the folder cannot be written.
    """
    count = 0
    try:
        with whole_file(path) as temporary:
            with (
                temporary.open("wb") as raw,
                gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as file,
            ):
                for record in records:
                    file.write(_frame(_encode(record, spec)))
                    count += 1
            document = about | {
                "records": count,
                "bytes": temporary.stat().st_size,
                "sha256": _sha256(temporary),
                "features": {name: [dtype, list(shape)] for name, (dtype, shape) in spec.items()},
            }
        with whole_file(sidecar(path)) as temporary:
            temporary.write_text(json.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise RecordError(
            f"{path}: cannot be written ({error.strerror or error});"
            " free space or choose another folder, then run again to continue"
        ) from error


def sidecar(path: Path) -> Path:
    """Where a file's sidecar is."""
    return path.with_name(f"{path.name}.json")


def read_sidecar(path: Path) -> dict[str, Any] | None:
    """The content of a file's sidecar, or None for an incomplete file, which is not read."""
    try:
        document: dict[str, Any] = json.loads(sidecar(path).read_text())
        return document if path.stat().st_size == document["bytes"] else None
    except (OSError, ValueError, KeyError):
        return None


def is_intact(path: Path) -> bool:
    """Whether a file's checksum is that of what was written."""
    document = read_sidecar(path)
    return document is not None and _sha256(path) == document["sha256"]


def read_records(path: Path, spec: Spec) -> Iterator[dict[str, NDArray[Any]]]:
    """Read a file record by record, each checked by its checksum.

    Raises:
        RecordError: if it is missing or corrupt.
    """
    try:
        with gzip.open(path, "rb") as file:
            while head := file.read(_LENGTH.size + _SUM.size):
                (length,) = _LENGTH.unpack_from(head)
                if _masked_sum(head[: _LENGTH.size]) != head[_LENGTH.size :]:
                    raise ValueError("sum of a length")
                data, total = file.read(length), file.read(_SUM.size)
                if _masked_sum(data) != total:
                    raise ValueError("sum of a record")
                yield _decode(data, spec)
    except (OSError, EOFError, ValueError, KeyError, IndexError, struct.error) as error:
        raise RecordError(f"{path}: missing or corrupt ({error}); make it again") from error


def _frame(data: bytes) -> bytes:
    length = _LENGTH.pack(len(data))
    return length + _masked_sum(length) + data + _masked_sum(data)


def _masked_sum(data: bytes) -> bytes:
    try:
        from google_crc32c import value
    except ImportError as error:
        raise RecordError(
            "records need google-crc32c: pip install 'portrait-relight[scale]'"
        ) from error
    crc = value(data)
    return _SUM.pack(((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF)


def _encode(record: Mapping[str, NDArray[Any]], spec: Spec) -> bytes:
    """An Example: features (1) { feature (1) { key (1), value (2) { bytes_list (1) { value (1)."""
    entries = []
    for name, (dtype, shape) in sorted(spec.items()):
        array = np.asarray(record[name], np.dtype(dtype).newbyteorder("<"), order="C")
        if array.shape != shape:
            raise ValueError(f"{name} has shape {array.shape}, not {shape}")
        feature = _field(1, _field(1, array.tobytes()))
        entries.append(_field(1, _field(1, name.encode()) + _field(2, feature)))
    return _field(1, b"".join(entries))


def _decode(data: bytes, spec: Spec) -> dict[str, NDArray[Any]]:
    found: dict[str, bytes] = {}
    for _, features in _fields(data):
        for _, entry in _fields(features):
            parts = dict(_fields(entry))
            values = dict(_fields(parts[2]))[1]
            found[bytes(parts[1]).decode()] = dict(_fields(values))[1]
    return {
        name: np.frombuffer(found[name], np.dtype(dtype).newbyteorder("<")).reshape(shape)
        for name, (dtype, shape) in spec.items()
    }


def _field(number: int, data: bytes) -> bytes:
    """A length-delimited field: tag, length as a varint, data."""
    size, length = len(data), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return bytes([number << 3 | 2]) + bytes(length) + data


def _fields(data: bytes | memoryview) -> Iterator[tuple[int, Any]]:
    """Number and data of each length-delimited field."""
    view, place = memoryview(data), 0
    while place < len(view):
        number, size, shift = view[place] >> 3, 0, 0
        while True:
            place += 1
            size |= (view[place] & 0x7F) << shift
            shift += 7
            if view[place] < 0x80:
                break
        place += 1
        yield number, view[place : place + size]
        place += size


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
