# SPDX-License-Identifier: Apache-2.0
"""Training pairs from a stored reflectance field: a photo, a key light, and what the key adds.

The photo's light is an environment E, the key shines from direction l. With ``X`` the photo and
``K`` the key's own picture, both linear and from the same field, the key gain is ``G = K / X`` and
the relit photo ``Y = X (1 + k c G)``. The key has unit intensity: its irradiance at normal
incidence equals the luminance of the existing irradiance, averaged over the visible face.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.run.field import Field
from data_synth.run.light_sum import Arrays
from data_synth.sample.camera_model import CameraModel
from data_synth.sample.illumination import EnvironmentBank, light_color
from data_synth.sample.pair_ranges import PairRanges
from data_synth.sample.relief import ReliefMaker
from data_synth.sample.scene import Scene, SceneMaker
from data_synth.sample.variation import albedo_field, stubble, zones
from relight.color import luminance
from relight.geometry import CROP_SCALE, Crop, normalize

Float = NDArray[np.float32]

DARK = 1e-3
"""Light added under the division, over the mean light on the face."""


@dataclass(frozen=True)
class Pairs:
    """``N`` pairs from one view, ``R x R`` pixels each.

    Attributes:
        photo: ``(N, P, P, 3)`` uint8 sRGB, as the camera gives it; ``P`` is ``R`` times
            :attr:`PairRanges.photo_scale`.
        linear: ``(N, R, R, 3)`` float32 X in the photo's linear units, without tone curve, noise
            and compression.
        gain: ``(N, R, R, 3)`` float32 G of a white key of unit intensity; 0 outside the person.
        relit: ``(N, R, R, 3)`` uint8 sRGB ``X (1 + k c G)`` by the photo's tone curve; empty,
            ``(N, 0)``, where no relit picture was asked for.
        environment: ``(N, 16, 32, 3)`` float32 radiance in the photo's linear units, camera frame.
        normals: ``(N, R, R, 3)`` float32 unit, camera frame; zero outside.
        mask: ``(N, R, R)`` float32 coverage by the person.
        light: ``(N, 3)`` float32 unit vector towards the key, camera frame.
        softness: ``(N,)`` float32 radius of the key in radians.
        color: ``(N, 3)`` float32 c of luminance 1.
        intensity: ``(N,)`` float32 k.
        crops: the squares of the stored view, before flipping.
        flipped: ``(N,)`` bool, mirrored left to right.
    """

    photo: NDArray[np.uint8]
    linear: Float
    gain: Float
    relit: NDArray[np.uint8]
    environment: Float
    normals: Float
    mask: Float
    light: Float
    softness: Float
    color: Float
    intensity: Float
    crops: list[Crop]
    flipped: NDArray[np.bool_]


class PairMaker:
    """Makes pairs from one field.

    Args:
        reflectance: the view.
        bank: environments.
        ranges: what to draw.
        arrays: what adds up the lights; ``None``: NumPy.
    """

    def __init__(
        self,
        reflectance: Field,
        bank: EnvironmentBank,
        ranges: PairRanges | None = None,
        arrays: Arrays | None = None,
    ) -> None:
        self.field = reflectance
        self.ranges = ranges or PairRanges()
        self._sum = reflectance.light_sum(arrays)
        self._scenes = SceneMaker(reflectance, bank, self.ranges)
        self._relief: ReliefMaker | None = None
        if self.ranges.relief:
            bare, face = 1 - reflectance.hair[..., None], reflectance.face_box
            self._relief = ReliefMaker(reflectance.normals, bare, reflectance.lights, face)

    def make(self, count: int, rng: np.random.Generator, *, relit: bool = True) -> Pairs:
        """Draw ``count`` pairs; reading the field costs as much as some twenty of them.

        Args:
            count: of pairs.
            rng: draws.
            relit: make the relit pictures too, a sixth of the time.
        """
        scenes = [self._scenes.draw(rng) for _ in range(count)]
        pixels, size = self.field.pixels, self.field.size
        keys = [np.repeat(s.key[:, None] * luminance(s.irradiance), 3, 1) for s in scenes]
        subject = self._sum(np.stack([s.weights for s in scenes] + keys))
        alpha = self.field.alpha
        made = []
        for i, scene in enumerate(scenes):
            pictures = np.zeros((2, size * size, 3), np.float32)
            pictures[:, pixels] = subject[[i, count + i]]
            pictures = pictures.reshape(2, size, size, 3)
            if rng.random() < self.ranges.albedo_field:
                pictures *= albedo_field(size, rng)
            if rng.random() < self.ranges.stubble:
                pictures *= stubble(self.field.face_box, size, rng)
            # A chance of 0 draws nothing, so that the pairs used for judging stay the same.
            if self.ranges.zones and rng.random() < self.ranges.zones:
                pictures *= zones(self.field.face_box, size, rng)
            normals = self.field.normals
            if self._relief is not None and rng.random() < self.ranges.relief:
                lights = np.concatenate([scene.weights, scene.key[:, None]], 1)
                normals, factors = self._relief.draw(lights, rng)
                pictures[0] *= factors[..., :3]
                pictures[1] *= factors[..., 3:]
            behind = self._scenes.background(scene, rng)
            photo = pictures[0] + (1 - alpha)[..., None] * behind
            made.append(self._finish(scene, photo, pictures[1], normals, rng, relit))
        crops = [pair.pop("crops") for pair in made]
        arrays: dict[str, Any] = {k: np.stack([pair[k] for pair in made]) for k in made[0]}
        return Pairs(crops=crops, **arrays)

    def _finish(
        self,
        scene: Scene,
        photo: Float,
        key: Float,
        normals: Float,
        rng: np.random.Generator,
        relit: bool,
    ) -> dict[str, Any]:
        """Crop, divide, photograph: one pair, by the names of :class:`Pairs`."""
        ranges, size = self.ranges, self.ranges.resolution
        crop = self._crop(rng)
        large = crop.extract(photo, size * ranges.photo_scale)
        photo, key = crop.extract(photo, size), crop.extract(key, size)
        normals = normalize(crop.extract(normals, size))
        mask = crop.extract(self.field.alpha, size)
        level = float(luminance(scene.irradiance)) / np.pi
        gain = np.minimum(key / (photo + np.float32(DARK * level)), ranges.max_gain)
        gain[mask == 0] = 0
        normals[mask == 0] = 0
        environment = self._scenes.environment(scene)
        light = scene.light
        flipped = bool(rng.random() < 0.5)
        if flipped:
            mirror = np.array([-1, 1, 1], np.float32)
            large, photo, gain, mask = (x[:, ::-1] for x in (large, photo, gain, mask))
            normals, light = normals[:, ::-1] * mirror, light * mirror
            environment = environment[:, ::-1]
        face = mask > 0.9
        bright = luminance(photo)
        seen = float(np.median(bright[face])) if face.any() else float(bright.mean())
        camera = CameraModel.draw(ranges.camera, seen, scene.irradiance, rng)
        linear = camera.expose(photo)
        color = np.ones(3, np.float32)
        if rng.random() < ranges.colored:
            color = light_color(rng)
        intensity = float(rng.uniform(*ranges.intensity))
        taken = camera.shoot(np.ascontiguousarray(camera.expose(large)), rng)
        after = np.empty(0, np.uint8)
        if relit:
            after = camera.develop(linear * (1 + intensity * color * gain))
        return {
            "photo": taken,
            "linear": linear.astype(np.float32),
            "gain": gain.astype(np.float32),
            "relit": after,
            "environment": camera.expose(environment),
            "normals": normals.astype(np.float32),
            "mask": mask.astype(np.float32),
            "light": light.astype(np.float32),
            "softness": np.float32(scene.softness),
            "color": color,
            "intensity": np.float32(intensity),
            "crops": crop,
            "flipped": flipped,
        }

    def _crop(self, rng: np.random.Generator) -> Crop:
        left, top, right, bottom = self.field.face_box
        corners = np.array([[left, top], [right, bottom]])
        scale = CROP_SCALE * rng.uniform(*self.ranges.crop_scale)
        shift = rng.uniform(-1, 1, 2) * self.ranges.crop_shift * (corners[1] - corners[0]).max()
        return Crop.around(corners + shift * CROP_SCALE, scale=scale)
