# SPDX-License-Identifier: Apache-2.0
"""PNG files where Pillow is not enough: 16-bit samples and chunks.

Reference: PNG third edition.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def encode_16_bit(pixels: NDArray[np.uint16]) -> bytes:
    """Encode uint16 HxW, HxWx3 (RGB) or HxWx4 (RGBA) as PNG without metadata.

    Raises:
        ValueError: if OpenCV cannot write it.
    """
    import cv2

    if pixels.ndim == 3:
        code = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        pixels = np.asarray(cv2.cvtColor(pixels, code), np.uint16)
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise ValueError("the PNG encoder failed")
    return bytes(data.data)


def read_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and body of every sound chunk except the pixels, up to the end or damage."""
    with contextlib.suppress(ValueError):
        for name, body, sound in _walk(data):
            if sound and name != b"IDAT":
                yield name, bytes(body)


def raw_profile(info: Mapping[Any, Any], name: str) -> bytes | None:
    """Metadata that ImageMagick and ExifTool write into a text chunk, as hexadecimal digits.

    Args:
        info: texts by keyword.
        name: of the profile.
    """
    text = info.get(_RAW_PROFILE + name)
    try:
        return bytes.fromhex("".join(str(text).split("\n")[3:])) if text else None
    except ValueError:
        return None


def raw_profile_chunk(name: str, body: bytes) -> tuple[bytes, bytes]:
    """The chunk that :func:`raw_profile` reads."""
    text = f"\n{name}\n{len(body):8d}\n" + body.hex(bytes_per_sep=36, sep="\n") + "\n"
    keyword = (_RAW_PROFILE + name).encode()
    return b"zTXt", keyword + b"\0\0" + zlib.compress(text.encode())


def texts(chunks: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    """Of all chunks those with words about the picture."""
    return tuple(
        (name, body)
        for name, body in chunks
        if name in (b"tEXt", b"zTXt", b"iTXt") and not body.startswith(_NO_TEXTS)
    )


_RAW_PROFILE = "Raw profile type "
_NO_TEXTS = (_RAW_PROFILE.encode(), b"XML:com.adobe.xmp\0", b"Thumb::")
"""Keywords of what is kept elsewhere, and of thumbnails, which show the photo unedited."""


def pixels_only(data: bytes) -> bytes:
    """The file with nothing but its pixels: of an animation the first frame, without a profile."""
    parts = [data[:8]]
    for name, body, _ in _walk(data):
        if name in (b"IHDR", b"IDAT", b"IEND"):
            parts.append(_chunk(name, body))
    return b"".join(parts)


def check(data: bytes) -> None:
    """Make sure that a file is complete and undamaged.

    Raises:
        ValueError: the file is cut short or a checksum is wrong.
    """
    for name, _, sound in _walk(data):
        if not sound:
            raise ValueError(f"wrong checksum in {name!r}")


def _walk(data: bytes) -> Iterator[tuple[bytes, memoryview, bool]]:
    at, name = 8, b""  # behind the signature
    while name != b"IEND":
        if at + 12 > len(data):
            raise ValueError("truncated PNG")
        size, name = struct.unpack_from(">I4s", data, at)
        body = memoryview(data)[at + 8 : at + 8 + size]
        checksum = data[at + 8 + size : at + 12 + size]
        if len(checksum) < 4:
            raise ValueError("truncated PNG")
        yield name, body, zlib.crc32(body, zlib.crc32(name)) == int.from_bytes(checksum)
        at += 12 + size


def add_chunks(png: bytes, chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Insert chunks after the header (IHDR, which always ends at byte 33)."""
    return b"".join([png[:33], *(_chunk(*chunk) for chunk in chunks), png[33:]])


def _chunk(name: bytes, body: bytes | memoryview) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(name))
    return b"".join([struct.pack(">I", len(body)), name, body, struct.pack(">I", checksum)])
