# SPDX-License-Identifier: Apache-2.0
"""Small photos of every kind as the bytes of their files, and what they should look like."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from relight.photo.file import Photo, save_photo

RNG_SEED = 7
# Quantised so that JPEG at quality 95 keeps it within a few steps.
GRADIENT = np.stack(np.broadcast_arrays(
    np.linspace(20, 230, 40)[None, :], np.linspace(30, 200, 24)[:, None], np.float64(90)
), axis=-1).round().astype(np.uint8)  # fmt: skip


def noise(shape: tuple[int, ...], dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(RNG_SEED).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def pillow_bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def saved(photo: Photo, kind: str) -> bytes:
    buffer = io.BytesIO()
    assert save_photo(photo, buffer, format=kind) is None
    return buffer.getvalue()


def png_16(pixels: np.ndarray, colour_type: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A 16-bit PNG written here, so that reading is not tested against our own writer."""
    height, width = pixels.shape[:2]
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff_16(pixels: np.ndarray, order: str = ">", **tags: int) -> bytes:
    """An uncompressed 16-bit TIFF, one strip. Tags are named ``t<number>``."""
    height, width, channels = pixels.shape
    entries = {256: width, 257: height, 258: 16, 259: 1, 262: 2 if channels > 2 else 1}
    entries |= {277: channels, 278: height, 279: pixels.size * 2}
    entries |= {int(name[1:]): value for name, value in tags.items()}
    entries |= {273: 0}
    offset = 8 + 2 + 12 * len(entries) + 4
    directory = struct.pack(order + "H", len(entries))
    for tag, value in sorted(entries.items()):
        if tag == 258 and channels > 2:
            directory += struct.pack(order + "HHII", tag, 3, channels, offset)
        elif tag == 273:
            directory += struct.pack(order + "HHII", tag, 4, 1, offset + 2 * channels)
        else:
            directory += struct.pack(order + "HHIHH", tag, 3, 1, value, 0) if value < 65536 else (
                struct.pack(order + "HHII", tag, 4, 1, value))  # fmt: skip
    bits = struct.pack(f"{order}{channels}H", *[16] * channels)
    head = struct.pack(order + "2sHI", {">": b"MM", "<": b"II"}[order], 42, 8)
    return head + directory + bytes(4) + bits + pixels.astype(order + "u2").tobytes()


def matrix_profile(primaries: np.ndarray, gamma: float) -> bytes:
    """A minimal ICC v2 display profile. Columns of ``primaries``: XYZ at D50."""

    def xyz(values: np.ndarray) -> bytes:
        return (
            b"XYZ "
            + bytes(4)
            + struct.pack(">3i", *np.round(np.asarray(values) * 65536).astype(int))
        )

    curve = b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(gamma * 256))
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = {b"desc": name + bytes(3), b"wtpt": xyz([0.9642, 1, 0.8249])}
    for index, channel in enumerate((b"r", b"g", b"b")):
        tags[channel + b"XYZ"], tags[channel + b"TRC"] = xyz(primaries[:, index]), curve
    start, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for tag, value in tags.items():
        table += struct.pack(">4sII", tag, start + len(body), len(value))
        body += value
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


# Display P3 primaries, D50 adapted (SMPTE EG 432-1), here with gamma 2.2.
P3 = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
P3_PROFILE = matrix_profile(P3, 2.2)
SRGB_D50 = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)


def p3_to_srgb(encoded: np.ndarray) -> np.ndarray:
    linear = (encoded ** (563 / 256)) @ (np.linalg.inv(SRGB_D50) @ P3).T
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def camera_exif(orientation: int = 1, **more: object) -> bytes:
    """EXIF of a camera; ``more``: further tags of the camera's own directory, as ``t<number>``."""
    camera = {0x9003: "2024:05:06 07:08:09", 0x927C: b"maker note", 0xA002: 40, 0xA003: 24}
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Kamera", orientation
    exif[0x8769] = camera | {int(name[1:]): value for name, value in more.items()}
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.5)}
    return exif.tobytes()


def small_files() -> dict[str, bytes]:
    image, exif = Image.fromarray(noise((24, 24, 3))), camera_exif(6)
    files = {
        kind: pillow_bytes(image, kind, exif=exif, icc_profile=P3_PROFILE)
        for kind in ("JPEG", "PNG", "WEBP", "TIFF")
    }
    files["TIFF-LZW"] = pillow_bytes(image, "TIFF", compression="tiff_lzw")
    files["GIF"] = pillow_bytes(image, "GIF")
    profile = (b"iCCP", b"P3\0\0" + zlib.compress(P3_PROFILE))
    files["PNG-16"] = png_16(noise((12, 12, 3), np.uint16), 2, profile, (b"eXIf", exif[6:]))
    files["TIFF-16"] = tiff_16(noise((12, 12, 3), np.uint16))
    told = (b"cICP", bytes([9, 16, 0, 1])), (b"tRNS", bytes(6)), (b"tEXt", b"Author\0Jane")
    files["PNG-HDR"] = png_16(noise((12, 12, 3), np.uint16), 2, *told)
    files["JPEG-progressive"] = pillow_bytes(image, "JPEG", progressive=True)
    return files


FILES = small_files()
