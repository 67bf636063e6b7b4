# SPDX-License-Identifier: Apache-2.0
"""Smoothing over time: still where nothing moves, at once where something does.

Reference: Casiez et al. 2012, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input
in Interactive Systems".
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

CUTOFF = 0.7
"""Hertz below which a still face's landmarks pass;"""
SPEED = 20.0
"""and how fast that grows with speed, hertz for one face size a second. Chosen on drawn clips: a
still face's landmarks err by a third as much, a turning one's lag by less than a picture."""
SPEED_CUTOFF = 1.5
"""Hertz below which changes of the speed itself pass."""


class OneEuro:
    """Smooths the points of one thing that moves, all by the same speed."""

    def __init__(self) -> None:
        """Prepare; the first points are given back as they are."""
        self._points: NDArray[np.float64] | None = None
        self._motion: NDArray[np.float64] | None = None

    def __call__(self, points: NDArray[np.float32], size: float, step_s: float) -> Float:
        """The points ``(N, D)``, smoothed.

        Args:
            points: as they are seen.
            size: of the thing, in the points' unit: what its speed is told by.
            step_s: seconds since the last call, > 0.
        """
        now = np.asarray(points, np.float64)
        if self._points is None or self._motion is None:
            self._points, self._motion = now, np.zeros_like(now)
            return now.astype(np.float32)
        motion = (now - self._points) / (step_s * max(size, 1e-6))
        self._motion += share(SPEED_CUTOFF, step_s) * (motion - self._motion)
        speed = float(np.linalg.norm(self._motion, axis=-1).mean())
        self._points = self._points + share(CUTOFF + SPEED * speed, step_s) * (now - self._points)
        return self._points.astype(np.float32)


def share(cutoff_hz: float, step_s: float) -> float:
    """Share of what is new that a low-pass of first order takes, in (0, 1]."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * step_s))


def kept(step_s: float, memory_s: float) -> float:
    """Share of what is known that outlives a step, for a mean over about ``memory_s``."""
    return math.exp(-step_s / memory_s)
