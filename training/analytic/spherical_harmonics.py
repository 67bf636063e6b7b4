# SPDX-License-Identifier: Apache-2.0
"""The classical yardstick for lighting: spherical harmonics fitted to the shading of a face.

The irradiance of a Lambert surface depends almost only on the first nine harmonics of the light, so
nine numbers per colour are fitted to the skin's shading. Light made of them is smooth and partly
negative; it is cut at 0.

Reference: Ramamoorthi & Hanrahan 2001, "An Efficient Representation for Irradiance Environment
Maps", sections 2 and 3. The harmonics are numbered there (l, m); here one after another:
(0,0), (1,-1), (1,0), (1,1), (2,-2), (2,-1), (2,0), (2,1), (2,2).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.environment import HEIGHT, Environment, directions

Float = NDArray[np.float32]

TRANSFER = np.array([1.0] + [2 / 3] * 3 + [1 / 4] * 5)
"""Irradiance over pi of a Lambert surface per unit of radiance, by harmonic (section 2, A_l/pi)."""
SLOPES = np.array([0.0] + [1.0] * 8)
"""Harmonics that the ridge acts on: all but the mean light."""
RIDGE = 3e-3
"""Weight of the light's variation against the shading's error: the best of 1e-4 to 0.1 on 240
photos of training subjects, by the error of the three spheres."""


def harmonics(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Real spherical harmonics ``(..., 9)`` at unit vectors ``(..., 3)``, any frame.

    They are orthonormal over the sphere (section 3, equation 3).
    """
    x, y, z = np.moveaxis(np.asarray(vectors, float), -1, 0)
    zero, one, two = np.sqrt(1 / (4 * np.pi)), np.sqrt(3 / (4 * np.pi)), np.sqrt(15 / (4 * np.pi))
    bands = [
        np.full_like(x, zero),
        one * y,
        one * z,
        one * x,
        two * x * y,
        two * y * z,
        np.sqrt(5 / (16 * np.pi)) * (3 * z * z - 1),
        two * x * z,
        two / 2 * (x * x - y * y),
    ]
    return np.stack(bands, -1)


def fit(
    shading: NDArray[Any], normals: NDArray[Any], weights: NDArray[Any], ridge: float = RIDGE
) -> NDArray[np.float64]:
    """Harmonics of the light under which white Lambert surfaces shade as seen.

    Args:
        shading: ``(N, C)`` radiance over albedo, linear.
        normals: ``(N, 3)`` unit, camera frame.
        weights: ``(N,)`` >= 0, trust in each.
        ridge: weight of the squared variation of the light against the mean squared error.

    Returns:
        ``(9, C)`` coefficients of radiance.

    Raises:
        ValueError: if no pixel has any weight.
    """
    weight = np.asarray(weights, float)
    if not weight.sum() > 0:
        raise ValueError("no pixel to fit the light to")
    basis = harmonics(normals) * TRANSFER
    scaled = basis * (weight / weight.sum())[:, None]
    gram = scaled.T @ basis + ridge * np.diag(SLOPES)
    found: NDArray[np.float64] = np.linalg.lstsq(gram, scaled.T @ shading, rcond=None)[0]
    return found


def irradiance(coefficients: NDArray[Any], normals: NDArray[Any]) -> NDArray[np.float64]:
    """Irradiance over pi ``(..., C)`` at unit normals ``(..., 3)`` under light ``(9, C)``."""
    result: NDArray[np.float64] = (harmonics(normals) * TRANSFER) @ coefficients
    return result


def environment(coefficients: NDArray[Any], height: int = HEIGHT) -> Environment:
    """The map ``(height, 2 height, 3)`` of light ``(9, 3)``, negative radiance cut to 0."""
    radiance = harmonics(directions(height)) @ coefficients
    return Environment(np.maximum(radiance, 0).astype(np.float32))
