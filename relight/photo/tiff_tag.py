# SPDX-License-Identifier: Apache-2.0
"""What the tags of a TIFF say of the photo, and what only describes how its pixels are stored.

Reference: TIFF 6.0.
"""

from __future__ import annotations

from typing import Any

from PIL import Image

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
