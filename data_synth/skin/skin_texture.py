# SPDX-License-Identifier: Apache-2.0
"""The skin's maps: colour from pigments, then lips, make-up, brows, stubble, gloss and relief.

References:
    Weyrich et al. 2006, "Analysis of Human Faces using a Measurement-Based Skin Reflectance Model"
    (gloss by facial region).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_synth.hair.facial_hair import beard_density, brow_density
from data_synth.hair.hair_color import base_color, natural_color
from data_synth.hair.hair_style import scalp_density
from data_synth.head.curve import NOSE_TIP
from data_synth.head.head import Part
from data_synth.noise import blob, fractal, smoothstep, value_noise
from data_synth.skin.atlas import Atlas
from data_synth.skin.complexion import pigments
from data_synth.skin.makeup import lip_layer, lip_map, makeup_layers
from data_synth.skin.skin import look_up_color, skin_color
from data_synth.skin.wrinkle import wrinkle_map
from data_synth.subject import Texture
from data_synth.trait import Traits, generator

Float = NDArray[np.float32]

STUBBLE = {"none": 0.25, "stubble": 0.6, "short full": 0.6, "full": 0.6}
"""Shadow of the beard below the skin, by style; the clean-shaven keep some."""


def paint_skin(
    atlas: Atlas,
    traits: Traits,
    brow: NDArray[np.float64],
    source: str,
    seed: int,
    photographed: tuple[Float, Float] | None = None,
) -> Texture:
    """All maps of the skin.

    Args:
        atlas: where the texture's pixels lie.
        traits: of the person.
        brow: ``(N, 2)`` middle line of the left brow.
        source: of the head; with ``seed`` it fixes all randomness.
        seed: of the person.
        photographed: albedo ``(H, W, 3)`` of bare skin, lips included, and how far it takes the
            place of the one made of pigments ``(H, W)``.
    """
    rng = generator(source, seed, "skin texture")
    p = atlas.canonical
    face = atlas.part <= Part.NECK
    melanin, blood = pigments(atlas, traits, rng)
    wrinkles = wrinkle_map(atlas, traits, generator(source, seed, "wrinkle"))
    # Folds hold less light and a little more blood.
    albedo = look_up_color(melanin * (1 + 0.15 * wrinkles), blood * (1 + 0.25 * wrinkles))
    albedo *= 1 - 0.10 * np.minimum(wrinkles, 1)[..., None]
    lips = lip_map(atlas)
    layers = [lip_layer(lips, traits)]
    if photographed is not None:
        albedo += photographed[1][..., None] * (photographed[0] - albedo)
        layers = layers if traits.lipstick != "none" else []
    made_up = generator(source, seed, "makeup texture")
    grain = np.clip(0.65 + 0.45 * rng.standard_normal(p.shape[:2], np.float32), 0, 1.3)
    for color, opacity in [*layers, *makeup_layers(atlas, traits, made_up)]:
        albedo += opacity[..., None] * (color.astype(np.float32) - albedo)
    brows = 0.5 * brow_density(p, brow, traits.brow_weight) * (0.75 + 0.3 * grain)
    beard = _beard_shadow(atlas, traits) * grain
    scalp = scalp_density(p, traits) * (0.7 + 0.3 * grain) * _scalp_cover(traits)
    scalp *= 0.85 + 0.15 * value_noise(p, 1.5, rng)
    own = base_color(natural_color(traits.hair_color), traits.grey)
    head = base_color(traits.hair_color, traits.grey)
    for opacity, hair, tint in ((brows, own, 0.8), (beard, own, 0.7), (scalp, head, 0.75)):
        bluish = np.array([0.006, 0.008, 0.010], np.float32)
        albedo += np.clip(opacity, 0, 0.9)[..., None] * (hair * tint + bluish - albedo)
    inner = skin_color(min(traits.melanin, 0.05), 0.12)
    albedo[atlas.part == Part.MOUTH] = [0.22, 0.05, 0.045]
    albedo[atlas.part == Part.SOCKET] = inner * [0.8, 0.7, 0.7]
    meso = fractal(p, 0.9, 2, rng)
    rough = _roughness(p, traits) - 0.08 * lips + 0.02 * meso
    rough += 0.15 * np.clip(brows + scalp, 0, 1) + 0.05 * np.minimum(wrinkles, 1)
    if traits.makeup > 0:  # powder
        rough += 0.05 * traits.makeup * (lips < 0.5)
    if traits.lipstick in ("red", "plum"):
        rough -= 0.08 * lips
    specular = (1 + 0.15 * meso) * (1 - 0.5 * brows) * (1 - 0.5 * np.clip(scalp, 0, 1))
    specular *= 1 - 0.3 * np.clip(beard, 0, 1)
    return Texture(
        albedo=np.clip(albedo, 0.004, 0.95).astype(np.float32),
        roughness=np.clip(rough, 0.24, 0.8).astype(np.float32),
        specular=np.clip(np.where(face, specular, 0.7), 0.3, 1.6).astype(np.float32),
        height=_relief(p, lips, wrinkles, traits, rng),
    )


def _beard_shadow(atlas: Atlas, traits: Traits) -> Float:
    """Opacity of hair below and on the skin where a beard would grow."""
    if traits.femininity > 0.5 or traits.age_years < 18:
        return np.zeros(atlas.part.shape, np.float32)
    strength = STUBBLE.get(traits.beard, 0.45)
    style = "full" if traits.beard == "none" else traits.beard
    shaved = 0.2 * beard_density(atlas.canonical, "full")
    grown = strength * beard_density(atlas.canonical, style)
    return np.asarray(np.maximum(grown, shaved) * (atlas.part <= Part.NECK), np.float32)


def _scalp_cover(traits: Traits) -> float:
    return {"bald": 0.22, "buzz": 0.7}.get(traits.hair_style, 0.75)


def _roughness(p: Float, traits: Traits) -> Float:
    """Perceptual roughness: glossy forehead, nose and cheekbones, matte elsewhere."""
    oil = np.float32(0.4 + traits.oiliness * 5)
    zone = 0.07 * blob(p, [0, 9, 10], [5, 3, 4]) + 0.10 * blob(p, NOSE_TIP, [1.5, 3, 2])
    for s in (-1.0, 1.0):
        zone += 0.06 * blob(p, [s * 4, 1, 9], [2, 1.5, 3])
    dry = 0.03 * np.clip((traits.age_years - 50) / 30, 0, 1)
    return np.float32(0.49 + dry) - oil * zone


def _relief(
    p: Float, lips: Float, wrinkles: Float, traits: Traits, rng: np.random.Generator
) -> Float:
    """Height in cm: pores, mesoscale, lip creases, wrinkles."""
    age = np.float32(np.clip((traits.age_years - 30) / 50, 0, 1))
    pores = 0.0035 * fractal(p, 8.0, 2, rng)
    meso = 0.006 * fractal(p, 2.5, 2, rng) + (0.010 + 0.012 * age) * fractal(p, 0.9, 2, rng)
    creases = 0.02 * lips * value_noise(p * np.array([6, 0.8, 1.0], np.float32), 1.0, rng)
    still = smoothstep(p[..., 1], -5.0, -4.0) + 0.4
    carved = (0.035 + 0.05 * age) * wrinkles
    return (pores + meso * np.minimum(still, 1) + creases - carved).astype(np.float32)
