# SPDX-License-Identifier: Apache-2.0
"""Bytes of a file or an array -> Photo: upright sRGB pixels and cleaned metadata."""

from __future__ import annotations

import dataclasses
import io
import logging
import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relight.error import PhotoError, PhotoTooLargeError, UnsupportedPhotoError, reason
from relight.photo.color import colorimetry
from relight.photo.color.colorimetry import Colorimetry
from relight.photo.color.gamut import Gamut
from relight.photo.color.icc import adobe_rgb_profile, convert_16_bit, convert_image, is_srgb
from relight.photo.container import gain_map, jpeg, png, tiff
from relight.photo.container.signature import RAW, find_decoder, parts_beside, sniff
from relight.photo.deep import READERS, is_deep
from relight.photo.encoding import read_encoding
from relight.photo.exif import CleanExif, clean_exif, clean_xmp
from relight.photo.picture import Photo, check_size, from_array
from relight.photo.pixel import split, to_8_bit, to_array, turn

_log = logging.getLogger(__name__)

_READ_ONLY = ("GIF", "BMP", "AVIF")
_GREY_MODES = ("1", "L", "LA", "La", "I;16", "I;16B", "I")
_PLAIN_MODES = {
    **{mode: mode for mode in ("L", "LA", "RGB", "RGBA", "CMYK")},
    **dict.fromkeys(("RGBX", "YCbCr"), "RGB"),
    **dict.fromkeys(("P", "PA", "RGBa"), "RGBA"),
    "1": "L",
    "La": "LA",
}


def from_image(image: Image.Image, max_megapixels: float, *, keep_profile: bool = False) -> Photo:
    """Take a Pillow image as a photo: upright and in sRGB, as its metadata say.

    Args:
        image: of any mode that a file may have; left as it is.
        max_megapixels: larger photos are refused.
        keep_profile: whether its own colours are kept rather than made sRGB.

    Raises:
        PhotoError: too large, damaged, or pixels of an unusual kind.
    """
    name = "<image>"
    check_size(name, *image.size, max_megapixels)
    try:
        image.load()
    except (OSError, SyntaxError) as error:
        raise PhotoError(f"{name} is damaged ({reason(error)}); get a complete copy") from error
    if image.mode == "F":
        return from_array(np.asarray(image), max_megapixels)
    if image.mode.startswith("I"):
        wide = np.asarray(image)
        if 0 <= wide.min() <= wide.max() < 65536:
            return from_array(wide.astype(np.uint16), max_megapixels)
    meta = _read_meta(image, b"", {}, {}, image.format or "PNG", name, keep_profile)
    rgb, alpha, grey = _decode_8_bit(image, meta, name)
    return Photo(rgb, alpha, meta.exif, name, grey=grey, gamut=meta.gamut)


def decode(data: bytes, name: str, max_megapixels: float, *, keep_profile: bool = False) -> Photo:
    """Decode a file.

    Args:
        data: the whole file.
        name: for messages.
        max_megapixels: larger photos are refused before they are decoded.
        keep_profile: whether its own colours are kept rather than made sRGB.

    Raises:
        PhotoError: damaged, too large or not a photo.
    """
    kind = sniff(data[:64], name)
    decoder = find_decoder(kind, name)
    try:
        image = _open(decoder, data)
        check_size(name, *image.size, max_megapixels)
        # Looking for more pages moves a reader to them.
        second = _open(decoder, data) if kind in ("GIF", "TIFF") else image
        photo = _decode_image(image, data, kind, name, keep_profile)
        beside = parts_beside(second, data, kind, gain_map=photo.encoding.gain_map is not None)
        if beside:
            _log.warning("%s: %s", name, "; ".join(beside))
        return photo
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
    with warnings.catch_warnings():  # Pillow's words on odd tags, of which we tell ourselves
        warnings.simplefilter("ignore")
        image: Image.Image = decoder(io.BytesIO(data))
        dict(getattr(image, "tag_v2", {}))  # reads them all
    packet = image.info.get("xmp")
    if isinstance(packet, tuple):  # of a TIFF that calls it undefined
        image.info["xmp"] = b"".join(part for part in packet if isinstance(part, bytes))
    return image


class _Meta(NamedTuple):
    """What a file says about its pixels; EXIF and XMP already fit the upright photo.

    An ICC profile is one to convert from; colours that are kept have a gamut instead.
    """

    exif: bytes | None
    orientation: int
    icc: bytes | None
    xmp: bytes | None
    hdr: Colorimetry | None = None
    thumbnail: bool = False
    gamut: Gamut | None = None


def _decode_image(image: Image.Image, data: bytes, kind: str, name: str, keep: bool) -> Photo:
    tags = dict(getattr(image, "tag_v2", {}))
    if 50706 in tags:  # DNGVersion
        raise UnsupportedPhotoError(f"{name} is {RAW}")
    deep = is_deep(image, data, kind, tags, name)
    if deep and kind == "PNG":
        png.check(data)
    elif not deep and kind != "JPEG":
        image.load()
    chunks = list(png.read_chunks(data)) if kind == "PNG" else []
    meta = _read_meta(image, data, tags, dict(chunks), kind, name, keep)
    if deep:
        rgb, alpha, grey = _decode_16_bit(data, kind, tags, meta, name)
    elif kind == "JPEG":
        rgb, alpha, grey = _decode_jpeg(image, data, meta, name)
    else:
        rgb, alpha, grey = _decode_8_bit(image, meta, name)
    encoding = read_encoding(image, data, chunks, meta.xmp)
    found = gain_map.find(image, data, converted=meta.icc is not None) if kind == "JPEG" else None
    encoding = dataclasses.replace(
        encoding,
        thumbnail=meta.thumbnail,
        gain_map=found.turned(meta.orientation) if found else None,
    )
    return Photo(
        rgb=rgb,
        alpha=alpha,
        exif=meta.exif,
        name=name,
        format="PNG" if kind in _READ_ONLY else kind,
        grey=grey,
        encoding=encoding,
        gamut=meta.gamut,
    )


def _read_meta(
    image: Image.Image,
    data: bytes,
    tags: dict[int, Any],
    chunks: dict[bytes, bytes],
    kind: str,
    name: str,
    keep: bool,
) -> _Meta:
    info = image.info
    block, broken = info.get("exif") or chunks.get(b"eXIf"), list[str]()
    if kind == "TIFF":
        try:
            block, broken = tiff.describing_exif(image.getexif())
        except Exception as error:  # Pillow raises many kinds of error for odd EXIF
            _log.warning("%s: unreadable EXIF ignored (%s)", name, reason(error))
    elif kind == "PNG":
        block = block or png.raw_profile(info, "exif") or png.raw_profile(info, "APP1")
    exif = CleanExif(None)
    if block:
        exif = clean_exif(block, *image.size)
        broken += exif.broken
        if exif.block is None:
            _log.warning("%s: unreadable EXIF ignored", name)
        elif broken:
            parts = ", ".join(broken)
            _log.warning("%s: broken parts of its EXIF are left out (%s)", name, parts)
    packet = info.get("xmp") or png.raw_profile(info, "xmp")
    xmp, xmp_orientation = None, 1
    if packet:
        packet = packet.encode() if isinstance(packet, str) else bytes(packet)
        xmp, xmp_orientation = clean_xmp(packet)
    # Pillow and OpenCV turn TIFF upright while decoding, and pillow-heif HEIC.
    turned = kind in ("TIFF", "HEIF")
    orientation = 1 if turned else exif.orientation or xmp_orientation
    icc, colour = info.get("icc_profile"), None
    try:
        if b"cICP" in chunks or (kind == "PNG" and not icc):
            colour, icc = colorimetry.from_png(chunks), None
        elif kind in ("HEIF", "AVIF") and not icc:
            colour = colorimetry.from_boxes(data)
    except ValueError as error:
        rest = "its profile counts" if icc else "taken as sRGB"
        _log.warning("%s: %s; %s", name, error, rest)
    if colour and colour.hdr:
        _log.warning("%s: its HDR tones are made SDR", name)
    elif colour:
        icc, colour = colour.profile(image.mode in _GREY_MODES), None
    elif not icc and exif.adobe_rgb and kind in ("JPEG", "TIFF"):
        icc = adobe_rgb_profile()
    gamut = None
    if icc and is_srgb(icc):
        icc = None
    elif icc and keep and (gamut := _own_colours(image, icc, name)):
        icc = None
        if block and exif.block:  # what it says of colours stays true
            exif = clean_exif(block, *image.size, srgb=False)
    return _Meta(exif.block, orientation, icc or None, xmp, colour, exif.thumbnail, gamut)


def _own_colours(image: Image.Image, icc: bytes, name: str) -> Gamut | None:
    """The colours of a profile, if they can be worked in and fit the pixels."""
    gamut = Gamut.of(icc) if image.mode != "CMYK" else None
    if gamut is None:
        _log.warning("%s: made sRGB: its profile holds more than curves and a matrix", name)
    elif gamut.grey and image.mode not in _GREY_MODES:
        return None
    return gamut


def _decode_16_bit(
    data: bytes, kind: str, tags: dict[int, Any], meta: _Meta, name: str
) -> tuple[NDArray[Any], NDArray[Any] | None, bool]:
    pixels = READERS[kind](data)
    grey = pixels.ndim == 2
    rgb, alpha = split(pixels)
    if kind == "PNG":
        grey = data[25] in (0, 4)  # colour type
    elif kind == "TIFF":
        grey = tags.get(277, 1) < 3
        rgb, alpha = tiff.unpack(rgb, alpha, tags)
    if meta.hdr:
        rgb = colorimetry.to_sdr(rgb, meta.hdr)
    elif meta.icc:
        converted = convert_16_bit(rgb, meta.icc)
        if converted is not None:
            rgb = converted
        elif image := _to_srgb(Image.fromarray(to_8_bit(rgb)), meta.icc, name):
            rgb, alpha = to_array(image), None if alpha is None else to_8_bit(alpha)
    if grey:  # rounding may have tinted it
        rgb[..., ::2] = rgb[..., 1:2]
    if kind in ("PNG", "AVIF"):
        rgb = turn(rgb, meta.orientation)
        alpha = None if alpha is None else turn(alpha, meta.orientation)
    return rgb, alpha, grey


def _decode_jpeg(
    image: Image.Image, data: bytes, meta: _Meta, name: str
) -> tuple[NDArray[Any], NDArray[Any] | None, bool]:
    pixels = None if meta.icc else jpeg.decode(image, data)
    if pixels is None:
        image.load()
        return _decode_8_bit(image, meta, name)
    return turn(pixels, meta.orientation), None, False


def _decode_8_bit(
    image: Image.Image, meta: _Meta, name: str
) -> tuple[NDArray[Any], NDArray[Any] | None, bool]:
    image = _plain_mode(image, name)
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if alpha is not None:
        image = image.getchannel("L") if image.mode == "LA" else image.convert("RGB")
    if meta.icc:
        image = _to_srgb(image, meta.icc, name) or image
    if image.mode == "CMYK":
        image = image.convert("RGB")
    rgb, _ = split(turn(to_array(image), meta.orientation))
    if meta.hdr:
        rgb = to_8_bit(colorimetry.to_sdr(rgb * np.uint16(257), meta.hdr))
    opacity = None if alpha is None else turn(to_array(alpha), meta.orientation)
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
