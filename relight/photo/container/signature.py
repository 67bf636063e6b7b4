# SPDX-License-Identifier: Apache-2.0
"""What kind of file it is, by its first bytes, and what to do with one that is not a photo."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import re
import warnings
from typing import Any

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from relight.error import PhotoError, UnsupportedPhotoError
from relight.photo.container.box import boxes

READABLE = "JPEG, PNG, TIFF, WebP, HEIC, AVIF, GIF or BMP"
HEIC_CURE = "needs pillow-heif; run: pip install 'portrait-relight[heic]'"
RAW = "a camera raw file; develop it to JPEG or TIFF first"

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    *((order, "TIFF") for order in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
)
# Pillow's classes are used directly, since the pixel limit of Image.open is a global.
_DECODERS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIF": ("pillow_heif", "HeifImageFile"),
}
_HEIF_BRANDS = b"heic heix heim heis hevc hevx hevm hevs mif1 msf1".split()
_BRANDS = {
    **dict.fromkeys(_HEIF_BRANDS, "HEIF"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
}
_RAW_SUFFIXES = (".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".pef", ".srw", ".orf", ".raf")
_STRANGERS = (
    (b"%PDF", "a PDF document; export the page as PNG first"),
    (b"8BPS", "a Photoshop document; export it as TIFF or PNG first"),
    (b"FUJIFILM", RAW),
    (b"IIRO", RAW),
    (b"IIRS", RAW),
    (b"IIU\0", RAW),
    (b"v/1\x01", "an EXR image; a photo must be " + READABLE),
    (b"#?RADIANCE", "an HDR image; a photo must be " + READABLE),
    (b"\x1aE\xdf\xa3", "a video; export one frame as PNG first"),
    (b"\xff\x0a", "JPEG XL; convert it to PNG first"),
    (b"\0\0\0\x0cJXL ", "JPEG XL; convert it to PNG first"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000; convert it to PNG first"),
    (b"PK\x03\x04", "a zip archive; unpack it first"),
)


def sniff(head: bytes, name: str) -> str:
    """What kind of photo a file is, by its content.

    Args:
        head: the first bytes of the file, 64 are enough.
        name: for messages; its extension only matters for camera raw files, which look like TIFF.

    Returns:
        JPEG, PNG, TIFF, WEBP, GIF, BMP, AVIF or HEIF.

    Raises:
        UnsupportedPhotoError: it is not a photo, or cannot be read.
        PhotoError: it is empty.
    """
    if not head:
        raise PhotoError(f"{name} is empty; get a complete copy of it")
    if name.lower().endswith(_RAW_SUFFIXES):
        raise UnsupportedPhotoError(f"{name} is {RAW}")
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            return what
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        if head[8:12] in _BRANDS:  # mif1 says only "some still image"
            return "AVIF" if b"avif" in head[8:] else _BRANDS[head[8:12]]
        what = RAW if head[8:11] == b"crx" else "a video; export one frame as PNG first"
        raise UnsupportedPhotoError(f"{name} is {what}")
    for signature, what in _STRANGERS:
        if head.startswith(signature):
            raise UnsupportedPhotoError(f"{name} is {what}")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml")):
        raise UnsupportedPhotoError(f"{name} is a vector drawing or XML; export it as PNG first")
    if text.startswith((b"<!doctype", b"<html")):
        raise UnsupportedPhotoError(f"{name} is a web page; download the photo itself")
    kind = "text" if text.isascii() and b"\0" not in text else "no image format that can be read"
    raise UnsupportedPhotoError(f"{name} is not a photo (it is {kind}); give {READABLE}")


def find_decoder(kind: str, name: str) -> Any:
    """The Pillow class that opens a stream of this kind.

    Args:
        kind: what :func:`sniff` found.
        name: for messages.

    Raises:
        UnsupportedPhotoError: this Pillow cannot read the kind, or pillow-heif is missing.
    """
    module, attribute = _DECODERS[kind]
    try:
        return getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        cure = HEIC_CURE if kind == "HEIF" else "needs Pillow 11.3 or newer"
        raise UnsupportedPhotoError(f"{name} is {kind}, which {cure}") from error


def parts_beside(image: Image.Image, data: bytes, kind: str, *, gain_map: bool) -> list[str]:
    """What a file holds besides its first picture and is not carried over, in words.

    Args:
        image: the file, opened but not decoded.
        data: the whole file.
        kind: what :func:`sniff` found.
        gain_map: whether its gain map is.
    """
    found = []
    boxed = dict(boxes(data)) if kind in ("HEIF", "AVIF") else {}
    told = boxed.get(b"meta", b"") or (_heads(data) if kind == "JPEG" else b"")
    if any(mark in told for mark in _GAIN_MAPS[kind == "JPEG"]):
        found += [] if gain_map else ["its HDR gain map is not kept"]
    elif pictures := _count_pictures(image, kind):
        found.append(f"only the first of its {pictures} is kept")
    if b"mpvd" in boxed or any(mark in told for mark in _VIDEOS):
        found.append("its motion video is not kept")
    if image.info.get("depth_images") or any(mark in told for mark in _DEPTH_MAPS):
        found.append("its depth map is not kept")
    if _MORE_XMP in told:
        found.append("the extension of its XMP is not kept")
    return found


def _heads(jpeg: bytes) -> bytes:
    """The beginning of each picture in a JPEG and the end: where metadata stand."""
    starts = [found.start() for found in _PICTURE.finditer(jpeg)]
    parts = [
        jpeg[start : min(start + _HEAD, following)]
        for start, following in itertools.pairwise([*starts, len(jpeg)])
    ]
    return b"".join([*parts, jpeg[-_HEAD:]])


_PICTURE = re.compile(rb"\xff\xd8\xff")
"""Begins a picture of a JPEG; cannot stand among coded pixels."""
_HEAD = 1 << 17
"""Bytes: two segments of the longest kind."""
_GAIN_MAPS = (
    (b"aux:hdrgainmap", b"tmap"),
    (b"hdrgm:Version", b"urn:iso:std:iso:ts:21496:-1", b"aux:hdrgainmap", b"HDRGainMap:"),
)
"""What only stands in files with a gain map: HEIC and AVIF, then JPEG."""
_VIDEOS = (
    *(b'MotionPhoto="1"', b"MotionPhoto='1'", b"MotionPhoto>1<", b"MotionPhoto_Data"),
    *(b'MicroVideo="1"', b"MicroVideo='1'", b"MicroVideo>1<"),
)
_DEPTH_MAPS = (b"GDepth:", b'Semantic="Depth"')
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_PARTS = {"TIFF": "pages", "JPEG": "pictures", "HEIF": "pictures"}
_SMALLER = 1
"""Bit of the TIFF tag 254 that tells a smaller version of another page."""


def _count_pictures(image: Image.Image, kind: str) -> str | None:
    """How many pictures there are, with the word for them; None for one."""
    # Decoders raise every kind of error for damage, and Pillow warns of odd indices.
    with contextlib.suppress(Exception), warnings.catch_warnings(action="ignore"):
        number = getattr(image, "n_frames", 1)
        if isinstance(image, JpegImageFile) and image.info.get("mp"):
            entries: Any = image._getmp()
            kinds = [entry["Attribute"]["MPType"] for entry in entries[0xB002][1:]]
            number = 1 + sum(not what.startswith("Large Thumbnail") for what in kinds)
        elif isinstance(image, TiffImageFile) and number > 1:
            number = sum(not _is_smaller(image, page) for page in range(number))
            image.seek(0)
        if number > 1:
            return f"{number} {_PARTS.get(kind, 'frames')}"
    return None


def _is_smaller(image: TiffImageFile, page: int) -> bool:
    image.seek(page)
    return bool(image.tag_v2.get(254, 0) & _SMALLER)
