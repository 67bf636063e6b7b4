# SPDX-License-Identifier: Apache-2.0
"""What a face's pixels say of the light on it: how bright its cheeks are, and how well exposed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance
from relight.geometry import head_angles
from relight.placement.cheek import DARKEST, cheeks
from relight.stage.analysis import SKIN, Analysis

Float = NDArray[np.float32]

FRONTAL_DEG = 35.0
"""A head turned by this shows nothing of the light's side by its cheeks: the near one is brighter
in light from the camera, too. Turned by less, the cheeks and the estimated light share the say."""
MOST_STOPS = 2.0
"""A cheek counts as brighter by so much at most."""
BRIGHT = 0.95
"""Share of the skin that bright skin is brighter than: above it lie glints."""
LEVELS = (0.30, 0.50)
"""Mean luminance of a face and luminance of its bright skin where a face is exposed as most
photographers do (medians of 60 portraits). Their mean is judged, in stops: dark skin has a low mean
and bright highlights, a face in the dark has neither."""


@dataclass(frozen=True)
class Reading:
    """What a face's pixels, and the light estimated from them, say; for an upright head.

    Attributes:
        left: luminance of the cheek turned to image left.
        right: of the other.
        mean: luminance of the face.
        bright: luminance of its bright skin.
        around: stops by which the estimated light is brighter from image right than from image
            left, for somebody who faces the camera.
        yaw_deg: of the nose, > 0 to image right.
        pitch_deg: of the nose, > 0 up.
        size: of the face.
    """

    left: float
    right: float
    mean: float
    bright: float
    around: float
    yaw_deg: float
    pitch_deg: float
    size: float = 1.0

    @property
    def ratio(self) -> float:
        """Key-to-fill: the brighter over the darker cheek."""
        return max(self.left, self.right) / min(self.left, self.right)

    def towards(self, side: int) -> float:
        """The cheek on a side, +1 image right, over the other one."""
        return self.right / self.left if side > 0 else self.left / self.right

    @property
    def lean(self) -> float:
        """Stops by which the light there is stronger from image right than from image left."""
        cheeks = math.log2(self.right / self.left)
        cheeks = min(max(cheeks, -MOST_STOPS), MOST_STOPS)
        trust = max(0.0, 1 - abs(self.yaw_deg) / FRONTAL_DEG) / 2
        return self.around * (1 - trust) + cheeks * trust

    @property
    def dimness(self) -> float:
        """Stops by which the face is darker than most photographers expose one."""
        levels = zip(LEVELS, (self.mean, self.bright), strict=True)
        return sum(math.log2(usual / max(own, DARKEST)) for usual, own in levels) / len(LEVELS)


def read(analysis: Analysis) -> Reading:
    """Read a face's light."""
    view = analysis.view
    left, right = cheeks(view).brightness(view.linear)
    shown = luminance(view.linear)
    face = shown[view.face]
    skin = np.sort(shown[view.skin > SKIN]) if (view.skin > SKIN).any() else np.sort(face)
    beside, opposite = analysis.crop_environment.cheek_irradiance()
    yaw, pitch, _ = head_angles(analysis.face.crop_pose)
    return Reading(
        left=left,
        right=right,
        mean=float(face.mean()) if len(face) else DARKEST,
        bright=float(skin[int(BRIGHT * (len(skin) - 1))]) if len(skin) else DARKEST,
        around=math.log2(max(opposite, DARKEST) / max(beside, DARKEST)),
        yaw_deg=yaw,
        pitch_deg=pitch,
        size=analysis.face.size,
    )


def together(readings: Sequence[Reading]) -> Reading:
    """One reading of a group: the mean of its members', weighted by their faces' sizes."""
    total = sum(reading.size for reading in readings)

    def mean(value: Any) -> float:
        return float(sum(value(reading) * reading.size for reading in readings) / total)

    return Reading(
        left=2 ** mean(lambda r: math.log2(r.left)),
        right=2 ** mean(lambda r: math.log2(r.right)),
        mean=2 ** mean(lambda r: math.log2(max(r.mean, DARKEST))),
        bright=2 ** mean(lambda r: math.log2(max(r.bright, DARKEST))),
        around=mean(lambda r: r.around),
        yaw_deg=mean(lambda r: r.yaw_deg),
        pitch_deg=mean(lambda r: r.pitch_deg),
        size=total,
    )
