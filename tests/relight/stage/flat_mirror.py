# SPDX-License-Identifier: Apache-2.0
"""The mirror images of a flat square: the other half of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relight.face.mirror import Mirror

Float = NDArray[np.float32]


def flat_mirror(
    side: int, trust: float = 1.0, albedo: Float | None = None, openings: Float | None = None
) -> Mirror:
    """Of a square of ``side`` pixels.

    Args:
        side: of the square.
        trust: in every mirror image.
        albedo: ``(side, side)`` the usual logarithm of it; ``None`` for 0.
        openings: ``(side, side)`` in [0, 1], eyes and an open mouth; ``None`` for none.
    """
    y, x = np.mgrid[:side, :side].astype(np.float32) + 0.5
    nothing = np.zeros((side, side), np.float32)
    return Mirror(
        np.stack([side - x, y], -1),
        np.full((side, side), trust, np.float32),
        nothing if albedo is None else albedo,
        nothing if openings is None else openings,
    )
