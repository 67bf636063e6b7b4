# SPDX-License-Identifier: Apache-2.0
"""Smooth random fields over space, so that what they paint has no seams.

Reference:
    Perlin 1985, "An Image Synthesizer" (here value noise on a periodic lattice).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

LATTICE = 32


def value_noise(points: NDArray[Any], frequency: float, rng: np.random.Generator) -> Float:
    """Noise of mean 0 and deviation about 0.8.

    Args:
        points: ``(..., 3)`` in cm.
        frequency: lattice cells per cm.
        rng: draws the lattice.
    """
    from scipy import ndimage

    lattice = rng.standard_normal((LATTICE,) * 3).astype(np.float32)
    where = np.moveaxis(np.asarray(points, np.float32) * np.float32(frequency), -1, 0)
    noise: Float = ndimage.map_coordinates(lattice, where, order=1, mode="grid-wrap")
    return noise * np.float32(1.4)


def fractal(
    points: NDArray[Any], frequency: float, octaves: int, rng: np.random.Generator
) -> Float:
    """Sum of noises, each of twice the frequency and 0.6 times the weight of the last."""
    total = value_noise(points, frequency, rng)
    for k in range(1, octaves):
        total = total + np.float32(0.6**k) * value_noise(points, frequency * 2**k, rng)
    return total


def blob(
    points: Float, center: NDArray[Any] | list[float], size: NDArray[Any] | list[float]
) -> Float:
    """Gaussian bump of height 1 at ``center`` with deviations ``size`` (cm along x, y, z)."""
    c, s = np.asarray(center, np.float32), np.asarray(size, np.float32)
    distance = sum(((points[..., k] - c[k]) / s[k]) ** 2 for k in range(3))
    return np.exp(np.float32(-0.5) * distance).astype(np.float32)


def smoothstep(values: Any, low: float, high: float) -> Float:
    """0 below ``low``, 1 above ``high`` (or the reverse when low > high), smooth between."""
    t = np.clip((np.asarray(values, np.float32) - low) / (high - low), 0, 1).astype(np.float32)
    return t * t * (3 - 2 * t)
