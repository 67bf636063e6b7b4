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
    """A decoded photo, and what is needed to save edited pixels in the same way.

    Attributes:
        rgb: HxWx3 uint8 or uint16 (full range), sRGB-encoded, upright, C-contiguous. Treat it as
            read-only: it may share memory with the array that was loaded.
        alpha: HxW of the same dtype, not premultiplied; None when there is none.
        exif: EXIF block, orientation 1, no thumbnail; None when there is none.
        name: for messages: the path as given, ``<stdin>``, ``<bytes>`` or ``<array>``.
        source: absolute path of the file, which :func:`~relight.photo.file.save_photo` never
            replaces.
        format: ``JPEG``, ``PNG``, ``TIFF``, ``WEBP`` or ``HEIF``: what it is saved as by default.
        grey: whether the file was grey; it is saved as grey again if ``rgb`` is neutral.
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
        return to_8_bit(self.rgb)

    def with_rgb(self, rgb: NDArray[Any]) -> Photo:
        """The same photo with other pixels.

        Args:
            rgb: sRGB pixels of the same shape and dtype as ``self.rgb``.

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


def to_8_bit(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Round 16 bits to 8: exactly round(x / 257)."""
    if samples.dtype == np.uint8:
        return samples
    return ((samples.astype(np.uint32) * 255 + 32895) >> 16).astype(np.uint8)


def reason(error: BaseException) -> str:
    """One line on what went wrong, in the words of the system or library."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip() or type(error).__name__).splitlines()[0]
