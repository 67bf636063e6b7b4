# SPDX-License-Identifier: Apache-2.0
"""Lips, lipstick, eye shadow, liner and blush: layers of colour over the skin."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_synth.head.curve import UPPER_LID, closed_lips, mirrored, smooth
from data_synth.noise import blob
from data_synth.skin.atlas import Atlas, blank_canvas, blur, draw_lines, fill
from data_synth.skin.skin import skin_color
from data_synth.trait import Traits

Float = NDArray[np.float32]

LIPSTICKS = {
    "red": (0.42, 0.025, 0.035),
    "rose": (0.48, 0.14, 0.16),
    "plum": (0.17, 0.03, 0.06),
    "nude": (0.42, 0.2, 0.15),
}
SHADOWS = ((0.10, 0.06, 0.05), (0.16, 0.09, 0.10), (0.05, 0.05, 0.06), (0.12, 0.10, 0.18))


class Layer(NamedTuple):
    """A colour over the skin; ``opacity`` is ``(H, W)`` in [0, 1]."""

    color: NDArray[np.float64]
    opacity: Float


def lip_map(atlas: Atlas) -> Float:
    """1 on the lips, ``(H, W)``; both their outside and where they turn into the mouth."""
    canvas = blank_canvas()
    rim = closed_lips()
    closed = np.concatenate([rim, rim[:1]])
    fill(canvas, smooth(closed, 120))
    return atlas.from_canvas(blur(canvas, 0.06))


def lip_layer(lips: Float, traits: Traits) -> Layer:
    """Bare lips, thin-skinned, or lipstick."""
    bare = skin_color(traits.melanin * 0.9 + 0.012, np.clip(traits.blood * 3.0 + 0.05, 0.05, 0.22))
    bare = bare * [0.97, 0.86, 0.88]
    if traits.lipstick == "none":
        return Layer(bare, 0.72 * lips)
    color = 0.75 * np.array(LIPSTICKS[traits.lipstick]) + 0.25 * bare
    return Layer(color, (0.5 + 0.4 * traits.makeup) * lips)


def makeup_layers(atlas: Atlas, traits: Traits, rng: np.random.Generator) -> list[Layer]:
    """Eye shadow, liner and blush, in the order in which they are put on."""
    color = np.array(SHADOWS[int(rng.integers(len(SHADOWS)))])
    wing = float(rng.uniform(0.0, 0.45))
    if traits.makeup <= 0:
        return []
    lid = smooth(UPPER_LID, 30)
    shadow, liner = blank_canvas(), blank_canvas()
    for side in (lid, mirrored(lid)):
        band = np.concatenate([side, side[::-1] * [1.02, 1] + [0, 0.75]])
        fill(shadow, band)
        tail = side[-1] + np.array([np.sign(side[-1, 0]) * wing, 0.5 * wing])
        line = np.concatenate([side[4:], tail[None]])
        line[:, 1] += 0.03
        draw_lines(liner, [line], 1.0, 0.09)
    p = atlas.canonical
    cheeks = blob(p, [4.6, 0.2, 9], [1.5, 0.9, 2]) + blob(p, [-4.6, 0.2, 9], [1.5, 0.9, 2])
    blush = skin_color(traits.melanin, min(0.2, traits.blood * 4))
    return [
        Layer(np.asarray(blush), 0.45 * traits.makeup * cheeks),
        Layer(color, 0.5 * traits.makeup * atlas.from_canvas(blur(shadow, 0.18))),
        Layer(np.full(3, 0.01), 0.9 * traits.makeup * atlas.from_canvas(blur(liner, 0.02))),
    ]
