# SPDX-License-Identifier: Apache-2.0
"""One diffuse bounce: light that reaches the subject from the subject.

Irradiance is computed at every vertex for every light, multiplied by albedo and gathered once over
the hemisphere of every vertex. It serves all cameras.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.fibre import Opacity
from data_synth.surface import Body
from relight.geometry import normalize

Float = NDArray[np.float32]

OFFSET_CM = 0.05


def bounced_irradiance(
    body: Body, opacity: Opacity | None, lights: Float, rays: int, rng: np.random.Generator
) -> Float:
    """Irradiance at vertices by light reflected once, per unit irradiance of each light.

    Args:
        body: the subject.
        opacity: its fibres' shadows.
        lights: ``(L, 3)`` head frame.
        rays: gathered per vertex.
        rng: places them.

    Returns:
        ``(3, V, L)`` float32; zero at vertices that no triangle uses.
    """
    from scipy import sparse

    mesh = body.mesh
    used = np.unique(mesh.faces)
    place = np.full(len(mesh.vertices), -1, np.int64)
    place[used] = np.arange(len(used))
    points = mesh.vertices[used] + mesh.normals[used] * OFFSET_CM
    normals = mesh.normals[used]
    direct = np.zeros((len(used), len(lights)), np.float32)
    for i, light in enumerate(lights):
        cosine = normals @ light
        lit = np.flatnonzero(cosine > 0)
        towards = np.broadcast_to(light, (len(lit), 3))
        value = cosine[lit] * ~body.caster.occluded(points[lit], towards)
        if opacity is not None:
            value *= opacity.transmittance(i, points[lit])
        direct[lit, i] = value
    row, column = _meet(body, points, normals, rays, rng)
    gather = sparse.csr_matrix(
        (np.full(len(row), 1 / rays, np.float32), (row, place[column])), shape=(len(used),) * 2
    )
    result = np.zeros((3, len(mesh.vertices), len(lights)), np.float32)
    gather = _neighbours(place[mesh.faces], len(used)) @ gather
    albedo = vertex_albedo(body)[used]
    for c in range(3):
        # Rows of the direct light are scaled through the columns of the sparse matrix.
        result[c, used] = (gather @ sparse.diags(albedo[:, c])).astype(np.float32) @ direct
    return result


def _neighbours(faces: NDArray[Any], count: int) -> Any:
    """Sparse matrix that averages over each vertex' surroundings: evens out the few rays."""
    from scipy import sparse

    pairs = np.concatenate([faces[:, [a, b]] for a in range(3) for b in range(3) if a != b])
    ones = np.ones(len(pairs), np.float32)
    edges = sparse.csr_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    edges.data[:] = 1
    edges = edges + sparse.identity(count, np.float32, format="csr")
    mean = sparse.diags(1 / np.asarray(edges.sum(1)).ravel()) @ edges
    return (mean @ mean).astype(np.float32)


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
    """Pairs of vertices: one that gathers, and one near where its ray meets a front face."""
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
