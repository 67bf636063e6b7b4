# SPDX-License-Identifier: Apache-2.0
"""The light already there, estimated from the face as a light probe.

The face's shading is fitted by spherical harmonics of second order, which hold all but about 1 %
of a Lambert surface's irradiance, and turned back into an environment map.

Reference: Ramamoorthi & Hanrahan 2001, "An Efficient Representation for Irradiance Environment
Maps", equations 7 to 13.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance
from relight.environment import HEIGHT, Environment, directions

Float = NDArray[np.float32]

LAMBERT = np.array([1.0] + [2 / 3] * 3 + [1 / 4] * 5)
"""How a Lambert surface damps each harmonic of radiance, as irradiance over pi."""
SKIN_ALBEDO = 0.3
"""Luminance of the albedo that a face is taken to have when nothing else is known."""
WHITE_LEVEL = 0.9
"""Luminance that a white sphere is taken to have in a well exposed photo."""
ALBEDO_RANGE = (0.05, 0.7)
"""Human skin's albedo in luminance."""
RIDGE = np.array([1e-4] + [2e-3] * 3 + [2e-2] * 5)
"""Regularisation of each harmonic, as a share of the data's weight: only half a sphere is seen."""
ROUNDS = 4
"""Reweighted fits; highlights, brows and cast shadows lose their say."""


def harmonics(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Real spherical harmonics to second order, orthonormal, ``(..., 3) -> (..., 9)``."""
    x, y, z = np.moveaxis(np.asarray(vectors, float), -1, 0)
    return np.stack(
        [
            np.full_like(x, 0.282095),
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        -1,
    )


def estimate(linear: Float, normals: Float, weights: Float) -> Environment:
    """Fit the environment that shades a face as the photo shows it.

    The face's own colour and the light's mean colour cannot be told apart; the photo is taken to
    be white-balanced, so that the mean light is neutral and only its variation has colour.

    Args:
        linear: ``(R, R, 3)`` linear sRGB.
        normals: ``(R, R, 3)`` unit normals, camera frame.
        weights: ``(R, R)`` >= 0, trust in a pixel as plain skin.

    Returns:
        A 16 x 32 map in the photo's units.
    """
    chosen = weights > 0.05
    if chosen.sum() < 32:
        return Environment.uniform(WHITE_LEVEL)
    shading, basis = linear[chosen].astype(float), harmonics(normals[chosen])
    weight = weights[chosen].astype(float)
    coefficients = _robust_fit(basis, shading, weight)
    mean = np.average(shading, axis=0, weights=weight)
    albedo = mean / max(float(luminance(mean)), 1e-6) * _skin_albedo(float(luminance(mean)))
    radiance = harmonics(directions(HEIGHT)) @ (coefficients / LAMBERT[:, None])
    return Environment(np.maximum(radiance / np.maximum(albedo, 1e-6), 0).astype(np.float32))


def _skin_albedo(brightness: float) -> float:
    """Luminance of the albedo of skin whose mean luminance in the photo is ``brightness``.

    Halfway, in logarithms, between typical skin in unknown light and known exposure of unknown
    skin.
    """
    albedo = np.sqrt(SKIN_ALBEDO * brightness / WHITE_LEVEL)
    return float(np.clip(albedo, *ALBEDO_RANGE))


def _robust_fit(
    basis: NDArray[np.float64], shading: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Ridge-regularised, iteratively reweighted least squares: ``(9, 3)`` coefficients."""
    robust = weight
    ridge = np.diag(RIDGE)
    for _ in range(ROUNDS):
        scaled = basis * robust[:, None]
        normal = scaled.T @ basis / robust.sum() + ridge * (basis[0, 0] ** 2)
        coefficients = np.linalg.solve(normal, scaled.T @ shading / robust.sum())
        error = luminance(shading - basis @ coefficients)
        scale = 1.5 * np.median(np.abs(error)) + 1e-9
        robust = weight / (1 + (error / (2 * scale)) ** 2)
    return coefficients
