# SPDX-License-Identifier: Apache-2.0
"""The eye's texture: pupil, iris, limbus, sclera, painted by angle from the eye's axis.

The iris is painted on the outer shell, cornea included; its own relief lies too deep behind the
cornea to matter at portrait sizes, while the cornea's highlight does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_synth.head.head import EYE_UV_POWER, LIMBUS_DEG
from data_synth.noise import smoothstep
from data_synth.subject import Texture
from data_synth.trait import Traits

Float = NDArray[np.float32]

IRISES = {
    "dark brown": (0.028, 0.014, 0.008),
    "brown": (0.075, 0.034, 0.014),
    "hazel": (0.14, 0.085, 0.03),
    "green": (0.12, 0.13, 0.055),
    "blue": (0.13, 0.21, 0.31),
    "grey": (0.19, 0.22, 0.24),
}


def paint_eye(traits: Traits, size: int, rng: np.random.Generator) -> Texture:
    """Maps of both eyes, ``(size, size)``; the pupil is in the middle."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    x, y = (x + 0.5) / size - 0.5, 0.5 - (y + 0.5) / size
    angle = np.degrees(np.pi * (2 * np.hypot(x, y)) ** (1 / EYE_UV_POWER))
    turn = np.arctan2(y, x)
    r = angle / LIMBUS_DEG
    pupil = rng.uniform(0.26, 0.42)

    aged = np.clip((traits.age_years - 30) / 60, 0, 1)
    white = np.array([0.53, 0.50, 0.47]) * rng.uniform(0.85, 1.05) - aged * np.array(
        [0, 0.02, 0.07]
    )
    away = smoothstep(angle, 30, 80)
    red = away[..., None] * rng.uniform(0.25, 0.6) * np.array([0.12, 0.75, 0.75])
    albedo = (white * (1 - red)).astype(np.float32)
    albedo *= 1 - 0.25 * _fibres(turn, r, rng, 9)[..., None] * away[..., None] * [0.1, 0.9, 0.9]

    base = np.array(IRISES[traits.iris]) * np.exp(rng.normal(0, 0.18)) * 0.8
    streaks = 1 + 0.38 * _fibres(turn, r, rng, 14)
    inner = smoothstep(np.abs(r - pupil - 0.12), 0.22, 0.0)
    warm = np.array([1.25, 0.95, 0.6]) if traits.iris in ("green", "grey", "hazel") else 1.15
    iris = base * streaks[..., None]
    iris = iris * (1 + inner[..., None] * 0.5 * np.asarray(warm))
    iris *= np.clip((1.05 - r) / 0.2, 0.22, 1)[..., None]
    inside = smoothstep(r, 1.05, 0.95)[..., None]
    albedo = albedo * (1 - inside) + iris * inside
    hole = smoothstep(r, pupil + 0.04, pupil - 0.03)[..., None]
    albedo = albedo * (1 - hole) + 0.003 * hole
    wet = np.full((size, size), 0.12, np.float32)
    return Texture(
        albedo=np.clip(albedo, 0.002, 0.9).astype(np.float32),
        roughness=np.where(r < 1.1, np.float32(0.08), wet).astype(np.float32),
        specular=np.ones((size, size), np.float32),
        height=np.zeros((size, size), np.float32),
    )


def _fibres(turn: Float, r: Float, rng: np.random.Generator, waves: int) -> Float:
    """Radial streaks of mean 0, about [-1, 1]."""
    total = np.zeros_like(turn)
    for k in range(waves):
        phase, bend = rng.uniform(0, 2 * np.pi), rng.normal(0, 1.2)
        total += np.sin(turn * (5 * k + 4) + phase + bend * r) / np.float32(np.sqrt(k + 1))
    return np.clip(total * 0.5, -1.2, 1.2)
