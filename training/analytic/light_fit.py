# SPDX-License-Identifier: Apache-2.0
"""The light that shades a face as its photo shows it: a non-negative environment on a coarse map.

Light is never negative, and that alone recovers the direction of a single lamp far better than
spherical harmonics, whose fit overshoots where the face sees nothing.

References:
    Ramamoorthi & Hanrahan 2001, "An Efficient Representation for Irradiance Environment Maps"
    (irradiance of a Lambert surface, and why a coarse map is enough). Beck & Teboulle 2009, "A Fast
    Iterative Shrinkage-Thresholding Algorithm", section 4 (accelerated projected gradient).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance
from relight.environment import HEIGHT, Environment, directions, solid_angles

Float = NDArray[np.float32]

COARSE = 8
"""Rows of the map that is fitted; a Lambert surface shows no finer light."""
RIDGE = 6e-4
"""Weight of the light's energy against the shading's error, as only half a sphere is seen."""
NEUTRALITY = 2e-2
"""Weight of the light's colour against the shading's error: white until the face says otherwise."""
STEPS = 100
"""Accelerated gradient steps; twice as many change the direction by less than a degree."""
SKIN_ALBEDO = 0.3
"""Luminance of the albedo assumed for a face when nothing else is known."""
WHITE_LEVEL = 0.9
"""Luminance assumed for a white sphere in a well exposed photo."""
ALBEDO_RANGE = (0.05, 0.7)
"""Human skin's albedo in luminance."""


def fitted_light(linear: Float, normals: Float, weights: Float) -> Environment:
    """Fit the environment that shades a face as the photo shows it.

    The face's colour and the light's mean colour cannot be told apart. The photo is assumed to be
    white-balanced: the mean light is neutral, and only its variation has colour.

    Args:
        linear: ``(R, R, 3)`` linear sRGB.
        normals: ``(R, R, 3)`` unit normals, camera frame.
        weights: ``(R, R)`` >= 0, trust in a pixel as plain skin.

    Returns:
        A 16 x 32 map in the photo's units; uniform if too little skin is seen.
    """
    chosen = weights > 0.05
    if chosen.sum() < 32:
        return Environment.uniform(WHITE_LEVEL)
    shading, weight = linear[chosen].astype(float), weights[chosen].astype(float)
    mean = np.average(shading, axis=0, weights=weight)
    brightness = max(float(luminance(mean)), 1e-6)
    albedo = np.maximum(mean / brightness * _skin_albedo(brightness), 1e-6)
    basis = shading_basis(normals[chosen])
    scaled = basis * weight[:, None] / weight.sum()
    gram, target = scaled.T @ basis, scaled.T @ (shading / albedo)
    penalty = np.eye(basis.shape[1])
    grey = non_negative_solution(
        gram + RIDGE * penalty, np.asarray(luminance(target), float)[:, None]
    )
    radiance = non_negative_solution(
        gram + (RIDGE + NEUTRALITY) * penalty, target + NEUTRALITY * grey
    )
    return basis_environment(radiance)


def shading_basis(normals: Float) -> NDArray[np.float64]:
    """Lambert shading by each cell of the coarse map, scaled by the root of its solid angle.

    Args:
        normals: ``(N, 3)`` unit, camera frame.

    Returns:
        ``(N, 128)``: irradiance over pi; its weights are what :func:`basis_environment` takes.
    """
    return np.maximum(normals @ cell_vectors(), 0)


def basis_environment(weights: NDArray[np.float64]) -> Environment:
    """The 16 x 32 map of weights ``(128, 3)`` of :func:`shading_basis`."""
    radiance = weights / cell_roots()[:, None]
    coarse = Environment(radiance.reshape(COARSE, 2 * COARSE, 3).astype(np.float32))
    return coarse.resample(HEIGHT)


def cell_vectors() -> NDArray[np.float64]:
    """What normals are multiplied by to give :func:`shading_basis` before its clamp, ``(3, 128)``.

    Columns are unit vectors towards the cells, camera frame, times :func:`cell_roots` over pi.
    """
    return directions(COARSE).reshape(-1, 3).T * (cell_roots() / np.pi)


def cell_roots() -> NDArray[np.float64]:
    """Root of the solid angle of each cell of the coarse map, ``(128,)``."""
    return np.sqrt(np.repeat(solid_angles(COARSE)[:, 0], 2 * COARSE)).astype(float)


def non_negative_solution(
    gram: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``x >= 0`` that minimises ``x'Ax / 2 - x'b``, one column per column of ``target``."""
    step = 1 / float(np.linalg.norm(gram, 2))
    solution: NDArray[np.float64] = descend(gram, target, step, STEPS, lambda x: np.maximum(x, 0))
    return solution


def descend(gram: Any, target: Any, step: Any, count: int, positive: Callable[[Any], Any]) -> Any:
    """Accelerated projected gradient steps (Beck & Teboulle 2009, section 4).

    It takes the arrays of any framework whose tensors know ``@``, ``*`` and ``-``.

    Args:
        gram: A ``(..., N, N)``, positive semi-definite.
        target: b ``(..., N, C)``.
        step: at most one over A's largest eigenvalue.
        count: number of steps.
        positive: ``max(x, 0)`` of that framework.

    Returns:
        ``(..., N, C)``: nearly the ``x >= 0`` that minimises ``x'Ax / 2 - x'b``.
    """
    x = ahead = positive(target * step)
    pace = 1.0
    for _ in range(count):
        following = positive(ahead - step * (gram @ ahead - target))
        faster = (1 + (1 + 4 * pace * pace) ** 0.5) / 2
        ahead = following + ((pace - 1) / faster) * (following - x)
        x, pace = following, faster
    return x


def _skin_albedo(brightness: float) -> float:
    """Luminance of the albedo of skin whose mean luminance in the photo is ``brightness``.

    Halfway, in logarithms, between typical skin in unknown light and known exposure of unknown
    skin.
    """
    albedo = np.sqrt(SKIN_ALBEDO * brightness / WHITE_LEVEL)
    return float(np.clip(albedo, *ALBEDO_RANGE))
