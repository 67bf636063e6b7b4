# SPDX-License-Identifier: Apache-2.0
"""One diffuse bounce: light that parts of the subject throw onto each other.

Irradiance is computed for every light at points spread over the surface, multiplied by albedo and
gathered once over the hemisphere of each. The result changes slowly, so a point stands for its
surroundings of the same orientation. It serves all cameras.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.stage.fibre import Opacity
from data_synth.stage.surface import Body
from relight.geometry import normalize

Float = NDArray[np.float32]

OFFSET_CM = 0.05
CELL_CM = 0.7
"""Vertices of one cell that face the same octant share a point."""


@dataclass(frozen=True)
class Bounce:
    """Irradiance by light reflected once.

    Attributes:
        values: ``(3, R, L)`` float32 at ``R`` points, per unit irradiance of each light.
        spread: ``scipy.sparse.csr_matrix (V, R)``: from the points to the mesh's vertices.
    """

    values: Float
    spread: Any


def gather_bounce(
    body: Body, opacity: Opacity | None, lights: Float, rays: int, rng: np.random.Generator
) -> Bounce:
    """Let light bounce once.

    Args:
        body: the subject.
        opacity: its fibres' shadows.
        lights: ``(L, 3)`` head frame.
        rays: gathered per point.
        rng: places them.
    """
    from scipy import sparse

    mesh = body.mesh
    used = np.unique(mesh.faces)
    chosen = used[_thin_out(mesh.vertices[used], mesh.normals[used])]
    normals = mesh.normals[chosen]
    points = mesh.vertices[chosen] + normals * OFFSET_CM
    direct = np.zeros((len(chosen), len(lights)), np.float32)
    for i, light in enumerate(lights):
        cosine = normals @ light
        lit = np.flatnonzero(cosine > 0)
        towards = np.broadcast_to(light, (len(lit), 3))
        value = cosine[lit] * ~body.caster.occluded(points[lit], towards)
        if opacity is not None:
            value *= opacity.transmittance(i, points[lit])
        direct[lit, i] = value
    spread = _nearby(mesh.vertices, mesh.normals, points, normals, 4)
    row, vertex = _meet(body, points, normals, rays, rng)
    meets = sparse.csr_matrix(
        (np.full(len(row), 1 / rays, np.float32), (row, vertex)),
        shape=(len(points), len(mesh.vertices)),
    )
    # A few rays leave noise, which neighbours even out.
    meets = _nearby(points, normals, points, normals, 8) @ meets
    albedo = vertex_albedo(body)
    values = np.empty((3, len(points), len(lights)), np.float32)
    for c in range(3):
        values[c] = (meets @ sparse.diags(albedo[:, c]) @ spread).astype(np.float32) @ direct
    return Bounce(values, spread)


def _thin_out(points: Float, normals: Float) -> NDArray[np.int64]:
    """Indices of vertices that stand for all ``(N, 3)``."""
    cell = np.floor(points / CELL_CM).astype(np.int64)
    octant = (normals > 0) @ np.array([1, 2, 4])
    key = ((cell[:, 0] * 4096 + cell[:, 1]) * 4096 + cell[:, 2]) * 8 + octant
    return np.unique(key, return_index=True)[1]


def _nearby(to: Float, to_normals: Float, points: Float, normals: Float, count: int) -> Any:
    """Sparse matrix of means over the nearest points that face the same way; rows sum to 1."""
    from scipy import sparse
    from scipy.spatial import cKDTree

    count = min(count, len(points))
    distance, index = cKDTree(points).query(to, count)
    distance, index = distance.reshape(len(to), count), index.reshape(len(to), count)
    alike = np.einsum("nc,nkc->nk", to_normals, normals[index])
    weight = np.maximum(alike, 0.01) ** 2 / (distance + 0.2)
    weight /= weight.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(to)), count)
    return sparse.csr_matrix(
        (weight.ravel().astype(np.float32), (rows, index.ravel())), shape=(len(to), len(points))
    )


def vertex_albedo(body: Body) -> Float:
    """Albedo ``(V, 3)`` around each vertex, averaged over half a centimetre."""
    mesh = body.mesh
    total = np.zeros((len(mesh.vertices), 3), np.float32)
    count = np.zeros(len(mesh.vertices), np.float32)
    triangle = np.arange(len(mesh.faces))
    weights = np.full((len(triangle), 3), 1 / 3, np.float32)
    color = body.look_up(triangle, weights, np.full(len(triangle), 0.5))[0]
    for k in range(3):
        for c in range(3):
            total[:, c] += np.bincount(mesh.faces[:, k], color[:, c], minlength=len(total))
        count += np.bincount(mesh.faces[:, k], minlength=len(total))
    return total / np.maximum(count, 1)[:, None]


def _meet(
    body: Body, points: Float, normals: Float, rays: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs: a point that gathers, and the vertex nearest to where its ray meets a front face."""
    count = len(points)
    across = np.cross(normals, np.where(np.abs(normals[:, 1:2]) > 0.8, [[1, 0, 0]], [[0, 1, 0]]))
    across = normalize(across)
    along = np.cross(normals, across)
    rows, columns = [], []
    for k in range(rays):
        # Cosine-distributed; the radius is stratified over the rays.
        radius = np.sqrt((k + rng.random(count)) / rays)
        turn = 2 * np.pi * rng.random(count)
        towards = (
            across * (radius * np.cos(turn))[:, None]
            + along * (radius * np.sin(turn))[:, None]
            + normals * np.sqrt(np.maximum(1 - radius**2, 0))[:, None]
        ).astype(np.float32)
        hits = body.caster.nearest(points, towards)
        met = np.flatnonzero(hits.triangle >= 0)
        triangle = hits.triangle[met]
        front = (body.facing[triangle] * towards[met]).sum(1) < 0
        met, triangle = met[front], triangle[front]
        corner = np.argmax(hits.barycentric[met], 1)
        rows.append(met)
        columns.append(body.mesh.faces[triangle, corner].astype(np.int64))
    return np.concatenate(rows), np.concatenate(columns)
