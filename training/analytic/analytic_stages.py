# SPDX-License-Identifier: Apache-2.0
"""Analytic stages: yardsticks for the networks, made without any training.

Normals are those of the face mesh, extended to head and shoulders; light is a non-negative
environment fitted to the face's shading; the gain is Lambert's law divided by that shading.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance
from relight.environment import Environment
from relight.light import Light
from relight.stage.shading import mean_irradiance, visibility
from relight.stage.view import View
from training.analytic.extended_normals import extended_normals
from training.analytic.light_fit import fitted_light

Float = NDArray[np.float32]

DARKEST = 0.2
"""Least divisor, as a share of the face's mean irradiance: bounds the gain in deep shadow."""
CHROMA = 0.5
"""How far the gain follows the existing light's colour, whose estimate is uncertain."""


class AnalyticStages:
    """The analytic stages behind the interface of the networks: ``relight.stage.stages.Stages``."""

    def __init__(self) -> None:
        self._shading: tuple[Environment, Float, Float, float] | None = None

    def normals(self, view: View) -> tuple[Float, Float]:
        """The mesh's normals, extended to the whole person, and the trust in them."""
        return extended_normals(view.mesh.normals, view.face, view.person)

    def lighting(self, view: View, normals: Float) -> Environment:
        """The light that shades the face mesh as the photo shows it; ``normals`` are not used."""
        return fitted_light(view.linear, view.mesh.normals, view.skin)

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """Lambert's law over the existing shading; a light's softness is not used."""
        kept = self._shading
        if kept is None or kept[0] is not environment or kept[1] is not normals:
            mean = mean_irradiance(environment, normals, view.face)
            kept = self._shading = environment, normals, environment.irradiance(normals), mean
        _, _, irradiance, mean = kept
        return lambert_gain(visibility(normals, light.direction), irradiance, mean)

    def close(self) -> None:
        """Forget the last face."""
        self._shading = None


def lambert_gain(visible: Float, irradiance: Float, mean_irradiance: float) -> Float:
    """Key gain of a Lambert surface under a white key of unit intensity.

    Args:
        visible: ``(R, R)`` light visibility map.
        irradiance: ``(R, R, 3)`` of the existing light.
        mean_irradiance: its luminance, mean over the visible face.

    Returns:
        ``(R, R, 3)`` float32 >= 0.
    """
    grey = luminance(irradiance)[..., None] + np.float32(1e-6)
    floor = np.float32(DARKEST * mean_irradiance)
    tint = np.maximum(irradiance / grey, np.float32(0.1)) ** np.float32(CHROMA)
    existing = np.sqrt(grey**2 + floor**2) * tint
    return (visible[..., None] * np.float32(mean_irradiance) / existing).astype(np.float32)
