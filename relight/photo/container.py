# SPDX-License-Identifier: Apache-2.0
"""PNG and TIFF files where Pillow is not enough: 16-bit samples, chunks and directories.

References: PNG third edition, TIFF 6.0.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from relight.photo.tiff_tag import tiff_from_exif


def read_16_bit(data: bytes) -> NDArray[np.uint16]:
    """Decode a 16-bit PNG or TIFF with OpenCV, since Pillow would drop the lower bytes.

    Returns:
        uint16 HxW, HxWx3 (RGB) or HxWx4 (RGBA), TIFF orientation applied.

    Raises:
        ValueError: if OpenCV cannot read it.
    """
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("its 16-bit samples cannot be decoded")
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        code = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        pixels = cv2.cvtColor(pixels, code)
    return np.asarray(pixels, np.uint16)


def encode_png_16(pixels: NDArray[np.uint16]) -> bytes:
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


def read_png_chunks(data: bytes) -> dict[bytes, bytes]:
    """All chunks except the pixels, by name.

    Raises:
        ValueError: the file is cut short or a checksum is wrong.
    """
    chunks: dict[bytes, bytes] = {}
    at, name = 8, b""  # behind the signature
    while name != b"IEND":
        if at + 12 > len(data):
            raise ValueError("truncated PNG")
        size, name = struct.unpack_from(">I4s", data, at)
        body = memoryview(data)[at + 8 : at + 8 + size]
        checksum = data[at + 8 + size : at + 12 + size]
        if len(checksum) < 4:
            raise ValueError("truncated PNG")
        if zlib.crc32(body, zlib.crc32(name)) != int.from_bytes(checksum):
            raise ValueError(f"wrong checksum in {name!r}")
        if name != b"IDAT":
            chunks[name] = bytes(body)
        at += 12 + size
    return chunks


def add_png_chunks(png: bytes, chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Insert chunks after the header (IHDR, which always ends at byte 33)."""
    parts = [png[:33]]
    for name, body in chunks:
        parts += [struct.pack(">I", len(body)), name, body]
        parts.append(struct.pack(">I", zlib.crc32(body, zlib.crc32(name))))
    return b"".join([*parts, png[33:]])


def encode_tiff(
    pixels: NDArray[Any], tags: dict[int, Any], exif: bytes | None, *, compress: bool
) -> bytes:
    """Encode uint8 or uint16 HxWxC as TIFF, C = 1 (grey), 2 (with alpha), 3 (RGB) or 4 (RGBA).

    Args:
        pixels: the samples; alpha is not premultiplied.
        tags: further tags of the main directory (resolution, XMP, ICC).
        exif: EXIF to add; left out if Pillow cannot read it.
        compress: deflate with the horizontal predictor, lossless; otherwise uncompressed.
    """
    height, width, channels = pixels.shape
    bits = pixels.dtype.itemsize * 8
    rows = max(1, (1 << 20) // (width * channels * bits // 8))
    strips: list[bytes] = []
    for row in range(0, height, rows):
        strip = pixels[row : row + rows].astype(pixels.dtype.newbyteorder("<"))
        if compress:
            strip[:, 1:] -= strip[:, :-1].copy()  # wraps around, as in TIFF 6.0 section 14
        strips.append(zlib.compress(strip.tobytes(), 4) if compress else strip.tobytes())
    sizes = [len(strip) for strip in strips]
    layout: dict[int, Any] = {
        256: width,
        257: height,
        258: (bits,) * channels,
        259: 8 if compress else 1,
        262: 2 if channels >= 3 else 1,
        273: tuple(int(n) for n in np.cumsum([0, *sizes[:-1]])),
        274: 1,
        277: channels,
        278: rows,
        279: tuple(sizes),
        284: 1,
    }
    if compress:
        layout[317] = 2
    if channels in (2, 4):
        layout[338] = 2
    layout.update(tags)
    head = io.BytesIO()
    try:
        _tiff_directory(tiff_from_exif(exif), layout).save(head)
    except Exception:  # Pillow raises many kinds of error for odd EXIF
        head = io.BytesIO()
        _tiff_directory({}, layout).save(head)
    return b"".join([head.getvalue(), *strips])


def _tiff_directory(
    exif: dict[int, Any], layout: dict[int, Any]
) -> TiffImagePlugin.ImageFileDirectory_v2:
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    for tag, value in {**exif, **layout}.items():
        directory[tag] = value
    # Saving moves the offsets behind the directory, so they must be 32 bits wide.
    for tag in (273, 279):
        directory.tagtype[tag] = 4
    return directory
