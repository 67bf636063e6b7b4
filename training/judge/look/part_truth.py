# SPDX-License-Identifier: Apache-2.0
"""Which part of the key gain the error sits in: each part replaced by the truth in turn.

The truth is a person's photographs under one lamp at a time, and photometric stereo's normals and
albedo of them. It replaces the estimates inside the face mesh only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight import Light, Relighter
from relight.environment import Environment
from relight.geometry import normalize, rolled
from relight.photo.file import load_photo
from relight.portrait import Portrait
from relight.stage.quotient import SHINE, existing, key_inputs
from relight.stage.stages import NetworkStages
from relight.stage.view import SIDE, View
from training.judge import metric, yaleb
from training.judge.look.captured_face import captured_faces
from training.judge.yaleb import Capture

Float = NDArray[np.float32]

NONE = "all estimated"
SHADING = "true shading"
NORMALS = "true normals for the key"
SHADOWS = "true cast shadows for the key"
NO_GLOSS = "no gloss"
KEY = "true key, gloss and all"
BOTH = "true shading and normals"
PARTS = (NONE, SHADING, NORMALS, SHADOWS, NO_GLOSS, KEY, BOTH)
"""What is replaced, the rows of the table."""
DARKEST = 0.02
"""Albedo and shading that are divided by at least."""
MOST = 10.0
"""Largest key diffuse light, over a surface's that faces it: glints on a dark albedo."""


class PartStages(NetworkStages):
    """Stages of which one part is told the truth.

    Args:
        base: the stages judged.
        part: of :data:`PARTS`.
        normals: ``(128, 128, 3)`` true ones, crop's frame.
        albedo: ``(128, 128)``.
        linear: ``(128, 128)`` the photo, linear.

    Attributes:
        lamp: ``(128, 128)`` the photograph under the key that is asked for next.
    """

    def __init__(
        self, base: NetworkStages, part: str, normals: Float, albedo: Float, linear: Float
    ) -> None:
        self._base, self._part, self._normals = base, part, normals
        self._albedo, self._linear = np.maximum(albedo, DARKEST), linear
        self.lamp: Float = np.zeros((SIDE, SIDE), np.float32)

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """Outputs of a network by name, from the stages judged."""
        return self._base.run(name, inputs)

    def close(self) -> None:
        """Do nothing: the stages judged belong to the caller."""

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """Key gain; see :class:`relight.stage.stages.Stages`."""
        there, face = self.existing(view, normals, environment), view.face
        inputs = key_inputs(view, there.surface, light)
        if self._part in (NORMALS, BOTH):
            inputs["normals"] = np.where(face[..., None], self._normals, inputs["normals"])
        if self._part == SHADOWS:
            lambert = self._albedo * np.maximum(self._normals @ light.direction, 0)
            hidden = face & metric.cast_shadow(self.lamp, lambert, self._albedo)
            inputs["unshadowed"] = 1 - hidden[..., None].astype(np.float32)
        key = self.run("key", inputs)["key"]
        if self._part in (SHADING, BOTH):
            true = np.maximum(self._linear / self._albedo, DARKEST)
            told = np.log(true / true[face].mean())[..., None]
            told = np.where(face[..., None], told, -np.log(there.lift)).astype(np.float32)
            there = existing(view, there.surface, environment, told)
        if self._part == KEY:
            true = np.clip(self.lamp / self._albedo, 0, MOST)
            key = np.stack([np.where(face, true, key[..., 0]), key[..., 1] * ~face], -1)
        gloss = 0.0 if self._part == NO_GLOSS else SHINE * light.gloss
        return there.gain(key.astype(np.float32), gloss)


def judge_parts(
    relighter: Relighter, stages: NetworkStages, capture: Capture
) -> dict[str, dict[str, float]]:
    """Mean residual of the added light by row of :data:`PARTS` and kind of photo.

    Args:
        relighter: finds and analyses the face, by the stages judged.
        stages: the stages judged.
        capture: the subject.

    Raises:
        yaleb.DatasetError: if no face is found even in the ambient photo.
    """
    truth = yaleb.photometric_stereo(capture)
    found: dict[str, dict[str, float]] = {part: {} for part in PARTS}
    for face in captured_faces(relighter, capture):
        normals = normalize(rolled(face.on_crop(truth[0]), -face.analysis.face.crop.roll))
        known = normals, face.on_crop(truth[1]), face.on_crop(face.linear)
        told = {part: PartStages(stages, part, *known) for part in PARTS}
        photo = load_photo(face.photo)
        portraits = {part: Portrait(photo, [face.analysis], one) for part, one in told.items()}
        residuals: dict[str, list[float]] = {part: [] for part in PARTS}
        for index in capture.key_indices():
            lamp = capture.images[index]
            light = Light(capture.azimuths_deg[index], capture.elevations_deg[index])
            for part, portrait in portraits.items():
                told[part].lamp = face.on_crop(lamp)
                gain = yaleb.from_photo(portrait.gain(light).expand(face.photo.shape))[..., 0]
                added = face.linear * gain
                residual = metric.added_light_residual(added, lamp, face.usable(lamp))
                residuals[part].append(residual)
        for part, values in residuals.items():
            found[part][face.kind] = float(np.mean(values))
    return found
