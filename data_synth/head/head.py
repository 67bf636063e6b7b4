# SPDX-License-Identifier: Apache-2.0
"""A bare head, from any source, before skin is painted and hair grown.

What makes sources exchangeable is the *canonical* position of every vertex: where it lies on the
mean head, in head frame. Skin, hair and accessories are placed by it, so they follow any identity
and expression. The mean head is that of ICT-FaceKit; landmarks are numbered as in the 68-point
scheme: 0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes (36 is the outer corner of the right eye),
48-67 lips.

Reference:
    Li et al. 2020, "Learning Formation of Physically-Based Face Attributes" (ICT-FaceKit).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.subject import Material

Float = NDArray[np.float32]
Int = NDArray[np.int32]

EYE_CENTER = np.array([3.094, 3.614, 7.887], np.float32)
"""Canonical centre of the left eyeball; the right one is its mirror image."""
EYE_AXIS = np.array([0.150, 0.0087, 0.9886], np.float32)
"""Canonical direction in which the left eye looks at rest."""
LIMBUS_DEG = 21.5
"""Angle between the eye's axis and the iris' rim."""


class Part(IntEnum):
    """Where on the head a triangle lies."""

    FACE = 0
    NECK = 1
    """Back of the head, neck and chest."""
    MOUTH = 2
    """Walls of the mouth."""
    SOCKET = 3
    """Walls behind the lids."""
    GUM = 4
    TEETH = 5
    EYE = 6


PART_MATERIAL = np.array(
    [
        Material.SKIN,
        Material.SKIN,
        Material.SKIN,
        Material.SKIN,
        Material.GUM,
        Material.TEETH,
        Material.EYE,
    ],
    np.uint8,
)


@dataclass(frozen=True)
class Head:
    """A bare head with its expression on.

    Attributes:
        vertices: ``(V, 3)`` float32 head frame, cm.
        canonical: ``(V, 3)`` float32 the same vertices on the mean head.
        faces: ``(F, 3)`` int32.
        uv: ``(F, 3, 2)`` float32 per corner, in the square of the face's material.
        part: ``(F,)`` uint8, :class:`Part`.
        landmarks: ``(68, 3)`` float32, posed.
        lashes: ``(G, K, 3)`` float32 curves of some lashes, root first, ordered along the lids.
        lash_lid: ``(G,)`` int32 number of the lid (eye and upper or lower) of each curve.
        aspect: width over height of the skin's texture.
    """

    vertices: Float
    canonical: Float
    faces: Int
    uv: Float
    part: NDArray[np.uint8]
    landmarks: Float
    lashes: Float
    lash_lid: Int
    aspect: int

    @property
    def skin(self) -> NDArray[np.bool_]:
        """``(F,)`` true on the outer skin."""
        return self.part <= Part.NECK


def vertex_normals(vertices: Float, faces: NDArray[Any], weld: Float | None = None) -> Float:
    """Area-weighted unit normals ``(V, 3)``.

    Args:
        vertices: ``(V, 3)``.
        faces: ``(F, 3)``.
        weld: ``(V, 3)`` positions; vertices that share one also share the normal, so that no seam
            shows between surfaces that meet.
    """
    corner = vertices[faces].astype(np.float64)
    cross = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    index = np.arange(len(vertices))
    if weld is not None:
        _, index = np.unique(np.round(weld * 200).astype(np.int64), axis=0, return_inverse=True)
        index = index.ravel()
    total = np.zeros((index.max() + 1, 3))
    for k in range(3):
        for c in range(3):
            total[:, c] += np.bincount(index[faces[:, k]], cross[:, c], minlength=len(total))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    total = np.where(length > 1e-12, total / np.maximum(length, 1e-12), [0.0, 0.0, 1.0])
    return total[index].astype(np.float32)


def triangle_areas(vertices: Float, faces: NDArray[Any]) -> NDArray[np.float64]:
    """Area of each triangle ``(F,)`` in square centimetres."""
    corner = vertices[faces].astype(np.float64)
    cross = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    area: NDArray[np.float64] = np.linalg.norm(cross, axis=1) / 2
    return area


def grid_faces(rows: int, columns: int, closed: bool) -> Int:
    """Triangles of a grid of vertices stored row by row.

    Args:
        rows: of vertices.
        columns: of vertices.
        closed: whether the last column joins the first.

    Returns:
        ``(F, 3)``; counter-clockwise when columns run to the right and rows run down.
    """
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - (not closed)), indexing="ij")
    a, b = i * columns + j, i * columns + (j + 1) % columns
    c, d = a + columns, b + columns
    quads = np.stack([np.stack([a, c, b], -1), np.stack([b, c, d], -1)], -2)
    return quads.reshape(-1, 3).astype(np.int32)


def eye_uv(canonical: Float) -> Float:
    """Where canonical points of an eyeball lie in the eye's texture, ``(N, 2)``.

    Both eyes share one square: its middle is the pupil, the distance from it grows with the angle
    from the eye's axis.
    """
    side = np.where(canonical[:, :1] >= 0, 1.0, -1.0) * [1.0, 0.0, 0.0] + [0.0, 1.0, 1.0]
    ray = canonical * side - EYE_CENTER
    ray /= np.maximum(np.linalg.norm(ray, axis=1, keepdims=True), 1e-6)
    right = np.cross([0.0, 1.0, 0.0], EYE_AXIS)
    right /= np.linalg.norm(right)
    up = np.cross(EYE_AXIS, right)
    angle = np.arccos(np.clip(ray @ EYE_AXIS, -1, 1))
    turn = np.arctan2(ray @ up, ray @ right)
    radius = 0.5 * (angle / np.pi) ** EYE_UV_POWER
    uv = 0.5 + radius[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    return np.clip(uv, 0, 1).astype(np.float32)


EYE_UV_POWER = 0.7
"""Below 1, so that the iris gets more of the eye's texture."""
