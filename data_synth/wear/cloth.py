# SPDX-License-Identifier: Apache-2.0
"""Cloth: colours, patterns and weave of garments and headwear, in the quarters of one texture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_synth.subject import Texture
from data_synth.trait import Traits

Float = NDArray[np.float32]

CM_PER_QUARTER = 60.0


def paint_cloth(traits: Traits, size: int, rng: np.random.Generator) -> Texture:
    """Maps of all cloth, ``(size, size)``: garment, inner garment, headwear and trim."""
    half = size // 2
    main, second = _color(rng), _color(rng)
    inner = np.array([0.72, 0.72, 0.7]) if rng.random() < 0.5 else _color(rng)
    head = _color(rng)
    plain_head = "plain" if rng.random() < 0.75 else "stripes"
    trim = main if rng.random() < 0.7 else second
    quarters = [
        _pattern(traits.pattern, main, second, half, rng),
        _pattern(plain_head, head, second, half, rng),
        _pattern("plain", inner, inner, half, rng),
        _pattern("plain", trim, trim, half, rng),
    ]
    albedo = np.concatenate([np.concatenate(quarters[:2], 1), np.concatenate(quarters[2:], 1)], 0)
    albedo = np.pad(albedo, ((0, size - 2 * half), (0, size - 2 * half), (0, 0)), mode="edge")
    weave = rng.standard_normal((size, size)).astype(np.float32)
    rough = float(rng.uniform(0.6, 0.9))
    albedo = albedo * (1 + 0.05 * weave[..., None])
    return Texture(
        albedo=np.clip(albedo, 0.01, 0.85).astype(np.float32),
        roughness=np.clip(rough + 0.03 * weave, 0.3, 1).astype(np.float32),
        specular=np.full((size, size), rng.uniform(0.4, 1.0), np.float32),
        height=(0.008 * weave).astype(np.float32),
    )


def _color(rng: np.random.Generator) -> NDArray[np.float64]:
    """A linear cloth colour: many greys, blues and muted tones, some bright ones."""
    import colorsys

    kind = rng.random()
    if kind < 0.35:
        value = float(np.exp(rng.uniform(np.log(0.015), np.log(0.75))))
        return np.clip(value * np.array([1, 1, 1]) * rng.uniform(0.93, 1.07, 3), 0.012, 0.8)
    hue = rng.normal(0.6, 0.06) if kind < 0.6 else rng.random()
    saturation = rng.uniform(0.15, 0.6) if kind < 0.85 else rng.uniform(0.65, 0.92)
    value = rng.uniform(0.2, 0.88)
    encoded = np.array(colorsys.hsv_to_rgb(float(hue) % 1, float(saturation), float(value)))
    return np.clip(encoded**2.2, 0.012, 0.8)


def _pattern(
    name: str,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    size: int,
    rng: np.random.Generator,
) -> Float:
    y, x = np.mgrid[:size, :size] * (CM_PER_QUARTER / size)
    period = float(rng.uniform(1.2, 5.0))
    share = float(rng.uniform(0.2, 0.5))
    if name == "stripes":
        phase = (x if rng.random() < 0.35 else y) / period % 1
        mask = (phase < share).astype(float)
    elif name == "checks":
        mask = 0.5 * ((x / period % 1 < share).astype(float) + (y / period % 1 < share))
    elif name == "dots":
        px, py = x / period % 1 - 0.5, y / period % 1 - 0.5
        mask = (np.hypot(px, py) < 0.24).astype(float)
    elif name == "heather":
        mask = np.clip(0.3 + 0.25 * rng.standard_normal((size, size)), 0, 0.8)
        second = np.clip(first * 2.2 + 0.03, 0, 0.8)
    else:
        mask = np.zeros((size, size))
    return (first + mask[..., None] * (second - first)).astype(np.float32)
