# SPDX-License-Identifier: Apache-2.0
"""Shadows that a face throws on itself: what the nose, the brow and the lips hide from a light.

The face mesh's depth is followed towards the light up to its horizon; how far that is below the
light's middle tells how much of the light is seen.

Reference: Max 1988, "Horizon mapping: shadows for bump-mapped surfaces".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.face.mesh import Surface
from relight.stage.shading import visibility

Float = NDArray[np.float32]

REACH = 0.35
"""How far a shadow falls across the picture, over its side: less than a face is wide there."""
STEPS = 30
"""Depths looked at on the way."""
SHARPEST = 0.1
"""Least radius of a light in radians: the mesh does not lie truer than this."""
AHEAD = 1e-3
"""A light no further than this from the camera's axis throws no shadow that the camera sees."""
OUTSIDE = np.float32(-1e4)
"""Depth beside the mesh: nothing there hides a light."""


def light_visibility(
    mesh: Surface, normals: Float, direction: NDArray[Any], radius: float
) -> Float:
    """Light visibility map: Lambert's cosine, and the shadows that the face mesh throws on itself.

    Args:
        mesh: the face mesh drawn at 128 pixels.
        normals: ``(128, 128, 3)`` unit on the person, camera frame.
        direction: unit vector towards the light, camera frame.
        radius: of the light's disk, radians.

    Returns:
        ``(128, 128)`` float32 in [0, 1].
    """
    return visibility(normals, direction) * unshadowed(mesh, direction, radius)


def unshadowed(surface: Surface, direction: NDArray[Any], radius: float) -> Float:
    """Share of a light that the face mesh leaves free to be seen from each of its points.

    Args:
        surface: the mesh drawn on the crop, ``(R, R)``.
        direction: unit vector towards the light, camera frame.
        radius: of the light's disk, radians.

    Returns:
        ``(R, R)`` float32 in [0, 1]; 1 outside the mesh.
    """
    x, y, z = (float(v) for v in direction)
    across = math.hypot(x, y)
    result = np.ones(surface.mask.shape, np.float32)
    if across < AHEAD or not surface.mask.any():
        return result
    rows, columns = (np.flatnonzero(surface.mask.any(axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    depth = np.where(surface.mask, surface.depth, OUTSIDE)[box].astype(np.float32)
    stride = REACH * len(surface.mask) / STEPS
    margin = math.ceil(stride * STEPS) + 1
    around = np.pad(depth, margin, constant_values=OUTSIDE)
    steepest = np.full(depth.shape, -np.inf, np.float32)
    for step in range(1, STEPS + 1):
        way = step * stride
        there = _moved(around, way * x / across, -way * y / across, margin)
        np.maximum(steepest, (there - depth) / np.float32(way), out=steepest)
    clearance = np.float32(math.atan2(z, across)) - np.arctan(steepest)
    soft = np.float32(2 * max(radius, SHARPEST))
    free = np.clip(clearance / soft + np.float32(0.5), 0, 1)
    result[box] = np.where(surface.mask[box], free, 1)
    return result


def _moved(around: Float, right: float, down: float, margin: int) -> Float:
    """What lies this many pixels to the right and below, bilinear, of a picture with a margin."""
    import cv2

    left, top = math.floor(right), math.floor(down)
    u, v = right - left, down - top
    height, width = (side - 2 * margin for side in around.shape)
    y, x = margin + top, margin + left
    near = around[y : y + height + 1, x : x + width + 1]
    across = cv2.addWeighted(near[:, :-1], 1 - u, near[:, 1:], u, 0)
    moved: Float = cv2.addWeighted(across[:-1], 1 - v, across[1:], v, 0)
    return moved
