# SPDX-License-Identifier: Apache-2.0
"""Frames, angles and the square crop around a face.

Camera frame: right-handed, +x image right, +y up, +z towards the viewer (as OpenGL and MediaPipe's
face geometry). A light direction is the unit vector from the subject *towards* the light. Azimuth 0
and elevation 0 is a light at the camera; azimuth > 0 is image right, elevation > 0 is up:
``l = (sin az cos el, sin el, cos az cos el)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

CROP_SCALE = 2.4
"""Side of the crop over the larger side of the landmarks' bounding box: head, hair, shoulders."""
FINEST = 0.75
"""A photo is halved as long as its pixels stay no larger than a sample over this."""
SAMPLES = 2
"""A crop that shrinks is drawn at so many times its resolution, then averaged."""
WHOLE = 1e-6
"""Sides of a crop this close to a pixel's border, in pixels, lie on it."""


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


def rolled(vectors: NDArray[Any], angle: float) -> Float:
    """Vectors ``(..., 3)`` turned about the camera's axis, clockwise as the viewer sees it.

    Args:
        vectors: camera frame.
        angle: radians; at pi / 2 what pointed up points to image right.
    """
    v = np.asarray(vectors, np.float32)
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    return np.stack(
        [v[..., 0] * cos + v[..., 1] * sin, v[..., 1] * cos - v[..., 0] * sin, v[..., 2]], -1
    )


def roll_of(head_pose: NDArray[Any]) -> float:
    """Angle in radians, (-pi, pi], by which a head's up axis leans towards image right.

    Args:
        head_pose: ``(3, 3)`` rotation head to camera.
    """
    return math.atan2(float(head_pose[0][1]), float(head_pose[1][1]))


def head_angles(head_pose: NDArray[Any]) -> tuple[float, float, float]:
    """Yaw (> 0: nose to image right), pitch (> 0: up) and roll in degrees of a head pose.

    Roll is counted as angles in a plane with y up are, > 0 counter-clockwise: minus
    :func:`roll_of`.

    Args:
        head_pose: ``(3, 3)`` rotation head to camera.
    """
    yaw, pitch = angles(np.asarray(head_pose, float)[:, 2])
    return math.degrees(float(yaw)), math.degrees(float(pitch)), -math.degrees(roll_of(head_pose))


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
    """A square of a photo, turned so that the head in it is upright.

    It may reach past the photo's border, where edges repeat. Positions are in pixels of the photo,
    origin top left, y down; pixel ``j`` covers ``[j, j + 1)``.

    Attributes:
        x: column of its middle.
        y: row of its middle.
        size: side in pixels, > 0.
        roll: angle in radians by which its upper side, and the head's up axis, leans towards image
            right.
    """

    x: float
    y: float
    size: float
    roll: float = 0.0

    @classmethod
    def around(cls, points: NDArray[Any], roll: float = 0.0, scale: float = CROP_SCALE) -> Crop:
        """The square around a face.

        Args:
            points: ``(N, 2+)`` landmarks in pixels, origin top left, y down.
            roll: of the head.
            scale: side over the larger side of the points' bounding box, which is turned by
                ``roll``, too.
        """
        axes = _axes(roll)
        upright = np.asarray(points, float)[:, :2] @ axes.T
        low, high = upright.min(0), upright.max(0)
        x, y = (low + high) / 2 @ axes
        return cls(float(x), float(y), max(1.0, float((high - low).max()) * scale), float(roll))

    def extract(self, image: NDArray[Any], resolution: int | None = None) -> NDArray[Any]:
        """Cut the square out of an image and resample it.

        Args:
            image: ``(H, W)`` or ``(H, W, C)``, uint8, uint16 or float32.
            resolution: side of the result in pixels; ``None`` keeps the photo's scale.

        Returns:
            ``(resolution, resolution[, C])`` of the image's dtype; area-averaged when it shrinks,
            bilinear when it grows. Outside the photo its border pixels repeat.
        """
        height, width = image.shape[:2]
        rows, columns = self.visible(image.shape)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            raise ValueError(f"{self} lies wholly outside an image of {width} x {height} pixels")
        side = max(1, round(self.size)) if resolution is None else resolution
        # A huge photo is halved, which is fast, while its pixels are much smaller than wanted; then
        # one finer picture is drawn and averaged, so that no detail is skipped.
        samples = SAMPLES if self.size > side else 1
        halvings = max(0, math.floor(math.log2(self.size / (samples * side * FINEST))))
        factor = 2**halvings
        top, left = max(0, rows.start - factor), max(0, columns.start - factor)
        part = image[top : rows.stop + factor, left : columns.stop + factor]
        blocks = np.ones(2)
        for _ in range(halvings):
            blocks *= np.minimum(2, part.shape[1::-1])  # a single row or column stays one
            part = shrink(part, 2)
        onto_part = _scaling(*(1 / blocks)) @ _shift(-left, -top)
        drawn = _warp(part, onto_part @ self._to_photo(samples * side), samples * side)
        return shrink(drawn, samples).reshape(side, side, *image.shape[2:])

    def to_crop(self, points: NDArray[Any], resolution: int) -> Float:
        """Photo pixels ``(N, 2)`` to pixels of the crop resampled to ``resolution``."""
        upright = (np.asarray(points, float) - (self.x, self.y)) @ _axes(self.roll).T
        return (upright * (resolution / self.size) + resolution / 2).astype(np.float32)

    def to_photo(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Photo pixels ``(N, 2)`` of points ``(N, 2)`` given in shares of the crop's sides."""
        offsets = (np.asarray(points, float) - 0.5) * self.size
        photo: NDArray[np.float64] = offsets @ _axes(self.roll) + (self.x, self.y)
        return photo

    def shares(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Points ``(N, 2)`` in shares of the crop's sides, of photo pixels ``(N, 2)``."""
        upright: NDArray[np.float64] = (np.asarray(points, float) - (self.x, self.y)) @ _axes(
            self.roll
        ).T
        return upright / self.size + 0.5

    def onto_grid(
        self, values: NDArray[Any], grid: Grid, outside: float | None = None
    ) -> NDArray[Any]:
        """Resample values given on this crop to cells of the photo, bilinear.

        Args:
            values: ``(R, R)`` or ``(R, R, C)`` float32 over the whole crop.
            grid: where they are wanted.
            outside: value around the crop; ``None`` repeats its edges.

        Returns:
            ``(rows, columns[, C])``, taken at the cells' centres.
        """
        onto_photo = _shift(grid.left, grid.top) @ _scaling(grid.step)
        onto_crop = np.linalg.inv(self._to_photo(len(values)))
        return _warp(values, onto_crop @ onto_photo, (grid.columns, grid.rows), outside)

    def onto_crop(
        self, values: NDArray[Any], other: Crop, resolution: int, outside: float | None = None
    ) -> NDArray[Any]:
        """Resample values given on this crop to another one, bilinear.

        Args:
            values: ``(R, R)`` or ``(R, R, C)`` float32 over the whole crop.
            other: where they are wanted.
            resolution: side of the result.
            outside: value around the crop; ``None`` repeats its edges.

        Returns:
            ``(resolution, resolution[, C])``.
        """
        onto_crop = np.linalg.inv(self._to_photo(len(values))) @ other._to_photo(resolution)
        return _warp(values, onto_crop, resolution, outside)

    def scaled(self, factor: float) -> Crop:
        """The square on the photo scaled by a factor."""
        return Crop(self.x * factor, self.y * factor, self.size * factor, self.roll)

    def visible(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Rows and columns of a photo of ``shape`` that the square, turned, lies within."""
        half = self.size / 2 * (abs(math.cos(self.roll)) + abs(math.sin(self.roll)))
        rows, columns = (
            slice(
                min(max(0, math.floor(middle - half + WHOLE)), limit),
                max(0, min(math.ceil(middle + half - WHOLE), limit)),
            )
            for middle, limit in ((self.y, shape[0]), (self.x, shape[1]))
        )
        return rows, columns

    def _to_photo(self, resolution: int) -> NDArray[np.float64]:
        """Affine ``(3, 3)`` from pixels of the crop at a resolution to those of the photo."""
        turn = np.eye(3)
        turn[:2, :2] = _axes(self.roll).T * (self.size / resolution)
        middle = resolution / 2
        turned: NDArray[np.float64] = _shift(self.x, self.y) @ turn @ _shift(-middle, -middle)
        return turned


def _axes(roll: float) -> NDArray[np.float64]:
    """Rows: a turned square's axes to the right and down, in pixels of the photo, y down."""
    cos, sin = math.cos(roll), math.sin(roll)
    return np.array([[cos, sin], [-sin, cos]])


def _shift(x: float, y: float) -> NDArray[np.float64]:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _scaling(x: float, y: float | None = None) -> NDArray[np.float64]:
    return np.diag([x, x if y is None else y, 1.0])


def _warp(
    values: NDArray[Any],
    matrix: NDArray[np.float64],
    size: int | tuple[int, int],
    outside: float | None = None,
) -> NDArray[Any]:
    """Draw a picture from another one, bilinear.

    Args:
        values: ``(H, W[, C])``, the other one.
        matrix: ``(3, 3)`` affine from positions in the picture to those in ``values``; pixel ``j``
            covers ``[j, j + 1)`` in both.
        size: the picture's side, or its (columns, rows).
        outside: value around ``values``; ``None`` repeats their edges.
    """
    import cv2

    centres = _shift(-0.5, -0.5) @ matrix @ _shift(0.5, 0.5)
    around = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    warped: NDArray[Any] = cv2.warpAffine(
        values,
        centres[:2],
        (size, size) if isinstance(size, int) else size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=around,
        borderValue=(outside or 0.0,) * 4,
    )
    return warped
