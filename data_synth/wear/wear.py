# SPDX-License-Identifier: Apache-2.0
"""What people wear on their heads: puts headwear, glasses and earrings together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from data_synth.head.head import Head
from data_synth.head.mouth import plain
from data_synth.subject import Texture
from data_synth.trait import Traits
from data_synth.wear.earring import make_earrings
from data_synth.wear.garment import Bust, Piece
from data_synth.wear.glasses import make_glasses
from data_synth.wear.headwear import Skull, make_headwear

Float = NDArray[np.float32]

METALS = ((0.75, 0.56, 0.28), (0.68, 0.67, 0.65), (0.72, 0.46, 0.36))
"""Reflectance of gold, silver and rose gold."""
RIM_COLORS = ((0.012, 0.011, 0.010), (0.07, 0.03, 0.014), (0.02, 0.03, 0.08), (0.18, 0.02, 0.03))


@dataclass(frozen=True)
class Wear:
    """Pieces worn.

    Attributes:
        cloth: of headwear.
        frames: glasses and earrings.
        frame_texture: their maps, glasses left and earrings right.
        hides_hair: whether no scalp hair shows at all.
        covers: tells of points ``(S, K, 3)`` whether headwear covers them; ``None``: none worn.
    """

    cloth: list[Piece] = field(default_factory=list)
    frames: list[Piece] = field(default_factory=list)
    frame_texture: Texture = field(default_factory=lambda: plain(np.full(3, 0.02), 0.25, 8))
    hides_hair: bool = False
    covers: Callable[[Float], NDArray[np.bool_]] | None = None


def dress(head: Head, bust: Bust, traits: Traits, rng: np.random.Generator) -> Wear:
    """Put on what the traits name.

    Args:
        head: the bare head.
        bust: for what falls on the shoulders.
        traits: what is worn.
        rng: draws sizes and colours; each piece spawns its own, so that none changes another.
    """
    for_headwear, for_glasses, for_rings, for_color = rng.spawn(4)
    cloth: list[Piece] = []
    frames: list[Piece] = []
    covers = None
    if traits.headwear != "none":
        cloth, covers = make_headwear(head, bust, traits.headwear, for_headwear)
    if traits.glasses != "none":
        frames += make_glasses(head, Skull(head), traits.glasses, for_glasses)
    if traits.earrings != "none":
        frames += make_earrings(head, traits.earrings, for_rings)
    return Wear(
        cloth=cloth,
        frames=frames,
        frame_texture=_paint(traits, for_color),
        hides_hair=traits.headwear in ("headscarf", "turban"),
        covers=covers,
    )


def _paint(traits: Traits, rng: np.random.Generator) -> Texture:
    """Glasses' maps left, earrings' right; metal has no diffuse colour and reflects most light."""
    plastic = np.array(RIM_COLORS[int(rng.choice(len(RIM_COLORS), p=[0.6, 0.25, 0.08, 0.07]))])
    metal = np.array(METALS[int(rng.integers(len(METALS)))])
    size = 32
    left = plain(0.25 * metal if traits.glasses == "wire" else plastic, 0.28, size)
    right = plain(0.3 * metal, 0.24, size)
    # Reflectance at normal incidence is one number here: the metal's mean.
    shine = 9.0 if traits.glasses == "wire" else 1.0

    def join(a: Float, b: Float) -> Float:
        return np.concatenate([a[:, : size // 2], b[:, size // 2 :]], 1)

    return Texture(
        albedo=join(left.albedo, right.albedo),
        roughness=join(left.roughness, right.roughness),
        specular=join(left.specular * np.float32(shine), right.specular * np.float32(12.0)),
        height=left.height,
    )
