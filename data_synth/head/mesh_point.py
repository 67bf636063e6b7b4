# SPDX-License-Identifier: Apache-2.0
"""Where Face Mesh's landmarks lie on a rendered head: known exactly, in every pose and expression.

The runtime's face template holds the landmarks' points on the mean head of ICT-FaceKit. Each is
tied to the triangle it lies on there and follows it to any other head.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from data_synth.head.head import Head, Part
from relight.face.mesh import template

Float = NDArray[np.float32]

CANDIDATES = 24
"""Triangles, by their middle, among which a landmark's nearest is looked for."""


def mesh_points(head: Head) -> Float:
    """Face Mesh's landmarks ``(468, 3)`` on a head, head frame, cm."""
    triangles, weights = _ties(_Canonical(head))
    corners = head.vertices[head.faces[triangles]]
    return np.einsum("pk,pkc->pc", weights, corners).astype(np.float32)


class _Canonical:
    """The mean head, the same for all heads of a source with as many triangles."""

    def __init__(self, head: Head) -> None:
        self.head = head

    def __hash__(self) -> int:
        return hash((len(self.head.faces), len(self.head.canonical)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Canonical) and hash(self) == hash(other)


@functools.lru_cache(maxsize=4)
def _ties(mean: _Canonical) -> tuple[NDArray[np.int64], Float]:
    """Triangles ``(468,)`` and barycentric weights ``(468, 3)`` of the landmarks."""
    head = mean.head
    skin = np.flatnonzero(head.part == Part.FACE)
    corners = head.canonical[head.faces[skin]].astype(float)
    points = template().vertices_cm.astype(float)
    _, near = cKDTree(corners.mean(1)).query(points, CANDIDATES)
    weights = _nearest(points[:, None], corners[near])
    away = np.linalg.norm((weights[..., None] * corners[near]).sum(2) - points[:, None], axis=-1)
    best = away.argmin(1)
    rows = np.arange(len(points))
    return skin[near[rows, best]], weights[rows, best].astype(np.float32)


def _nearest(points: NDArray[np.float64], triangles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Barycentric weights ``(..., 3)`` of the points of triangles near to ``points``.

    A point beside a triangle is brought onto it by cutting negative weights: exact inside, close
    enough at edges.
    """
    a = triangles[..., 0, :]
    u, v, p = triangles[..., 1, :] - a, triangles[..., 2, :] - a, points - a
    uu, uv, vv = (u * u).sum(-1), (u * v).sum(-1), (v * v).sum(-1)
    pu, pv = (p * u).sum(-1), (p * v).sum(-1)
    area = np.maximum(uu * vv - uv * uv, 1e-12)
    s, t = (vv * pu - uv * pv) / area, (uu * pv - uv * pu) / area
    weights = np.clip(np.stack([1 - s - t, s, t], -1), 0, 1)
    result: NDArray[np.float64] = weights / weights.sum(-1, keepdims=True)
    return result
