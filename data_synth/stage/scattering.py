# SPDX-License-Identifier: Apache-2.0
"""Light that enters skin in one place and leaves in another.

Irradiance is gathered over the visible skin with the normalized diffusion profile of each colour,
by distance in space, so that it crosses a crease but not the gap between nose and cheek. Gathering
is linear and the same for all lights: one sparse matrix per colour.

References:
    Christensen and Burley 2015, "Approximate Reflectance Profiles for Efficient Subsurface
    Scattering". Jensen et al. 2001, "A Practical Model for Subsurface Light Transport". Jimenez et
    al. 2010, "Real-Time Realistic Skin Translucency" (thin parts).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

MEAN_FREE_PATH_CM = (0.367, 0.137, 0.068)
"""Diffuse mean free path of light skin for red, green, blue (Jensen et al. 2001, "skin1")."""
SHAPE_CM = tuple(path / 3.5 for path in MEAN_FREE_PATH_CM)
"""Width d of the profile ``R(r) = (e^(-r/d) + e^(-r/3d)) / (8 pi d r)``; the divisor is Christensen
and Burley's ``s`` for middling albedo."""
REACH = 8.0
"""Radius in widths after which the profile is cut, with 95 % of its energy, and normalized."""
MAX_RADIUS_PX = 10


def gather_matrix(
    pixels: NDArray[Any],
    positions: NDArray[Any],
    area: NDArray[Any],
    size: int,
    pixel_cm: float,
    shape_cm: float,
) -> Any:
    """Sparse ``(P, P)`` matrix from irradiance on skin to light that leaves it.

    Args:
        pixels: ``(P,)`` flat indices of skin pixels in a ``size x size`` picture, ascending.
        positions: ``(P, 3)`` mean position of the skin in each, cm.
        area: ``(P,)`` relative skin area that each pixel sees.
        size: side of the picture.
        pixel_cm: width of a pixel at the subject.
        shape_cm: width d of the profile.

    Returns:
        ``scipy.sparse.csr_matrix`` whose rows sum to 1.
    """
    from scipy import sparse

    count = len(pixels)
    radius = int(np.clip(np.ceil(REACH * shape_cm / pixel_cm), 1, MAX_RADIUS_PX))
    pad = radius
    where = np.full((size + 2 * pad, size + 2 * pad), -1, np.int64)
    row, column = pixels // size + pad, pixels % size + pad
    where[row, column] = np.arange(count)
    softening = (0.4 * pixel_cm) ** 2
    rows, columns, values = [], [], []
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if dx * dx + dy * dy > radius * radius:
                continue
            # Far out every other pixel stands for two.
            sparse_ring = dx * dx + dy * dy > 16
            if sparse_ring and (dx + dy) % 2:
                continue
            other = where[row + dy, column + dx]
            here = np.flatnonzero(other >= 0)
            other = other[here]
            step = positions[here] - positions[other]
            r = np.sqrt(np.einsum("ij,ij->i", step, step) + softening)
            profile = (np.exp(-r / shape_cm) + np.exp(-r / (3 * shape_cm))) / (shape_cm * r)
            rows.append(here)
            columns.append(other)
            values.append(profile * area[other] * (2 if sparse_ring else 1))
    matrix = sparse.csr_matrix(
        (
            np.concatenate(values).astype(np.float32),
            (np.concatenate(rows), np.concatenate(columns)),
        ),
        shape=(count, count),
    )
    total = np.asarray(matrix.sum(1)).ravel()
    return (sparse.diags((1 / np.maximum(total, 1e-12)).astype(np.float32)) @ matrix).tocsr()


def transmission(thickness: NDArray[Any]) -> Float:
    """Share of light that comes out behind a sheet of skin, ``(N, 3)``, by thickness in cm.

    The part of the profile farther out than the thickness, half of which goes forward.
    """
    depth = np.asarray(thickness, np.float32)[:, None]
    shape = np.asarray(SHAPE_CM, np.float32)
    result: Float = 0.125 * np.exp(-depth / shape) + 0.375 * np.exp(-depth / (3 * shape))
    return result
