# SPDX-License-Identifier: Apache-2.0
"""What the samples of the shading and key networks are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SamplerConfig:
    """What samples are made of; chances and ranges.

    Attributes:
        views: of a batch.
        lightings: of each view in it.
        dominant: chance that one lamp brings most of the light.
        fill: share of the other light beside it.
        flash: chance that this lamp stands at the camera.
        hard: chance that the key is one light of the rig.
        softness_deg: radius of a soft key.
        azimuth_deg: of the key, to either side.
        elevation_deg: of the key.
        crop_scale: factor on the runtime's crop.
        crop_shift: of its middle, in sides.
        even_albedo: largest deviation of a smooth factor on the albedo, alike on both halves.
        odd_albedo: the same, unlike.
        real_skin: chance that a real face's pattern is laid on the albedo.
        grey: share of photos without colour.
        tight: share of photos cut around the face, their edges repeated.
        outlined: share of photos in which more than the face is known to be the person.
        contrast_error: deviation of the logarithm of the factor on the estimated light's shading.
        light_error: deviation of a smooth error on it.
        mistaken: largest share of it that follows the photo's brightness instead, albedo and all.
        light_turn_deg: deviation of its direction, about each axis.
        level_error: deviation of the logarithm of its level.
        normal_error: largest strength of a smooth error on the estimated normals.
    """

    views: int = 16
    lightings: int = 4
    dominant: float = 0.6
    fill: tuple[float, float] = (0.02, 0.5)
    flash: float = 0.15
    hard: float = 0.6
    softness_deg: tuple[float, float] = (8.0, 35.0)
    azimuth_deg: float = 95.0
    elevation_deg: tuple[float, float] = (-50.0, 70.0)
    crop_scale: tuple[float, float] = (0.9, 1.12)
    crop_shift: float = 0.02
    even_albedo: float = 0.22
    odd_albedo: float = 0.06
    real_skin: float = 0.6
    grey: float = 0.3
    tight: float = 0.35
    outlined: float = 0.85
    contrast_error: float = 0.35
    light_error: float = 0.12
    mistaken: float = 0.8
    light_turn_deg: float = 7.0
    level_error: float = 0.25
    normal_error: float = 0.35

    @property
    def batch(self) -> int:
        """Samples of a batch."""
        return self.views * self.lightings
