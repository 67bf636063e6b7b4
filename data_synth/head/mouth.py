# SPDX-License-Identifier: Apache-2.0
"""Teeth, gums and tongue: plain maps, since little of them is ever seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_synth.subject import Texture
from data_synth.trait import Traits

Float = NDArray[np.float32]


def paint_teeth(traits: Traits, size: int, rng: np.random.Generator) -> Texture:
    """Off-white, yellower with age."""
    age = np.clip((traits.age_years - 20) / 60, 0, 1)
    color = np.array([0.56, 0.50, 0.42]) * rng.uniform(0.85, 1.1) - age * np.array(
        [0.06, 0.09, 0.14]
    )
    return plain(color, 0.3, size)


def paint_gums(traits: Traits, size: int, rng: np.random.Generator) -> Texture:
    """Red, wet, brownish on dark skin."""
    pigment = np.clip(traits.melanin * 1.5, 0, 0.5)
    color = np.array([0.38, 0.13, 0.12]) * rng.uniform(0.85, 1.1) * (1 - 0.6 * pigment)
    return plain(color, 0.32, size)


def plain(
    color: NDArray[np.float64], roughness: float, size: int, specular: float = 1.0
) -> Texture:
    """Maps of one colour."""
    flat = np.ones((size, size), np.float32)
    return Texture(
        albedo=np.clip(flat[..., None] * np.asarray(color, np.float32), 0, 1),
        roughness=flat * np.float32(roughness),
        specular=flat * np.float32(specular),
        height=flat * 0,
    )
