# SPDX-License-Identifier: Apache-2.0
"""What kind of file it is, by its first bytes, and what to do with one that is not a photo."""

from __future__ import annotations

import importlib
from typing import Any

from relight.error import PhotoError, UnsupportedPhotoError

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
