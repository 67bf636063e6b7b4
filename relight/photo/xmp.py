# SPDX-License-Identifier: Apache-2.0
"""XMP of an edited photo: what is no longer true is reset, the rest is kept.

Reference: XMP specification part 1 (ISO 16684-1).
"""

from __future__ import annotations

import re

_ATTRIBUTE = rb"""\s%s\s*=\s*(?:"[^"]*"|'[^']*')"""
_EMPTY = rb"<%s(?:\s[^<>]*)?/>"
_ELEMENT = rb"<(%s)(?:\s[^<>]*)?>.*?</\1\s*>"
_XMP_STALE = rb"(?:tiff:Image(?:Width|Length)|exif:Pixel[XY]Dimension|photoshop:ICCProfile)"
_XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation\s*(?:=\s*["']|>\s*))([0-9]+)""")
_FOREIGN = {
    b"http://ns.adobe.com/hdr-gain-map/1.0/": b"hdrgm",
    b"http://ns.apple.com/HDRGainMap/1.0/": b"HDRGainMap",
    b"http://ns.google.com/photos/1.0/camera/": b"GCamera",
    b"http://ns.google.com/photos/1.0/container/": b"Container",
    b"http://ns.google.com/photos/1.0/container/item/": b"Item",
    b"http://ns.google.com/photos/1.0/depthmap/": b"GDepth",
    b"http://ns.google.com/photos/1.0/image/": b"GImage",
    b"http://ns.google.com/photos/dd/1.0/device/": b"Device",
    b"http://ns.adobe.com/xmp/note/": b"xmpNote",
}
"""Namespaces, and their usual prefixes, of what describes other parts of the file (gain map, video,
depth, more XMP), which are not carried over."""
_DECLARED = re.compile(rb"""xmlns:([\w.-]+)\s*=\s*["']([^"']*)["']""")


def clean_xmp(xmp: bytes) -> tuple[bytes, int]:
    """Reset what is no longer true of an upright photo without gain map, video or depth.

    Args:
        xmp: an XMP packet.

    Returns:
        The packet without sizes, thumbnails and descriptions of parts that are not carried over;
        and the orientation before cleaning, 1 to 8.
    """
    found = _XMP_ORIENTATION.search(xmp)
    orientation = int(found[2]) if found and int(found[2]) in range(1, 9) else 1
    declared: dict[bytes, bytes] = dict(_DECLARED.findall(xmp))
    prefixes = {prefix for prefix, name in declared.items() if name in _FOREIGN}
    prefixes |= {prefix for prefix in _FOREIGN.values() if prefix not in declared}
    foreign = rb"(?:%s):[\w.-]+" % b"|".join(re.escape(prefix) for prefix in sorted(prefixes))
    xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
    for name in (_XMP_STALE, foreign):
        xmp = re.sub(_ATTRIBUTE % name, b"", xmp)
        xmp = re.sub(_EMPTY % name, b"", xmp)
        xmp = re.sub(_ELEMENT % name, b"", xmp, flags=re.DOTALL)
    for prefix in prefixes & set(declared):
        xmp = re.sub(_ATTRIBUTE % (b"xmlns:" + re.escape(prefix)), b"", xmp)
    xmp = re.sub(_ELEMENT % b"(?:xmp|xap):Thumbnails", b"", xmp, flags=re.DOTALL)
    return xmp, orientation
