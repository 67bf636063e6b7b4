# SPDX-License-Identifier: Apache-2.0
"""Where one take ends and another begins: scene cuts and dissolves."""

from __future__ import annotations

import enum
from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

SIDE = 48
"""Of the pictures that are compared, pixels."""
ALIKE = 0.45
"""Correlation below which two pictures are of different takes. A face that turns or walks through
leaves more than 0.7; pictures of two takes have less than 0.3 as a rule. Brightness as such does
not count, so that neither a flash nor a lamp that is switched on is taken for a cut."""
CONTRAST = 0.002
"""Keeps a picture without any contrast finite."""
SHAPES = 1.5
"""Blur of what is correlated, in the small picture's pixels: so that motion counts little."""
SPANS = (8, 12, 16, 24, 32, 48, 64, 96)
"""Pictures over which a dissolve is looked for: from a quarter of a second to some three."""
MIDDLE = 0.5
BETWEEN = (0.25, MIDDLE, 0.75)
"""Parts of such a span whose pictures must be mixtures of its first and its last;"""
MIXED = 0.25
"""so much of their fine detail at least. Portraits that sway while one dissolves into another leave
more than 0.33; pans, zooms and moving heads less than 0.12, since what moves is at its old place no
more and at its new one not yet."""
SHARE = 0.1
"""The one in the middle has so much of each: else it is the first, dimmed, as in a fade."""
FINE = 2.0
"""Detail is what a blur by so many of the small picture's pixels takes away."""


class Change(enum.Enum):
    """What has become of the take with a picture."""

    NONE = enum.auto()
    """It goes on."""
    CUT = enum.auto()
    """Another one begins with this picture."""
    DISSOLVE = enum.auto()
    """Another one shines through by now, more than the one before."""


class _Seen(NamedTuple):
    """A picture, small and grey, mean 0: its shapes and its detail."""

    shapes: Float
    detail: Float


class CutFinder:
    """Tells where a take ends, one picture after another."""

    def __init__(self) -> None:
        """Prepare."""
        self._known: deque[_Seen] = deque(maxlen=SPANS[-1] + 1)

    def __call__(self, rgb: NDArray[np.uint8]) -> Change:
        """What a picture ``(H, W, 3)`` uint8 brings; the first begins a take."""
        known, now = self._known, _small(rgb)
        change = Change.NONE
        if not known or _alike(known[-1], now) < ALIKE:
            change = Change.CUT
        elif any(_is_dissolve(known, now, span) for span in SPANS if span <= len(known)):
            change = Change.DISSOLVE
        if change is not Change.NONE:
            known.clear()
        known.append(now)
        return change


def _is_dissolve(known: deque[_Seen], now: _Seen, span: int) -> bool:
    """Whether the last pictures go over from one to another that has nothing to do with it."""
    first = known[-span]
    if _alike(first, now) >= ALIKE:
        return False
    ends = np.stack([first.detail.ravel(), now.detail.ravel()], -1)
    before = -SHARE
    for part in BETWEEN:
        between = known[round(part * span) - span].detail.ravel()
        shares, *_ = np.linalg.lstsq(ends, between, rcond=None)
        left = between - ends @ shares
        if float(left @ left) > (1 - MIXED) * float(between @ between):
            return False
        if shares[1] < before or (part == MIDDLE and min(shares) < SHARE):
            return False
        before = float(shares[1])
    return True


def _alike(one: _Seen, other: _Seen) -> float:
    """Correlation of two pictures' shapes; less where one is all alike."""
    deviations = (one.shapes.std() + CONTRAST) * (other.shapes.std() + CONTRAST)
    return float((one.shapes * other.shapes).mean() / deviations)


def _small(rgb: NDArray[Any]) -> _Seen:
    import cv2

    small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    shapes = cv2.GaussianBlur(grey, (0, 0), SHAPES)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), FINE)
    return _Seen(shapes - shapes.mean(), detail - detail.mean())
