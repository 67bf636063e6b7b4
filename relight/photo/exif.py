# SPDX-License-Identifier: Apache-2.0
"""EXIF and XMP of an edited photo: what is no longer true is reset, the rest is kept.

References: EXIF 2.32 (CIPA DC-008), TIFF 6.0.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

EXIF_PREFIX = b"Exif\0\0"

_VALUE_SIZE = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8)
_INTEGER = {1: "B", 3: "H", 4: "I"}
_Entries = dict[int, tuple[int, int, int]]


@dataclass(frozen=True)
class CleanExif:
    """What :func:`clean_exif` found.

    Attributes:
        block: EXIF that fits an upright sRGB photo, with the ``Exif`` prefix; None if unreadable.
        orientation: the orientation tag before cleaning, 1 to 8; 0 if there is none.
        adobe_rgb: whether the camera says that pixels without a profile are Adobe RGB (DCF option
            file).
    """

    block: bytes | None
    orientation: int = 0
    adobe_rgb: bool = False


def clean_exif(block: bytes, width: int, height: int) -> CleanExif:
    """Reset what is no longer true of an upright sRGB photo, and drop the thumbnail.

    The block is changed in place rather than written anew, so that maker notes stay readable:
    their offsets count from the start of the block.

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
    """Entries as tag -> (type, count, position of the value), and where the next offset is."""
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
    # Some writers leave out the last offset.
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
    """Remove the thumbnail's bytes: it shows the photo before the edit."""
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
    """EXIF block of a TIFF without the tags that describe its pixels; None if nothing is left."""
    kept = Image.Exif()
    for tag, value in _describing_tags(exif).items():
        kept[tag] = value
    return kept.tobytes() if len(kept) else None


def tiff_from_exif(block: bytes | None) -> dict[int, Any]:
    """Tags of an EXIF block, without those that describe pixels; directories are nested.

    Raises:
        Exception: many kinds, which Pillow raises for odd EXIF.
    """
    if block is None:
        return {}
    exif = Image.Exif()
    exif.load(block)
    return _describing_tags(exif)


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
# These describe other parts of the file (gain map, video, more XMP) that are not carried over.
_XMP_FOREIGN = re.compile(rb"hdrgm:|GainMap|MotionPhoto|MicroVideo|HasExtendedXMP")


def clean_xmp(xmp: bytes) -> tuple[bytes | None, int]:
    """Reset what is no longer true of an upright photo.

    Args:
        xmp: an XMP packet.

    Returns:
        The packet without sizes and thumbnails, or None if it describes data that are not carried
        over; and the orientation before cleaning, 1 to 8.
    """
    found = _XMP_ORIENTATION.search(xmp)
    orientation = int(found[2]) if found and int(found[2]) in range(1, 9) else 1
    if _XMP_FOREIGN.search(xmp):
        return None, orientation
    xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
    xmp = re.sub(_ATTRIBUTE % _XMP_STALE, b"", xmp)
    xmp = re.sub(rb"<(%s)>[^<]*</\1>" % _XMP_STALE, b"", xmp)
    xmp = re.sub(rb"<((?:xmp|xap):Thumbnails)>.*?</\1>", b"", xmp, flags=re.DOTALL)
    return xmp, orientation
