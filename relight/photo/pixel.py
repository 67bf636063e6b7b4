# SPDX-License-Identifier: Apache-2.0
"""Arrays of pixels: their depth, their channels and their orientation."""

from __future__ import annotations

import io
import math
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_BAND = 64
"""Rows worked on at once, since wide numbers need much memory."""


def to_8_bit(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Round 16 bits to 8: exactly round(x / 257)."""
    if samples.dtype == np.uint8:
        return samples
    rounded = np.empty(samples.shape, np.uint8)
    for row in range(0, len(samples), _BAND):
        band = samples[row : row + _BAND].astype(np.uint32)
        band *= 255
        band += 32895
        band >>= 16
        rounded[row : row + _BAND] = band
    return rounded


def split(pixels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """HxW, HxWx1, HxWx3 or HxWx4 -> contiguous HxWx3 and alpha."""
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2), None
    alpha = np.ascontiguousarray(pixels[..., 3]) if pixels.shape[2] == 4 else None
    return np.ascontiguousarray(pixels[..., :3]), alpha


def turn(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
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


def to_image(samples: NDArray[np.uint8]) -> Image.Image:
    """HxWx1 to HxWx4 -> L, LA, RGB or RGBA, without a copy where they are contiguous."""
    height, width, channels = samples.shape
    mode = ("L", "LA", "RGB", "RGBA")[channels - 1]
    pixels = np.ascontiguousarray(samples)
    return Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)


def to_array(image: Image.Image) -> NDArray[np.uint8]:
    """L or RGB -> HxW or HxWx3. By way of a PPM, several times as fast as ``np.asarray(image)``."""
    shape = (image.height, image.width, 3)[: 3 if image.mode == "RGB" else 2]
    pixels = np.empty(shape, np.uint8)
    image.save(cast(IO[bytes], _Samples(pixels)), "PPM")
    return pixels


class _Samples(io.RawIOBase):
    """A PPM file whose samples are kept; PGM is the same for grey."""

    def __init__(self, into: NDArray[np.uint8]) -> None:
        self._rest, self._lines = into.reshape(-1), 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take what follows the header, which has a kind, a size and a white, each on a line."""
        part = data
        while self._lines < 3 and part:
            _, line, part = part.partition(b"\n")
            self._lines += len(line)
        self._rest[: len(part)] = np.frombuffer(part, np.uint8)
        self._rest = self._rest[len(part) :]
        return len(data)
