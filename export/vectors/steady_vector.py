# SPDX-License-Identifier: Apache-2.0
"""Vectors of a face's estimates through a take.

Three looks at the example's face as its head turns, through networks whose answers change from look
to look as they are told here: what is averaged does not hang on how a runtime rounds.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.vectors.vector import Vectors
from relight.face.face import Face
from relight.face.perception import Perception
from relight.stage.stages import NetworkStages
from relight.video.steady import SteadyLook

Image8 = NDArray[np.uint8]
Float = NDArray[np.float32]

TURNED_DEG = (0.0, 0.5, 3.0)
"""How far the head is turned about its up axis at each look: a still face, then one that turns."""
STEP_S = (0.04, 0.04, 0.45)
"""Seconds before each look: after the second, neither shading nor environment is asked for."""
CHANGES = {"normals": 0.1, "confidence": -0.1, "log_environment": -0.2, "log_shading": 0.2}
"""What each network's answer grows by from look to look,"""
FADED = 0.05
"""and which share of the outline is lost; with more, nobody would be seen on the face."""
EVERY = 8
"""Of results every so many rows and columns are kept."""


class _Changing(NetworkStages):
    """Networks whose answers change from look to look."""

    def __init__(self, answers: dict[str, Float]) -> None:
        self._answers = answers
        self.number = 0

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """The answers of this look, whatever is asked."""
        return {
            each: answer + np.float32(self.number * CHANGES[each])
            for each, answer in self._answers.items()
        }

    def close(self) -> None:
        """Nothing is loaded."""


class _Fading(Perception):
    """Knows one person's outlines around the head and the body, which it sees in turns."""

    def __init__(self, person: Image8) -> None:
        super().__init__()
        self._person = person
        self._seen = 0

    def person(self, image: Image8) -> Float:
        """The outlines in turns, less certain from look to look."""
        number, square = divmod(self._seen, len(self._person))
        self._seen += 1
        found = self._person[square].astype(np.float32) / 255
        return np.float32(1 - number * FADED) * found


def add(vectors: Vectors, pixels: Image8, landmarks: Float, person: Image8) -> None:
    """What is known of a face after each look.

    Args:
        vectors: to add to; has the networks' answers already.
        pixels: the example, ``(H, W, 3)`` uint8 sRGB.
        landmarks: of its face, ``(478, 3)``.
        person: its outlines on the face's crop and on the body's square, ``(2, 256, 256)`` uint8.
    """
    stages = _Changing(
        {
            "normals": vectors.arrays["normals/normals"],
            "confidence": vectors.arrays["normals/network_confidence"],
            "log_environment": vectors.arrays["lighting/log_environment"],
            "log_shading": vectors.arrays["shading/log_shading"],
        }
    )
    points = np.stack([_turned(landmarks, degrees) for degrees in TURNED_DEG])
    vectors.array("steady/landmarks", points)
    vectors.value("steady/steps", STEP_S)
    vectors.value("steady/changes", CHANGES)
    vectors.value("steady/faded", FADED)
    vectors.value("steady/every", EVERY)
    take = SteadyLook(stages, _Fading(person))
    for number, step_s in enumerate(STEP_S):
        stages.number = number
        face = Face.from_landmarks(points[number], pixels.shape)
        analysis, there = take.look(pixels, 1, face, 1.0, step_s)
        assert analysis.body is not None  # noqa: S101
        found = {
            "normals": analysis.crop_normals,
            "confidence": analysis.crop_confidence,
            "outline": analysis.view.outline,
            "body": analysis.body.person,
            "lift": there.lift,
        }
        for name, array in found.items():
            vectors.array(f"steady/{name}/{number}", array[::EVERY, ::EVERY])
        vectors.array(f"steady/environment/{number}", analysis.crop_environment.data)
        vectors.value(f"steady/level/{number}", float(analysis.mean_irradiance))


def _turned(landmarks: Float, degrees: float) -> Float:
    """A face's landmarks, the head turned about its up axis."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    middle = landmarks.mean(0)
    x, y, z = (landmarks - middle).T
    around = np.stack([x * cosine + z * sine, y, z * cosine - x * sine], -1)
    return np.asarray(around + middle, np.float32)
