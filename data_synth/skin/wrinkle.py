# SPDX-License-Identifier: Apache-2.0
"""Wrinkles: drawn as lines on the face's front, carved into the skin's height.

Placed where facial muscles fold the skin: across the forehead, between the brows, at the outer eye
corners, below the eyes, from the nose to the mouth's corners and down from these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_synth.head.curve import mirrored, smooth
from data_synth.noise import smoothstep
from data_synth.skin.atlas import Atlas, blank_canvas, blur, draw_lines
from data_synth.trait import Traits

Float = NDArray[np.float32]
Line = NDArray[np.float64]

RAISING, FROWNING = ("surprise",), ("frown", "squint")
SMILING = ("smile", "grin", "smirk", "squint")


def wrinkle_map(atlas: Atlas, traits: Traits, rng: np.random.Generator) -> Float:
    """Depth of wrinkles ``(H, W)`` in [0, 1]; all face, no neck."""
    age = traits.wrinkles
    strength = traits.expression_strength
    raised = strength * (traits.expression in RAISING)
    frown = strength * (traits.expression in FROWNING)
    smile = strength * (traits.expression in SMILING)
    fine, deep = blank_canvas(), blank_canvas()
    for line in _forehead(rng):
        draw_lines(fine, [line], _level(rng, 0.85 * age + 0.5 * raised), 0.05)
    for s in (-1.0, 1.0):
        x = rng.uniform(0.45, 0.7)
        glabella = np.array([[s * x, 5.1], [s * (x + 0.12), 5.9], [s * (x + 0.05), 6.9]])
        draw_lines(fine, [smooth(glabella, 12)], _level(rng, 0.8 * age + 0.6 * frown), 0.06)
    left = _crow_feet(rng)
    for line in [*left, *map(mirrored, _crow_feet(rng))]:
        draw_lines(fine, [line], _level(rng, 0.8 * age + 0.45 * smile), 0.04)
    for side in (_lower_lid(rng), list(map(mirrored, _lower_lid(rng)))):
        for line in side:
            draw_lines(fine, [line], _level(rng, 0.15 + 0.75 * age + 0.15 * smile), 0.05)
    for flip in (False, True):
        fold = smooth(
            np.array([[1.75, -0.4], [2.35, -1.3], [2.9, -2.4], [3.25, -3.6], [3.2, -4.3]])
            + rng.normal(0, 0.06, (5, 2)),
            24,
        )
        down = smooth(np.array([[2.75, -3.9], [3.05, -4.7], [3.05, -5.7]]), 12)
        for line, amount in ((fold, 0.1 + 0.65 * age + 0.2 * smile), (down, 0.75 * age - 0.2)):
            draw_lines(deep, [mirrored(line) if flip else line], _level(rng, amount), 0.10)
    for x in np.linspace(-1.9, 1.9, 11) + rng.normal(0, 0.08, 11):  # upper lip
        line = np.array([[x, -2.5 + 0.05 * abs(x)], [x * 1.08, -1.7 - rng.uniform(0, 0.3)]])
        draw_lines(fine, [line], _level(rng, 0.55 * age - 0.25), 0.035)
    front: Float = atlas.from_canvas(1.6 * blur(fine, 0.035) + 1.6 * blur(deep, 0.10))
    return np.minimum(front + _neck_rings(atlas, age, rng), 1.2)


def _level(rng: np.random.Generator, amount: float) -> float:
    return float(np.clip(amount * rng.uniform(0.6, 1.15), 0, 1))


def _forehead(rng: np.random.Generator) -> list[Line]:
    lines = []
    for y in np.arange(7.1, 9.9, 0.62) + rng.normal(0, 0.1):
        start, end = rng.uniform(-4.6, -2.2), rng.uniform(2.2, 4.6)
        x = np.linspace(start, end, 40)
        wave = 0.22 * np.cos(x * 0.75 + rng.normal(0, 0.5)) + rng.normal(0, 0.03, 40)
        lines.append(np.stack([x, y + wave - 0.008 * x**2], 1))
    return lines


def _crow_feet(rng: np.random.Generator) -> list[Line]:
    lines = []
    for angle in np.radians(np.array([28, 8, -12, -30]) + rng.normal(0, 5, 4)):
        length = rng.uniform(0.8, 1.5)
        t = np.linspace(0, 1, 10)
        x = 4.85 + length * t * np.cos(angle)
        y = 3.35 + length * t * np.sin(angle) - 0.15 * np.sin(np.pi * t)
        lines.append(np.stack([x, y], 1))
    return lines


def _lower_lid(rng: np.random.Generator) -> list[Line]:
    bag = smooth(np.array([[1.6, 2.6], [2.3, 2.1], [3.2, 1.95], [4.2, 2.3]]), 20)
    return [bag + rng.normal(0, 0.04, 2), bag * [0.95, 1] + [0.1, 0.35]]


def _neck_rings(atlas: Atlas, age: float, rng: np.random.Generator) -> Float:
    p = atlas.canonical
    around = smoothstep(p[..., 2], -2.0, 2.0) * smoothstep(p[..., 1], -9.0, -9.6)
    total = np.zeros(p.shape[:2], np.float32)
    for y in (-10.2, -11.9):
        height = y + rng.normal(0, 0.2) + 0.03 * p[..., 0] ** 2 + 0.1 * np.sin(p[..., 0] * 1.3)
        total += np.exp(-0.5 * ((p[..., 1] - height) / 0.07) ** 2)
    return total * around * np.float32(np.clip(0.25 + 0.6 * age, 0, 1))
