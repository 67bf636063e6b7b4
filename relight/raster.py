# SPDX-License-Identifier: Apache-2.0
"""What photo files hold beside 8-bit pixels: EXIF, XMP, ICC profiles and 16-bit samples.

Everything here works on bytes and arrays; :mod:`relight.photo` decides what is read and written.

References: EXIF 2.32 (CIPA DC-008), TIFF 6.0, ICC.1:2022, PNG third edition, IEC 61966-2-1:1999.
"""

from __future__ import annotations

import functools
import io
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from relight.color import linear_to_srgb

EXIF_PREFIX = b"Exif\0\0"

# -- EXIF and XMP -------------------------------------------------------------------------------

_VALUE_SIZE = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8)
_INTEGER = {1: "B", 3: "H", 4: "I"}
_Entries = dict[int, tuple[int, int, int]]


@dataclass(frozen=True)
class CleanExif:
    """What :func:`clean_exif` found.

    Attributes:
        block: EXIF that fits an upright sRGB photo, with the ``Exif`` prefix; None if unreadable.
        orientation: the orientation tag before cleaning, 1 to 8; 0 if there is none.
        adobe_rgb: whether the camera says that untagged pixels are Adobe RGB (DCF option file).
    """

    block: bytes | None
    orientation: int = 0
    adobe_rgb: bool = False


def clean_exif(block: bytes, width: int, height: int) -> CleanExif:
    """Reset what no longer holds for an upright sRGB photo and drop the thumbnail.

    The block is patched in place rather than written anew, so that maker notes, whose offsets
    count from the start of the block, stay readable.

    Args:
        block: EXIF with or without the ``Exif`` prefix.
        width: stored (not yet turned) width in pixels.
        height: stored height in pixels.
    """
    blob = bytearray(block.removeprefix(EXIF_PREFIX))
    orientation, adobe_rgb = 0, False
    try:
        order = {b"II": "<", b"MM": ">"}[bytes(blob[:2])]
        used: list[tuple[int, int]] = []
        main, following = _read_directory(blob, order, _get(blob, order, (4, 1, 4)), used)
        if 0x0112 in main:
            orientation = _get(blob, order, main[0x0112])
            orientation = orientation if orientation in range(1, 9) else 1
            _put(blob, order, main[0x0112], 1)
        if orientation >= 5:
            width, height = height, width
        camera: _Entries = {}
        if 0x8769 in main:
            camera, _ = _read_directory(blob, order, _get(blob, order, main[0x8769]), used)
        if 0x8825 in main:
            _read_directory(blob, order, _get(blob, order, main[0x8825]), used)
        if 0xA005 in camera:
            options, _ = _read_directory(blob, order, _get(blob, order, camera[0xA005]), used)
            kind, count, at = options.get(1, (0, 0, 0))
            if (kind, count) == (2, 4) and blob[at : at + 3] == b"R03":
                adobe_rgb = True
                blob[at : at + 3] = b"R98"
        for tag, value in ((0x0100, width), (0x0101, height)):
            if tag in main:
                _put(blob, order, main[tag], value)
        for tag, value in ((0xA001, 1), (0xA002, width), (0xA003, height)):
            if tag in camera:
                _put(blob, order, camera[tag], value)
        if following:
            first = _get(blob, order, (4, 1, following))
            blob[following : following + 4] = bytes(4)
            if first:
                _drop_thumbnail(blob, order, first, used)
    except (struct.error, IndexError, KeyError, ValueError):
        return CleanExif(None, orientation, adobe_rgb)
    return CleanExif(EXIF_PREFIX + bytes(blob), orientation, adobe_rgb)


def _read_directory(
    blob: bytearray, order: str, start: int, used: list[tuple[int, int]]
) -> tuple[_Entries, int]:
    """Entries as tag -> (type, count, position of the value), and where the next offset stands."""
    (count,) = struct.unpack_from(order + "H", blob, start)
    end = start + 2 + 12 * count
    entries: _Entries = {}
    for at in range(start + 2, end, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", blob, at)
        size = _VALUE_SIZE[kind] * number if kind < len(_VALUE_SIZE) else 0
        value_at = at + 8 if size <= 4 else struct.unpack_from(order + "I", blob, at + 8)[0]
        if value_at + size <= len(blob):
            entries[tag] = kind, number, value_at
            used.append((value_at, value_at + size))
    # Some writers leave the last offset out.
    following = end if end + 4 <= len(blob) else 0
    used.append((start, min(end + 4, len(blob))))
    return entries, following


def _get(blob: bytearray, order: str, entry: tuple[int, int, int]) -> int:
    value: int = struct.unpack_from(order + _INTEGER[entry[0]], blob, entry[2])[0]
    return value


def _put(blob: bytearray, order: str, entry: tuple[int, int, int], value: int) -> None:
    kind, count, at = entry
    if count == 1 and kind in _INTEGER:
        struct.pack_into(order + _INTEGER[kind], blob, at, value)


def _drop_thumbnail(
    blob: bytearray, order: str, start: int, used: Sequence[tuple[int, int]]
) -> None:
    """Remove the preview's bytes: it shows the photo before the edit."""
    entries, _ = _read_directory(blob, order, start, [])
    offset, size = (0x0201, 0x0202) if 0x0201 in entries else (0x0111, 0x0117)
    first = last = start
    if offset in entries and size in entries:
        first = _get(blob, order, entries[offset])
        last = min(first + _get(blob, order, entries[size]), len(blob))
    if max(end for _, end in used) <= min(start, first):
        del blob[min(start, first) :]
    elif all(last <= begin or end <= first for begin, end in used):
        blob[first:last] = bytes(last - first)


_TIFF_KEEP = (270, 271, 272, 305, 306, 315, 33432, 18246, *range(40091, 40096))
_TIFF_IFDS = (0x8769, 0x8825)


def exif_from_tiff(exif: Image.Exif) -> bytes | None:
    """EXIF of a TIFF without the tags that describe its pixels."""
    kept = Image.Exif()
    for tag, value in _describing_tags(exif).items():
        kept[tag] = value
    return kept.tobytes() if len(kept) else None


def _describing_tags(exif: Image.Exif) -> dict[int, Any]:
    found: dict[int, Any] = {tag: exif[tag] for tag in _TIFF_KEEP if tag in exif}
    for pointer in _TIFF_IFDS:
        values = {tag: v for tag, v in exif.get_ifd(pointer).items() if tag != 0xA005}
        if values:
            found[pointer] = values
    return found


_ATTRIBUTE = rb"""\s%s\s*=\s*(?:"[^"]*"|'[^']*')"""
_XMP_STALE = rb"(?:tiff:Image(?:Width|Length)|exif:Pixel[XY]Dimension|photoshop:ICCProfile)"
_XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation\s*(?:=\s*["']|>\s*))([0-9]+)""")
# These describe bytes elsewhere in the file (gain map, film, more XMP) that are not carried over.
_XMP_FOREIGN = re.compile(rb"hdrgm:|GainMap|MotionPhoto|MicroVideo|HasExtendedXMP")


def clean_xmp(xmp: bytes) -> tuple[bytes | None, int]:
    """Upright XMP without sizes and thumbnails (None if it describes other data); orientation."""
    found = _XMP_ORIENTATION.search(xmp)
    orientation = int(found[2]) if found and int(found[2]) in range(1, 9) else 1
    if _XMP_FOREIGN.search(xmp):
        return None, orientation
    xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
    xmp = re.sub(_ATTRIBUTE % _XMP_STALE, b"", xmp)
    xmp = re.sub(rb"<(%s)>[^<]*</\1>" % _XMP_STALE, b"", xmp)
    xmp = re.sub(rb"<((?:xmp|xap):Thumbnails)>.*?</\1>", b"", xmp, flags=re.DOTALL)
    return xmp, orientation


# -- ICC ----------------------------------------------------------------------------------------

_WHITE_D50 = (0.96420, 1.0, 0.82491)
# Columns: the primaries as XYZ, adapted to D50 (ICC.1 Annex E, Bradford).
_SRGB = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
_ADOBE_RGB = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
_D65_TO_D50 = (1.04788, 0.02292, -0.05022, 0.02959, 0.99048, -0.01707, -0.00925, 0.01508, 0.75168)
_SRGB_CURVE = (3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_ADOBE_CURVE = (0, 563 / 256)
_Profile = tuple[NDArray[np.float64] | None, list[NDArray[np.float64]]]


@functools.cache
def srgb_profile(grey: bool = False) -> bytes:
    """The sRGB profile, or one for grey pixels with the sRGB transfer function (ICC 4.3)."""
    return _build_profile("sRGB grey" if grey else "sRGB", None if grey else _SRGB, _SRGB_CURVE)


@functools.cache
def adobe_rgb_profile() -> bytes:
    """Profile of the colour space that cameras call Adobe RGB and announce in EXIF only."""
    return _build_profile("Adobe RGB compatible", _ADOBE_RGB, _ADOBE_CURVE)


def _build_profile(
    name: str, primaries: NDArray[np.float64] | None, curve: tuple[float, ...]
) -> bytes:
    def fixed(kind: bytes, values: Sequence[float]) -> bytes:
        return (
            kind + bytes(4) + struct.pack(f">{len(values)}i", *(round(v * 65536) for v in values))
        )

    def text(words: str) -> bytes:
        encoded = words.encode("utf-16-be")
        return b"mluc" + struct.pack(">4xII2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded

    trc = b"para" + struct.pack(">4xHxx", int(curve[0])) + fixed(b"", curve[1:])[4:]
    tags = {
        b"desc": text(name),
        b"cprt": text("No copyright, use freely"),
        b"wtpt": fixed(b"XYZ ", _WHITE_D50),
        b"chad": fixed(b"sf32", _D65_TO_D50),
    }
    if primaries is None:
        tags[b"kTRC"] = trc
    else:
        for channel, colorant in zip(b"rgb", primaries.T, strict=True):
            tags[bytes([channel]) + b"XYZ"] = fixed(b"XYZ ", colorant.tolist())
            tags[bytes([channel]) + b"TRC"] = trc
    offset, table, body = 132 + 12 * len(tags), b"", b""
    for tag, value in tags.items():
        table += struct.pack(">4sII", tag, offset + len(body), len(value))
        body += value.ljust(-len(value) % 4 + len(value), b"\0")
    space = b"RGB " if primaries is not None else b"GRAY"
    date = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)
    header = struct.pack(
        ">I4s4s4s4s4s", offset + len(body), b"", b"\4\x30\0\0", b"mntr", space, b"XYZ "
    )
    header += date + b"acsp" + bytes(28) + fixed(b"", _WHITE_D50)[4:]
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _parse_profile(profile: bytes, points: int) -> _Profile | None:
    """Primaries (None for grey) and sampled curves; None unless it is a matrix or grey profile."""
    try:
        space, connection = profile[16:20], profile[20:24]
        (count,) = struct.unpack_from(">I", profile, 128)
        tags: dict[bytes, bytes] = {}
        for index in range(min(count, 100)):
            tag, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
            tags[tag] = profile[offset : offset + size]
        # Lookup tables, where present, take precedence over matrix and curves.
        if connection != b"XYZ " or any(tag[:3] in (b"A2B", b"D2B") for tag in tags):
            return None
        if space == b"GRAY":
            return None, [_sample_curve(tags[b"kTRC"], points)]
        if space != b"RGB ":
            return None
        columns = [struct.unpack_from(">3i", tags[c + b"XYZ"], 8) for c in (b"r", b"g", b"b")]
        curves = [_sample_curve(tags[c + b"TRC"], points) for c in (b"r", b"g", b"b")]
        return np.array(columns, np.float64).T / 65536, curves
    except (struct.error, KeyError, ValueError, IndexError):
        return None


def _sample_curve(tag: bytes, points: int) -> NDArray[np.float64]:
    x = np.linspace(0.0, 1.0, points)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return x
        table = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
        if count == 1:
            return np.power(x, table[0] / 256)
        return np.interp(x, np.linspace(0.0, 1.0, count), table / 65535)
    if tag[:4] != b"para":
        raise ValueError("unknown curve type")
    (kind,) = struct.unpack_from(">H", tag, 8)
    number = (1, 3, 4, 5, 7)[kind]
    values = [v / 65536 for v in struct.unpack_from(f">{number}i", tag, 12)]
    gamma, a, b, c, d, e, f = (values + [0.0] * 6)[:7]
    if kind == 0:
        return np.power(x, gamma)
    if kind in (1, 2):  # constant below the power law
        c, d, e, f = 0.0, -b / a, c, c
    return np.where(x >= d, np.maximum(a * x + b, 0.0) ** gamma + e, c * x + f)


def is_srgb(profile: bytes) -> bool:
    """Whether a profile is sRGB (or grey with its curve) to within one 8-bit step."""
    parsed = _parse_profile(profile, 256)
    if parsed is None:
        return False
    primaries, curves = parsed
    x = np.linspace(0.0, 1.0, 256)
    if any(np.abs(linear_to_srgb(curve) - x).max() > 1 / 255 for curve in curves):
        return False
    return primaries is None or bool(
        np.abs(np.linalg.solve(_SRGB, primaries) - np.eye(3)).max() < 5e-3
    )


def convert_16_bit(pixels: NDArray[np.uint16], profile: bytes) -> NDArray[np.uint16] | None:
    """Convert 16-bit pixels to sRGB through a matrix or grey profile.

    Args:
        pixels: uint16 HxWx3 in the colours of the profile.
        profile: ICC profile.

    Returns:
        uint16 HxWx3 sRGB, relative colorimetric, out-of-gamut colours clipped per channel; None
        when the profile is not made of curves and a matrix.
    """
    parsed = _parse_profile(profile, 65536)
    if parsed is None:
        return None
    primaries, curves = parsed
    tables = [curve.astype(np.float32) for curve in (curves if len(curves) == 3 else curves * 3)]
    matrix = np.eye(3) if primaries is None else np.linalg.solve(_SRGB, primaries)
    result = np.empty_like(pixels)
    for row in range(0, len(pixels), 64):  # in bands, since floats take much memory
        band = pixels[row : row + 64]
        linear = np.stack([tables[c][band[..., c]] for c in range(3)], axis=-1)
        encoded = linear_to_srgb(linear @ matrix.T.astype(np.float32))
        result[row : row + 64] = np.minimum(encoded, 1) * 65535 + 0.5
    return result


# -- 16-bit samples, PNG chunks, TIFF -------------------------------------------------------------

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_16_bit(data: bytes) -> NDArray[np.uint16] | None:
    """Decode a 16-bit PNG or TIFF with OpenCV, since Pillow would drop the lower bytes.

    Returns:
        uint16 HxW, HxWx3 (RGB) or HxWx4 (RGBA), TIFF orientation applied; None if unreadable.
    """
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        return None
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        code = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        pixels = cv2.cvtColor(pixels, code)
    return np.asarray(pixels, np.uint16)


def encode_png_16(pixels: NDArray[np.uint16]) -> bytes:
    """Encode uint16 HxW, HxWx3 (RGB) or HxWx4 (RGBA) as PNG without metadata."""
    import cv2

    if pixels.ndim == 3:
        code = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        pixels = np.asarray(cv2.cvtColor(pixels, code), np.uint16)
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise ValueError("the PNG encoder failed")
    return bytes(data.data)


def read_png_chunks(data: bytes) -> dict[bytes, bytes]:
    """All chunks but the pixels, by name.

    Raises:
        ValueError: the file is cut short or a checksum is wrong.
    """
    chunks: dict[bytes, bytes] = {}
    at, name = len(PNG_SIGNATURE), b""
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
    """Insert chunks behind the header (IHDR, always 33 bytes in)."""
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
        exif: EXIF to merge in; left out if Pillow cannot read it.
        compress: deflate with the horizontal predictor, lossless; otherwise uncompressed.
    """
    height, width, channels = pixels.shape
    bits = pixels.dtype.itemsize * 8
    rows = max(1, (1 << 20) // (width * channels * bits // 8))
    strips: list[bytes] = []
    for row in range(0, height, rows):
        strip = pixels[row : row + rows].astype(pixels.dtype.newbyteorder("<"))
        if compress:
            strip[:, 1:] -= strip[:, :-1].copy()  # wraps around, as TIFF 6.0 section 14 wants
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
        _tiff_directory(_tiff_exif(exif), layout).save(head)
    except Exception:  # Pillow meets odd EXIF with many kinds of error
        head = io.BytesIO()
        _tiff_directory({}, layout).save(head)
    return b"".join([head.getvalue(), *strips])


def _tiff_exif(block: bytes | None) -> dict[int, Any]:
    if block is None:
        return {}
    exif = Image.Exif()
    exif.load(block)
    return _describing_tags(exif)


def _tiff_directory(
    exif: dict[int, Any], layout: dict[int, Any]
) -> TiffImagePlugin.ImageFileDirectory_v2:
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    for tag, value in {**exif, **layout}.items():
        directory[tag] = value
    # Offsets are moved behind the directory when it is saved, so they must be 32 bits wide.
    for tag in (273, 279):
        directory.tagtype[tag] = 4
    return directory
