# SPDX-License-Identifier: Apache-2.0
"""XMP of an edited photo: what is no longer true is reset, the rest is kept.

Reference: XMP specification part 1 (ISO 16684-1).
"""

from __future__ import annotations

import re

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
