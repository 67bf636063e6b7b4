# SPDX-License-Identifier: Apache-2.0
"""How steady relit clips are: what flickers on a still face, what lags on one that turns.

On synthetic people (:mod:`data_synth.sample.take`), filmed with camera noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.sample.take import Shot
from relight.color import linear_to_srgb
from relight.face import search
from relight.face.perception import Perception
from relight.light import Light
from relight.portrait import Portrait
from relight.setup import Setup
from relight.stage.stages import NetworkStages
from relight.video.clip import Picture
from relight.video.film import Film

Float = NDArray[np.float32]

LIGHT = Light(45, 30, intensity=0.8, softness_deg=5)
"""The key that is added."""
NOISE = 2.0
"""Deviation of the camera's noise in levels of 255: a phone's indoors."""
STILL_PICTURES = 45
"""Of a still face, 1.5 seconds,"""
SETTLED = 15
"""of which so many first ones do not count."""
RATE = Fraction(30)
YAWS_DEG = tuple(np.linspace(-25, 25, 31))
"""A head that turns by 50 degrees in a second."""
REST = 6
"""Pictures for which it rests before and after."""
PATCH = 5
"""Side of the square around a point of the mesh by which the light there is told, pixels."""
LONGEST_LAG = 6
"""Pictures."""
MOST = (0.5, 2.0)
"""Flicker and lag that nobody sees: at most half a level, and two pictures."""


@dataclass(frozen=True)
class Steadiness:
    """Figures of one person.

    Attributes:
        flicker: mean absolute change from picture to picture of what was added, levels of 255.
        lag: by how many pictures the light on a turning head comes late.
        error: mean absolute error of the added light on it, levels of 255.
    """

    flicker: float
    lag: float
    error: float


class Reel:
    """Pictures in memory in a clip's place."""

    path = "reel"
    rate = RATE

    def __init__(self, pictures: Sequence[NDArray[np.uint8]]) -> None:
        self._pictures = pictures

    def parts(self) -> Iterator[Picture]:
        """The pictures in their order."""
        for number, rgb in enumerate(self._pictures):
            yield Picture(rgb, number, number / float(self.rate))


def judge_steadiness(
    shots: Sequence[Shot],
    perception: Perception,
    stages: NetworkStages,
    rng: np.random.Generator,
) -> Steadiness:
    """Judge one person.

    Args:
        shots: of the head as it turns by :data:`YAWS_DEG`.
        perception: MediaPipe's models.
        stages: the networks.
        rng: the camera's noise.
    """
    middle = shots[len(shots) // 2]
    still = [middle] * STILL_PICTURES
    turning = [shots[0]] * REST + list(shots) + [shots[-1]] * REST
    added = _added(still, perception, stages, rng)
    there = _points(middle, perception)
    patches = np.array([_patches(levels, there) for levels in added[SETTLED:]])
    flicker = float(np.abs(np.diff(patches, axis=0)).mean())
    gains, truths, errors = [], [], []
    for shot, levels in zip(turning, _added(turning, perception, stages, rng), strict=True):
        truth = _levels(shot.photo + LIGHT.intensity * shot.key) - _levels(shot.photo)
        errors.append(np.abs(levels - truth)[shot.face].mean())
        at = _points(shot, perception)
        before = np.maximum(_patches(_levels(shot.photo), at), 1)
        gains.append(_patches(levels, at) / before)
        truths.append(_patches(truth, at) / before)
    return Steadiness(flicker, lag(np.array(gains), np.array(truths)), float(np.mean(errors)))


def lag(found: NDArray[np.floating[Any]], true: NDArray[np.floating[Any]]) -> float:
    """By how many steps one run of values comes after another, to a fraction.

    Args:
        found: ``(T, N)`` N values that change over T steps.
        true: the same, as they should be.
    """
    late, alike = found[LONGEST_LAG:], []
    late = late - late.mean(0)
    for shift in range(LONGEST_LAG + 1):
        then = true[LONGEST_LAG - shift : len(true) - shift]
        then = then - then.mean(0)
        alike.append(float((late * then).sum() / np.sqrt((late**2).sum() * (then**2).sum())))
    best = int(np.argmax(alike))
    if 0 < best < LONGEST_LAG:
        left, top, right = alike[best - 1 : best + 2]
        return best + (left - right) / (2 * (left - 2 * top + right))
    return float(best)


def _added(
    shots: Sequence[Shot], perception: Perception, stages: NetworkStages, rng: np.random.Generator
) -> list[Float]:
    """What the film adds to each shot, ``(S, S)`` levels of 255, mean of the channels."""

    def noisy(shot: Shot) -> NDArray[np.uint8]:
        levels = 255 * linear_to_srgb(np.clip(shot.photo, 0, 1))
        levels = levels + NOISE * rng.standard_normal(levels.shape, np.float32)
        return np.clip(np.rint(levels), 0, 255).astype(np.uint8)

    def choose(portrait: Portrait) -> Setup:
        return Setup((LIGHT,))

    film = Film(Reel([noisy(shot) for shot in shots]), perception, stages, choose)
    return [(frame.picture.rgb.astype(np.float32) - frame.before.rgb).mean(-1) for frame in film]


def _levels(linear: Float) -> Float:
    """Linear light ``(S, S, 3)`` as levels of 255, mean of the channels."""
    return np.asarray(255 * linear_to_srgb(np.clip(linear, 0, 1)).mean(-1), np.float32)


def _points(shot: Shot, perception: Perception) -> NDArray[np.int64]:
    """Points ``(N, 2)`` of the mesh in a picture without noise, x and y in whole pixels."""
    rgb = np.rint(255 * linear_to_srgb(np.clip(shot.photo, 0, 1))).astype(np.uint8)
    face = search.find(perception, rgb)[0]
    return np.rint(face.landmarks[:468, :2]).astype(np.int64)


def _patches(values: Float, points: NDArray[np.int64]) -> Float:
    """Means of values around points, ``(N,)``."""
    import cv2

    blurred = cv2.blur(values, (PATCH, PATCH))
    x, y = np.clip(points, 0, len(values) - 1).T
    return np.asarray(blurred[y, x], np.float32)
