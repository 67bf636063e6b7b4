# SPDX-License-Identifier: Apache-2.0
"""The lights that are set up for a portrait, and how they are placed automatically.

Reference: Google, "Portrait Light: Enhancing Portrait Lighting with Machine Learning" (2020),
section "Automatic Light Placement": a key light about 30 degrees above the eyeline and 30 to 60
degrees off the camera axis seen from overhead, on the side that the existing light favours, at a
key-to-fill ratio of about 2:1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight import geometry
from relight.color import luminance
from relight.environment import CHEEK_AZIMUTH, SHADOW, Environment
from relight.light import Light
from relight.stage.analysis import Analysis

Float = NDArray[np.float32]

NOTHING = 1e-6
"""Light, or a difference of intensities, so small that it counts as none."""


@dataclass(frozen=True)
class Setup:
    """What is done to the light on a portrait.

    Attributes:
        lights: added to it.
        fill: share in (0, 1] of the existing light that stays on the person.
        reason: why, in a sentence or two; empty for a user's own.
    """

    lights: tuple[Light, ...] = ()
    fill: float = 1.0
    reason: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Check the lights and the fill."""
        lights: list[Any] = list(self.lights)
        if not all(isinstance(light, Light) for light in lights):
            raise TypeError(f"lights are Light objects, got {lights!r:.80}")
        if not 0 < self.fill <= 1:  # catches NaN too
            raise ValueError(f"fill lies in (0, 1], got {self.fill}")
        object.__setattr__(self, "lights", tuple(lights))
        object.__setattr__(self, "fill", float(self.fill))

    @classmethod
    def of(cls, given: Setup | Light | Iterable[Light], fill: float | None = None) -> Setup:
        """A setup as it is, or of one light or several; with another fill if one is given."""
        if isinstance(given, Setup):
            made = given
        elif isinstance(given, Light):
            made = cls((given,))
        elif isinstance(given, Iterable):
            made = cls(tuple(given))
        else:
            raise TypeError(f"a setup is made of Light objects, got {given!r:.80}")
        return made if fill is None else replace(made, fill=fill)


def suggest(analyses: Sequence[Analysis]) -> Setup:
    """The setup that suits a photo's faces best: one key, all of the existing light kept.

    Args:
        analyses: one per face, the largest face first; at least one.
    """
    placed = [place_on(analysis) for analysis in analyses]
    sizes = [analysis.face.size for analysis in analyses]
    light = place_group(placed, sizes, analyses[0].face.crop.roll)
    return Setup((light,), reason=light.reason)


def place_on(analysis: Analysis) -> Light:
    """Place a key light on one face; its intensity is 0 when none is needed."""
    return place(
        analysis.crop_environment,
        analysis.face.crop_pose,
        mean_irradiance=analysis.mean_irradiance,
        headroom=analysis.headroom,
        roll=analysis.face.crop.roll,
    )


@dataclass(frozen=True)
class PlacementConfig:
    """The placement rule's numbers; angles in degrees.

    Attributes:
        elevation_deg: height above the eyeline.
        azimuth_deg: off the camera axis when the existing light does not say.
        azimuth_range_deg: allowed distance from the camera axis.
        elevation_range_deg: allowed height after the head's tilt is followed.
        key_to_fill: ratio aimed at.
        flat_ratio: below this cheek ratio the existing light favours no side.
        turned_deg: a nose further off the axis than this names the short side.
        max_intensity: upper bound of k.
    """

    elevation_deg: float = 30.0
    azimuth_deg: float = 45.0
    azimuth_range_deg: tuple[float, float] = (30.0, 60.0)
    elevation_range_deg: tuple[float, float] = (20.0, 45.0)
    key_to_fill: float = 2.0
    flat_ratio: float = 1.1
    turned_deg: float = 5.0
    max_intensity: float = 2.0


def key_to_fill_with(
    environment: Environment,
    head_pose: NDArray[Any],
    lights: Sequence[Light],
    mean_irradiance: float,
    kept: float = 1.0,
) -> float:
    """Key-to-fill ratio after lights are added: brighter over darker cheek, >= 1.

    Args:
        environment: the existing light.
        head_pose: ``(3, 3)`` rotation head to camera.
        lights: the added keys.
        mean_irradiance: luminance of the existing irradiance over pi, mean over the visible face.
        kept: share of the existing light that stays.
    """
    cheeks = _cheek_normals(head_pose)
    lit = kept * np.array(environment.cheek_irradiance(head_pose))
    for light in lights:
        strength = light.intensity * float(luminance(np.array(light.color))) * mean_irradiance
        lit += strength * np.maximum(cheeks @ light.direction, 0)
    return float(lit.max() / max(lit.min(), SHADOW))


def place(
    environment: Environment,
    head_pose: NDArray[Any],
    *,
    mean_irradiance: float | None = None,
    headroom: float = math.inf,
    roll: float = 0.0,
    config: PlacementConfig | None = None,
) -> Light:
    """Place a key light as a portrait photographer would, who holds the camera as the head is.

    Args:
        environment: the existing light, in a frame where the head is upright.
        head_pose: ``(3, 3)`` rotation head to that frame.
        mean_irradiance: luminance of the existing irradiance over pi, mean over the visible face;
            ``None`` takes the mean of the two cheeks.
        headroom: largest intensity that burns no highlights.
        roll: angle in radians that the head leans by towards image right, see
            :class:`relight.geometry.Crop`: the light is turned with it.
        config: the rule's numbers.

    Returns:
        A white light with its reason, in camera frame; its intensity is the smallest k >= 0 that
        brings key-to-fill to the ratio aimed at, 0 if the photo is there already.
    """
    config = config or PlacementConfig()
    left, right = environment.cheek_irradiance(head_pose)
    ratio = environment.key_to_fill(head_pose)
    yaw, pitch, _ = geometry.head_angles(head_pose)
    side, azimuth, why = _choose_side(environment, left, right, yaw, config)
    low, high = config.elevation_range_deg
    elevation = float(np.clip(config.elevation_deg + pitch, low, high))
    light = Light(side * azimuth, elevation)
    turned = light.rolled(roll)
    where = _where(turned)
    if ratio >= config.key_to_fill:
        reason = (
            f"No light added: key-to-fill is {ratio:.1f}:1 already;"
            f" a key would stand {where}, {why}."
        )
        return replace(turned, intensity=0.0, reason=reason)
    mean = (left + right) / 2 if mean_irradiance is None else mean_irradiance
    cheeks = np.maximum(_cheek_normals(head_pose) @ light.direction, 0) * mean
    key, fill = (1, 0) if side > 0 else (0, 1)
    existing = (left, right)
    gained = cheeks[key] - config.key_to_fill * cheeks[fill]
    missing = config.key_to_fill * existing[fill] - existing[key]
    wanted = float(missing / gained) if gained > NOTHING else config.max_intensity
    intensity = float(np.clip(wanted, 0, min(config.max_intensity, max(headroom, 0.0))))
    after = key_to_fill_with(environment, head_pose, [replace(light, intensity=intensity)], mean)
    limit = "" if intensity >= wanted - NOTHING else "; held back to keep highlights from burning"
    reason = (
        f"Key {where}, {why}; intensity {intensity:.2f} takes key-to-fill"
        f" from {ratio:.1f}:1 to {after:.1f}:1{limit}."
    )
    return replace(turned, intensity=intensity, reason=reason)


def place_group(lights: Sequence[Light], weights: Sequence[float], roll: float = 0.0) -> Light:
    """One light for several faces: directions and intensities averaged by face size.

    Args:
        lights: each face's own placement, at least one.
        weights: each face's size, > 0.
        roll: angle that the group leans by towards image right: their left and right are meant.
    """
    if not lights:
        raise ValueError("a group needs at least one light")
    if len(lights) == 1:
        return lights[0]
    lights = [light.rolled(-roll) for light in lights]
    share = np.asarray(weights, float) / np.sum(weights)
    # Keys on both sides would average to the front: the side with more weight wins.
    sides = np.sign([light.azimuth_deg for light in lights])
    chosen = np.where(sides == (1 if share @ sides >= 0 else -1))[0]
    vector = sum(share[i] * lights[i].direction for i in chosen)
    intensity = float(share @ [light.intensity for light in lights])
    result = Light.from_direction(np.asarray(vector), intensity=intensity).rolled(roll)
    where = f"{_where(result)}, averaged over {len(lights)} faces by their size"
    if intensity == 0:
        reason = f"No light added: no face needs one; a key would stand {where}."
    else:
        reason = f"Key {where}; intensity {intensity:.2f}, the mean of what each face needs."
    return replace(result, reason=reason)


def _where(light: Light) -> str:
    """Where a light stands, in words."""
    side = "right" if light.azimuth_deg > 0 else "left"
    height = "up" if light.elevation_deg >= 0 else "down"
    across, above = abs(light.azimuth_deg), abs(light.elevation_deg)
    return f"{across:.0f}° to the image {side} and {above:.0f}° {height}"


def _cheek_normals(head_pose: NDArray[Any]) -> Float:
    normals: Float = (
        geometry.direction([-CHEEK_AZIMUTH, CHEEK_AZIMUTH], 0.0)
        @ np.asarray(head_pose, np.float32).T
    )
    return normals


def _choose_side(
    environment: Environment, left: float, right: float, yaw: float, config: PlacementConfig
) -> tuple[int, float, str]:
    """Side (+1 image right), degrees off the axis, and the reason in words."""
    low, high = config.azimuth_range_deg
    if max(left, right) >= config.flat_ratio * min(left, right):
        existing, _ = geometry.angles(environment.dominant_direction())
        side = 1 if right > left else -1
        azimuth = math.degrees(float(existing)) * side
        # Further out the further out the existing light stands, within the range.
        aside = float(np.interp(azimuth, (0, high), (low, high)))
        return side, aside, "the side the existing light favours"
    if abs(yaw) > config.turned_deg:
        side = 1 if yaw > 0 else -1
        azimuth = float(np.clip(config.azimuth_deg + abs(yaw) / 2, low, high))
        return side, azimuth, "the short side of the turned face, since the light is flat"
    return -1, config.azimuth_deg, "the customary side, since light and face are both frontal"
