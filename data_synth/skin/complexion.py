# SPDX-License-Identifier: Apache-2.0
"""Where on the skin there is more or less melanin and blood."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_synth.head.curve import CHIN, NOSE_TIP
from data_synth.noise import blob, fractal, smoothstep
from data_synth.skin.atlas import PIXELS_PER_CM, Atlas, blank_canvas, blur
from data_synth.trait import Traits, darkness

Float = NDArray[np.float32]


def pigments(atlas: Atlas, traits: Traits, rng: np.random.Generator) -> tuple[Float, Float]:
    """Melanin and blood over the skin's texture, ``(H, W)`` each, as volume fractions."""
    p = atlas.canonical
    dark = darkness(traits.melanin)
    age = np.clip((traits.age_years - 40) / 40, 0, 1)
    broad, middle = fractal(p, 0.12, 3, rng), fractal(p, 0.6, 3, rng)
    fine = fractal(p, 3.0, 2, rng)
    even = 1 - 0.5 * dark
    melanin = even * ((0.08 + 0.04 * age) * broad + (0.05 + 0.05 * age) * middle + 0.035 * fine)
    veins = 1 - 0.6 * dark
    blood = veins * (0.12 * broad + (0.15 + 0.08 * age) * middle + 0.09 * fine)
    red = traits.redness * veins
    ring = rng.uniform(0.2, 0.9) * (0.8 + 0.5 * age)
    for s in (-1.0, 1.0):
        blood += red * 0.55 * blob(p, [s * 4.2, -0.3, 9.5], [1.7, 1.5, 2.5])
        blood += (0.2 + red * 0.5) * blob(p, [s * 8.3, 2.2, -0.5], [1.3, 2.6, 2.5])
        blood += ring * 0.45 * blob(p, [s * 3.1, 2.3, 9.2], [1.5, 0.7, 1.5])
        melanin += even * ring * 0.22 * blob(p, [s * 3.1, 2.4, 9.2], [1.6, 0.75, 1.5])
        melanin += 0.15 * blob(p, [s * 3.1, 4.3, 9.3], [1.6, 0.5, 1.5])
        blood += 0.2 * veins * blob(p, [s * 3.1, 4.2, 9.3], [1.6, 0.5, 1.5])
        # Reddish rims of the lids and the corners by the nose.
        blood += 0.5 * veins * blob(p, [s * 1.8, 3.2, 9.1], [0.25, 0.2, 0.5])
        blood += 0.25 * blob(p, [s * 1.6, -0.6, 11.2], [0.6, 0.8, 1.0])
    blood += red * 0.55 * blob(p, NOSE_TIP, [1.1, 1.0, 1.2])
    blood += 0.25 * blob(p, CHIN, [1.6, 1.2, 1.5])
    melanin += 0.10 * blob(p, [0, 9, 10], [6, 3, 5]) + 0.12 * dark * blob(p, [0, -3, 10], [3, 2, 3])
    melanin -= 0.14 * smoothstep(p[..., 1], -8.0, -13.0)
    melanin += _spots(atlas, traits, rng) + _moles(atlas, traits, rng)
    blood += 0.5 * _blemishes(atlas, rng)
    return traits.melanin * np.exp(melanin), traits.blood * np.exp(blood)


def _spots(atlas: Atlas, traits: Traits, rng: np.random.Generator) -> Float:
    """Freckles, and the sun spots of age, as an addition to the logarithm of melanin."""
    canvas = blank_canvas()
    light = 1 - darkness(traits.melanin)
    age = np.clip((traits.age_years - 45) / 30, 0, 1)
    total = np.zeros_like(canvas)
    # Small freckles crowd on cheeks and nose; larger spots anywhere, more with age.
    for number, size, strength, crowded in (
        (traits.freckles * 1500, 0.045, 0.35 + 0.75 * traits.freckles, True),
        (60 + 160 * traits.freckles, 0.07, 0.3, False),
        (70 * age * (0.4 + light), 0.13, 0.45, False),
    ):
        canvas[:] = 0
        n = int(number)
        x = rng.normal(0, 3.6, n) if crowded else rng.uniform(-7, 7, n)
        y = rng.normal(1.0, 1.9, n) if crowded else rng.uniform(-9, 10, n)
        row = np.clip(((12 - y) * PIXELS_PER_CM).astype(int), 0, canvas.shape[0] - 1)
        column = np.clip(((x + 8) * PIXELS_PER_CM).astype(int), 0, canvas.shape[1] - 1)
        canvas[row, column] = rng.uniform(0.2, 1, n)
        peak = 2 * np.pi * (size * PIXELS_PER_CM) ** 2
        total += np.minimum(blur(canvas, size) * peak, 1.2) * np.float32(strength)
    spread: Float = atlas.from_canvas(total)
    return spread


def _moles(atlas: Atlas, traits: Traits, rng: np.random.Generator) -> Float:
    p = atlas.canonical
    total = np.zeros(p.shape[:2], np.float32)
    for _ in range(traits.moles):
        at = [rng.uniform(-7, 7), rng.uniform(-14, 9)]
        size = rng.uniform(0.07, 0.17)
        away = np.hypot(p[..., 0] - at[0], p[..., 1] - at[1])
        total += rng.uniform(0.8, 1.6) * smoothstep(away, size * 1.4, size * 0.7) * (p[..., 2] > 2)
    return total


def _blemishes(atlas: Atlas, rng: np.random.Generator) -> Float:
    canvas = blank_canvas()
    number = int(rng.integers(8, 70))
    canvas[rng.integers(0, canvas.shape[0], number), rng.integers(0, canvas.shape[1], number)] = (
        rng.uniform(0, 1, number)
    )
    peak = 2 * np.pi * (0.12 * PIXELS_PER_CM) ** 2
    return atlas.from_canvas(np.minimum(blur(canvas, 0.12) * peak, 1))
