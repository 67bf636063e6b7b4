# SPDX-License-Identifier: Apache-2.0
"""Hair that is tied back: where, and the tail or bun that comes out of the tie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

STRANDS = 2200
WISPS = 90
"""Strands of a tail or bun, and the wisps that they form."""


def tie_place(points: Float, kind: str) -> Float:
    """Where hair is gathered ``(3,)``, behind the skull among ``points`` ``(N, 3)`` of the head."""
    skull = points[points[:, 1] > 2]
    top, back = skull[:, 1].max(), skull[:, 2].min()
    height = top * (0.5 if kind == "tail" else 0.62)
    level = skull[np.abs(skull[:, 1] - height) < 1.2]
    return np.array([0.0, height, (level[:, 2].min() if len(level) else back) - 0.6], np.float32)


def tied_hair(
    kind: str, points: Float, steps: int, rng: np.random.Generator
) -> tuple[Float, NDArray[np.int64]]:
    """The tail or the bun itself.

    Args:
        kind: ``"tail"`` or ``"bun"``.
        points: ``(N, 3)`` of the head.
        steps: points along a strand.
        rng: draws everything else.

    Returns:
        strands ``(M, steps, 3)``, and the number of each one's wisp ``(M,)``.
    """
    tie, count = tie_place(points, kind), STRANDS
    wisp = rng.integers(0, WISPS, count)

    def gathered(values: NDArray[Any], own: float) -> NDArray[Any]:
        """Of independent values those of a strand's wisp, and a share of its own."""
        middle = values.mean(0)
        return middle + (values[wisp] - middle) * np.sqrt(1 - own**2) + (values - middle) * own

    t = np.linspace(0, 1, steps)
    if kind == "tail":
        length = rng.uniform(14, 30) * rng.uniform(0.75, 1.05, count)
        spread = gathered(rng.normal(0, 1, (count, 3)), 0.3) * [0.9, 0.5, 0.9]
        drop = np.stack([0 * t, 0.12 * t - t**1.5, -0.35 * np.sin(np.pi * np.minimum(t, 0.5))], 1)
        strands = tie + drop[None] * length[:, None, None]
        width = (0.35 + 1.1 * np.sin(np.pi * np.clip(t * 0.8 + 0.1, 0, 1)))[None, :, None]
        return (strands + spread[:, None] * width).astype(np.float32), wisp
    radius = rng.uniform(2.6, 4.0)
    start = rng.uniform(0, 2 * np.pi, (count, 1))[wisp] + rng.normal(0, 0.3, (count, 1))
    angle = start + gathered(rng.uniform(1.5, 4.0, (count, 1)), 0.2) * t[None]
    ring = radius * (1 + 0.12 * gathered(rng.normal(0, 1, (count, 1)), 0.4))
    tube = rng.uniform(0, 2 * np.pi, (count, 1))[wisp] + rng.normal(0, 0.15, (count, 1))
    thick = 0.55 * radius * np.sqrt(rng.uniform(0.5, 1, (count, 1)))
    away = 0.5 * ring + thick * np.cos(tube)
    x, y = away * np.cos(angle), away * np.sin(angle)
    z = thick * np.sin(tube) + 0 * angle
    ball = np.stack([x, y, z], -1) * [1, 1, 0.9]
    return (tie + np.array([0, 0.3, -0.55 * radius]) + ball).astype(np.float32), wisp
