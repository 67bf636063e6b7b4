# SPDX-License-Identifier: Apache-2.0
"""What people wear on their heads: headwear, glasses, earrings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from data_synth.garment import Bust, Piece
from data_synth.head import Head
from data_synth.mouth import plain
from data_synth.subject import Texture
from data_synth.trait import Traits

Float = NDArray[np.float32]


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
    """Put on what the traits name."""
    return Wear()
