# SPDX-License-Identifier: Apache-2.0
"""Samples of more than 8 bits, which Pillow would shorten: PNG, TIFF, HEIC and AVIF."""

from __future__ import annotations

import functools
import logging
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relight.error import UnsupportedPhotoError
from relight.photo.container import png
from relight.photo.container.box import bit_depth

_log = logging.getLogger(__name__)


def is_deep(image: Image.Image, data: bytes, kind: str, tags: dict[int, Any], name: str) -> bool:
    """Whether Pillow would lose bits of a file.

    Args:
        image: the file, opened.
        data: the whole file.
        kind: what ``sniff`` found.
        tags: of a TIFF.
        name: for messages.

    Raises:
        UnsupportedPhotoError: a TIFF whose deep samples cannot be read.
    """
    if kind == "PNG":
        return data[24] == 16
    if kind == "HEIF":
        return int(image.info.get("bit_depth", 8)) > 8
    if kind == "AVIF" and bit_depth(data) > 8:
        if _opencv_reads_avif():
            return True
        _log.warning("%s: read in 8 bits, since this OpenCV reads no AVIF", name)
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


def _read_png(data: bytes) -> NDArray[np.uint16]:
    """As :func:`_read_16_bit`, with the colour that stands for transparent as alpha."""
    pixels = _read_16_bit(png.pixels_only(data))
    key = dict(png.read_chunks(data)).get(b"tRNS", b"")
    if len(key) != 2 * (1 if pixels.ndim == 2 else pixels.shape[2]):
        return pixels
    colours = pixels.reshape(*pixels.shape[:2], -1)
    opaque = (colours != np.frombuffer(key, ">u2")).any(axis=2, keepdims=True)
    colours = colours if colours.shape[2] == 3 else colours.repeat(3, axis=2)
    return np.concatenate([colours, opaque * np.uint16(65535)], axis=2)


def _read_heif(data: bytes) -> NDArray[np.uint16]:
    """The same for a HEIC of 10 or 12 bits; libheif turns it upright."""
    import pillow_heif

    image = pillow_heif.open_heif(data, convert_hdr_to_8bit=False)
    samples = np.array(image, np.uint16)  # in the upper bits
    samples |= samples >> image.info["bit_depth"]
    return samples


def _read_avif(data: bytes) -> NDArray[np.uint16]:
    """The same for an AVIF of 10 or 12 bits, which Pillow reads in 8; not turned."""
    samples, depth = _read_16_bit(data), bit_depth(data)
    return np.asarray((samples << (16 - depth)) | (samples >> (2 * depth - 16)), np.uint16)


@functools.cache
def _opencv_reads_avif() -> bool:
    import cv2

    return re.search(r"AVIF:\s+(?!NO\b)\S", cv2.getBuildInformation()) is not None


def _read_16_bit(data: bytes) -> NDArray[np.uint16]:
    """Decode more than 8 bits with OpenCV, since Pillow would drop the lower bytes.

    Returns:
        uint16 HxW, HxWx3 (RGB) or HxWx4 (RGBA), TIFF orientation applied.

    Raises:
        ValueError: if OpenCV cannot read it.
    """
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("its 16-bit samples cannot be decoded")
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        code = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        pixels = cv2.cvtColor(pixels, code)
    return np.asarray(pixels, np.uint16)


READERS = {"PNG": _read_png, "TIFF": _read_16_bit, "HEIF": _read_heif, "AVIF": _read_avif}
"""What reads the samples of a whole file of each kind, as :func:`_read_16_bit` does."""
