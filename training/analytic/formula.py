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
from relight.light import Light
from relight.stage import key
from relight.stage.cast_shadow import unshadowed
from relight.stage.quotient import Existing, between, existing
from relight.stage.shading import belief, existing_shading, shading
from relight.stage.stages import Stages
from relight.stage.view import View

Float = NDArray[np.float32]


class FormulaStages:
    """The formula behind :class:`relight.stage.stages.Stages`.

    Args:
        base: estimates normals and the light already there.
    """

    def __init__(self, base: Stages) -> None:
        self._base = base
        self._kept: WeakKeyDictionary[View, tuple[Environment, Existing]] = WeakKeyDictionary()

    def normals(self, view: View) -> tuple[Float, Float]:
        """Those of the stages given."""
        return self._base.normals(view)

    def lighting(self, view: View, normals: Float) -> Environment:
        """That of the stages given."""
        return self._base.lighting(view, normals)

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """Key gain; see :class:`relight.stage.stages.Stages`."""
        there = self._existing(view, normals, environment)
        visible = unshadowed(view.mesh, light.direction, math.radians(light.softness_deg))
        parts = (f(there.surface, visible, light.direction) for f in (key.diffuse, key.gloss))
        return there.gain(np.stack(list(parts), -1), light.gloss)

    def close(self) -> None:
        """Close the stages given."""
        self._base.close()

    def _existing(self, view: View, normals: Float, environment: Environment) -> Existing:
        """The light already there, kept: a light that moves leaves it alone."""
        kept = self._kept.get(view)
        if kept is None or kept[0] is not environment:
            surface = between(view, normals)
            lit = shading(environment, surface, view.face)
            log_s = existing_shading(
                lit, view.photo, view.images, belief(lit, view.face), view.face
            )
            kept = self._kept[view] = environment, existing(view, surface, environment, log_s)
        return kept[1]


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
