# SPDX-License-Identifier: Apache-2.0
"""A light that is added to a photo."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight import geometry

Float = NDArray[np.float32]


BRIGHTEST = 100.0
"""Upper bound of intensities, colours, gloss and strengths: beyond any use, far from overflow."""
SOFTEST_DEG = 45.0
"""Largest radius of a light: half of all that it could fill on its side."""


@dataclass(frozen=True)
class Light:
    """A key light.

    Attributes:
        azimuth_deg: (-180, 180], 0 at the camera, > 0 towards image right.
        elevation_deg: [-90, 90], > 0 up.
        intensity: k in [0, 100]; at 1 the key's irradiance at normal incidence equals the mean
            irradiance of the existing light over the visible face.
        color: linear RGB in [0, 100] of the key, white = (1, 1, 1).
        softness_deg: [0, 45], the light's radius as the subject sees it: the sun 0.25, a bare
            flash 2, a studio umbrella 25. A softer light has softer shadows.
        gloss: [0, 100], factor on the highlights that it makes on skin and hair: 1 as estimated,
            0 matte.
        reason: why it stands there, one sentence; empty for a user's own light.
    """

    azimuth_deg: float
    elevation_deg: float
    intensity: float = 1.0
    color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    softness_deg: float = 5.0
    gloss: float = 1.0
    reason: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Check ranges; the azimuth is brought into (-180, 180]."""
        color = _numbers(self.color)
        numbers = (
            self.azimuth_deg,
            self.elevation_deg,
            self.intensity,
            *color,
            self.softness_deg,
            self.gloss,
        )
        if not all(math.isfinite(x) for x in numbers):
            raise ValueError(f"a light needs finite numbers, got {numbers}")
        if not -90 <= self.elevation_deg <= 90:
            raise ValueError(f"elevation lies in [-90, 90] degrees, got {self.elevation_deg:g}")
        if not 0 <= self.intensity <= BRIGHTEST:
            raise ValueError(f"intensity lies in [0, {BRIGHTEST:g}], got {self.intensity:g}")
        if len(color) != 3 or not 0 <= min(color) <= max(color) <= BRIGHTEST:
            raise ValueError(f"color is three numbers in [0, {BRIGHTEST:g}], got {self.color}")
        if not 0 <= self.softness_deg <= SOFTEST_DEG:
            raise ValueError(
                f"softness lies in [0, {SOFTEST_DEG:g}] degrees, got {self.softness_deg:g}"
            )
        if not 0 <= self.gloss <= BRIGHTEST:
            raise ValueError(f"gloss lies in [0, {BRIGHTEST:g}], got {self.gloss:g}")
        object.__setattr__(self, "azimuth_deg", 180 - (180 - float(self.azimuth_deg)) % 360)
        object.__setattr__(self, "elevation_deg", float(self.elevation_deg))
        object.__setattr__(self, "intensity", float(self.intensity))
        object.__setattr__(self, "color", color)
        object.__setattr__(self, "softness_deg", float(self.softness_deg))
        object.__setattr__(self, "gloss", float(self.gloss))

    @property
    def direction(self) -> Float:
        """Unit vector ``(3,)`` from the subject towards the light, camera frame."""
        return geometry.direction(math.radians(self.azimuth_deg), math.radians(self.elevation_deg))

    @property
    def shines(self) -> bool:
        """Whether it adds any light."""
        return self.intensity * max(self.color) > 0

    def rolled(self, angle: float) -> Light:
        """The light turned about the camera's axis, clockwise as the viewer sees it, by radians."""
        if angle == 0:
            return self
        azimuth, elevation = geometry.angles(geometry.rolled(self.direction, angle))
        return replace(
            self,
            azimuth_deg=math.degrees(float(azimuth)),
            elevation_deg=math.degrees(float(elevation)),
        )

    def shining(self, factor: float) -> Light:
        """The same light with its gloss times this.

        Raises:
            ValueError: if that is out of range.
        """
        return self if factor == 1 else replace(self, gloss=self.gloss * factor)

    @classmethod
    def from_direction(cls, vector: NDArray[Any], **attributes: Any) -> Light:
        """A light in the direction of a vector ``(3,)``, camera frame."""
        azimuth, elevation = geometry.angles(vector)
        return cls(math.degrees(float(azimuth)), math.degrees(float(elevation)), **attributes)


def _numbers(color: Any) -> tuple[float, ...]:
    """A colour's parts as numbers.

    Raises:
        TypeError: for what is no sequence of numbers, such as a name.
    """
    try:
        if isinstance(color, str):
            raise TypeError
        return tuple(float(c) for c in color)
    except (TypeError, ValueError):
        raise TypeError(
            f"a light's color is its linear red, green and blue, such as (1, 0.85, 0.7) for a warm"
            f" one, got {color!r:.40}"
        ) from None
