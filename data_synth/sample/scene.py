# SPDX-License-Identifier: Apache-2.0
"""What a person is photographed in: an environment, a key light, and what stands behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_synth.run.field import Field
from data_synth.sample.illumination import EnvironmentBank, Projector, lamp, light_color
from data_synth.sample.pair_ranges import PairRanges
from relight.color import luminance
from relight.environment import HEIGHT as MAP_HEIGHT
from relight.environment import map_position
from relight.geometry import direction, normalize

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """One lighting of a view, with ``L`` lights of the rig.

    Attributes:
        image: ``(H, 2H, 3)`` environment map, world frame.
        weights: ``(L, 3)`` of the rig's lights that stand for it.
        irradiance: ``(3,)`` mean over the visible face.
        light: ``(3,)`` unit vector towards the key, camera frame.
        softness: radius of the key in radians.
        key: ``(L,)`` weights of the rig's lights that stand for a key whose irradiance at normal
            incidence is 1.
    """

    image: Float
    weights: Float
    irradiance: Float
    light: Float
    softness: float
    key: Float


class SceneMaker:
    """Draws scenes for one view.

    Args:
        field: the view.
        bank: environments.
        ranges: what to draw.
    """

    def __init__(self, field: Field, bank: EnvironmentBank, ranges: PairRanges) -> None:
        self._field, self._bank, self.ranges = field, bank, ranges
        self._rotation = field.camera_rotation
        self._lights = field.lights
        self._projector = Projector(normalize(self._lights @ self._rotation.T))
        self._in_camera = self._projector.in_camera(self._rotation, MAP_HEIGHT)
        self._on_face = field.face_irradiance

    def draw(self, rng: np.random.Generator) -> Scene:
        """An environment, often with one light that dominates it, and a key."""
        ranges = self.ranges
        for attempt in range(4):
            image = self._bank.draw(rng)
            if ranges.upended and rng.random() < ranges.upended:
                image = image[::-1]
            if rng.random() < ranges.dominant:
                image = self._dominate(image, rng)
            weights = self._projector.weights(image)
            irradiance = self._on_face @ weights
            # Draw again where the face gets almost no light.
            if luminance(irradiance) > 0.25 or attempt == 3:
                break
        reach = ranges.azimuth_deg * (0.6 if rng.random() < ranges.frontal else 1)
        light = direction(
            np.radians(rng.uniform(-1, 1) * reach),
            np.radians(rng.uniform(*ranges.elevation_deg)),
        )
        cosine = self._lights @ light
        if rng.random() < ranges.hard:
            nearest = int(np.argmax(cosine))
            light, softness = self._lights[nearest], 0.0
            key = np.zeros(len(self._lights), np.float32)
            key[nearest] = 1
        else:
            softness = float(np.radians(rng.uniform(*ranges.softness_deg)))
            key = soft_key(self._lights, self._field.solid_angles, light, softness)
        return Scene(image, weights, irradiance, light, softness, key)

    def _dominate(self, image: Float, rng: np.random.Generator) -> Float:
        """One light, soft to hard, brings most of what the face gets, often next to all of it."""
        if rng.random() < self.ranges.flash:
            towards = self._rotation[:, 2] + rng.normal(0, 0.08, 3)
        else:
            elevation = np.radians(rng.uniform(*self.ranges.lamp_elevation_deg))
            towards = direction(rng.uniform(-2.2, 2.2), elevation)
        radius = np.exp(rng.uniform(np.log(0.03), np.log(0.5)))
        color = light_color(rng) if rng.random() < 0.5 else np.ones(3, np.float32)
        fill = np.exp(rng.uniform(*np.log(self.ranges.fill)))
        power = 4 * np.pi * (1 - fill) / fill * rng.uniform(0.1, 0.5)
        result: Float = image + lamp(normalize(towards), radius) * color * np.float32(power)
        return result

    def environment(self, scene: Scene) -> Float:
        """A scene's map in the camera's frame, ``(16, 32, 3)``."""
        return self._in_camera(scene.image)

    def background(self, scene: Scene, rng: np.random.Generator) -> Float:
        """What stands behind the person, out of focus, ``(S, S, 3)``."""
        reach = np.tan(np.radians(rng.uniform(12, 38)))
        blur = float(rng.uniform(0.4, 4))
        result = background(scene.image, self._rotation, self._field.size, reach, blur)
        if rng.random() < 0.3:
            result *= np.float32(rng.uniform(0.1, 1.5))
        return result


def background(image: Float, rotation: Float, size: int, reach: float, blur: float) -> Float:
    """The part of an environment behind the person, out of focus.

    Args:
        image: ``(H, 2H, 3)`` map, world frame.
        rotation: ``(3, 3)`` the camera's right, up and back.
        size: side of the picture.
        reach: tangent of half the angle that the picture takes in.
        blur: deviation in fortieths of the picture.

    Returns:
        ``(size, size, 3)`` float32 radiance; lamps are cut at 30 times the mean light.
    """
    import cv2

    side = 40
    x, y = np.meshgrid(np.linspace(-reach, reach, side), np.linspace(reach, -reach, side))
    seen = np.stack([x, y, -np.ones_like(x)], -1) @ rotation.T
    u, v = (at.astype(np.float32) for at in map_position(seen, len(image)))
    patch = cv2.remap(image, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    patch = cv2.GaussianBlur(np.minimum(patch, 30), (0, 0), blur)
    return np.asarray(cv2.resize(patch, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def soft_key(lights: Float, solid_angles: Float, light: Float, radius: float) -> Float:
    """Weights ``(L,)`` of a disk of light whose irradiance at normal incidence is 1.

    Args:
        lights: ``(L, 3)`` the rig's, any frame.
        solid_angles: ``(L,)``.
        light: ``(3,)`` centre of the disk, same frame.
        radius: of the disk in radians, its edge softened by the rig's spacing.
    """
    angle = np.arccos(np.clip(lights @ light, -1, 1))
    edge = np.sqrt(solid_angles.mean() / np.pi)
    weight = solid_angles / (1 + np.exp(np.clip((angle - radius) / (0.4 * edge), -30, 30)))
    total = (weight * np.maximum(lights @ light, 0)).sum()
    return (weight / total).astype(np.float32)
