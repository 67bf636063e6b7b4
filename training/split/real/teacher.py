# SPDX-License-Identifier: Apache-2.0
"""What a key does to a real portrait, as well as it is known: the mean of several estimates of it.

Errors that are not shared go in the mean: those of several networks, and those that a network makes
of a photo and not of its mirror image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from relight.face import search
from relight.face.face import Face
from relight.face.perception import Perception
from relight.geometry import Grid
from relight.light import Light
from relight.stage.analysis import Analysis, analyze
from relight.stage.stages import Stages

Float = NDArray[np.float32]
Image = NDArray[np.uint8]

SAME_FACE = 0.25
"""Two faces are one if their boxes' middles are no further apart than this share of their size."""
DARK = 1e-3
"""Mean gain on the face below which a light has missed it."""


class Teacher:
    """The key gain of a portrait, by several stages, on the photo and on its mirror image.

    Args:
        detector: MediaPipe's models.
        stages: whose gains are averaged; normals and light are the first one's.
        photo: ``(H, W, 3)`` uint8 sRGB.
        face: its face.
    """

    def __init__(
        self, detector: Perception, stages: Sequence[Stages], photo: Image, face: Face
    ) -> None:
        self.analysis = analyze(detector, stages[0], photo, face)
        self._stages = stages
        self._looks = [(self.analysis, False)]
        turned = np.ascontiguousarray(photo[:, ::-1])
        other = face_at(detector, turned, mirrored(face.box, photo.shape[1]))
        if other is not None:
            self._looks.append((analyze(detector, stages[0], turned, other), True))
        outside = Grid(0, 0, 1, *photo.shape[:2])
        on_photo = face.crop.onto_grid(self.analysis.view.face.astype(np.float32), outside, 0.0)
        self.face = on_photo > 0.5

    def gain(self, light: Light) -> Float:
        """Key gain ``(H, W, 3)`` of a light in camera frame; 0 where it misses the face."""
        found = []
        for analysis, turned in self._looks:
            shining = flipped(light) if turned else light
            for stages in self._stages:
                told = analysis.view, analysis.crop_normals, analysis.crop_environment
                gain = stages.gain(*told, shining.rolled(-analysis.face.crop.roll))
                gain = np.maximum(onto_photo(gain, analysis), 0)
                found.append(gain[:, ::-1] if turned else gain)
        levels = [float(gain[self.face].mean()) for gain in found]
        if min(levels) < DARK:
            return np.zeros_like(found[0])
        level = levels[0]
        parts = [gain * (level / own) for gain, own in zip(found, levels, strict=True)]
        return np.asarray(np.mean(parts, 0), np.float32)


def onto_photo(values: Float, analysis: Analysis) -> Float:
    """Values ``(128, 128, 3)`` on a face's crop, brought to the photo's pixels."""
    grid = Grid(0, 0, 1, *analysis.photo_rgb.shape[:2])
    return analysis.face.crop.onto_grid(values, grid).astype(np.float32)


def flipped(light: Light) -> Light:
    """A light on the other side."""
    return replace(light, azimuth_deg=-light.azimuth_deg)


def mirrored(
    box: tuple[float, float, float, float], width: int
) -> tuple[float, float, float, float]:
    """A face's box in the mirror image of a photo of that width."""
    return width - box[0] - box[2], box[1], box[2], box[3]


def face_at(
    detector: Perception, photo: Image, box: tuple[float, float, float, float]
) -> Face | None:
    """The face of a photo that lies where one is expected; ``None`` if none is found there."""
    for face in search.find(detector, photo):
        apart = np.hypot(
            face.box[0] + face.box[2] / 2 - box[0] - box[2] / 2,
            face.box[1] + face.box[3] / 2 - box[1] - box[3] / 2,
        )
        if apart < SAME_FACE * max(box[2:]):
            return face
    return None
