# SPDX-License-Identifier: Apache-2.0
"""The stages as in textbooks, the yardstick for all others.

Normals are those of the face mesh, light is nine spherical harmonics, and the key adds Lambert's
shading with the photo as albedo.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance
from relight.environment import Environment
from relight.light import Light
from relight.stage.shading import visibility
from relight.stage.view import View
from training.analytic import spherical_harmonics

Float = NDArray[np.float32]

ALBEDO = 0.35
"""Luminance of the albedo assumed for skin: the best of 0.15 to 0.5 on 240 photos of
training subjects, by the error of the three spheres."""
FEWEST = 32
"""Pixels of skin without which no light is fitted."""


class ClassicalStages:
    """Mesh normals, spherical harmonics, Lambert; see :class:`relight.stage.stages.Stages`."""

    def normals(self, view: View) -> tuple[Float, Float]:
        """The face mesh's normals, a surface that faces the camera elsewhere.

        Returns:
            ``(128, 128, 3)`` float32 unit normals, camera frame, and the person as trust in them,
            ``(128, 128)`` float32 in [0, 1].
        """
        ahead = np.array([0, 0, 1], np.float32)
        return np.where(view.face[..., None], view.mesh.normals, ahead), view.person

    def lighting(self, view: View, normals: Float) -> Environment:
        """Nine harmonics fitted to the skin's shading, cut at 0; even light if there is no skin.

        As the face's colour and that of the light cannot be told apart, the mean light is taken to
        be white.

        Args:
            view: the face.
            normals: ``(128, 128, 3)`` unit, camera frame.

        Returns:
            A 16 x 32 map in the photo's linear units, camera frame.
        """
        chosen = view.skin > 0
        if chosen.sum() < FEWEST:
            return Environment.uniform()
        weights = view.skin[chosen]
        seen = view.linear[chosen]
        mean = np.average(seen, axis=0, weights=weights)
        albedo = np.maximum(mean / max(float(luminance(mean)), 1e-6) * ALBEDO, 1e-6)
        found = spherical_harmonics.fit(seen / albedo, normals[chosen], weights)
        return spherical_harmonics.environment(found)

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """Lambert's law, the photo being the albedo.

        Args:
            view: the face.
            normals: ``(128, 128, 3)`` unit, camera frame.
            environment: the light already there; not looked at.
            light: the key.

        Returns:
            ``(128, 128, 3)`` float32 >= 0.
        """
        shading = visibility(normals, light.direction)
        return np.repeat(shading[..., None], 3, -1)

    def close(self) -> None:
        """Do nothing: nothing is held."""
