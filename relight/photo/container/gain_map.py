# SPDX-License-Identifier: Apache-2.0
"""HDR gain maps of JPEG files: a small second picture that says how much brighter HDR is.

An HDR display shows ``(SDR + a) 2^G - b``, so the map is a ratio, and stays right when light is
multiplied. Only where highlights are pressed under white does a relit picture gain a little more.

References: Android "Ultra HDR image format" 1.1, ISO 21496-1:2025, CIPA DC-007 (multi-picture
format).
"""

from __future__ import annotations

import contextlib
import io
import re
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from relight.photo.pixel import turn

ISO = b"urn:iso:std:iso:ts:21496:-1\0"
"""Begins the segment of both pictures that holds ISO 21496-1's numbers."""
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_ADOBE = b"hdrgm:Version"
_HDR_FIRST = re.compile(rb"""hdrgm:BaseRenditionIsHDR\s*(?:=\s*["']|>)\s*true""", re.IGNORECASE)
_APPLE = b"aux:hdrgainmap"
_APP1, _APP2 = 0xE1, 0xE2
_LARGEST = 65533
"""Bytes of a segment's body."""


@dataclass(frozen=True)
class GainMapPicture:
    """A gain map as it is stored.

    Attributes:
        jpeg: a whole file.
        iso: what the main picture's file says by ISO 21496-1, with its name; empty if nothing.
    """

    jpeg: bytes = field(repr=False)
    iso: bytes = field(default=b"", repr=False)

    @property
    def adobe(self) -> bool:
        """Whether it tells its numbers in XMP as Android does, which the main picture announces."""
        return any(_ADOBE in body for _, body in _segments(self.jpeg))

    def turned(self, orientation: int) -> GainMapPicture:
        """The same for a picture that was turned upright by its EXIF orientation."""
        if orientation == 1:
            return self
        image: Image.Image = Image.open(io.BytesIO(self.jpeg))
        image = image if image.mode == "L" else image.convert("RGB")
        upright = Image.fromarray(np.ascontiguousarray(turn(np.asarray(image), orientation)))
        buffer = io.BytesIO()
        upright.save(buffer, "JPEG", quality=95, subsampling=0)
        kept = b"".join(_segment(marker, body) for marker, body in _segments(self.jpeg))
        whole = buffer.getvalue()
        return GainMapPicture(whole[:2] + kept + whole[2:], self.iso)


def find(image: Image.Image, data: bytes, *, converted: bool) -> GainMapPicture | None:
    """The gain map of a JPEG, if it has one that stays right for an edited picture.

    Args:
        image: the file, opened.
        data: the whole file.
        converted: whether the colours become others, for which one with colours is not right.
    """
    # Decoders raise every kind of error for damage, and Pillow warns of odd indices.
    with contextlib.suppress(Exception), warnings.catch_warnings(action="ignore"):
        for jpeg in _further_pictures(image, data):
            told = b"".join(body for _, body in _segments(jpeg))
            if not any(mark in told for mark in (_ADOBE, _APPLE, ISO)):
                continue
            map_image = Image.open(io.BytesIO(jpeg))
            map_image.load()
            if _HDR_FIRST.search(told) or _iso_hdr_first(jpeg):
                return None
            if converted and map_image.mode != "L":
                return None
            mains = [body for marker, body in _segments(data) if marker == _APP2]
            iso = next((body for body in mains if body.startswith(ISO)), b"")
            return GainMapPicture(jpeg, iso)
    return None


def _further_pictures(image: Image.Image, data: bytes) -> Iterator[bytes]:
    if not isinstance(image, JpegImageFile) or not image.info.get("mp"):
        return
    entries: Any = image._getmp()
    for entry in entries[0xB002][1:]:
        start = entry["DataOffset"] + image.info["mpoffset"]
        jpeg = data[start : start + entry["Size"]]
        if jpeg.startswith(b"\xff\xd8"):
            yield jpeg


def _segments(jpeg: bytes) -> list[tuple[int, bytes]]:
    """Marker and body of the XMP and the gain map's numbers at the head of a JPEG."""
    found, at = [], 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        (size,) = struct.unpack_from(">H", jpeg, at + 2)
        marker, body = jpeg[at + 1], jpeg[at + 4 : at + 2 + size]
        if (marker == _APP1 and body.startswith(_XMP)) or (
            marker == _APP2 and body.startswith(ISO)
        ):
            found.append((marker, body))
        at += 2 + size
    return found


def _iso_hdr_first(jpeg: bytes) -> bool:
    """Whether ISO's numbers say that the main picture is the HDR one."""
    for _, body in _segments(jpeg):
        numbers = body.removeprefix(ISO)
        if len(numbers) < len(body) and len(numbers) >= 21:
            base, base_of, other, other_of = struct.unpack_from(">4I", numbers, 5)
            return bool(base * other_of > other * base_of)
    return False


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def announce(xmp: bytes | None, length: int) -> bytes | None:
    """XMP of a main picture that says where its gain map is; None if it cannot be added.

    Args:
        xmp: the packet to add it to.
        length: bytes of the gain map's file.
    """
    told = _DIRECTORY % length
    if not xmp:
        return b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF %s>%s</rdf:RDF></x:xmpmeta>' % (
            _RDF, told,
        )  # fmt: skip
    head, end, tail = xmp.rpartition(b"</rdf:RDF>")
    return head + told + end + tail if end else None


_RDF = b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
_DIRECTORY = (
    b'<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"'
    b' xmlns:Container="http://ns.google.com/photos/1.0/container/"'
    b' xmlns:Item="http://ns.google.com/photos/1.0/container/item/" hdrgm:Version="1.0">'
    b'<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource">'
    b'<Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>'
    b'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap"'
    b' Item:Mime="image/jpeg" Item:Length="%d"/></rdf:li></rdf:Seq></Container:Directory>'
    b"</rdf:Description>"
)


def index_segment(iso: bytes) -> bytes:
    """Segments for the head of the main picture: the index of two, whose places come later."""
    index = struct.pack("<2sHIH", b"II", 42, 8, 3)
    index += struct.pack("<HHI4s", 0xB000, 7, 4, b"0100")
    index += struct.pack("<HHII", 0xB001, 4, 1, 2)
    index += struct.pack("<HHII", 0xB002, 7, 32, len(index) + 16)
    index += bytes(4) + struct.pack("<5I", 0x030000, 0, 0, 0, 0) + bytes(12)
    told = _segment(_APP2, iso) if iso and len(iso) <= _LARGEST else b""
    return told + _segment(_APP2, _INDEX + index)


_INDEX = b"MPF\0"


def append(main: bytes, gain_map: bytes) -> bytes:
    """A whole file of two pictures.

    Args:
        main: the main picture, with what :func:`index_segment` gives.
        gain_map: the gain map's file.
    """
    start = main.index(_INDEX + b"II*\0") + len(_INDEX)
    entries = start + 50
    whole = bytearray(main)
    struct.pack_into("<I", whole, entries + 4, len(main))
    struct.pack_into("<II", whole, entries + 20, len(gain_map), len(main) - start)
    return bytes(whole) + gain_map
