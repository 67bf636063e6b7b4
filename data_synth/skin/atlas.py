# SPDX-License-Identifier: Apache-2.0
"""Where each pixel of the skin's texture lies on the head, and a canvas to draw on the face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from data_synth.hair.root import mix
from data_synth.head.head import Head, Part
from data_synth.noise import smoothstep

Float = NDArray[np.float32]

PIXELS_PER_CM = 40
"""Of the canvas."""
LEFT_CM, RIGHT_CM, BOTTOM_CM, TOP_CM = -8.0, 8.0, -10.0, 12.0


@dataclass(frozen=True)
class Atlas:
    """Skin texture pixels on the head.

    Attributes:
        canonical: ``(H, W, 3)`` float32 position on the mean head; outside of the skin's
            triangles that of the nearest pixel inside.
        part: ``(H, W)`` uint8, :class:`Part`.
    """

    canonical: Float
    part: NDArray[np.uint8]

    def from_canvas(self, canvas: Float) -> Float:
        """Look a canvas' picture up for each pixel, fading out where the face turns sideways."""
        x = (self.canonical[..., 0] - LEFT_CM) * PIXELS_PER_CM - 0.5
        y = (TOP_CM - self.canonical[..., 1]) * PIXELS_PER_CM - 0.5
        drawn: Float = cv2.remap(canvas, x, y, cv2.INTER_LINEAR, borderValue=0)
        front = smoothstep(self.canonical[..., 2], 3.0, 5.0) * (self.part == Part.FACE)
        return drawn * (front if drawn.ndim == 2 else front[..., None])


def blank_canvas() -> Float:
    """Empty picture of the face from the front, ``(880, 640)``, at :data:`PIXELS_PER_CM`."""
    return np.zeros(
        (
            round((TOP_CM - BOTTOM_CM) * PIXELS_PER_CM),
            round((RIGHT_CM - LEFT_CM) * PIXELS_PER_CM),
        ),
        np.float32,
    )


def draw_lines(canvas: Float, lines: list[NDArray[Any]], value: float, width_cm: float) -> None:
    """Draw polylines, each ``(N, 2)`` of canonical x and y in cm, in place (the maximum wins)."""
    layer = np.zeros_like(canvas)
    points = [np.rint(_pixels(line) * 16).astype(np.int32) for line in lines]
    thick = max(1, round(width_cm * PIXELS_PER_CM))
    cv2.polylines(layer, points, False, float(value), thick, cv2.LINE_8, 4)
    np.maximum(canvas, layer, out=canvas)


def fill(canvas: Float, outline: NDArray[Any], value: float = 1.0) -> None:
    """Fill a polygon ``(N, 2)`` of canonical x and y in cm, in place."""
    points = np.rint(_pixels(outline) * 16).astype(np.int32)
    cv2.fillPoly(canvas, [points], float(value), cv2.LINE_8, 4)


def blur(canvas: Float, deviation_cm: float) -> Float:
    """Gaussian blur."""
    soft: Float = cv2.GaussianBlur(canvas, (0, 0), deviation_cm * PIXELS_PER_CM)
    return soft


def _pixels(points: NDArray[Any]) -> NDArray[np.float64]:
    x = (np.asarray(points, float)[:, 0] - LEFT_CM) * PIXELS_PER_CM - 0.5
    y = (TOP_CM - np.asarray(points, float)[:, 1]) * PIXELS_PER_CM - 0.5
    return np.stack([x, y], 1)


def bake_atlas(head: Head, size: int) -> Atlas:
    """Spread canonical positions over the skin's texture.

    Args:
        head: the head.
        size: height of the texture in pixels; its width is ``head.aspect`` times that.
    """
    width = size * head.aspect
    chosen = np.flatnonzero(head.part <= Part.SOCKET)
    triangle, weights = rasterize(head.uv[chosen], size, width)
    inside = triangle >= 0
    corners = head.canonical[head.faces[chosen[triangle[inside]]]]
    position = np.zeros((size, width, 3), np.float32)
    position[inside] = mix(weights[inside], corners)
    part = np.zeros((size, width), np.uint8)
    part[inside] = head.part[chosen[triangle[inside]]]
    # Bleed over the borders of the charts, so that filtering never reads emptiness.
    _, labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros(labels.max() + 1, np.int64)
    nearest[labels[inside]] = np.flatnonzero(inside)
    index = nearest[labels]
    return Atlas(position.reshape(-1, 3)[index], part.ravel()[index])


def rasterize(uv: Float, height: int, width: int) -> tuple[NDArray[np.int32], Float]:
    """Triangle under each pixel's centre, or -1, and its barycentric weights.

    Args:
        uv: ``(F, 3, 2)``; row 0 of the picture is v = 1.
        height: of the picture.
        width: of the picture.

    Returns:
        ``(H, W)`` int32 and ``(H, W, 3)`` float32.
    """
    corner = np.stack([uv[..., 0] * width, (1 - uv[..., 1]) * height], -1).astype(np.float64) - 0.5
    low = np.floor(corner.min(1)).astype(np.int64)
    extent = np.ceil(corner.max(1)).astype(np.int64) - low + 1
    triangle = np.full((height, width), -1, np.int32)
    weights = np.zeros((height, width, 3), np.float32)
    span = extent.max(1)
    bucket = np.ceil(np.log2(np.maximum(span, 2))).astype(int)
    for level in np.unique(bucket):
        side = 2**level
        dy, dx = np.divmod(np.arange(side * side), side)
        batch = max(1, 2_000_000 // (side * side))
        members = np.flatnonzero(bucket == level)
        for start in range(0, len(members), batch):
            index = members[start : start + batch]
            x, y = low[index, :1] + dx, low[index, 1:] + dy
            a, b, c = corner[index, 0], corner[index, 1], corner[index, 2]
            ab, ac = b - a, c - a
            area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
            area = np.where(np.abs(area) < 1e-12, np.nan, area)[:, None]
            px, py = x - a[:, :1], y - a[:, 1:]
            w1 = (px * ac[:, 1:] - py * ac[:, :1]) / area
            w2 = (py * ab[:, :1] - px * ab[:, 1:]) / area
            edge = -1e-6
            hit = (w1 >= edge) & (w2 >= edge) & (w1 + w2 <= 1 - edge)
            hit &= (x >= 0) & (y >= 0) & (x < width) & (y < height)
            which, where = np.nonzero(hit)
            rows, columns = y[which, where], x[which, where]
            triangle[rows, columns] = index[which]
            w1, w2 = w1[which, where], w2[which, where]
            weights[rows, columns] = np.stack([1 - w1 - w2, w1, w2], 1)
    return triangle, weights
