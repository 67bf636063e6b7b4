# SPDX-License-Identifier: Apache-2.0
"""Frames, angles and the square crop around a face.

Camera frame: right-handed, +x image right, +y up, +z towards the viewer (as OpenGL and MediaPipe's
face geometry). A light direction is the unit vector from the subject *towards* the light. Azimuth 0
and elevation 0 is a light at the camera; azimuth > 0 is image right, elevation > 0 is up:
``l = (sin az cos el, sin el, cos az cos el)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

CROP_SCALE = 2.4
"""Side of the crop over the larger side of the landmarks' bounding box: head, hair, shoulders."""


def direction(azimuth: Any, elevation: Any) -> Float:
    """Unit vectors ``(..., 3)`` in camera frame from azimuth and elevation in radians."""
    az, el = np.broadcast_arrays(np.asarray(azimuth, float), np.asarray(elevation, float))
    return np.stack([np.sin(az) * np.cos(el), np.sin(el), np.cos(az) * np.cos(el)], -1).astype(
        np.float32
    )


def angles(vectors: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Azimuth in (-pi, pi] and elevation in [-pi/2, pi/2] of vectors ``(..., 3)``, radians."""
    v = np.asarray(vectors, float)
    return np.arctan2(v[..., 0], v[..., 2]), np.arctan2(v[..., 1], np.hypot(v[..., 0], v[..., 2]))


def normalize(vectors: NDArray[Any]) -> Float:
    """Vectors ``(..., 3)`` scaled to unit length; a zero vector stays zero."""
    v = np.asarray(vectors, np.float32)
    length = np.sqrt(np.einsum("...i,...i->...", v, v))[..., None]
    return v / np.maximum(length, np.float32(1e-12))


def smoothstep(x: NDArray[Any], low: float, high: float) -> Float:
    """0 below ``low``, 1 above ``high``, a smooth cubic between them; any shape, float32."""
    t = np.asarray(x, np.float32) - np.float32(low)
    t /= np.float32(high - low)
    t = np.clip(t, 0, 1)
    smooth: Float = 3 - 2 * t
    smooth *= t  # in place: fresh memory costs more than the arithmetic
    smooth *= t
    return smooth


def angle_between(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Angle in radians between vectors ``(..., 3)``, exact also near 0 and pi."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    cross = np.linalg.norm(np.cross(a, b), axis=-1)
    angle: NDArray[np.float64] = np.arctan2(cross, (a * b).sum(-1))
    return angle


def shrink(image: NDArray[Any], factor: int) -> NDArray[Any]:
    """Average blocks of ``factor x factor`` pixels of an image ``(H, W[, C])``.

    An incomplete last row or column of blocks is left out, unless it is the only one.
    """
    import cv2

    if factor == 1:
        return image
    height, width = (max(1, side // factor) for side in image.shape[:2])
    # A whole factor takes OpenCV's fast path, three times as fast as one nearby.
    whole = image[: height * factor, : width * factor]
    shrunk: NDArray[Any] = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return shrunk.reshape(height, width, *image.shape[2:])  # OpenCV drops a single channel's axis


class Grid(NamedTuple):
    """Cells laid over part of a photo.

    Attributes:
        left: photo column of the left edge.
        top: photo row of the upper edge.
        step: photo pixels per cell.
        rows: number of rows.
        columns: number of columns.
    """

    left: int
    top: int
    step: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Crop:
    """A square of whole pixels of a photo; may reach past its border, where edges repeat.

    Attributes:
        left: column of the first pixel, may be negative.
        top: row of the first pixel, may be negative.
        size: side in pixels, >= 1.
    """

    left: int
    top: int
    size: int

    @classmethod
    def around(cls, points: NDArray[Any], scale: float = CROP_SCALE) -> Crop:
        """The square around a face.

        Args:
            points: ``(N, 2+)`` landmarks in pixels, origin top left, y down.
            scale: side over the larger side of the points' bounding box.
        """
        low, high = points[:, :2].min(0), points[:, :2].max(0)
        size = max(1, round(float((high - low).max()) * scale))
        left, top = np.floor((low + high) / 2 - size / 2 + 0.5).astype(int)
        return cls(int(left), int(top), size)

    def extract(self, image: NDArray[Any], resolution: int | None = None) -> NDArray[Any]:
        """Cut the square out of an image and resample it.

        Args:
            image: ``(H, W)`` or ``(H, W, C)``, uint8, uint16 or float32.
            resolution: side of the result in pixels; ``None`` keeps the crop's own.

        Returns:
            ``(resolution, resolution[, C])`` of the image's dtype; area-averaged when it shrinks,
            bilinear when it grows. Outside the photo its border pixels repeat.
        """
        import cv2

        height, width = image.shape[:2]
        rows = np.clip([self.top, self.top + self.size], 0, height)
        columns = np.clip([self.left, self.left + self.size], 0, width)
        if rows[0] == rows[1] or columns[0] == columns[1]:
            raise ValueError(f"{self} lies wholly outside an image of {width} x {height} pixels")
        part = image[rows[0] : rows[1], columns[0] : columns[1]]
        target = self.size if resolution is None else resolution
        if resolution is not None and self.size > 2 * resolution and part.size > 0:
            # Shrinking first keeps a huge photo's padding out of memory.
            return self._extract_shrunk(part, rows, columns, resolution)
        pad = (
            int(rows[0] - self.top),
            int(self.top + self.size - rows[1]),
            int(columns[0] - self.left),
            int(self.left + self.size - columns[1]),
        )
        if any(pad):
            part = cv2.copyMakeBorder(part, *pad, cv2.BORDER_REPLICATE)
        if target == self.size:
            return np.ascontiguousarray(part).reshape(target, target, *image.shape[2:])
        mode = cv2.INTER_AREA if target < self.size else cv2.INTER_LINEAR
        resized: NDArray[Any] = cv2.resize(part, (target, target), interpolation=mode)
        return resized.reshape(target, target, *image.shape[2:])

    def _extract_shrunk(
        self, part: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any], resolution: int
    ) -> NDArray[Any]:
        """Area-average by a whole factor, then cut the exact square at the reduced size."""
        factor = self.size // resolution
        small = shrink(part, factor)
        height, width = (1 / min(factor, side) for side in part.shape[:2])
        step = self.size / resolution
        offset = (self.left - int(columns[0]), self.top - int(rows[0]))
        warped = _warp(small, offset, step, (width, height), (resolution, resolution))
        return warped.reshape(resolution, resolution, *part.shape[2:])

    def to_crop(self, points: NDArray[Any], resolution: int) -> Float:
        """Photo pixels ``(N, 2)`` to pixels of the crop resampled to ``resolution``."""
        origin = np.array([self.left, self.top], np.float32)
        scaled: Float = (np.asarray(points, np.float32) - origin) * np.float32(
            resolution / self.size
        )
        return scaled

    def onto_grid(self, values: NDArray[Any], grid: Grid) -> NDArray[Any]:
        """Resample values given on this crop to cells of the photo, bilinear, edges repeated.

        Args:
            values: ``(R, R)`` or ``(R, R, C)`` float32 over the whole crop.
            grid: where they are wanted.

        Returns:
            ``(rows, columns[, C])``, taken at the cells' centres.
        """
        scale = values.shape[0] / self.size
        offset = (grid.left - self.left, grid.top - self.top)
        return _warp(values, offset, grid.step, (scale, scale), (grid.columns, grid.rows))

    def scaled(self, factor: float) -> Crop:
        """The square on the photo scaled by a factor, to whole pixels."""
        return Crop(
            round(self.left * factor), round(self.top * factor), max(1, round(self.size * factor))
        )

    def visible(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Rows and columns of a photo of ``shape`` that the crop covers."""
        return (
            slice(max(0, self.top), min(shape[0], self.top + self.size)),
            slice(max(0, self.left), min(shape[1], self.left + self.size)),
        )


def _warp(
    values: NDArray[Any],
    offset: tuple[float, float],
    step: float,
    scale: tuple[float, float],
    size: tuple[int, int],
) -> NDArray[Any]:
    """Cells of a photo from values given at another scale, bilinear, edges repeated.

    Args:
        values: ``(H, W[, C])``, covering a part of the photo.
        offset: of the cells' left upper corner from that part's, (x, y) in pixels of the photo.
        step: pixels of the photo per cell.
        scale: values per pixel of the photo, (x, y).
        size: (columns, rows) of the result.
    """
    import cv2

    # Pixel centres: cell u lies at offset + (u + 0.5) * step.
    matrix = np.zeros((2, 3))
    for axis in (0, 1):
        matrix[axis, axis] = step * scale[axis]
        matrix[axis, 2] = (offset[axis] + 0.5 * step) * scale[axis] - 0.5
    warped: NDArray[Any] = cv2.warpAffine(
        values,
        matrix,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return warped
