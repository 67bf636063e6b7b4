# SPDX-License-Identifier: Apache-2.0
"""Samples made of one real portrait: as it is, or in hard light, and what keys should add to it.

The key's own picture is the teacher's on the photo as it was taken, where it errs least; what the
networks are told comes from the photo that they are shown, with all that perception gets wrong in
hard light.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.color import LUMINANCE, linear_to_srgb, srgb_to_linear, to_uint8
from relight.face.face import Face
from relight.face.perception import Perception
from relight.light import Light
from relight.stage.analysis import analyze
from relight.stage.quotient import between, key_inputs, shading_inputs
from relight.stage.shading import mean_irradiance
from relight.stage.stages import Stages
from relight.stage.view import SIDE
from training.split.real.portrait_light import LightDraw, draw_key, draw_laid, laid_factor
from training.split.real.teacher import Teacher, face_at, flipped, mirrored

Float = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]

MOST_TURNED = 0.8
"""Least cosine between the head's axis and the camera's: both halves of the face are seen."""
SMALLEST_FACE = 60
"""Faces narrower than this, in pixels, show no skin."""
CLIPPED = 252 / 255
"""sRGB value from which a pixel may be clipped."""


@dataclass(frozen=True)
class PortraitDraw:
    """What samples are made of; chances and ranges.

    Attributes:
        light: of the lights.
        keys: that the teacher is asked for, for each portrait,
        told: and how many of them a sample holds.
        laid: share of samples in hard light.
        tight: share of photos cut around the face, their edges repeated.
        grey: share of photos without colour.
        exposure: mean linear value of the face.
        contrast: share of an S curve on the encoded photo.
        read_noise: deviation, linear,
        shot_noise: and variance over the light.
    """

    light: LightDraw = field(default_factory=LightDraw)
    keys: int = 8
    told: int = 3
    laid: float = 0.72
    tight: float = 0.4
    grey: float = 0.4
    exposure: tuple[float, float] = (0.06, 0.45)
    contrast: tuple[float, float] = (-0.1, 0.25)
    read_noise: tuple[float, float] = (3e-4, 3e-3)
    shot_noise: tuple[float, float] = (2e-5, 6e-4)


def is_usable(face: Face) -> bool:
    """Whether a face is large enough and looks about at the camera."""
    return face.box[2] >= SMALLEST_FACE and float(face.head_pose[2, 2]) >= MOST_TURNED


def portrait_samples(
    detector: Perception,
    teachers: Sequence[Stages],
    painters: Sequence[Stages],
    photo: NDArray[np.uint8],
    face: Face,
    count: int,
    rng: np.random.Generator,
    draw: PortraitDraw,
) -> list[Arrays]:
    """Samples of one portrait, by name as :data:`ARRAYS` tells; fewer where its face gets lost.

    Args:
        detector: MediaPipe's models.
        teachers: whose key gains are averaged.
        painters: that lay hard light on the portrait.
        photo: ``(H, W, 3)`` uint8 sRGB.
        face: its face.
        count: samples wanted.
        rng: of the random numbers.
        draw: ranges.
    """
    teacher = Teacher(detector, teachers, photo, face)
    linear = srgb_to_linear(photo)
    keys = [draw_key(rng, draw.light) for _ in range(draw.keys)]
    pictures = [linear * teacher.gain(light) for light in keys]
    found = []
    for _ in range(count):
        lit = linear
        if rng.random() < draw.laid:
            lights = draw_laid(rng, draw.light)
            args = painters, teacher.analysis, teacher.face, lights, rng, draw.light
            lit = linear * laid_factor(*args)
        chosen = rng.choice(len(keys), draw.told, replace=False)
        images = np.concatenate([lit, *(pictures[i] for i in chosen)], -1)
        lamps = [keys[i] for i in chosen]
        box = face.box
        if rng.random() < 0.5:
            images, lamps = images[:, ::-1], [flipped(light) for light in lamps]
            box = mirrored(box, photo.shape[1])
        level = float(images[..., :3][_inside(box)].mean())
        images = images * math.exp(rng.uniform(*np.log(draw.exposure))) / max(level, 1e-4)
        if rng.random() < draw.tight:
            images, box = cut(images, box, rng)
        if rng.random() < draw.grey:
            grey = images.reshape(*images.shape[:2], -1, 3) @ LUMINANCE
            images = np.repeat(grey, 3, -1)
        sample = _sample(detector, teachers[0], images, lamps, box, rng, draw)
        if sample is not None:
            found.append(sample)
    return found


ARRAYS = {
    "photo": ("uint8", (SIDE, SIDE, 3)),
    "mirrored": ("float16", (SIDE, SIDE, 5)),
    "normals": ("float16", (SIDE, SIDE, 3)),
    "shading": ("float16", (SIDE, SIDE, 3)),
    "face": ("uint8", (SIDE, SIDE, 1)),
    "weight": ("uint8", (SIDE, SIDE, 1)),
    "belief": ("float32", (1,)),
    "level": ("float32", (1,)),
    "linear": ("float16", (SIDE, SIDE, 3)),
    "unshadowed": ("uint8", (-1, SIDE, SIDE, 1)),
    "light": ("float32", (-1, 4)),
    "key": ("float16", (-1, SIDE, SIDE, 3)),
}
"""Types and shapes of a sample's arrays, -1 for its keys; the networks' inputs have their names.
``photo``, ``unshadowed`` and ``weight`` are shares in steps of 1/255. ``linear`` is the photo
before clipping and noise, ``key`` what each key should add, ``weight`` the person where it is not
clipped."""


def _sample(
    detector: Perception,
    stages: Stages,
    images: Float,
    lamps: Sequence[Light],
    box: tuple[float, float, float, float],
    rng: np.random.Generator,
    draw: PortraitDraw,
) -> Arrays | None:
    """One sample; ``None`` where no face is found.

    Args:
        detector: MediaPipe's models.
        stages: that estimate normals and light.
        images: ``(H, W, 3 + 3 K)`` the photo and its keys' pictures, linear.
        lamps: the K keys, camera frame.
        box: where the face is.
        rng: of the random numbers.
        draw: ranges.
    """
    photo = photograph(images[..., :3], rng, draw)
    face = face_at(detector, photo, box)
    if face is None or not is_usable(face):
        return None
    analysis = analyze(detector, stages, photo, face)
    view = analysis.view
    surface = between(view, analysis.crop_normals)
    inputs = shading_inputs(view, surface, analysis.crop_environment)
    seen = face.crop.extract(np.ascontiguousarray(images, np.float32), SIDE)
    told = [key_inputs(view, surface, light.rolled(-face.crop.roll)) for light in lamps]
    plain = view.photo.max(-1, keepdims=True) < CLIPPED
    values = inputs | {
        "photo": np.rint(inputs["photo"] * 255),
        "weight": np.rint(255 * view.person[..., None] * plain),
        "level": np.array([mean_irradiance(analysis.crop_environment, surface, view.face)]),
        "linear": seen[..., :3],
        "unshadowed": np.rint(255 * np.array([one["unshadowed"] for one in told])),
        "light": np.array([one["light"] for one in told]),
        "key": np.moveaxis(seen[..., 3:].reshape(SIDE, SIDE, -1, 3), 2, 0),
    }
    return {name: np.asarray(values[name]).astype(kind) for name, (kind, _) in ARRAYS.items()}


def photograph(linear: Float, rng: np.random.Generator, draw: PortraitDraw) -> NDArray[np.uint8]:
    """What a camera makes of light ``(H, W, 3)``, uint8 sRGB."""
    read, shot = (
        math.exp(rng.uniform(*np.log(spread))) for spread in (draw.read_noise, draw.shot_noise)
    )
    spread = np.sqrt(np.maximum(linear, 0) * shot + read**2)
    noise = np.asarray(rng.standard_normal(linear.shape), np.float32)
    if np.ptp(linear, axis=-1).max() < 1e-6:
        noise = noise[..., :1]  # a grey photo's noise is grey
    encoded = np.clip(linear_to_srgb(linear + noise * spread), 0, 1)
    curve = encoded * encoded * (3 - 2 * encoded)
    return to_uint8(encoded + rng.uniform(*draw.contrast) * (curve - encoded))


def cut(
    images: Float, box: tuple[float, float, float, float], rng: np.random.Generator
) -> tuple[Float, tuple[float, float, float, float]]:
    """A photo cut around its face, its edges repeated as far again as a face is seen from."""
    height, width = images.shape[:2]
    left, top, across, down = box
    room = rng.uniform(-0.03, 0.25, 4) * max(across, down)
    first, last = max(0, round(left - room[0])), min(width, round(left + across + room[1]))
    upper, lower = max(0, round(top - room[2])), min(height, round(top + down + room[3]))
    around = round(0.35 * max(across, down))
    part = images[upper:lower, first:last]
    padded = np.pad(part, ((around, around), (around, around), (0, 0)), mode="edge")
    return padded, (left - first + around, top - upper + around, across, down)


def _inside(box: tuple[float, float, float, float]) -> tuple[slice, slice]:
    """Rows and columns of a face's middle."""
    left, top, across, down = box
    return (
        slice(max(0, round(top + 0.15 * down)), max(1, round(top + 0.9 * down))),
        slice(max(0, round(left + 0.15 * across)), max(1, round(left + 0.85 * across))),
    )
