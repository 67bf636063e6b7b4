# SPDX-License-Identifier: Apache-2.0
"""Colours of hair: natural ones by name, greying fibre by fibre, and dyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

COLORS = {
    "black": (0.012, 0.009, 0.008),
    "dark brown": (0.033, 0.020, 0.013),
    "brown": (0.085, 0.046, 0.025),
    "light brown": (0.17, 0.098, 0.05),
    "blond": (0.40, 0.27, 0.14),
    "red": (0.26, 0.078, 0.025),
    "red dye": (0.22, 0.02, 0.025),
    "pink dye": (0.52, 0.15, 0.26),
    "blue dye": (0.04, 0.09, 0.3),
    "platinum": (0.62, 0.55, 0.44),
}
HAIRS_PER_STRAND = 6
GREY = (0.42, 0.41, 0.40)


def natural_color(name: str) -> str:
    """What grows on brows and chin of those who dye their hair."""
    return "dark brown" if "dye" in name or name == "platinum" else name


def base_color(name: str, grey: float) -> Float:
    """Mean linear colour ``(3,)`` of hair with a share ``grey`` of fibres without pigment."""
    color = np.array(COLORS[name])
    return (color * (1 - grey) + np.array(GREY) * grey).astype(np.float32)


def fibre_colors(name: str, grey: float, count: int, rng: np.random.Generator) -> Float:
    """Linear albedo of each of ``count`` fibres, ``(count, 3)``."""
    color = np.array(COLORS[name]) * np.exp(rng.normal(0, 0.18, (count, 1)))
    # A strand stands for several hairs, of which some are white.
    share = rng.binomial(HAIRS_PER_STRAND, grey, (count, 1)) / HAIRS_PER_STRAND
    white = np.array(GREY) * rng.uniform(0.9, 1.1, (count, 1))
    return np.clip(color + share * (white - color), 0.004, 0.9).astype(np.float32)
