# SPDX-License-Identifier: Apache-2.0
"""Photo -> bytes of a file: pixels with their profile, EXIF and XMP."""

from __future__ import annotations

import io
import logging
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relight.error import PhotoError, reason
from relight.photo.color.icc import srgb_profile
from relight.photo.container import gain_map, jpeg, png, tiff
from relight.photo.container.signature import HEIC_CURE
from relight.photo.encoding import MOST_IPTC, MOST_XMP, image_resource
from relight.photo.exif import EXIF_PREFIX, add_thumbnail
from relight.photo.picture import Photo
from relight.photo.pixel import to_8_bit, to_image

_log = logging.getLogger(__name__)

_EXTENSIONS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIF"),
    ".png": "PNG",
    ".webp": "WEBP",
}
_MAX_SIDE = {"JPEG": 65500, "WEBP": 16383, "HEIF": 16384}
_THUMBNAIL_SIZE = (160, 160)
"""Of the thumbnail in the EXIF of a JPEG: as wide as EXIF asks for, at most as high."""
_WRITABLE = "use .jpg, .png, .tif, .webp or .heic"


def format_of(name: str | None, suffix: str) -> str:
    """The format to write.

    Args:
        name: JPEG, PNG, TIFF, WEBP or HEIF, or an extension, in any case; wins over the suffix.
        suffix: of the destination, with its dot.

    Raises:
        PhotoError: if that format cannot be written.
    """
    extension = f".{name.lower().removeprefix('.')}" if name else suffix.lower()
    if extension in _EXTENSIONS:
        return _EXTENSIONS[extension]
    raise PhotoError(f"cannot write {name or suffix or 'a file without extension'}; {_WRITABLE}")


def encode(photo: Photo, kind: str) -> bytes:
    """Encode a photo as a whole file.

    Args:
        photo: what to write.
        kind: what :func:`format_of` found.

    Raises:
        PhotoError: if the format cannot hold the photo, or pillow-heif is missing.
    """
    limit = _MAX_SIDE.get(kind)
    if limit and max(photo.width, photo.height) > limit:
        size = f"{photo.width} x {photo.height}"
        raise PhotoError(f"{photo.name}: {kind} holds {limit} pixels a side, not {size}; use PNG")
    if words := photo.encoding.left_out(kind):
        _log.warning("%s: %s has no place for its %s", photo.name, kind, " and ".join(words))
    try:
        return _ENCODERS[kind](photo)
    except PhotoError:
        raise
    except Exception as error:  # encoders raise every kind of error
        raise PhotoError(
            f"cannot encode {photo.name} as {kind} ({reason(error)}); use PNG"
        ) from error


def _samples(photo: Photo, *, deep: bool, alpha: bool = True, grey: bool = True) -> NDArray[Any]:
    """HxWxC to write: C = 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA)."""
    rgb = photo.rgb if deep else to_8_bit(photo.rgb)
    opacity = photo.alpha if deep or photo.alpha is None else to_8_bit(photo.alpha)
    neutral = grey and photo.grey and bool((rgb[..., 1:] == rgb[..., :1]).all())
    colour = rgb[..., :1] if neutral else rgb
    if opacity is None:
        return colour
    if alpha:
        return np.concatenate([colour, opacity[..., None]], axis=2)
    whole = int(np.iinfo(rgb.dtype).max)
    weight = opacity[..., None].astype(np.uint32)
    mixed = (colour * weight + whole * (whole - weight) + whole // 2) // whole
    return np.asarray(mixed, rgb.dtype)


def _profile(photo: Photo, *, grey: bool) -> bytes:
    return photo.gamut.profile_for(grey) if photo.gamut else srgb_profile(grey)


def _encode_jpeg(photo: Photo) -> bytes:
    samples = _samples(photo, deep=False, alpha=False)
    how = photo.encoding
    # A marker segment holds at most 65533 bytes.
    exif, xmp, extra = photo.exif or b"", how.xmp or b"", b""
    if how.thumbnail and exif:
        renewed = add_thumbnail(exif, _thumbnail(photo))
        exif = renewed if len(renewed) <= 65533 else exif
    if len(exif) > 65533:
        _log.warning("%s: EXIF of %d bytes does not fit in JPEG; left out", photo.name, len(exif))
        exif = b""
    found, announced = how.gain_map, None
    if found:
        announced = gain_map.announce(xmp, len(found.jpeg)) if found.adobe else xmp
    if found and announced is not None and len(announced) <= MOST_XMP:
        xmp = announced
        extra += gain_map.index_segment(found.iso)
    elif found:
        found = None
        _log.warning("%s: its XMP has no place for an HDR gain map; left out", photo.name)
    if 0 < len(xmp) <= MOST_XMP:
        extra += _segment(b"\xff\xe1", b"http://ns.adobe.com/xap/1.0/\0" + xmp)
    if how.iptc and len(how.iptc) <= MOST_IPTC:
        extra += _segment(b"\xff\xed", b"Photoshop 3.0\0" + image_resource(how.iptc))
    options: dict[str, Any] = {"quality": 95}
    if how.qtables:
        options = {"qtables": [list(table) for table in how.qtables]}
    told: dict[str, Any] = {
        "exif": exif,
        "extra": extra,
        "icc_profile": _profile(photo, grey=samples.shape[2] == 1),
    }
    if how.dpi:
        told["dpi"] = how.dpi
    if how.comment:
        told["comment"] = how.comment
    data = jpeg.encode(
        samples, subsampling=how.subsampling, progressive=how.progressive, told=told, **options
    )
    return gain_map.append(data, found.jpeg) if found else data


def _thumbnail(photo: Photo) -> bytes:
    image = Image.fromarray(photo.rgb8)
    image.thumbnail(_THUMBNAIL_SIZE)
    return _save(image, "JPEG", quality=85)


def _segment(marker: bytes, body: bytes) -> bytes:
    return marker + struct.pack(">H", len(body) + 2) + body


def _encode_png(photo: Photo) -> bytes:
    samples = _samples(photo, deep=True)
    grey = samples.shape[2] < 3
    if samples.dtype == np.uint8:
        data = _save(to_image(samples), "PNG")
    else:  # OpenCV has no grey with alpha
        if samples.shape[2] == 2:
            samples, grey = samples[..., [0, 0, 0, 1]], False
        data = png.encode_16_bit(samples[..., 0] if grey else samples)
    profile = zlib.compress(_profile(photo, grey=grey))
    name = b"profile" if photo.gamut else b"sRGB"
    chunks = [(b"iCCP", name + b"\0\0" + profile)]
    if photo.encoding.dpi:
        x, y = (round(value / 0.0254) for value in photo.encoding.dpi)
        chunks.append((b"pHYs", struct.pack(">IIB", x, y, 1)))
    if photo.encoding.xmp:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + photo.encoding.xmp))
    if photo.encoding.iptc:
        chunks.append(png.raw_profile_chunk("iptc", image_resource(photo.encoding.iptc)))
    if photo.encoding.comment:
        chunks.append((b"tEXt", b"Comment\0" + photo.encoding.comment))
    chunks += photo.encoding.texts
    if photo.exif:
        chunks.append((b"eXIf", photo.exif.removeprefix(EXIF_PREFIX)))
    return png.add_chunks(data, chunks)


def _encode_tiff(photo: Photo) -> bytes:
    samples = _samples(photo, deep=True)
    if samples.dtype == np.uint16 and samples.shape[2] == 2:  # OpenCV reads no grey with alpha
        samples = samples[..., [0, 0, 0, 1]]
    tags: dict[int, Any] = {34675: _profile(photo, grey=samples.shape[2] < 3)}
    if photo.encoding.xmp:
        tags[700] = photo.encoding.xmp
    if photo.encoding.dpi:
        tags.update({282: photo.encoding.dpi[0], 283: photo.encoding.dpi[1], 296: 2})
    how = photo.encoding
    if how.iptc and tiff.IPTC_TAG not in [tag for tag, _, _ in how.tags]:
        tags[tiff.IPTC_TAG] = how.iptc
    return tiff.encode(samples, tags, photo.exif, how.tags, compress=how.compressed)


def _encode_webp(photo: Photo) -> bytes:
    lossless = photo.encoding.lossless
    return _save(
        to_image(_samples(photo, deep=False, grey=False)),
        "WEBP",
        lossless=lossless,
        quality=80 if lossless else 90,  # of a lossless file: the effort
        exact=lossless,
        exif=photo.exif or b"",
        xmp=photo.encoding.xmp or b"",
        icc_profile=_profile(photo, grey=False),
    )


def _encode_heif(photo: Photo) -> bytes:
    try:
        import pillow_heif
    except ImportError as error:
        raise PhotoError(f"writing HEIC {HEIC_CURE}") from error
    samples = _samples(photo, deep=True, grey=False)
    mode = "RGB" if samples.shape[2] == 3 else "RGBA"
    if samples.dtype == np.uint16:  # written in 10 bits
        mode += ";16"
    image = pillow_heif.from_bytes(mode, (photo.width, photo.height), samples.tobytes())
    image.info["icc_profile"] = _profile(photo, grey=False)
    buffer = io.BytesIO()
    image.save(buffer, quality=90, exif=photo.exif, xmp=photo.encoding.xmp)
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
