# SPDX-License-Identifier: Apache-2.0
"""Rods of any section along a curve: rims, temples, rings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.head.head import grid_faces
from data_synth.wear.garment import Piece


def make_tube(
    path: NDArray[Any],
    width: Any,
    height: Any,
    up: NDArray[Any],
    *,
    closed: bool,
    uv_center: tuple[float, float],
) -> Piece:
    """A rod with an elliptic section.

    Args:
        path: ``(N, 3)`` points along the rod.
        width: half axis across path and ``up``, cm; scalar or ``(N,)``.
        height: half axis along ``up``, cm.
        up: ``(3,)`` or ``(N, 3)``, not along the path.
        closed: whether the last point joins the first.
        uv_center: where in the texture it lies; it only needs one colour.
    """
    path = np.asarray(path, float)
    around = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    along = around if closed else np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    ups = np.broadcast_to(np.asarray(up, float), path.shape)
    across = np.cross(along, ups)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    ups = np.cross(across, along)
    sides = 10
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    wide = np.broadcast_to(np.asarray(width, float), len(path))[:, None, None]
    tall = np.broadcast_to(np.asarray(height, float), len(path))[:, None, None]
    ring = (
        path[:, None]
        + wide * np.cos(turn)[:, None] * across[:, None]
        + tall * np.sin(turn)[:, None] * ups[:, None]
    )
    if closed:
        ring = np.concatenate([ring, ring[:1]])
    else:  # close the ends
        ring = np.concatenate(
            [path[None, :1].repeat(sides, 1), ring, path[None, -1:].repeat(sides, 1)]
        )
    vertices = ring.reshape(-1, 3).astype(np.float32)
    faces = grid_faces(len(ring), sides, closed=True)
    faces = _outward(vertices, faces, path)
    jitter = 0.02 * (vertices - vertices.mean(0))[:, :2] / 8
    uv = (np.array(uv_center) + jitter).astype(np.float32)[faces]
    return Piece(vertices, faces, np.clip(uv, 0, 1))


def _outward(vertices: Any, faces: Any, path: Any) -> Any:
    """Turn all triangles around when they face the rod's axis."""
    from scipy.spatial import cKDTree

    corner = vertices[faces].astype(float)
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    center = corner.mean(1)
    axis = path[cKDTree(path).query(center)[1]]
    return faces if ((center - axis) * normal).sum() > 0 else faces[:, ::-1].copy()
