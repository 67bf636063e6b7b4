# SPDX-License-Identifier: Apache-2.0
"""Crops by their corner, as pixels of a picture are counted."""

from __future__ import annotations

from relight.geometry import Crop


def square(left: float, top: float, size: float) -> Crop:
    """An upright crop whose upper left corner lies at (left, top)."""
    return Crop(left + size / 2, top + size / 2, size)
