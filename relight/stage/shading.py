# SPDX-License-Identifier: Apache-2.0
"""Shading: how bright light makes a surface, for a key light and for the light already there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance
from relight.environment import HEIGHT, Environment, directions

Float = NDArray[np.float32]

SHADING_LIMIT = 2.5
"""Darkest and brightest existing light, in logarithms against the mean, that is divided by."""
NO_LIGHT = 1e-6
"""Irradiance that darkness counts as, so that its logarithm is finite; the limit hides it."""


def visibility(normals: Float, direction: NDArray[Any]) -> Float:
    """Light visibility map ``max(0, n.l)`` of Lambert's law, ``(R, R)``."""
    return np.maximum(normals @ np.asarray(direction, np.float32), 0)


def shading(environment: Environment, normals: Float, face: NDArray[np.bool_]) -> Float:
    """How bright the light already there makes a white surface, against the face's mean.

    Args:
        environment: the existing light.
        normals: ``(R, R, 3)`` camera frame, unit on the person, 0 outside.
        face: ``(R, R)`` the visible face.

    Returns:
        ``(R, R, 3)`` float32: natural logarithm of the irradiance over its luminance's mean on the
        face, within plus and minus :data:`SHADING_LIMIT`; 0 outside the person.
    """
    # Irradiance is smooth: a table over the map's directions is exact to a percent.
    table = Environment(environment.irradiance(directions(HEIGHT)))
    irradiance = table.sample(normals)
    mean = luminance(irradiance[face]).mean() if face.any() else luminance(table.data).mean()
    relative = np.log(np.maximum(irradiance, NO_LIGHT) / max(float(mean), NO_LIGHT))
    limited = np.clip(relative, -SHADING_LIMIT, SHADING_LIMIT)
    return (limited * (normals**2).sum(-1, keepdims=True)).astype(np.float32)
