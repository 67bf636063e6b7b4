# SPDX-License-Identifier: Apache-2.0
"""A decoded photo: its pixels, and what is needed to save edited pixels in the same way."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relight.error import PhotoError, PhotoTooLargeError
from relight.photo.color.gamut import Gamut
from relight.photo.encoding import Encoding
from relight.photo.pixel import split, to_8_bit


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo, and what is needed to save edited pixels in the same way.

    Attributes:
        rgb: HxWx3 uint8 or uint16 (full range), upright, C-contiguous, sRGB-encoded unless there
            is a ``gamut``. Treat it as read-only: it may share memory with the array that was
            loaded.
        alpha: HxW of the same dtype, not premultiplied; None when there is none.
        exif: EXIF block, orientation 1, no thumbnail; None when there is none.
        name: for messages: the path as given, ``<stdin>``, ``<bytes>`` or ``<array>``.
        source: absolute path of the file, which :func:`~relight.photo.file.save_photo` never
            replaces.
        format: ``JPEG``, ``PNG``, ``TIFF``, ``WEBP`` or ``HEIF``: what it is saved as by default.
        grey: whether the file was grey; it is saved as grey again if ``rgb`` is neutral.
        encoding: how the file was written.
        gamut: the photo's own colours, in which ``rgb`` is then encoded; None for sRGB.
    """

    rgb: NDArray[Any] = field(repr=False)
    alpha: NDArray[Any] | None = field(default=None, repr=False)
    exif: bytes | None = field(default=None, repr=False)
    name: str = "<array>"
    source: Path | None = None
    format: str = "PNG"
    grey: bool = False
    encoding: Encoding = field(default_factory=Encoding)
    gamut: Gamut | None = None

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
        return to_8_bit(self.gamut.to_srgb(self.rgb) if self.gamut else self.rgb)

    def to_pil(self) -> Image.Image:
        """The photo as a Pillow image: RGB or RGBA, 8 bits, sRGB, upright."""
        if self.alpha is None:
            return Image.fromarray(self.rgb8)
        alpha = to_8_bit(self.alpha)
        return Image.fromarray(np.concatenate([self.rgb8, alpha[..., None]], axis=2))

    def with_rgb(self, rgb: NDArray[Any]) -> Photo:
        """The same photo with other pixels.

        Args:
            rgb: pixels of the same shape, dtype and colours as ``self.rgb``.

        Raises:
            TypeError: another dtype, or not an array.
            ValueError: another shape.
        """
        dtype = getattr(rgb, "dtype", type(rgb).__name__)
        if dtype != self.rgb.dtype:
            raise TypeError(f"expected {self.rgb.dtype} pixels, got {dtype}")
        if rgb.shape != self.shape:
            raise ValueError(f"expected pixels of shape {self.shape}, got {rgb.shape}")
        return dataclasses.replace(self, rgb=np.ascontiguousarray(rgb))


def from_array(array: NDArray[Any], max_megapixels: float) -> Photo:
    """Take pixels as a photo.

    Args:
        array: sRGB, HxW, HxWx1, HxWx3 or HxWx4: uint8, uint16, or floats in [0, 1], which become
            uint16. A contiguous HxWx3 array of integers is not copied.
        max_megapixels: larger photos are refused.

    Raises:
        PhotoError: too large.
        TypeError: another dtype.
        ValueError: another shape, no pixels, or floats out of range.
    """
    if array.dtype.kind == "f":
        array = _deepen(array)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"expected uint8 or uint16 pixels, or floats, got {array.dtype}")
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or array.size == 0:
        raise ValueError(f"expected HxW, HxWx1, HxWx3 or HxWx4 pixels, got shape {array.shape}")
    check_size("<array>", array.shape[1], array.shape[0], max_megapixels)
    rgb, alpha = split(array)
    return Photo(rgb, alpha, grey=channels == 1)


def _deepen(array: NDArray[Any]) -> NDArray[np.uint16]:
    if array.size and not (array.min() >= 0 and array.max() <= 1):  # NaN is neither
        cure = "divide them by the value of white, or give uint8 or uint16"
        raise ValueError(
            f"float pixels lie in [0, 1], got {array.min():g} to {array.max():g}; {cure}"
        )
    return (array.astype(np.float64) * 65535 + 0.5).astype(np.uint16)


def check_size(name: str, width: int, height: int, max_megapixels: float) -> None:
    """Refuse photos without pixels and those larger than the limit.

    Raises:
        PhotoError: in both cases.
    """
    if width < 1 or height < 1:
        raise PhotoError(f"{name} has no pixels ({width} x {height}); get a complete copy of it")
    if width * height > max_megapixels * 1e6:
        raise PhotoTooLargeError(
            f"{name} has {width} x {height} = {width * height / 1e6:.4g} megapixels, more than "
            f"the limit of {max_megapixels:g}; shrink it"
        )
