# SPDX-License-Identifier: Apache-2.0
"""Photos in and out: files, bytes and arrays become upright sRGB pixels, and files again.

EXIF, ICC profiles, orientation, alpha and bit depth end here; the rest of the library sees arrays.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import io
import logging
import os
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin
from PIL.JpegImagePlugin import JpegImageFile

from relight import raster
from relight.error import PhotoError
from relight.storage import whole_file

__all__ = ["Encoding", "Photo", "PhotoError", "load_photo", "save_photo"]

_log = logging.getLogger(__name__)

# Pillow's classes are opened directly, not by Image.open: its limit on pixels is a global.
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
_EXTENSIONS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIF"),
    ".png": "PNG",
    ".webp": "WEBP",
}
_MAX_SIDE = {"JPEG": 65500, "WEBP": 16383, "HEIF": 16384}
_HEIC_CURE = "needs pillow-heif; run: pip install 'portrait-relight[heic]'"
_READABLE = "JPEG, PNG, TIFF, WebP, HEIC, AVIF, GIF or BMP"
_WRITABLE = "use .jpg, .png, .tif, .webp or .heic"

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (raster.PNG_SIGNATURE, "PNG"),
    *((order, "TIFF") for order in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
)
_HEIF_BRANDS = b"heic heix heim heis hevc hevx hevm hevs mif1 msf1".split()
_BRANDS = {
    **dict.fromkeys(_HEIF_BRANDS, "HEIF"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
}
_RAW = "a camera raw file; develop it to JPEG or TIFF first"
_RAW_SUFFIXES = (".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".pef", ".srw", ".orf", ".raf")
_STRANGERS = (
    (b"%PDF", "a PDF document; export the page as PNG first"),
    (b"8BPS", "a Photoshop document; export it as TIFF or PNG first"),
    (b"FUJIFILM", _RAW),
    (b"IIRO", _RAW),
    (b"IIRS", _RAW),
    (b"IIU\0", _RAW),
    (b"v/1\x01", "an EXR image; a photo must be " + _READABLE),
    (b"#?RADIANCE", "an HDR image; a photo must be " + _READABLE),
    (b"\x1aE\xdf\xa3", "a video; export one frame as PNG first"),
    (b"\xff\x0a", "JPEG XL; convert it to PNG first"),
    (b"\0\0\0\x0cJXL ", "JPEG XL; convert it to PNG first"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000; convert it to PNG first"),
    (b"PK\x03\x04", "a zip archive; unpack it first"),
)


@dataclass(frozen=True)
class Encoding:
    """What is needed to write a photo again as it was.

    Attributes:
        qtables: JPEG quantisation tables (luma, chroma), 64 values each; None: quality 95.
        subsampling: JPEG chroma subsampling, 0 = 4:4:4, 1 = 4:2:2, 2 = 4:2:0.
        progressive: whether a JPEG is progressive.
        lossless: whether a WebP is lossless.
        compressed: whether a TIFF is compressed.
        dpi: pixels per inch (x, y).
        xmp: XMP packet that fits the upright photo.
        iptc: IPTC record of a JPEG (caption, credit, keywords).
        comment: JPEG comment.
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


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo and what is needed to save its edited pixels alike.

    Attributes:
        rgb: HxWx3 uint8 or uint16 (full range), sRGB-encoded, upright, C-contiguous. Treat it as
            read-only: it may share memory with the array that was loaded.
        alpha: HxW of the same dtype, not premultiplied; None when there is none.
        exif: EXIF block, orientation 1, no thumbnail; None when there is none.
        name: for messages: the path as given, ``<stdin>``, ``<bytes>`` or ``<array>``.
        source: absolute path of the file, which :func:`save_photo` will not overwrite.
        format: ``JPEG``, ``PNG``, ``TIFF``, ``WEBP`` or ``HEIF``: what it is saved as by default.
        grey: whether the file was grey; it is saved grey again if ``rgb`` is neutral.
        encoding: how the file was written.
    """

    rgb: NDArray[Any] = field(repr=False)
    alpha: NDArray[Any] | None = field(default=None, repr=False)
    exif: bytes | None = field(default=None, repr=False)
    name: str = "<array>"
    source: Path | None = None
    format: str = "PNG"
    grey: bool = False
    encoding: Encoding = Encoding()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of ``rgb``: height, width, 3."""
        return self.height, self.width, 3

    @property
    def height(self) -> int:
        """Rows of the upright photo."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns of the upright photo."""
        return int(self.rgb.shape[1])

    @functools.cached_property
    def rgb8(self) -> NDArray[np.uint8]:
        """The pixels as uint8 HxWx3 sRGB; 16-bit samples are rounded to the nearest."""
        return _to_8_bit(self.rgb)

    def with_rgb(self, rgb: NDArray[Any]) -> Photo:
        """The same photo with other pixels.

        Args:
            rgb: sRGB pixels of the same shape and dtype as ``self.rgb``.

        Raises:
            TypeError: another dtype, or no array.
            ValueError: another shape.
        """
        dtype = getattr(rgb, "dtype", type(rgb).__name__)
        if dtype != self.rgb.dtype:
            raise TypeError(f"expected {self.rgb.dtype} pixels, got {dtype}")
        if rgb.shape != self.shape:
            raise ValueError(f"expected pixels of shape {self.shape}, got {rgb.shape}")
        return dataclasses.replace(self, rgb=np.ascontiguousarray(rgb))


def load_photo(
    source: str | os.PathLike[str] | bytes | BinaryIO | NDArray[Any],
    *,
    max_megapixels: float = 200,
) -> Photo:
    """Read a photo: JPEG, PNG, TIFF, WebP, HEIC (with pillow-heif), AVIF, GIF or BMP.

    Pixels are turned upright and converted to sRGB by the ICC profile; without one they are taken
    as sRGB (as Adobe RGB where a camera's EXIF says so). 16-bit PNG and TIFF stay 16-bit, unless
    their profile is made of lookup tables, which can be applied in 8 bits only. Of animations and
    multi-page files the first image is read. A broken profile or EXIF is ignored and logged.

    Args:
        source: path, bytes of a file, binary stream, or an array of sRGB pixels: uint8 or uint16
            HxW (grey), HxWx1 (grey), HxWx3 (RGB) or HxWx4 (RGBA). A contiguous HxWx3 array is
            not copied.
        max_megapixels: larger photos are refused before they are decoded.

    Raises:
        PhotoError: the file is missing, unreadable, damaged, too large or no photo.
        TypeError: ``source`` is none of these types, or an array of another dtype.
        ValueError: an array of another shape, or without pixels.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, max_megapixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(bytes(source), "<bytes>", None, max_megapixels)
    if isinstance(source, (str, os.PathLike)):
        name = os.fspath(source)
        return _decode(_read_file(name), name, Path(os.path.abspath(name)), max_megapixels)
    if not hasattr(source, "read"):
        raise TypeError(f"expected a path, bytes, stream or array, got {type(source).__name__}")
    label = getattr(source, "name", None)
    name = label if isinstance(label, str) else "<stream>"
    try:
        data = source.read()
    except OSError as error:
        raise PhotoError(f"{name} cannot be read ({_reason(error)}); try again") from error
    if not isinstance(data, bytes):
        raise TypeError(f"expected a binary stream, got one of {type(data).__name__}")
    path = Path(os.path.abspath(name)) if os.path.isfile(name) else None
    return _decode(data, name, path, max_megapixels)


def save_photo(
    photo: Photo,
    destination: str | os.PathLike[str] | BinaryIO,
    *,
    format: str | None = None,
    overwrite: bool = False,
) -> Path | None:
    """Write a photo as sRGB with its EXIF, XMP and an sRGB profile.

    The file appears whole or not at all. A JPEG keeps its quantisation tables and chroma
    subsampling; from other sources JPEG is written at quality 95 with full chroma, WebP at
    quality 90 (lossless if it was), HEIC at quality 90. JPEG has no alpha: what is transparent
    becomes white. PNG and TIFF keep 16 bits, the others are rounded to 8.

    Args:
        photo: what to write.
        destination: path or binary stream. The extension of a path decides the format.
        format: JPEG, PNG, TIFF, WEBP or HEIF; wins over the extension. For a stream the default
            is the photo's own.
        overwrite: replace an existing file. The photo's own source is never replaced.

    Returns:
        The path written, None for a stream.

    Raises:
        PhotoError: unknown extension, existing file, no folder, full disk, or a photo that the
            format cannot hold.
    """
    if not isinstance(destination, (str, os.PathLike)):
        data = _encode(photo, _format_of(format or photo.format, ""))
        try:
            destination.write(data)
        except OSError as error:
            raise PhotoError(
                f"cannot write {photo.name} to the stream ({_reason(error)})"
            ) from error
        return None
    path = Path(destination)
    kind = _format_of(format, path.suffix)
    try:
        # Through a symbolic link its target is replaced, not the link.
        target = Path(os.path.realpath(path))
        _check_target(photo, path, target, overwrite)
        data = _encode(photo, kind)
        with whole_file(target) as temporary:
            temporary.write_bytes(data)
    except PhotoError:
        raise
    except (OSError, ValueError) as error:
        cure = "choose another folder or name"
        raise PhotoError(f"cannot write {path} ({_reason(error)}); {cure}") from error
    return path


# -- Reading --------------------------------------------------------------------------------------


def _from_array(array: NDArray[Any], max_megapixels: float) -> Photo:
    if array.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"expected uint8 or uint16 pixels, got {array.dtype}")
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or array.size == 0:
        raise ValueError(f"expected HxW, HxWx1, HxWx3 or HxWx4 pixels, got shape {array.shape}")
    _check_size("<array>", array.shape[1], array.shape[0], max_megapixels)
    rgb, alpha = _split(array)
    return Photo(rgb, alpha, grey=channels == 1)


def _split(pixels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """HxW, HxWx1, HxWx3 or HxWx4 -> contiguous HxWx3 and alpha."""
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2), None
    alpha = np.ascontiguousarray(pixels[..., 3]) if pixels.shape[2] == 4 else None
    return np.ascontiguousarray(pixels[..., :3]), alpha


def _read_file(name: str) -> bytes:
    try:
        if os.path.isdir(name):
            raise PhotoError(f"{name} is a folder; name the photos in it")
        with open(name, "rb") as file:
            head = file.read(64)
            _sniff(head, name)  # before a film of many gigabytes is read
            return head + file.read()
    except FileNotFoundError as error:
        raise PhotoError(f"{name} does not exist; check the spelling and the folder") from error
    except PermissionError as error:
        raise PhotoError(f"{name} may not be read; change its permissions") from error
    except PhotoError:
        raise
    except (OSError, ValueError) as error:
        raise PhotoError(f"{name!r} cannot be read ({_reason(error)}); check the path") from error


def _sniff(head: bytes, name: str) -> str:
    """Which decoder reads this file, by its first bytes, never by its name."""
    if not head:
        raise PhotoError(f"{name} is empty; get a complete copy of it")
    if name.lower().endswith(_RAW_SUFFIXES):
        raise PhotoError(f"{name} is {_RAW}")
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            return what
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        if head[8:12] in _BRANDS:  # mif1 says only "some still image"
            return "AVIF" if b"avif" in head[8:] else _BRANDS[head[8:12]]
        what = _RAW if head[8:11] == b"crx" else "a video; export one frame as PNG first"
        raise PhotoError(f"{name} is {what}")
    for signature, what in _STRANGERS:
        if head.startswith(signature):
            raise PhotoError(f"{name} is {what}")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml")):
        raise PhotoError(f"{name} is a vector drawing or XML; export it as PNG first")
    if text.startswith((b"<!doctype", b"<html")):
        raise PhotoError(f"{name} is a web page; download the photo itself")
    kind = "text" if text.isascii() and b"\0" not in text else "no image format known here"
    raise PhotoError(f"{name} is no photo (it is {kind}); give {_READABLE}")


def _check_size(name: str, width: int, height: int, max_megapixels: float) -> None:
    if width < 1 or height < 1:
        raise PhotoError(f"{name} has no pixels ({width} x {height}); get a complete copy of it")
    if width * height > max_megapixels * 1e6:
        raise PhotoError(
            f"{name} has {width} x {height} = {width * height / 1e6:.4g} megapixels, more than "
            f"the limit of {max_megapixels:g}; shrink it or raise max_megapixels"
        )


def _decode(data: bytes, name: str, source: Path | None, max_megapixels: float) -> Photo:
    kind = _sniff(data[:64], name)
    module, attribute = _DECODERS[kind]
    try:
        decoder = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        cure = _HEIC_CURE if kind == "HEIF" else "needs Pillow 11.3 or newer"
        raise PhotoError(f"{name} is {kind}, which {cure}") from error
    try:
        image: Image.Image = decoder(io.BytesIO(data))
        _check_size(name, *image.size, max_megapixels)
        photo = _decode_image(image, data, kind, name)
    except PhotoError:
        raise
    except Image.DecompressionBombError as error:  # WebP and GIF check on their own
        raise PhotoError(f"{name} is too large ({_reason(error)}); shrink it") from error
    except Exception as error:  # decoders meet damage with every kind of error
        words = _reason(error)
        if any(part in words.lower() for part in ("unknown", "unsupported", "not supported")):
            what = f"is a kind of {kind} that is not supported ({words})"
            raise PhotoError(f"{name} {what}; save it as 8- or 16-bit RGB PNG") from error
        broken = any(part in words.lower() for part in ("truncated", "incomplete", "end of"))
        state = "is cut short" if broken else "is damaged"
        raise PhotoError(f"{name} {state} ({words}); get a complete copy of it") from error
    return dataclasses.replace(photo, name=name, source=source)


class _Meta(NamedTuple):
    exif: bytes | None
    orientation: int
    icc: bytes | None
    xmp: bytes | None


def _decode_image(image: Image.Image, data: bytes, kind: str, name: str) -> Photo:
    tags = dict(getattr(image, "tag_v2", {}))
    if 50706 in tags:  # DNGVersion
        raise PhotoError(f"{name} is {_RAW}")
    meta: _Meta
    if _is_16_bit(data, kind, tags, name):
        if kind == "PNG":
            chunks = raster.read_png_chunks(data)  # checks the whole file too
            image.info.setdefault("exif", chunks.get(b"eXIf"))
        meta = _read_meta(image, tags, kind, name)
        rgb, alpha, grey = _decode_16_bit(data, kind, tags, meta, name)
    else:
        image.load()
        meta = _read_meta(image, tags, kind, name)
        rgb, alpha, grey = _decode_8_bit(image, meta, name)
    return Photo(
        rgb=rgb,
        alpha=alpha,
        exif=meta.exif,
        format=kind if kind in _EXTENSIONS.values() else "PNG",
        grey=grey,
        encoding=_read_encoding(image, data, kind, tags, meta.xmp),
    )


def _is_16_bit(data: bytes, kind: str, tags: dict[int, Any], name: str) -> bool:
    if kind == "PNG":
        return data[24] == 16
    wide = kind == "TIFF" and set(tags.get(258, ())) == {16} and tags.get(262) in (0, 1, 2)
    if wide and set(tags.get(339, (1,))) != {1}:
        raise PhotoError(f"{name} has samples that are no 16-bit integers; save it as 16-bit RGB")
    if wide and tags.get(284, 1) == 2 and tags.get(277, 1) > 1:
        raise PhotoError(f"{name} stores its colours apart; save it as interleaved 16-bit RGB")
    return wide


def _read_meta(image: Image.Image, tags: dict[int, Any], kind: str, name: str) -> _Meta:
    info = image.info
    block = info.get("exif")
    if kind == "TIFF":
        try:
            block = raster.exif_from_tiff(image.getexif())
        except Exception as error:  # Pillow meets odd EXIF with many kinds of error
            _log.warning("%s: unreadable EXIF ignored (%s)", name, _reason(error))
    elif kind == "PNG" and not block and isinstance(info.get("Raw profile type exif"), str):
        block = _unhex(info["Raw profile type exif"])  # as ImageMagick writes it
    exif = raster.CleanExif(None)
    if block:
        exif = raster.clean_exif(block, *image.size)
        if exif.block is None:
            _log.warning("%s: unreadable EXIF ignored", name)
    packet = tags.get(700) or info.get("xmp") or info.get("XML:com.adobe.xmp")
    xmp, xmp_orientation = None, 1
    if packet:
        packet = packet.encode() if isinstance(packet, str) else bytes(packet)
        xmp, xmp_orientation = raster.clean_xmp(packet)
    # Pillow and OpenCV turn TIFF, pillow-heif turns HEIC while decoding.
    turned = kind in ("TIFF", "HEIF")
    orientation = 1 if turned else exif.orientation or xmp_orientation
    icc = info.get("icc_profile")
    if not icc and exif.adobe_rgb and kind in ("JPEG", "TIFF"):
        icc = raster.adobe_rgb_profile()
    return _Meta(exif.block, orientation, icc or None, xmp)


def _unhex(text: str) -> bytes | None:
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return None


def _decode_16_bit(
    data: bytes, kind: str, tags: dict[int, Any], meta: _Meta, name: str
) -> tuple[NDArray[Any], NDArray[Any] | None, bool]:
    pixels = raster.read_16_bit(data)
    if pixels is None:
        raise ValueError("its 16-bit samples cannot be decoded")
    rgb, alpha = _split(pixels)
    if kind == "PNG":
        grey = data[25] in (0, 4)  # colour type
    else:
        grey = tags.get(277, 1) < 3
        rgb, alpha = _tiff_samples(rgb, alpha, tags)
    if meta.icc and not raster.is_srgb(meta.icc):
        converted = raster.convert_16_bit(rgb, meta.icc)
        if converted is None:
            image = _apply_profile(Image.fromarray(_to_8_bit(rgb)), meta.icc, name)
            if image is not None:
                rgb, alpha = _to_array(image), None if alpha is None else _to_8_bit(alpha)
        else:
            rgb = converted
    if kind == "PNG":
        rgb = _turn(rgb, meta.orientation)
        alpha = None if alpha is None else _turn(alpha, meta.orientation)
    return rgb, alpha, grey


def _tiff_samples(
    rgb: NDArray[Any], alpha: NDArray[Any] | None, tags: dict[int, Any]
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    if tags.get(262) == 0:  # white is zero
        rgb = np.invert(rgb)
    extra = (*tags.get(338, ()), 0)[0]
    if alpha is None or extra == 0:
        return rgb, None
    if extra == 1:  # premultiplied
        whole = np.maximum(alpha, 1).astype(np.uint32)[..., None]
        wide = rgb.astype(np.uint32) * 65535 + whole // 2
        rgb = np.minimum(wide // whole, 65535).astype(np.uint16)
    return rgb, alpha


_PLAIN_MODES = {
    **{mode: mode for mode in ("L", "LA", "RGB", "RGBA", "CMYK")},
    **dict.fromkeys(("RGBX", "YCbCr"), "RGB"),
    **dict.fromkeys(("P", "PA", "RGBa"), "RGBA"),
    "1": "L",
    "La": "LA",
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turn(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    rows = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)
    return np.ascontiguousarray(pixels[rows, columns])


def _decode_8_bit(
    image: Image.Image, meta: _Meta, name: str
) -> tuple[NDArray[Any], NDArray[Any] | None, bool]:
    image = _plain_mode(image, name)
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if alpha is not None:
        image = image.getchannel("L") if image.mode == "LA" else image.convert("RGB")
    if meta.icc and not raster.is_srgb(meta.icc):
        image = _apply_profile(image, meta.icc, name) or image
    if image.mode == "CMYK":
        image = image.convert("RGB")
    if meta.orientation > 1:
        image = image.transpose(_TURNS[meta.orientation])
        alpha = None if alpha is None else alpha.transpose(_TURNS[meta.orientation])
    rgb, _ = _split(_to_array(image))
    return rgb, None if alpha is None else _to_array(alpha), image.mode == "L"


def _plain_mode(image: Image.Image, name: str) -> Image.Image:
    """Any Pillow mode -> L, LA, RGB, RGBA or CMYK."""
    mode = image.mode
    if mode == "P" and image.palette is not None and not image.has_transparency_data:
        table = np.frombuffer(image.palette.tobytes(), np.uint8)
        neutral = image.palette.mode == "RGB" and np.ptp(table.reshape(-1, 3), axis=1).max() == 0
        return image.convert("L" if neutral else "RGB")
    plain = _PLAIN_MODES.get(mode)
    if plain is None:
        cure = "save it as 8- or 16-bit RGB first"
        raise PhotoError(f"{name} has pixels of an unusual kind ({mode}); {cure}")
    if image.has_transparency_data:
        plain = {"L": "LA", "RGB": "RGBA"}.get(plain, plain)
    return image if plain == mode else image.convert(plain)


def _apply_profile(image: Image.Image, icc: bytes, name: str) -> Image.Image | None:
    """L, RGB or CMYK in the colours of a profile -> L or RGB in sRGB; None if it is broken."""
    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        grey = image.mode == "L"
        if grey and profile.profile.xcolor_space.strip() == "RGB":
            image = image.convert("RGB")
        mode = "L" if image.mode == "L" else "RGB"
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.ImageCmsProfile(io.BytesIO(raster.srgb_profile(mode == "L"))),
            image.mode,
            mode,
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            # The shortcut for grey is wrong by ten steps in the shadows of linear profiles.
            ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        converted = ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        _log.warning("%s: colour profile ignored (%s)", name, _reason(error))
        return None
    return converted.getchannel("G") if grey and converted and mode == "RGB" else converted


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    """L or RGB -> HxW or HxWx3. In bands: three times as fast as ``np.asarray(image)``."""
    shape = (image.height, image.width, 3)[: 3 if image.mode == "RGB" else 2]
    pixels = np.empty(shape, np.uint8)
    for row in range(0, image.height, 64):
        bottom = min(row + 64, image.height)
        pixels[row:bottom] = np.asarray(image.crop((0, row, image.width, bottom)))
    return pixels


def _read_encoding(
    image: Image.Image, data: bytes, kind: str, tags: dict[int, Any], xmp: bytes | None
) -> Encoding:
    info = image.info
    common = Encoding(xmp=xmp, dpi=_read_dpi(info.get("dpi")))
    if kind == "TIFF":
        return dataclasses.replace(common, compressed=tags.get(259, 1) != 1)
    if kind == "WEBP":
        return dataclasses.replace(common, lossless=_is_lossless(data))
    if not isinstance(image, JpegImageFile):
        return common
    # Tables go by component, since their numbers are free: luma first, then chroma.
    layers = [tuple(layer) for layer in getattr(image, "layer", [])]
    numbers = [layer[3] for layer in layers[:2]] if len(layers) in (1, 3) else []
    tables = tuple(tuple(image.quantization.get(number, ())) for number in numbers)
    known = tables and all(len(t) == 64 and max(t) < 256 for t in tables)
    sampling = JpegImagePlugin.get_sampling(image)
    iptc = info.get("photoshop", {}).get(0x0404)
    return dataclasses.replace(
        common,
        qtables=tables if known else None,
        subsampling=sampling if sampling in (0, 1, 2) else 0,
        progressive=bool(info.get("progressive")),
        iptc=iptc if isinstance(iptc, bytes) else None,
        comment=info.get("comment"),
    )


def _is_lossless(webp: bytes) -> bool:
    at = 12
    while at + 8 <= len(webp):
        name, size = struct.unpack_from("<4sI", webp, at)
        if name in (b"VP8L", b"VP8 "):
            return bool(name == b"VP8L")
        # Frames of an animation hold chunks of their own behind 16 bytes of header.
        at += 24 if name == b"ANMF" else 8 + size + size % 2
    return False


def _read_dpi(dpi: Any) -> tuple[float, float] | None:
    try:
        x, y = float(dpi[0]), float(dpi[1])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return None
    return (x, y) if 1 < x < 65535 and 1 < y < 65535 else None


# -- Writing --------------------------------------------------------------------------------------


def _format_of(name: str | None, suffix: str) -> str:
    extension = f".{name.lower().removeprefix('.')}" if name else suffix.lower()
    if extension in _EXTENSIONS:
        return _EXTENSIONS[extension]
    raise PhotoError(f"cannot write {name or suffix or 'a file without extension'}; {_WRITABLE}")


def _check_target(photo: Photo, path: Path, target: Path, overwrite: bool) -> None:
    if not target.exists():
        if not target.parent.is_dir():
            raise PhotoError(f"cannot write {path}: no folder {target.parent}; create it first")
        return
    if not target.is_file():
        raise PhotoError(f"cannot write {path}: it is no file; name a file")
    if photo.source is not None and photo.source.exists() and target.samefile(photo.source):
        raise PhotoError(f"cannot write {path}: it is the photo itself; choose another name")
    if not overwrite:
        raise PhotoError(f"{path} exists; choose another name or allow overwriting")


def _encode(photo: Photo, kind: str) -> bytes:
    limit = _MAX_SIDE.get(kind)
    if limit and max(photo.width, photo.height) > limit:
        size = f"{photo.width} x {photo.height}"
        raise PhotoError(f"{photo.name}: {kind} holds {limit} pixels a side, not {size}; use PNG")
    try:
        return _ENCODERS[kind](photo)
    except PhotoError:
        raise
    except Exception as error:  # encoders fail with every kind of error
        raise PhotoError(
            f"cannot encode {photo.name} as {kind} ({_reason(error)}); use PNG"
        ) from error


def _samples(photo: Photo, *, deep: bool, alpha: bool = True, grey: bool = True) -> NDArray[Any]:
    """HxWxC to write: C = 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA)."""
    rgb = photo.rgb if deep else photo.rgb8
    opacity = photo.alpha if deep or photo.alpha is None else _to_8_bit(photo.alpha)
    neutral = grey and photo.grey
    neutral = neutral and bool(
        (rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all()
    )
    colour = rgb[..., :1] if neutral else rgb
    if opacity is None:
        return colour
    if alpha:
        return np.concatenate([colour, opacity[..., None]], axis=2)
    whole = int(np.iinfo(rgb.dtype).max)
    weight = opacity[..., None].astype(np.uint32)
    mixed = (colour * weight + whole * (whole - weight) + whole // 2) // whole
    return np.asarray(mixed, rgb.dtype)


def _to_image(samples: NDArray[np.uint8]) -> Image.Image:
    height, width, channels = samples.shape
    mode = ("L", "LA", "RGB", "RGBA")[channels - 1]
    pixels = np.ascontiguousarray(samples)
    return Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)


def _encode_jpeg(photo: Photo) -> bytes:
    image = _to_image(_samples(photo, deep=False, alpha=False))
    how = photo.encoding
    # A marker segment holds 65533 bytes.
    exif, xmp, extra = photo.exif or b"", how.xmp or b"", b""
    if len(exif) > 65533:
        _log.warning("%s: EXIF of %d bytes does not fit in JPEG; left out", photo.name, len(exif))
        exif = b""
    if 0 < len(xmp) <= 65504:
        extra += _segment(b"\xff\xe1", b"http://ns.adobe.com/xap/1.0/\0" + xmp)
    if how.iptc and len(how.iptc) < 65000:
        record = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(how.iptc)) + how.iptc
        extra += _segment(b"\xff\xed", record + bytes(len(how.iptc) % 2))
    options: dict[str, Any] = {"quality": 95}
    if how.qtables:
        options = {"qtables": [list(table) for table in how.qtables]}
    if how.dpi:
        options["dpi"] = how.dpi
    if how.comment:
        options["comment"] = how.comment
    return _save(
        image,
        "JPEG",
        subsampling=how.subsampling,
        progressive=how.progressive,
        exif=exif,
        extra=extra,
        icc_profile=raster.srgb_profile(image.mode == "L"),
        **options,
    )


def _segment(marker: bytes, body: bytes) -> bytes:
    return marker + struct.pack(">H", len(body) + 2) + body


def _encode_png(photo: Photo) -> bytes:
    samples = _samples(photo, deep=True)
    grey = samples.shape[2] < 3
    if samples.dtype == np.uint8:
        data = _save(_to_image(samples), "PNG")
    else:  # OpenCV has no grey with alpha
        if samples.shape[2] == 2:
            samples, grey = samples[..., [0, 0, 0, 1]], False
        data = raster.encode_png_16(samples[..., 0] if grey else samples)
    profile = zlib.compress(raster.srgb_profile(grey))
    chunks = [(b"iCCP", b"sRGB\0\0" + profile)]
    if photo.encoding.dpi:
        x, y = (round(value / 0.0254) for value in photo.encoding.dpi)
        chunks.append((b"pHYs", struct.pack(">IIB", x, y, 1)))
    if photo.encoding.xmp:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + photo.encoding.xmp))
    if photo.exif:
        chunks.append((b"eXIf", photo.exif.removeprefix(raster.EXIF_PREFIX)))
    return raster.add_png_chunks(data, chunks)


def _encode_tiff(photo: Photo) -> bytes:
    samples = _samples(photo, deep=True)
    if samples.dtype == np.uint16 and samples.shape[2] == 2:  # OpenCV reads no grey with alpha
        samples = samples[..., [0, 0, 0, 1]]
    tags: dict[int, Any] = {34675: raster.srgb_profile(samples.shape[2] < 3)}
    if photo.encoding.xmp:
        tags[700] = photo.encoding.xmp
    if photo.encoding.dpi:
        tags.update({282: photo.encoding.dpi[0], 283: photo.encoding.dpi[1], 296: 2})
    return raster.encode_tiff(samples, tags, photo.exif, compress=photo.encoding.compressed)


def _encode_webp(photo: Photo) -> bytes:
    lossless = photo.encoding.lossless
    return _save(
        _to_image(_samples(photo, deep=False, grey=False)),
        "WEBP",
        lossless=lossless,
        quality=80 if lossless else 90,  # of a lossless file: the effort
        exact=lossless,
        exif=photo.exif or b"",
        xmp=photo.encoding.xmp or b"",
        icc_profile=raster.srgb_profile(),
    )


def _encode_heif(photo: Photo) -> bytes:
    try:
        import pillow_heif
    except ImportError as error:
        raise PhotoError(f"writing HEIC {_HEIC_CURE}") from error
    image = _to_image(_samples(photo, deep=False, grey=False))
    image.info["icc_profile"] = raster.srgb_profile()
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=90, exif=photo.exif, xmp=photo.encoding.xmp)
    return buffer.getvalue()


_ENCODERS = {
    "JPEG": _encode_jpeg,
    "PNG": _encode_png,
    "TIFF": _encode_tiff,
    "WEBP": _encode_webp,
    "HEIF": _encode_heif,
}


def _save(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _to_8_bit(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Round 16 bits to 8: exactly round(x / 257)."""
    if samples.dtype == np.uint8:
        return samples
    return ((samples.astype(np.uint32) * 255 + 32895) >> 16).astype(np.uint8)


def _reason(error: BaseException) -> str:
    """One line on what went wrong, in the system's words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip() or type(error).__name__).splitlines()[0]
