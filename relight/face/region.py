# SPDX-License-Identifier: Apache-2.0
"""Where a network looks: a square of a photo, at any angle and size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.geometry import shrink
from relight.opencv import check_opencv

Float = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Region:
    """A square of a photo, possibly turned; may reach past the photo's border.

    Attributes:
        x: its middle, pixels from the photo's left edge.
        y: its middle, pixels from the photo's upper edge.
        side: pixels of the photo.
        angle: of its own x axis from the photo's, radians, clockwise as seen (y points down).
    """

    x: float
    y: float
    side: float
    angle: float = 0.0

    def to_photo(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Photo pixels ``(N, 2)`` of points ``(N, 2)`` in [0, 1], as parts of the region's side."""
        u, v = (np.asarray(points, float).T - 0.5) * self.side
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.stack([self.x + u * cos - v * sin, self.y + u * sin + v * cos], 1)


def whole(shape: tuple[int, ...], angle: float = 0.0) -> Region:
    """The smallest square around a photo of ``shape`` (H, W, ...)."""
    return Region(shape[1] / 2, shape[0] / 2, max(shape[:2]), angle)


class Pyramid:
    """A photo and its halves, quarters and so on, each made when it is first asked for.

    Args:
        photo: ``(H, W, 3)`` uint8 sRGB.

    Attributes:
        shape: rows and columns of the photo.
        mirrored: whether its mirror image is seen; where to look is meant likewise.

    Raises:
        ValueError: for another shape or dtype, or no pixels.
        OpenCVError: if OpenCV is missing or broken.
    """

    def __init__(self, photo: Image) -> None:
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or not photo.size:
            raise ValueError(f"expected uint8 HxWx3, got {photo.dtype} {photo.shape}")
        check_opencv()
        self.shape = photo.shape[:2]
        self.mirrored = False
        self._levels = [np.ascontiguousarray(photo)]

    @property
    def finest(self) -> int:
        """The last level: its shorter side is a pixel."""
        return math.floor(math.log2(min(self.shape)))

    def level(self, n: int) -> Image:
        """The photo halved ``n`` times, 2 x 2 pixels averaged."""
        while len(self._levels) <= n:
            self._levels.append(np.ascontiguousarray(shrink(self._levels[-1], 2)))
        return self._levels[n]

    def sample(self, region: Region, side: int, *, repeat: bool) -> Float | None:
        """What a network sees of a region: bilinear, from the level just finer than its pixels.

        As MediaPipe does, input pixel (0, 0) is taken at the region's corner itself, counted in
        pixel centres.

        Args:
            region: where to look.
            side: of the network's input, pixels.
            repeat: whether the photo's edge repeats outside it; else it is black there.

        Returns:
            ``(side, side, 3)`` float32 from 0 to 255; ``None`` if the region misses the photo.
        """
        import cv2

        n = min(max(0, math.floor(math.log2(region.side / side))), self.finest)
        level, scale = self.level(n), 0.5**n
        x, y, step = region.x * scale, region.y * scale, region.side * scale / side
        cos, sin = math.cos(region.angle) * step, math.sin(region.angle) * step
        middle = side / 2
        matrix = np.array(
            [
                [cos, -sin, x - middle * (cos - sin)],
                [sin, cos, y - middle * (cos + sin)],
            ]
        )
        if self.mirrored:  # what halving leaves out lies at the other edge
            matrix[0, 2] -= self.shape[1] * scale - level.shape[1]
        # Only what is looked at becomes float: a large photo is not copied whole.
        corners = matrix @ np.array([[0, side, 0, side], [0, 0, side, side], [1, 1, 1, 1]])
        low = np.maximum(np.floor(corners.min(1)).astype(int) - 2, 0)
        high = np.minimum(np.ceil(corners.max(1)).astype(int) + 3, level.shape[1::-1])
        if (low >= high).any():
            return None
        rows, columns = slice(low[1], high[1]), slice(low[0], high[0])
        if self.mirrored:
            width = level.shape[1]
            part = cv2.flip(level[rows, width - columns.stop : width - columns.start], 1)
        else:
            part = level[rows, columns]
        part = part.astype(np.float32)
        matrix[:, 2] -= low
        sampled: Float = cv2.warpAffine(
            part,
            matrix,
            (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE if repeat else cv2.BORDER_CONSTANT,
        )
        return sampled
