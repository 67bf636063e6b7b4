# SPDX-License-Identifier: Apache-2.0
"""The quotient network behind the runtime's interface: it sees shading and key at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from relight.environment import Environment
from relight.light import Light
from relight.stage.cast_shadow import light_visibility
from relight.stage.shading import shading
from relight.stage.view import View
from training.split.split_stages import SplitStages

Float = NDArray[np.float32]


class QuotientStages(SplitStages):
    """``quotient``, with the normals and the light of other stages."""

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """Key gain; see :class:`relight.stage.stages.Stages`. Its gloss is what it has learned."""
        given, radius = normals * view.person[..., None], math.radians(light.softness_deg)
        inputs = {
            "photo": view.pixels.astype(np.float32) / 255,
            "normals": given,
            "visibility": light_visibility(view.mesh, given, light.direction, radius)[..., None],
            "shading": shading(environment, given, view.face),
            "light": np.array([*light.direction, radius], np.float32),
        }
        return self.run("quotient", inputs)["gain"]
