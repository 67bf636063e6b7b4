# SPDX-License-Identifier: Apache-2.0
"""Bytes of a file or an array -> Photo: upright sRGB pixels and cleaned metadata."""

from __future__ import annotations

import dataclasses
import io
import logging
import math
import struct
import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin
from PIL.JpegImagePlugin import JpegImageFile

from relight.error import PhotoError, PhotoTooLargeError, UnsupportedPhotoError
from relight.photo import container
from relight.photo.exif import CleanExif, clean_exif
from relight.photo.icc import adobe_rgb_profile, convert_16_bit, convert_image, is_srgb
from relight.photo.picture import Encoding, Photo, reason, to_8_bit
from relight.photo.signature import RAW, find_decoder, sniff
from relight.photo.tiff_tag import exif_from_tiff
from relight.photo.xmp import clean_xmp

_log = logging.getLogger(__name__)

_READ_ONLY = ("GIF", "BMP", "AVIF")
_PLAIN_MODES = {
    **{mode: mode for mode in ("L", "LA", "RGB", "RGBA", "CMYK")},
    **dict.fromkeys(("RGBX", "YCbCr"), "RGB"),
    **dict.fromkeys(("P", "PA", "RGBa"), "RGBA"),
    "1": "L",
    "La": "LA",
}


def from_array(array: NDArray[Any], max_megapixels: float) -> Photo:
    """Take pixels as a photo.

    Args:
        array: uint8 or uint16 sRGB, HxW, HxWx1, HxWx3 or HxWx4. A contiguous HxWx3 array is not
            copied.
        max_megapixels: larger photos are refused.

    Raises:
        PhotoError: too large.
        TypeError: another dtype.
        ValueError: another shape, or no pixels.
    """
    if array.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"expected uint8 or uint16 pixels, got {array.dtype}")
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or array.size == 0:
        raise ValueError(f"expected HxW, HxWx1, HxWx3 or HxWx4 pixels, got shape {array.shape}")
    _check_size("<array>", array.shape[1], array.shape[0], max_megapixels)
    rgb, alpha = _split(array)
    return Photo(rgb, alpha, grey=channels == 1)


def from_image(image: Image.Image, max_megapixels: float) -> Photo:
    """Take a Pillow image as a photo: upright and in sRGB, as its metadata say.

    Args:
        image: of any mode that a file may have; left as it is.
        max_megapixels: larger photos are refused.

    Raises:
        PhotoError: too large, damaged, or pixels of an unusual kind.
    """
    name = "<image>"
    _check_size(name, *image.size, max_megapixels)
    try:
        image.load()
    except (OSError, SyntaxError) as error:
        raise PhotoError(f"{name} is damaged ({reason(error)}); get a complete copy") from error
    if image.mode.startswith("I;16"):
        return from_array(np.asarray(image).astype(np.uint16), max_megapixels)
    meta = _read_meta(image, {}, image.format or "PNG", name)
    rgb, alpha, grey = _decode_8_bit(image, meta, name)
    return Photo(rgb, alpha, meta.exif, name, grey=grey)


def _split(pixels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """HxW, HxWx1, HxWx3 or HxWx4 -> contiguous HxWx3 and alpha."""
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2), None
    alpha = np.ascontiguousarray(pixels[..., 3]) if pixels.shape[2] == 4 else None
    return np.ascontiguousarray(pixels[..., :3]), alpha


def _check_size(name: str, width: int, height: int, max_megapixels: float) -> None:
    if width < 1 or height < 1:
        raise PhotoError(f"{name} has no pixels ({width} x {height}); get a complete copy of it")
    if width * height > max_megapixels * 1e6:
        raise PhotoTooLargeError(
            f"{name} has {width} x {height} = {width * height / 1e6:.4g} megapixels, more than "
            f"the limit of {max_megapixels:g}; shrink it"
        )


def decode(data: bytes, name: str, max_megapixels: float) -> Photo:
    """Decode a file.

    Args:
        data: the whole file.
        name: for messages.
        max_megapixels: larger photos are refused before they are decoded.

    Raises:
        PhotoError: damaged, too large or not a photo.
    """
    kind = sniff(data[:64], name)
    decoder = find_decoder(kind, name)
    try:
        image = _open(decoder, data)
        _check_size(name, *image.size, max_megapixels)
        return _decode_image(image, data, kind, name)
    except PhotoError:
        raise
    except Image.DecompressionBombError as error:  # WebP and GIF check on their own
        raise PhotoTooLargeError(f"{name} is too large ({reason(error)}); shrink it") from error
    except Exception as error:  # decoders raise every kind of error for damage
        # They raise the same kinds for damage and for what they do not support, so their words
        # choose the sentence, but not the kind of our error.
        words = reason(error)
        if any(part in words.lower() for part in ("unknown", "unsupported", "not supported")):
            what = f"is a kind of {kind} that is not supported ({words})"
            raise PhotoError(f"{name} {what}; save it as 8- or 16-bit RGB PNG") from error
        broken = any(part in words.lower() for part in ("truncated", "incomplete", "end of"))
        state = "is cut short" if broken else "is damaged"
        raise PhotoError(f"{name} {state} ({words}); get a complete copy of it") from error


def _open(decoder: Any, data: bytes) -> Image.Image:
    with warnings.catch_warnings():  # Pillow's words on odd EXIF, of which we tell ourselves
        warnings.simplefilter("ignore")
        image: Image.Image = decoder(io.BytesIO(data))
    return image


class _Meta(NamedTuple):
    """What a file says about its pixels; EXIF and XMP already fit the upright photo."""

    exif: bytes | None
    orientation: int
    icc: bytes | None
    xmp: bytes | None


def _decode_image(image: Image.Image, data: bytes, kind: str, name: str) -> Photo:
    tags = dict(getattr(image, "tag_v2", {}))
    if 50706 in tags:  # DNGVersion
        raise UnsupportedPhotoError(f"{name} is {RAW}")
    if _is_16_bit(data, kind, tags, name):
        if kind == "PNG":
            chunks = container.read_png_chunks(data)  # and checks the whole file
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
        name=name,
        format="PNG" if kind in _READ_ONLY else kind,
        grey=grey,
        encoding=_read_encoding(image, data, kind, tags, meta.xmp),
    )


def _is_16_bit(data: bytes, kind: str, tags: dict[int, Any], name: str) -> bool:
    if kind == "PNG":
        return data[24] == 16
    wide = kind == "TIFF" and set(tags.get(258, ())) == {16} and tags.get(262) in (0, 1, 2)
    if wide and set(tags.get(339, (1,))) != {1}:
        raise UnsupportedPhotoError(
            f"{name} has samples that are not 16-bit integers; save it as 16-bit RGB"
        )
    if wide and tags.get(284, 1) == 2 and tags.get(277, 1) > 1:
        raise UnsupportedPhotoError(
            f"{name} stores its colours in separate planes; save it as interleaved 16-bit RGB"
        )
    return wide


def _read_meta(image: Image.Image, tags: dict[int, Any], kind: str, name: str) -> _Meta:
    info = image.info
    block = info.get("exif")
    if kind == "TIFF":
        try:
            block = exif_from_tiff(image.getexif())
        except Exception as error:  # Pillow raises many kinds of error for odd EXIF
            _log.warning("%s: unreadable EXIF ignored (%s)", name, reason(error))
    elif kind == "PNG" and not block and isinstance(info.get("Raw profile type exif"), str):
        block = _unhex(info["Raw profile type exif"])  # as ImageMagick writes it
    exif = CleanExif(None)
    if block:
        exif = clean_exif(block, *image.size)
        if exif.block is None:
            _log.warning("%s: unreadable EXIF ignored", name)
        elif exif.broken:
            parts = ", ".join(exif.broken)
            _log.warning("%s: broken parts of its EXIF are left out (%s)", name, parts)
    packet = tags.get(700) or info.get("xmp") or info.get("XML:com.adobe.xmp")
    xmp, xmp_orientation = None, 1
    if packet:
        packet = packet.encode() if isinstance(packet, str) else bytes(packet)
        xmp, xmp_orientation = clean_xmp(packet)
    # Pillow and OpenCV turn TIFF upright while decoding, and pillow-heif HEIC.
    turned = kind in ("TIFF", "HEIF")
    orientation = 1 if turned else exif.orientation or xmp_orientation
    icc = info.get("icc_profile")
    if not icc and exif.adobe_rgb and kind in ("JPEG", "TIFF"):
        icc = adobe_rgb_profile()
    return _Meta(exif.block, orientation, icc or None, xmp)


def _unhex(text: str) -> bytes | None:
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return None


def _decode_16_bit(
    data: bytes, kind: str, tags: dict[int, Any], meta: _Meta, name: str
) -> tuple[NDArray[Any], NDArray[Any] | None, bool]:
    rgb, alpha = _split(container.read_16_bit(data))
    if kind == "PNG":
        grey = data[25] in (0, 4)  # colour type
    else:
        grey = tags.get(277, 1) < 3
        rgb, alpha = _tiff_samples(rgb, alpha, tags)
    if meta.icc and not is_srgb(meta.icc):
        converted = convert_16_bit(rgb, meta.icc)
        if converted is not None:
            rgb = converted
        elif image := _to_srgb(Image.fromarray(to_8_bit(rgb)), meta.icc, name):
            rgb, alpha = _to_array(image), None if alpha is None else to_8_bit(alpha)
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


def _turn(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn HxW or HxWxC upright by its EXIF orientation; contiguous in, contiguous out."""
    if orientation == 1:
        return pixels
    # Moving whole pixels is twice as fast as moving samples.
    pixel = np.dtype((np.void, pixels.itemsize * math.prod(pixels.shape[2:])))
    whole = pixels.reshape(len(pixels), -1).view(pixel)
    if orientation >= 5:
        whole = whole.swapaxes(0, 1)
    rows = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)
    turned = np.ascontiguousarray(whole[rows, columns])
    return turned.view(pixels.dtype).reshape(*turned.shape, *pixels.shape[2:])


def _decode_8_bit(
    image: Image.Image, meta: _Meta, name: str
) -> tuple[NDArray[Any], NDArray[Any] | None, bool]:
    image = _plain_mode(image, name)
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if alpha is not None:
        image = image.getchannel("L") if image.mode == "LA" else image.convert("RGB")
    if meta.icc and not is_srgb(meta.icc):
        image = _to_srgb(image, meta.icc, name) or image
    if image.mode == "CMYK":
        image = image.convert("RGB")
    rgb, _ = _split(_turn(_to_array(image), meta.orientation))
    opacity = None if alpha is None else _turn(_to_array(alpha), meta.orientation)
    return rgb, opacity, image.mode == "L"


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
        raise UnsupportedPhotoError(f"{name} has pixels of an unusual kind ({mode}); {cure}")
    if image.has_transparency_data:
        plain = {"L": "LA", "RGB": "RGBA"}.get(plain, plain)
    return image if plain == mode else image.convert(plain)


def _to_srgb(image: Image.Image, icc: bytes, name: str) -> Image.Image | None:
    """L, RGB or CMYK in the colours of a profile -> L or RGB in sRGB; None if it is broken."""
    try:
        return convert_image(image, icc)
    except ValueError as error:
        _log.warning("%s: colour profile ignored (%s)", name, error)
        return None


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    """L or RGB -> HxW or HxWx3. Bands make it three times as fast as ``np.asarray(image)``."""
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
    # Tables are taken by component, luma first, then chroma: their numbers are arbitrary.
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
        # Frames of an animation have a header of 16 bytes, then chunks of their own.
        at += 24 if name == b"ANMF" else 8 + size + size % 2
    return False


def _read_dpi(dpi: Any) -> tuple[float, float] | None:
    try:
        x, y = float(dpi[0]), float(dpi[1])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return None
    return (x, y) if 1 < x < 65535 and 1 < y < 65535 else None
