# SPDX-License-Identifier: Apache-2.0
"""How a pattern of skin lies on the face mesh: the mean face, seen from the front."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from relight.face.mesh import template

SIDE = 96
"""Side of a pattern, texels."""
REACH_CM = 9.0
"""Half of what it spans."""
LARGEST = 1.2
"""Logarithms of a pattern are cut here; kept as int8 they reach 127."""


@functools.cache
def places() -> NDArray[np.float32]:
    """``(468, 2)``: where each landmark lies in a pattern, texels, x right and y down."""
    flat = template().vertices_cm[:, :2] * np.array([1, -1], np.float32)
    middle = (flat.min(0) + flat.max(0)) / 2
    found: NDArray[np.float32] = ((flat - middle) / (2 * REACH_CM) + 0.5) * SIDE
    return found
