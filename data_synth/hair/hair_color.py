# SPDX-License-Identifier: Apache-2.0
"""Colours of hair: natural ones by name, greying fibre by fibre, and dyes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

COLORS = {
    "black": (0.007, 0.0055, 0.005),
    "dark brown": (0.033, 0.020, 0.013),
    "brown": (0.085, 0.046, 0.025),
    "light brown": (0.17, 0.098, 0.05),
    "blond": (0.47, 0.295, 0.15),
    "red": (0.26, 0.078, 0.025),
    "red dye": (0.22, 0.02, 0.025),
    "pink dye": (0.52, 0.15, 0.26),
    "blue dye": (0.04, 0.09, 0.3),
    "platinum": (0.62, 0.55, 0.44),
}
GREY = (0.42, 0.41, 0.40)
TONE = 0.28
"""Standard deviation of the logarithm of a fibre's albedo."""
GREY_SPREAD = 0.5
"""How unevenly hair greys: standard deviation of the white share, over that of single hairs."""


def natural_color(name: str) -> str:
    """What grows on brows and chin of those who dye their hair."""
    return "dark brown" if "dye" in name or name == "platinum" else name


def base_color(name: str, grey: float) -> Float:
    """Mean linear colour ``(3,)`` of hair with a share ``grey`` of fibres without pigment."""
    color = np.array(COLORS[name])
    return (color * (1 - grey) + np.array(GREY) * grey).astype(np.float32)


def fibre_colors(
    name: str, grey: float, groups: tuple[NDArray[Any], ...], rng: np.random.Generator
) -> Float:
    """Linear albedo of each of ``N`` fibres, ``(N, 3)``.

    Args:
        name: of :data:`COLORS`.
        grey: share of fibres without pigment.
        groups: ``(N,)`` indices each, of the fibre that leads each one's group: locks, wisps. Hair
            differs more between them than within, and greys by them.
        rng: draws the differences.
    """
    count = len(groups[0])
    every = (*groups, np.arange(count))
    part = np.sqrt(1 / len(every))
    tone = sum(rng.normal(0, TONE * part, count)[group] for group in every)
    vary = sum(rng.normal(0, part, count)[group] for group in every)
    color = np.array(COLORS[name]) * np.exp(tone)[:, None]
    share = np.clip(grey + GREY_SPREAD * np.sqrt(grey * (1 - grey)) * vary, 0, 1)[:, None]
    white = np.array(GREY) * rng.uniform(0.9, 1.1, (count, 1))
    return np.clip(color + share * (white - color), 0.004, 0.9).astype(np.float32)
