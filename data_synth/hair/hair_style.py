# SPDX-License-Identifier: Apache-2.0
"""How hair is cut and combed, and where on the head it grows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_synth.noise import smoothstep
from data_synth.trait import Traits

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Style:
    """A cut; lengths in cm.

    Attributes:
        length: shortest and longest on the crown.
        sides: factor on the length at sides and nape.
        count: strands.
        steps: points along a strand.
        lift: how much strands stand off the scalp at the root.
        comb: pull along the comb's direction.
        gravity: pull downwards.
        clump: how far strands gather into locks, 0 to 1.
        back: combed straight back instead of to the sides.
        cut: height at which the ends are cut level (lowest, highest); ``None``: by length alone.
        fringe: whether front hair falls over the forehead.
        tie: where the hair is gathered: ``""``, ``"tail"`` or ``"bun"``.
    """

    length: tuple[float, float]
    sides: float = 1.0
    count: int = 10000
    steps: int = 10
    lift: float = 0.4
    comb: float = 0.5
    gravity: float = 0.35
    clump: float = 0.4
    back: bool = False
    cut: tuple[float, float] | None = None
    fringe: bool = False
    tie: str = ""


STYLES = {
    "bald": Style((0.0, 0.0), count=0),
    "buzz": Style((0.3, 0.7), 0.8, 12000, 3, lift=1.0, comb=0.2, gravity=0, clump=0),
    "crew": Style((1.0, 2.2), 0.35, 12000, 5, lift=0.6, comb=0.6, gravity=0.05, clump=0.3),
    "short": Style((2.8, 5.2), 0.4, 11000, 9, lift=0.35, comb=0.8, gravity=0.25),
    "parted": Style((6.0, 9.5), 0.35, 11000, 14, lift=0.3, comb=1.0, gravity=0.6, clump=0.5),
    "swept": Style((6.0, 9.0), 0.45, 11000, 14, 0.5, 1.1, 0.12, 0.5, back=True),
    "curly": Style((7.0, 12.0), 0.9, 10000, 28, lift=0.45, comb=0.0, gravity=0.5, clump=0.9),
    "afro": Style((3.0, 7.0), 0.95, 11000, 22, lift=1.2, comb=0.0, gravity=0.0, clump=0.45),
    "bob": Style((22, 26), 1, 10000, 24, 0.25, 0.5, 0.8, 0.5, cut=(-8.0, -3.0)),
    "fringe": Style((24, 34), 1, 10000, 26, 0.25, 0.45, 0.8, 0.5, cut=(-16, -6), fringe=True),
    "long": Style((36, 44), 1, 10000, 30, 0.22, 0.45, 0.8, 0.5, cut=(-26.0, -13.0)),
    "wavy": Style((34, 42), 1, 9500, 34, 0.3, 0.45, 0.75, 0.65, cut=(-24.0, -10.0)),
    "ponytail": Style((16, 18), 1, 9000, 18, 0.1, 1.0, 0.0, 0.3, back=True, tie="tail"),
    "bun": Style((16, 18), 1, 9000, 18, 0.1, 1.0, 0.0, 0.3, back=True, tie="bun"),
}
"""All cuts by name."""

FACE_FREE = ("bob", "fringe", "long", "wavy", "parted", "curly")
"""Cuts whose strands must be kept off the face's front."""


def hairline_height(canonical: Float, receding: float) -> NDArray[np.float64]:
    """Height in cm above the hairline, negative below; ``(...)`` of canonical points."""
    # In double precision: the last bit of a float32 arctan2 depends on how memory is aligned, and
    # one bit decides where a hair grows.
    x, z = canonical[..., 0].astype(np.float64), canonical[..., 2].astype(np.float64)
    around = np.degrees(np.abs(np.arctan2(x, z)))
    degrees = [0, 25, 42, 55, 68, 80, 92, 105, 120, 150, 180]
    young = np.array([9.7, 9.5, 8.4, 5.6, 3.0, 1.6, 4.6, 3.0, -2.5, -5.0, -5.5])
    old = np.array([12.4, 13.6, 12.0, 8.6, 4.0, 1.8, 4.6, 3.0, -2.5, -5.0, -5.5])
    line = np.interp(around, degrees, young + (old - young) * receding)
    return np.asarray(canonical[..., 1] - line)


def scalp_density(canonical: Float, traits: Traits) -> Float:
    """How densely scalp hair grows at canonical points, ``(...)`` in [0, 1]."""
    x, y, z = np.abs(canonical[..., 0]), canonical[..., 1], canonical[..., 2]
    receding = traits.receding
    if traits.hair_style == "bald":
        receding = max(receding, 0.3)
    grown = smoothstep(hairline_height(canonical, receding), -0.2, 1.0)
    ear = (x > 7.7) & (y < 5.2) & (z > -3.2)
    if receding > 0.45 and traits.femininity < 0.5:
        crown = np.hypot(x, z + 1.5) / (2.5 + 6.5 * (receding - 0.45))
        grown = grown * (1 - smoothstep(crown, 1.15, 0.7) * (y > 8) * min(1, receding * 1.3))
    return np.where(ear, 0, grown).astype(np.float32)
