# SPDX-License-Identifier: Apache-2.0
"""Where a key stands: the automatic one, and those of the patterns.

Reference: Google, "Portrait Light: Enhancing Portrait Lighting with Machine Learning" (2020),
section "Automatic Light Placement": a key light about 30 degrees above the eyeline and 30 to 60
degrees off the camera axis seen from overhead, on the side that the existing light favours.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight import geometry
from relight.light import Light
from relight.placement.reading import Reading
from relight.placement.recipe import Recipe

Float = NDArray[np.float32]

ELEVATION_DEG = 30.0
"""The automatic key's height above the eyeline."""
ELEVATIONS_DEG = (20.0, 45.0)
"""Its least and largest height once it has followed the head's tilt."""
AZIMUTH_DEG = 45.0
"""How far it stands off the camera's axis for a face that is turned to the camera."""
AZIMUTHS_DEG = (30.0, 60.0)
"""Its least and largest distance from the axis, once it has followed the head's turn by half."""
SOFTNESS_DEG = 10.0
"""Its radius, as the subject sees it: a small umbrella's."""
WIDEST_DEG = 80.0
"""Furthest that a pattern's key in front of the face stands off the camera's axis, however far the
head is turned: from further behind it grazes what is seen, and bleaches ears and necks."""
LOWEST_DEG = 8.0
"""Least height of a key above the eyeline, however far the head hangs or leans."""
LEAN_DEG = (45.0, 60.0)
"""A head that leans by less is lit from above; one that leans by more may lie in a photo that was
turned, of which nobody knows where up is. Between, the key comes down."""
FAVOURED = 0.5
"""Light that is stronger from one side by so many stops names the key's side,"""
SHORT_DEG = 24.0
"""or else the side that the nose points to does, so many degrees of turn counting as a stop."""


def side_of(reading: Reading) -> int:
    """The side that the key belongs on: +1 image right, -1 image left.

    The side that the existing light favours, if it does: a key from the other side would fight it.
    Else the short side, which the nose points to: it leaves the broad side of the face in shadow.
    """
    lean = reading.lean
    if abs(lean) < FAVOURED:
        lean += reading.yaw_deg / SHORT_DEG
    return 1 if lean > 0 else -1


def automatic(reading: Reading) -> Light:
    """The automatic key, of unit intensity, for an upright head."""
    side = side_of(reading)
    azimuth = _within(AZIMUTH_DEG + side * reading.yaw_deg / 2, AZIMUTHS_DEG)
    elevation = _within(ELEVATION_DEG + reading.pitch_deg, ELEVATIONS_DEG)
    return Light(side * azimuth, elevation, softness_deg=SOFTNESS_DEG)


def patterned(recipe: Recipe, side: int, head_pose: NDArray[Any]) -> list[Light]:
    """The lights of a pattern, of unit intensity or less, in the frame of a head's pose.

    Args:
        recipe: the pattern.
        side: +1 image right, -1 image left.
        head_pose: ``(3, 3)`` rotation from the head.
    """
    azimuth, softness = side * recipe.azimuth_deg, recipe.softness_deg
    key = head_light(azimuth, recipe.elevation_deg, head_pose, softness)
    key = replace(key, elevation_deg=max(key.elevation_deg, LOWEST_DEG))
    if not recipe.intensity:
        key = replace(key, azimuth_deg=_within(key.azimuth_deg, (-WIDEST_DEG, WIDEST_DEG)))
    if not recipe.below:
        return [key]
    lower = head_light(azimuth, -recipe.elevation_deg, head_pose, softness)
    return [key, replace(lower, intensity=recipe.below)]


def head_light(
    azimuth_deg: float,
    elevation_deg: float,
    head_pose: NDArray[Any],
    softness_deg: float,
) -> Light:
    """A light given as the head sees it: from the nose towards image right, and above the eyes."""
    own = geometry.direction(math.radians(azimuth_deg), math.radians(elevation_deg))
    vector = np.asarray(head_pose, np.float32) @ own
    return Light.from_direction(vector, softness_deg=softness_deg)


def lifted(key: Light, roll: float) -> Light:
    """A key in camera frame that does not stand below the eyes of a head that leans.

    Args:
        key: in camera frame.
        roll: of the head, radians.
    """
    upright = 1 - float(geometry.smoothstep(np.array(abs(math.degrees(roll))), *LEAN_DEG))
    missing = max(LOWEST_DEG - key.elevation_deg, 0.0)
    return replace(key, elevation_deg=key.elevation_deg + upright * missing)


def _within(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])
