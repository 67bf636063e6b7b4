# SPDX-License-Identifier: Apache-2.0
"""Whether an average hides a group: figures by skin tone and by where the light comes from.

Exposure set by the face makes all faces equally bright. So one thing is tested separately: with
exposure set by the scene, is the same light found on dark skin and on light skin?

Reference: Buolamwini & Gebru 2018, "Gender Shades", section 1 (error by group, not only on
average).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight.geometry import angles

THIRDS = ("darkest", "middle", "lightest")
"""Skin tones, with equally many people in each."""
SECTORS = ("front", "side", "top", "below", "behind")
"""Where a light stands, seen from the subject."""
TOLERANCE = 0.25
"""A group may be worse than the mean by this share."""
EXPOSURE_TOLERANCE = 0.10
"""In the same light, dark skin's estimate may differ from light skin's by this share."""
TOP_DEG, BELOW_DEG, SIDE_DEG = 45.0, -25.0, 40.0
"""Elevation from which a light stands above or below; azimuth from which it stands aside."""


def thirds(tones: Mapping[str, float]) -> dict[str, str]:
    """Sort people into thirds by how much light their skin reflects.

    Args:
        tones: mean albedo in luminance by name, in any unit that all share.

    Returns:
        One of :data:`THIRDS` by name. If they cannot be equal, the middle third is larger or
        smaller by up to two; a single person is in the middle.
    """
    order = sorted(tones, key=lambda name: (tones[name], name))
    ranks = (np.arange(len(order)) + 0.5) / max(len(order), 1)
    return {name: THIRDS[int(3 * rank)] for name, rank in zip(order, ranks, strict=True)}


def sector(light: NDArray[Any]) -> str:
    """Which of :data:`SECTORS` a unit vector ``(3,)`` towards a light lies in, camera frame."""
    if light[2] < 0:
        return "behind"
    azimuth, elevation = (float(np.degrees(angle)) for angle in angles(light))
    if elevation > TOP_DEG:
        return "top"
    if elevation < BELOW_DEG:
        return "below"
    return "side" if abs(azimuth) > SIDE_DEG else "front"


class Verdict(NamedTuple):
    """A figure's worst group.

    Attributes:
        worst: its name.
        excess: by what share it is worse than the mean of all.
        passed: whether that is within :data:`TOLERANCE`; None if it is, but some group has no pair.
        empty: groups without a pair.
    """

    worst: str
    excess: float
    passed: bool | None
    empty: tuple[str, ...] = ()


class Scale(StrEnum):
    """How a figure is turned into an error that is 0 for perfect and grows in proportion."""

    ERROR = "error"
    """It is one."""
    SIMILARITY = "similarity"
    """1 is perfect."""
    DECIBEL = "decibel"
    """20 times the logarithm of signal over error."""

    def error(self, value: float) -> float:
        """The error behind a figure."""
        if self is Scale.SIMILARITY:
            return 1 - value
        return float(10 ** (-value / 20)) if self is Scale.DECIBEL else value


def verdict(groups: Mapping[str, float], mean: float, scale: Scale = Scale.ERROR) -> Verdict:
    """Compare a figure's groups with its mean.

    Args:
        groups: the figure by group; NaN where a group has no pair.
        mean: the figure over all pairs.
        scale: how to read it.

    Raises:
        ValueError: if no group has any pair.
    """
    errors = {k: scale.error(v) for k, v in groups.items() if not np.isnan(v)}
    if not errors:
        raise ValueError("no group has any pair")
    empty = tuple(name for name in groups if name not in errors)
    worst = max(errors, key=lambda name: errors[name])
    excess = errors[worst] / max(scale.error(mean), 1e-9) - 1
    within = None if empty else True
    return Verdict(worst, excess, within if excess <= TOLERANCE else False, empty)


@dataclass(frozen=True)
class ExposureVerdict:
    """How estimates of the same light depend on the skin that it falls on.

    Attributes:
        ratio: geometric mean of estimated over true irradiance, by third.
        dark_to_light: the darkest third's over the lightest's.
        passed: whether that is within :data:`EXPOSURE_TOLERANCE` of 1; None if one of the two has
            nobody.
    """

    ratio: dict[str, float]
    dark_to_light: float
    passed: bool | None


def exposure_verdict(
    ratios: Mapping[str, list[float]], third: Mapping[str, str]
) -> ExposureVerdict:
    """Compare thirds, with equal weight for every person.

    Args:
        ratios: estimated over true irradiance, by person; NaN is left out.
        third: by person, see :func:`thirds`.
    """
    logs: dict[str, list[float]] = {name: [] for name in THIRDS}
    for person, values in ratios.items():
        known = np.asarray(values)[~np.isnan(values)]
        if known.size:
            logs[third[person]].append(float(np.log(np.maximum(known, 1e-6)).mean()))
    means = {k: float(np.exp(np.mean(v))) if v else np.nan for k, v in logs.items()}
    ratio = means[THIRDS[0]] / means[THIRDS[-1]]
    passed = None if np.isnan(ratio) else abs(ratio - 1) <= EXPOSURE_TOLERANCE
    return ExposureVerdict(means, ratio, passed)
