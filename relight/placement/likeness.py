# SPDX-License-Identifier: Apache-2.0
"""The light on a reference portrait, told so that it can be set up for another one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from relight import geometry
from relight.color import luminance
from relight.placement.cheek import DARKEST
from relight.placement.reading import read
from relight.stage.analysis import SKIN, Analysis

RATIOS = (1.2, 8.0)
"""Key-to-fill that is copied at least and at most."""
COPIED = 0.5
"""Power of what is copied of the reference's tint: skin differs, too, and not only its light."""
TINTS = (0.6, 1.6)
"""Least and largest of a light's red, green and blue over its brightness."""
SIDED = 1.3
"""Key-to-fill from which the key stands to a side,"""
ASIDE_DEG = 25.0
"""by so much at least: the estimated light tends to the front."""
BEHIND_DEG = 100.0
"""A key is copied from no further behind the face: what comes from there is hardly seen on it."""


@dataclass(frozen=True)
class Likeness:
    """A portrait's light.

    Attributes:
        azimuth_deg: of its key as the head sees it, from the nose, > 0 to image right.
        elevation_deg: of its key above the eyes.
        ratio: key-to-fill, measured on the cheeks.
        skin: linear RGB of its skin, of luminance 1.
    """

    azimuth_deg: float
    elevation_deg: float
    ratio: float
    skin: tuple[float, float, float]

    def tint(self, analysis: Analysis) -> tuple[float, float, float]:
        """Colour of a light that gives a face's skin some of this tint, as bright as white."""
        pairs = zip(self.skin, _skin(analysis), strict=True)
        relative = [(other / max(own, DARKEST)) ** COPIED for other, own in pairs]
        scale = float(luminance(np.array(relative)))
        low, high = TINTS
        red, green, blue = (min(max(part / scale, low), high) for part in relative)
        return red, green, blue


def likeness(analysis: Analysis) -> Likeness:
    """Read a reference's light off one face."""
    reading, around = read(analysis), analysis.crop_environment
    towards = around.dominant_direction()
    own = np.asarray(analysis.face.crop_pose, np.float32).T @ towards
    azimuth, elevation = (math.degrees(float(angle)) for angle in geometry.angles(own))
    # The cheeks know the side better than the estimated light does.
    side = 1 if reading.right > reading.left else -1
    least = ASIDE_DEG if reading.ratio >= SIDED else 0.0
    azimuth = side * min(max(abs(azimuth), least), BEHIND_DEG)
    ratio = min(max(reading.ratio, RATIOS[0]), RATIOS[1])
    return Likeness(azimuth, elevation, ratio, _skin(analysis))


def _skin(analysis: Analysis) -> tuple[float, float, float]:
    """Mean colour of a face's skin, linear RGB of luminance 1."""
    view = analysis.view
    skin = view.skin > SKIN
    mean = view.linear[skin if skin.any() else view.face].mean(0, dtype=np.float64)
    red, green, blue = (mean / max(float(luminance(mean)), DARKEST)).tolist()
    return red, green, blue
