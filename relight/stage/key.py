# SPDX-License-Identifier: Apache-2.0
"""What a key light does to a face of known shape: K, which no photo is needed for.

Diffuse: Lambert's law with a soft terminator, as skin has it, times the shadows that the face
throws on itself. Gloss: a lobe around the half-vector, which is white and does not depend on the
albedo, so that dark skin shines as much as fair skin.

Reference: Blinn 1977, "Models of Light Reflection for Computer Synthesized Pictures" (the lobe).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.geometry import normalize

Float = NDArray[np.float32]

SHARPNESS = 8.0
"""Of the terminator: ``log(1 + exp(s n.l)) / s``; skin leaves 10 to 20 % more light there than
Lambert's law, on ten people of Extended Yale B."""
IN_SHADOW = 0.15
"""Share of a key's light that stays in its cast shadows: light scattered by the face itself, and
shadows that the mesh draws in the wrong place."""
LOBE = 12.0
"""Power of the half-vector's cosine."""
GLOSS = 0.08
"""Radiance at the lobe's peak over that of a white surface facing the key."""


def diffuse(normals: Float, visible: Float, direction: NDArray[Any]) -> Float:
    """Diffuse shading under a key of unit irradiance.

    Args:
        normals: ``(R, R, 3)`` unit on the person, camera frame.
        visible: ``(R, R)`` share of the light that the face leaves free to be seen
            (:func:`relight.stage.cast_shadow.unshadowed`).
        direction: unit vector towards the light, camera frame.

    Returns:
        ``(R, R)`` float32 >= 0, 1 where a surface faces the light.
    """
    cosine = normals @ np.asarray(direction, np.float32)
    soft = np.logaddexp(np.float32(0), np.float32(SHARPNESS) * cosine) / np.float32(SHARPNESS)
    seen = np.float32(IN_SHADOW) + np.float32(1 - IN_SHADOW) * visible
    return (soft * seen).astype(np.float32)


def gloss(normals: Float, visible: Float, direction: NDArray[Any]) -> Float:
    """Gloss under a key of unit irradiance, over the radiance of a white surface facing it.

    Args:
        normals: ``(R, R, 3)`` unit on the person, camera frame.
        visible: as for :func:`diffuse`.
        direction: unit vector towards the light, camera frame.

    Returns:
        ``(R, R)`` float32 >= 0.
    """
    towards = np.asarray(direction, np.float32)
    half = normalize(towards + np.array([0, 0, 1], np.float32))
    lobe = np.maximum(normals @ half, 0) ** np.float32(LOBE)
    lit = np.clip(normals @ towards * np.float32(SHARPNESS), 0, 1)
    return (np.float32(GLOSS) * lobe * lit * visible).astype(np.float32)
