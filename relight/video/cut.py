# SPDX-License-Identifier: Apache-2.0
"""Scene cuts: where one take ends and another begins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 48
"""Of the pictures that are compared, pixels."""
ALIKE = 0.45
"""Correlation below which two pictures are of different takes. A face that turns or walks through
leaves more than 0.7; pictures of two takes have less than 0.3 as a rule. Brightness as such does
not count, so that neither a flash nor a lamp that is switched on is taken for a cut."""
CONTRAST = 0.002
"""Keeps a picture without any contrast finite."""


class CutFinder:
    """Tells where a take ends, one picture after another."""

    def __init__(self) -> None:
        """Prepare."""
        self._last: NDArray[np.float32] | None = None

    def __call__(self, rgb: NDArray[np.uint8]) -> bool:
        """Whether a new take begins with this picture ``(H, W, 3)`` uint8; the first begins one."""
        seen, last = _small(rgb), self._last
        self._last = seen
        return last is None or float((seen * last).mean()) < ALIKE


def _small(rgb: NDArray[Any]) -> NDArray[np.float32]:
    """A small grey picture of mean 0 and deviation 1, or of less if it is all alike."""
    import cv2

    small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    grey = cv2.GaussianBlur(grey, (0, 0), 1.5)
    return (grey - grey.mean()) / np.float32(grey.std() + CONTRAST)
