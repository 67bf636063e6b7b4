# SPDX-License-Identifier: Apache-2.0
"""Training pairs from a stored reflectance field: a photo, a key light, and what the key adds.

The photo's light is an environment E, the key shines from direction l. With ``X`` the photo and
``K`` the key's own picture, both linear and from the same field, the key gain is ``G = K / X`` and
the relit photo ``Y = X (1 + k c G)``. The key has unit intensity: its irradiance at normal
incidence equals the luminance of the existing irradiance, averaged over the visible face.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.run.field import Field
from data_synth.sample.camera_model import CameraModel, CameraRanges
from data_synth.sample.illumination import EnvironmentBank, Projector, lamp, light_color
from data_synth.sample.relief import ReliefMaker
from data_synth.sample.variation import albedo_field, stubble, zones
from relight.color import luminance
from relight.environment import HEIGHT as MAP_HEIGHT
from relight.environment import map_position
from relight.geometry import CROP_SCALE, Crop, direction, normalize

Float = NDArray[np.float32]

DARK = 1e-3
"""Light added under the division, over the mean light on the face."""


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
        relief: chance that the face's relief is another (:mod:`data_synth.sample.relief`).
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


@dataclass(frozen=True)
class _Scene:
    """One drawn lighting: map in the world's frame, its weights, and the key."""

    image: Float
    weights: Float
    irradiance: Float
    light: Float
    softness: float
    key: Float


class PairMaker:
    """Makes pairs from one field.

    Args:
        reflectance: the view.
        bank: environments.
        ranges: what to draw.
    """

    def __init__(
        self, reflectance: Field, bank: EnvironmentBank, ranges: PairRanges | None = None
    ) -> None:
        self.field = reflectance
        self.bank = bank
        self.ranges = ranges or PairRanges()
        self._rotation = reflectance.camera_rotation
        self._lights = reflectance.lights
        self._projector = Projector(normalize(self._lights @ self._rotation.T))
        self._in_camera = self._projector.in_camera(self._rotation, MAP_HEIGHT)
        self._on_face = reflectance.face_irradiance
        self._relief: ReliefMaker | None = None
        if self.ranges.relief:
            bare, face = 1 - reflectance.hair[..., None], reflectance.face_box
            self._relief = ReliefMaker(reflectance.normals, bare, self._lights, face)

    def make(self, count: int, rng: np.random.Generator, *, relit: bool = True) -> Pairs:
        """Draw ``count`` pairs; reading the field costs as much as some twenty of them.

        Args:
            count: of pairs.
            rng: draws.
            relit: make the relit pictures too, a sixth of the time.
        """
        scenes = [self._draw_scene(rng) for _ in range(count)]
        pixels, size = self.field.pixels, self.field.size
        subject = np.empty((2 * count, len(pixels), 3), np.float32)
        keys = np.stack([s.key * luminance(s.irradiance) for s in scenes], 1)
        for c in range(3):
            existing = np.stack([s.weights[:, c] for s in scenes], 1)
            codes = self.field.squares(c)
            subject[..., c] = (codes @ np.concatenate([existing, keys], 1)).T
            subject[..., c] *= self.field.scale[c]
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
            # What is never drawn takes no number: pairs to judge by stay what they were.
            if self.ranges.zones and rng.random() < self.ranges.zones:
                pictures *= zones(self.field.face_box, size, rng)
            normals = self.field.normals
            if self._relief is not None and rng.random() < self.ranges.relief:
                lights = np.concatenate([scene.weights, scene.key[:, None]], 1)
                normals, factors = self._relief.draw(lights, rng)
                pictures[0] *= factors[..., :3]
                pictures[1] *= factors[..., 3:]
            behind = self._background(scene.image, rng)
            photo = pictures[0] + (1 - alpha)[..., None] * behind
            made.append(self._finish(scene, photo, pictures[1], normals, rng, relit))
        crops = [pair.pop("crops") for pair in made]
        arrays: dict[str, Any] = {k: np.stack([pair[k] for pair in made]) for k in made[0]}
        return Pairs(crops=crops, **arrays)

    def _draw_scene(self, rng: np.random.Generator) -> _Scene:
        ranges = self.ranges
        for attempt in range(4):
            image = self.bank.draw(rng)
            if ranges.upended and rng.random() < ranges.upended:
                image = image[::-1]
            if rng.random() < ranges.dominant:
                image = self._dominate(image, rng)
            weights = self._projector.weights(image)
            irradiance = self._on_face @ weights
            # A face that gets next to no light is no portrait.
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
            key = soft_key(self._lights, self.field.solid_angles, light, softness)
        return _Scene(image, weights, irradiance, light, softness, key)

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

    def _background(self, image: Float, rng: np.random.Generator) -> Float:
        """What stands behind the person, out of focus, ``(S, S, 3)``."""
        reach = np.tan(np.radians(rng.uniform(12, 38)))
        blur = float(rng.uniform(0.4, 4))
        result = background(image, self._rotation, self.field.size, reach, blur)
        if rng.random() < 0.3:
            result *= np.float32(rng.uniform(0.1, 1.5))
        return result

    def _finish(
        self,
        scene: _Scene,
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
        environment = self._in_camera(scene.image)
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
