# SPDX-License-Identifier: Apache-2.0
"""Places on the skin where fibres grow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_synth.head.head import Head, triangle_areas

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Roots:
    """``N`` places on the skin.

    Attributes:
        position: ``(N, 3)`` float32 head frame.
        normal: ``(N, 3)`` float32 unit.
        canonical: ``(N, 3)`` float32 on the mean head.
    """

    position: Float
    normal: Float
    canonical: Float


def mix(weights: Float, corners: Float) -> Float:
    """Points ``(N, 3)`` from barycentric weights ``(N, 3)`` and corners ``(N, 3, 3)``.

    Written out, because the last bit of ``einsum`` may depend on how memory is aligned, and one
    bit decides whether a hair grows.
    """
    parts = [weights[:, k : k + 1] * corners[:, k] for k in range(3)]
    return np.asarray(parts[0] + parts[1] + parts[2], np.float32)


def scatter(
    head: Head,
    normals: Float,
    density: Callable[[Float], Float],
    count: int,
    rng: np.random.Generator,
) -> Roots:
    """Draw places on the outer skin.

    Args:
        head: the head.
        normals: ``(V, 3)`` of its vertices.
        density: relative density for canonical positions ``(N, 3)``, in [0, 1].
        count: of places; fewer where the density is nearly zero everywhere.
        rng: draws them.
    """
    faces = head.faces[head.skin]
    corner = density(head.canonical[faces.ravel()]).reshape(-1, 3)
    middle = density(head.canonical[faces].mean(1))
    bound = np.maximum(corner.max(1), middle)
    weight = triangle_areas(head.canonical, faces) * bound
    if weight.sum() <= 0 or count == 0:
        none = np.zeros((0, 3), np.float32)
        return Roots(none, none, none)
    chosen = rng.choice(len(faces), count * 3, p=weight / weight.sum())
    weights = rng.dirichlet([1, 1, 1], len(chosen)).astype(np.float32)
    canonical = mix(weights, head.canonical[faces[chosen]])
    keep = rng.random(len(chosen)) * bound[chosen] < density(canonical)
    keep = np.flatnonzero(keep)[:count]
    corners, weights = faces[chosen[keep]], weights[keep]
    normal = mix(weights, normals[corners])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    position = mix(weights, head.vertices[corners])
    return Roots(
        position.astype(np.float32), normal.astype(np.float32), canonical[keep].astype(np.float32)
    )
