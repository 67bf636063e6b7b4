# SPDX-License-Identifier: Apache-2.0
"""Photos to judge stages on: synthetic people in light, both never trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_synth.run.field import Field
from data_synth.sample.illumination import Projector
from data_synth.sample.scene import background
from relight.color import linear_to_srgb, luminance, to_uint8
from relight.environment import HEIGHT, Environment
from relight.face import mesh
from relight.face.mesh import Surface
from relight.geometry import Crop, angles, normalize
from relight.light import Light
from relight.stage.view import FEATURES, FINE, SIDE, View, view_of
from training.data.block import Sample, make_block
from training.data.data_config import DataConfig
from training.data.split import Split

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

BEHIND = (0.45, 1.5)
"""Tangent of half the angle that the background covers, and its blur."""


@dataclass(frozen=True)
class ExposureConfig:
    """How the photos that compare skin tones are taken.

    Attributes:
        environments: number of environments that every subject is shown in.
        white: linear level of a white sphere's mean in the photo.
    """

    environments: int = 6
    white: float = 0.8


class Pair(NamedTuple):
    """A photo, a key, and the truth behind both; arrays are float32 on the crop.

    Attributes:
        subject: its folder's name.
        view: as the stages see it.
        environment: the light already there in the photo's units, camera frame.
        normals: ``(128, 128, 3)`` unit, camera frame, 0 outside the person.
        person: ``(128, 128)`` bool.
        linear: ``(128, 128, 3)`` the photo X in linear light, without noise and tone curve.
        gain: ``(128, 128, 3)`` the key gain G of a white key of unit intensity.
        light: the key.
    """

    subject: str
    view: View
    environment: Environment
    normals: Float
    person: Mask
    linear: Float
    gain: Float
    light: Light


class Exposure(NamedTuple):
    """A photo exposed for the scene, not for the face.

    Attributes:
        subject: its folder's name.
        view: as the stages see it.
        environment: the light there in the photo's units, camera frame.
        normals: ``(128, 128, 3)`` unit, camera frame, 0 outside the person.
    """

    subject: str
    view: View
    environment: Environment
    normals: Float


def pairs(split: Split, count: int, seed: int) -> Iterator[Pair]:
    """Pairs of a split, equally many of each view, give or take one.

    They are drawn like training pairs, but none is grey, cropped tightly or without outline.
    """
    order = np.random.default_rng([seed, 13]).permutation(len(split.names))
    config = DataConfig(views=1, grey=0, tight=0, outlined=1, seed=seed)
    for place, index in enumerate(order):
        here = len(range(place, count, len(order)))
        if not here:
            return
        name = split.names[index]
        alone = replace(split, names=[name])
        sample = make_block(alone, replace(config, pairs=here), int(index))
        for i in range(here):
            mask = sample["mask"][i].astype(np.float32)
            yield Pair(
                name.split("/")[0],
                face_view(sample["photo"][i], _drawn(sample, i), sample["features"][i], mask),
                Environment(sample["environment"][i]),
                normalize(sample["normals"][i]),
                mask > 0.5,
                sample["linear"][i].astype(np.float32),
                sample["gain"][i].astype(np.float32),
                as_light(sample["light"][i]),
            )


def exposures(split: Split, config: ExposureConfig, seed: int) -> Iterator[Exposure]:
    """Every view of a split in the same environments, with exposure set by the scene."""
    rng = np.random.default_rng([seed, 11])
    images = [split.bank.draw(rng) for _ in range(config.environments)]
    for name in split.names:
        field = Field.load(split.root / name)
        projector = Projector(normalize(field.lights @ field.camera_rotation.T))
        in_camera = projector.in_camera(field.camera_rotation, HEIGHT)
        pictures = field.relight(np.stack([projector.weights(image) for image in images]))
        crop = Crop.around(field.face_box.reshape(2, 2))
        seen = split.landmarks.whole(name)[0]
        scaled = seen.landmarks * np.float32(SIDE / crop.size)
        scaled[:, :2] = crop.to_crop(seen.landmarks[:, :2], SIDE)
        drawn = mesh.surface(scaled, seen.head_pose, SIDE)
        features = mesh.region(scaled, FEATURES, SIDE)
        person = crop.extract(field.alpha, SIDE)
        truth = normalize(crop.extract(field.normals, SIDE)) * (person > 0)[..., None]
        for image, picture in zip(images, pictures, strict=True):
            light = in_camera(image)
            gain = np.float32(config.white / _white_sphere(Environment(light)))
            behind = background(image, field.camera_rotation, field.size, *BEHIND)
            linear = (picture + (1 - field.alpha)[..., None] * behind) * gain
            photo = to_uint8(linear_to_srgb(crop.extract(linear, FINE * SIDE)))
            yield Exposure(
                name.split("/")[0],
                face_view(photo, drawn, features, person),
                Environment(light * gain),
                truth,
            )


def _drawn(sample: Sample, index: int) -> Surface:
    """The face mesh of a sample of a block."""
    seen = sample["mesh"][index].astype(np.float32)
    depth = sample["depth"][index].astype(np.float32)
    return Surface(normalize(seen[..., :3]), depth, seen[..., 3] > 0.5)


def face_view(photo: NDArray[np.uint8], drawn: Surface, features: Mask, person: Float) -> View:
    """What the stages see of a picture made by the Light Stage.

    Args:
        photo: ``(256, 256, 3)`` uint8 sRGB.
        drawn: the face mesh at 128 pixels.
        features: ``(128, 128)`` eyes, eyebrows and lips.
        person: ``(128, 128)`` float32 coverage in [0, 1], in place of a segmentation.
    """
    return view_of(photo, drawn, features, person.repeat(FINE, 0).repeat(FINE, 1))


def as_light(light: Float) -> Light:
    """A white key of unit intensity from ``(4,)``: unit vector and radius in radians."""
    azimuth, elevation = angles(light[:3])
    return Light(
        float(np.degrees(azimuth)),
        float(np.degrees(elevation)),
        softness_deg=float(np.degrees(light[3])),
    )


def skin_tone(fields: Iterable[Field]) -> float:
    """Mean true albedo of a person's face, linear luminance, from views of that person.

    It averages pixels inside the box of the face that lie fully on the person and show no hair.

    Raises:
        ValueError: if no such pixel is seen.
    """
    seen = []
    for field in fields:
        left, top, right, bottom = np.round(field.face_box).astype(int)
        box = (slice(max(top, 0), bottom), slice(max(left, 0), right))
        skin = (field.alpha[box] > 0.99) & (field.hair[box] < 0.05)
        seen.append(luminance(field.albedo[box][skin]))
    values = np.concatenate(seen) if seen else np.zeros(0, np.float32)
    if not values.size:
        raise ValueError("no skin is seen in these views")
    return float(values.mean())


def _white_sphere(environment: Environment) -> float:
    """Mean luminance of a white Lambert sphere as the camera sees it."""
    diffuse = luminance(environment.spheres(16).diffuse)
    return max(float(diffuse[diffuse > 0].mean()), 1e-9) if diffuse.any() else 1e-9
