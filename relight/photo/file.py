# SPDX-License-Identifier: Apache-2.0
"""Loading and saving photos: files, bytes and arrays to upright sRGB pixels, and back to files.

EXIF, ICC profiles, orientation, alpha and file types are dealt with here; the rest of the library
sees arrays.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relight.error import PhotoError, reason
from relight.photo.container.signature import sniff
from relight.photo.decode import decode, from_image
from relight.photo.encode import encode, format_of
from relight.photo.encoding import Encoding
from relight.photo.picture import Photo, from_array
from relight.storage import whole_file

__all__ = ["Encoding", "Photo", "PhotoError", "Source", "load_photo", "save_photo"]

Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | NDArray[Any] | Image.Image
"""What a photo can be read from."""


class Relit(Protocol):
    """What holds a photo to be saved, as :class:`relight.result.Result` does."""

    @property
    def relit(self) -> Photo:
        """The photo."""


def load_photo(
    source: Source,
    *,
    max_megapixels: float = 200,
    name: str | None = None,
    keep_profile: bool = False,
) -> Photo:
    """Read a photo: JPEG, PNG, TIFF, WebP, HEIC (with pillow-heif), AVIF, GIF or BMP.

    Pixels are turned upright and converted to sRGB by the ICC profile, or by what else tells their
    colour: PNG chunks (cICP, gAMA, cHRM), the codes of HEIC and AVIF, a camera's EXIF that says
    Adobe RGB. HDR (PQ and HLG) becomes SDR by the curve of
    :func:`relight.photo.color.colorimetry.to_sdr`. 16-bit PNG and TIFF and HEIC of more than 8 bits
    become 16-bit, unless their profile consists of lookup tables, which can only be applied in 8
    bits. What cannot be read of profile or EXIF is left out and logged, and so is what is not kept
    of a file: further frames and pages, the video of a motion photo, an HDR gain map other than a
    JPEG's.

    Args:
        source: path, bytes of a file, binary stream, Pillow image, or an array of sRGB pixels:
            uint8, uint16 or floats in [0, 1], HxW (grey), HxWx1 (grey), HxWx3 (RGB) or HxWx4
            (RGBA). A contiguous HxWx3 array of integers is not copied.
        max_megapixels: larger photos are refused before they are decoded.
        name: how messages call a file given as bytes or stream.
        keep_profile: keep the photo's own colours (Display P3, Adobe RGB, ProPhoto ...): ``rgb``
            holds the file's own values, ``gamut`` says what they mean, and saving writes the
            profile back. HDR, and profiles that hold more than curves and a matrix, become sRGB.

    Raises:
        PhotoError: the file is missing, unreadable, damaged, too large or not a photo.
        TypeError: ``source`` is none of these types, or an array of another dtype.
        ValueError: an array of another shape, without pixels, or floats out of range.
    """
    if isinstance(source, np.ndarray):
        return from_array(source, max_megapixels)
    if isinstance(source, Image.Image):
        return from_image(source, max_megapixels, keep_profile=keep_profile)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode(bytes(source), name or "<bytes>", max_megapixels, keep_profile=keep_profile)
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        photo = decode(_read_file(path), path, max_megapixels, keep_profile=keep_profile)
        return dataclasses.replace(photo, source=Path(os.path.abspath(path)))
    if not hasattr(source, "read"):
        raise TypeError(
            f"expected a path, bytes, stream, image or array, got {type(source).__name__}"
        )
    label = getattr(source, "name", None)
    label = label if isinstance(label, str) else "<stream>"
    name = name or label
    try:
        data = source.read()
    except OSError as error:
        raise PhotoError(f"{name} cannot be read ({reason(error)}); try again") from error
    if not isinstance(data, bytes):
        raise TypeError(f"expected a binary stream, got one of {type(data).__name__}")
    file = Path(os.path.abspath(label)) if os.path.isfile(label) else None
    photo = decode(data, name, max_megapixels, keep_profile=keep_profile)
    return dataclasses.replace(photo, source=file)


def save_photo(
    photo: Photo | Relit,
    destination: str | os.PathLike[str] | BinaryIO,
    *,
    format: str | None = None,
    overwrite: bool = False,
    original: bytes | None = None,
) -> Path | None:
    """Write a photo with its EXIF, XMP and its profile: sRGB's, or its own if that was kept.

    The file appears complete or not at all. A JPEG keeps its quantisation tables and chroma
    subsampling, and a high one is encoded by two threads, for which it has restart markers; from
    other sources JPEG is written at quality 95 with full chroma. WebP is written
    at quality 90 (lossless if it was), HEIC at quality 90. JPEG has no alpha: transparent parts
    become white. PNG and TIFF keep 16 bits, HEIC 10 of
    them; the others are rounded to 8.

    Args:
        photo: what to write: a photo, or a result with its relit photo.
        destination: path or binary stream. The extension of a path decides the format.
        format: JPEG, PNG, TIFF, WEBP or HEIF; takes precedence over the extension. For a stream
            the default is the photo's own.
        overwrite: replace an existing file. The photo's own source is never replaced.
        original: the file of a photo whose pixels did not change: it is written byte for byte,
            unless another format is wanted.

    Returns:
        The path written, None for a stream.

    Raises:
        PhotoError: unknown extension, existing file, no folder, full disk, or a photo that the
            format cannot hold.
        TypeError: ``photo`` is neither a photo nor a result.
    """
    photo = _as_photo(photo)
    if not isinstance(destination, (str, os.PathLike)):
        kind = format_of(format or photo.format, "")
        data = original if original and kind == photo.format else encode(photo, kind)
        try:
            destination.write(data)
        except OSError as error:
            raise PhotoError(
                f"cannot write {photo.name} to the stream ({reason(error)})"
            ) from error
        return None
    path = Path(destination)
    kind = format_of(format, path.suffix)
    try:
        # Of a symbolic link, the target is replaced, not the link.
        target = Path(os.path.realpath(path))
        _check_target(photo, path, target, overwrite)
        data = original if original and kind == photo.format else encode(photo, kind)
        with whole_file(target) as temporary:
            temporary.write_bytes(data)
    except PhotoError:
        raise
    except (OSError, ValueError) as error:
        cure = "choose another folder or name"
        raise PhotoError(f"cannot write {path} ({reason(error)}); {cure}") from error
    return path


def _as_photo(given: Photo | Relit) -> Photo:
    photo = given if isinstance(given, Photo) else getattr(given, "relit", None)
    if not isinstance(photo, Photo):
        cure = "pixels become a photo by photo.with_rgb(pixels) or load_photo(pixels)"
        raise TypeError(f"expected a Photo or a Result to save, got {type(given).__name__}; {cure}")
    return photo


def _read_file(name: str) -> bytes:
    try:
        if os.path.isdir(name):
            raise PhotoError(f"{name} is a folder; name the photos in it")
        with open(name, "rb") as file:
            head = file.read(64)
            sniff(head, name)  # before reading a video of many gigabytes
            return head + file.read()
    except FileNotFoundError as error:
        raise PhotoError(f"{name} does not exist; check the spelling and the folder") from error
    except PermissionError as error:
        raise PhotoError(f"{name} may not be read; change its permissions") from error
    except PhotoError:
        raise
    except (OSError, ValueError) as error:
        raise PhotoError(f"{name!r} cannot be read ({reason(error)}); check the path") from error


def _check_target(photo: Photo, path: Path, target: Path, overwrite: bool) -> None:
    if not target.exists():
        if not target.parent.is_dir():
            raise PhotoError(
                f"cannot write {path}: there is no folder {target.parent}; create it first"
            )
        return
    if not target.is_file():
        raise PhotoError(f"cannot write {path}: it is not a file; name a file")
    if photo.source is not None and photo.source.exists() and target.samefile(photo.source):
        raise PhotoError(f"cannot write {path}: it is the photo itself; choose another name")
    if not overwrite:
        raise PhotoError(f"{path} exists; choose another name or allow overwriting")
