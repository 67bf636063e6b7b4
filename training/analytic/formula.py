# SPDX-License-Identifier: Apache-2.0
"""The key gain by a formula without any training: what the split networks start from.

``G = K / S`` (:mod:`relight.stage.key`, :func:`relight.stage.shading.existing_shading`), with
normals and light from other stages.
"""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from relight.environment import Environment
from relight.face.mirror import Mirror, mirror
from relight.geometry import normalize
from relight.light import Light
from relight.stage import key
from relight.stage.analysis import mean_irradiance
from relight.stage.cast_shadow import unshadowed
from relight.stage.shading import belief, existing_shading, shading
from relight.stage.stages import Stages
from relight.stage.view import SIDE, View

Float = NDArray[np.float32]

FLOOR = 0.02
"""Linear value that gloss is divided by at least: black hair and noise do not shine."""


class FormulaStages:
    """The formula behind :class:`relight.stage.stages.Stages`.

    Args:
        base: estimates normals and the light already there.
        gloss: factor on the key's gloss.
    """

    def __init__(self, base: Stages, gloss: float = 1.0) -> None:
        self._base, self._gloss = base, gloss
        self._kept: WeakKeyDictionary[View, tuple[Environment, Float, Float]] = WeakKeyDictionary()

    def normals(self, view: View) -> tuple[Float, Float]:
        """Those of the stages given."""
        return self._base.normals(view)

    def lighting(self, view: View, normals: Float) -> Environment:
        """That of the stages given."""
        return self._base.lighting(view, normals)

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """Key gain; see :class:`relight.stage.stages.Stages`."""
        surface = between(view, normals)
        visible = unshadowed(view.mesh, light.direction, math.radians(light.softness_deg))
        diffuse = key.diffuse(surface, visible, light.direction)
        gain = diffuse[..., None] / self._existing(view, surface, environment)
        if self._gloss:
            shine = np.float32(self._gloss) * key.gloss(surface, visible, light.direction)
            level = mean_irradiance(environment, surface, view.face)
            gain = gain + (shine * np.float32(level))[..., None] / np.maximum(view.linear, FLOOR)
        return np.asarray(gain, np.float32)

    def close(self) -> None:
        """Close the stages given."""
        self._base.close()

    def _existing(self, view: View, surface: Float, environment: Environment) -> Float:
        """S, kept: a light that moves leaves it alone."""
        kept = self._kept.get(view)
        if kept is None or kept[0] is not environment:
            lit = shading(environment, surface, view.face)
            log_s = existing_shading(
                lit, view.photo, mirror_of(view), belief(lit, view.face), view.face
            )
            kept = self._kept[view] = environment, surface, np.exp(log_s)
        return kept[2]


class MeanStages(FormulaStages):
    """The mean of the formula's key gain and that of the stages given."""

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """Mean of both, the formula's brought to the mean of the other on the face."""
        own = super().gain(view, normals, environment, light)
        other = self._base.gain(view, normals, environment, light)
        if not view.face.any():
            return other
        level = other[view.face].mean() / max(float(own[view.face].mean()), 1e-6)
        return np.asarray((own * level + other) / 2, np.float32)


def between(view: View, normals: Float) -> Float:
    """Normals between estimated ones and the mesh's: their mean errs less than either."""
    found = normalize(view.mesh.normals + normals)
    return np.asarray(found * view.person[..., None], np.float32)


def mirror_of(view: View) -> Mirror:
    """The mirror images on a face's crop; none where only the drawn mesh is known."""
    if view.landmarks is None:
        return Mirror(np.zeros((SIDE, SIDE, 2), np.float32), np.zeros((SIDE, SIDE), np.float32))
    return mirror(view.landmarks, SIDE)
