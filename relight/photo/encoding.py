# SPDX-License-Identifier: Apache-2.0
"""How a file was encoded and what it says beside EXIF, to write the next one in the same way.

References: IPTC-IIM 4.2, Adobe Photoshop file formats (image resources).
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, JpegImagePlugin, TiffTags
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from relight.photo.container import png, tiff
from relight.photo.container.gain_map import GainMapPicture

IPTC = 0x0404
"""Number of the image resource that holds an IPTC record."""


@dataclass(frozen=True)
class Encoding:
    """How a photo was encoded, to encode it again in the same way.

    Attributes:
        qtables: JPEG quantisation tables (luma, chroma), 64 values each; None: quality 95.
        subsampling: JPEG chroma subsampling, 0 = 4:4:4, 1 = 4:2:2, 2 = 4:2:0.
        progressive: whether a JPEG is progressive.
        lossless: whether a WebP is lossless.
        compressed: whether a TIFF is compressed.
        dpi: pixels per inch (x, y).
        xmp: XMP packet that fits the upright photo.
        iptc: IPTC record (caption, credit, keywords).
        comment: JPEG comment.
        texts: text chunks of a PNG, (name, body) each.
        tags: further tags of a TIFF, (number, type, value) each.
        thumbnail: whether the EXIF held a thumbnail; a new one is made.
        gain_map: HDR gain map of a JPEG, upright.
    """

    qtables: tuple[tuple[int, ...], ...] | None = None
    subsampling: int = 0
    progressive: bool = False
    lossless: bool = False
    compressed: bool = True
    dpi: tuple[float, float] | None = None
    xmp: bytes | None = field(default=None, repr=False)
    iptc: bytes | None = field(default=None, repr=False)
    comment: bytes | None = field(default=None, repr=False)
    texts: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    tags: tuple[tuple[int, int, Any], ...] = field(default=(), repr=False)
    thumbnail: bool = False
    gain_map: GainMapPicture | None = field(default=None, repr=False)

    def left_out(self, kind: str) -> list[str]:
        """What a format has no place for, in words."""
        words = []
        if self.xmp and kind == "JPEG" and len(self.xmp) > MOST_XMP:
            words.append("XMP")
        if self.gain_map and kind != "JPEG":
            words.append("HDR gain map")
        if self.iptc and len(self.iptc) > _MOST_IPTC.get(kind, 0):
            words.append("IPTC")
        if self.comment and kind not in ("JPEG", "PNG"):
            words.append("comment")
        if self.texts and kind != "PNG":
            keys = dict.fromkeys(body.split(b"\0")[0].decode("latin-1") for _, body in self.texts)
            words.append(f"text ({', '.join(keys)})")
        numbers = [tag for tag, _, _ in self.tags if tag != tiff.IPTC_TAG]
        if numbers and kind != "TIFF":
            words.append(f"TIFF tags ({', '.join(TiffTags.lookup(tag).name for tag in numbers)})")
        return words


MOST_XMP, MOST_IPTC = 65504, 65000
"""Bytes that fit in a segment of a JPEG."""
_MOST_IPTC = {"JPEG": MOST_IPTC, "PNG": 1 << 30, "TIFF": 1 << 30}


def image_resource(iptc: bytes) -> bytes:
    """An IPTC record as Photoshop's image resource."""
    return b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)


def _iptc_of(resources: bytes | None) -> bytes | None:
    """The IPTC record among image resources, or what is one already."""
    if not resources:
        return None
    rest = resources.removeprefix(b"Photoshop 3.0\0")
    if not rest.startswith(b"8BIM"):
        return rest
    while len(rest) >= 12 and rest.startswith(b"8BIM"):
        number, name = struct.unpack_from(">HB", rest, 4)
        at = 6 + (name + 2) // 2 * 2
        if at + 4 > len(rest):
            break
        (size,) = struct.unpack_from(">I", rest, at)
        if number == IPTC:
            return rest[at + 4 : at + 4 + size]
        rest = rest[at + 4 + size + size % 2 :]
    return None


def read_encoding(
    image: Image.Image, data: bytes, chunks: Sequence[tuple[bytes, bytes]], xmp: bytes | None
) -> Encoding:
    """How a file was encoded.

    Args:
        image: the file, opened.
        data: the whole file.
        chunks: of a PNG.
        xmp: its XMP, cleaned.
    """
    info = image.info
    comment = info.get("comment")
    comment = comment if isinstance(comment, bytes) else None
    common = Encoding(xmp=xmp, dpi=_read_dpi(info.get("dpi")), comment=comment)
    if isinstance(image, TiffImageFile):
        kept = tiff.further_tags(image)
        record = {tag: value for tag, _, value in kept}.get(tiff.IPTC_TAG)
        compressed = image.tag_v2.get(259, 1) != 1
        iptc = record.rstrip(b"\0") if isinstance(record, bytes) else None
        return dataclasses.replace(common, compressed=compressed, tags=kept, iptc=iptc)
    if data[8:12] == b"WEBP":
        return dataclasses.replace(common, lossless=_is_lossless(data))
    if chunks:
        iptc = _iptc_of(png.raw_profile(info, "iptc") or png.raw_profile(info, "8bim"))
        return dataclasses.replace(common, iptc=iptc, texts=png.texts(chunks))
    if not isinstance(image, JpegImageFile):
        return common
    # Tables are taken by component, luma first, then chroma: their numbers are arbitrary.
    layers = [tuple(layer) for layer in getattr(image, "layer", [])]
    numbers = [layer[3] for layer in layers[:2]] if len(layers) in (1, 3) else []
    tables = tuple(tuple(image.quantization.get(number, ())) for number in numbers)
    known = tables and all(len(t) == 64 and max(t) < 256 for t in tables)
    sampling = JpegImagePlugin.get_sampling(image)
    iptc = info.get("photoshop", {}).get(IPTC)
    return dataclasses.replace(
        common,
        qtables=tables if known else None,
        subsampling=sampling if sampling in (0, 1, 2) else 0,
        progressive=bool(info.get("progressive")),
        iptc=iptc if isinstance(iptc, bytes) else None,
    )


def _is_lossless(webp: bytes) -> bool:
    at = 12
    while at + 8 <= len(webp):
        name, size = struct.unpack_from("<4sI", webp, at)
        if name in (b"VP8L", b"VP8 "):
            return bool(name == b"VP8L")
        # Frames of an animation have a header of 16 bytes, then chunks of their own.
        at += 24 if name == b"ANMF" else 8 + size + size % 2
    return False


def _read_dpi(dpi: Any) -> tuple[float, float] | None:
    try:
        x, y = float(dpi[0]), float(dpi[1])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return None
    return (x, y) if 1 < x < 65535 and 1 < y < 65535 else None
