# SPDX-License-Identifier: Apache-2.0
"""What training pairs are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field

from data_synth.sample.camera_model import CameraRanges


@dataclass(frozen=True)
class PairRanges:
    """What is drawn for each pair.

    Attributes:
        resolution: side of the crop in pixels.
        photo_scale: pixels of the photo along one of the crop's.
        upended: chance that what is above in an environment map is below.
        dominant: chance that one light dominates the photo.
        fill: share of the other light beside it, drawn evenly in logarithms; below half a percent,
            nothing is seen in its shadows.
        flash: chance that this light stands at the camera.
        lamp_elevation_deg: of this light where it does not.
        azimuth_deg: of the key, to either side.
        frontal: chance that the key stays within 60 % of that, where most portraits want it.
        elevation_deg: of the key.
        hard: chance that the key is one light of the rig; else it is a soft disk.
        softness_deg: radius of a soft key.
        colored: chance that the key is not white in the relit photo.
        intensity: of the key in the relit photo.
        crop_scale: factor on the runtime's crop.
        crop_shift: of the crop's centre, in sides.
        albedo_field: chance that photo and key share a random albedo.
        stubble: chance that the lower face is darker.
        zones: chance that eye sockets are darker, forehead and cheeks darker or lighter.
        relief: chance that the face's relief is changed (:mod:`data_synth.sample.relief`).
        max_gain: G is cut here.
        camera: what the camera model draws from.
    """

    resolution: int = 128
    photo_scale: int = 1
    upended: float = 0.0
    dominant: float = 0.45
    fill: tuple[float, float] = (5e-3, 0.5)
    flash: float = 0.15
    lamp_elevation_deg: tuple[float, float] = (-40.0, 75.0)
    azimuth_deg: float = 110.0
    frontal: float = 0.6
    elevation_deg: tuple[float, float] = (-50.0, 75.0)
    hard: float = 0.5
    softness_deg: tuple[float, float] = (8.0, 35.0)
    colored: float = 0.3
    intensity: tuple[float, float] = (0.2, 2.0)
    crop_scale: tuple[float, float] = (0.88, 1.12)
    crop_shift: float = 0.05
    albedo_field: float = 0.5
    stubble: float = 0.35
    zones: float = 0.0
    relief: float = 0.0
    max_gain: float = 50.0
    camera: CameraRanges = field(default_factory=CameraRanges)
