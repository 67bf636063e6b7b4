# SPDX-License-Identifier: Apache-2.0
"""Glasses: rims, bridge and temples, fitted to nose, eyes and ears."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_synth.head.head import Head
from data_synth.wear.garment import Piece
from data_synth.wear.headwear import Skull
from data_synth.wear.tube import make_tube

Float = NDArray[np.float32]

SHAPES = {  # exponent of the superellipse, half width, half height, lift of the outer corner, rod
    "round": (2.0, 2.25, 2.1, 0.0, 0.12),
    "rectangular": (4.5, 2.65, 1.65, 0.05, 0.16),
    "cat eye": (2.8, 2.6, 1.75, 0.55, 0.17),
    "wire": (2.6, 2.45, 1.8, 0.05, 0.06),
}
UV = (0.25, 0.5)


def make_glasses(head: Head, skull: Skull, kind: str, rng: np.random.Generator) -> list[Piece]:
    """Pieces of a pair of glasses.

    Args:
        head: landmarks place it.
        skull: for the temples' way to the ears.
        kind: one of :data:`SHAPES`.
        rng: draws size and thickness.
    """
    power, wide, tall, lift, rod = SHAPES[kind]
    scale = float(rng.uniform(0.92, 1.12))
    rod *= float(rng.uniform(0.8, 1.25))
    wide, tall = wide * scale, tall * scale
    marks = head.landmarks.astype(float)
    right, left = marks[36:42].mean(0), marks[42:48].mean(0)
    middle = (left + right) / 2
    half = max(float(left[0] - right[0]) / 2, wide + 0.7)
    bridge = marks[28]
    # Lenses stand clear of lashes and brows; the bridge rests on the nose.
    front = max(marks[37:47, 2].max() + 1.0, bridge[2] + 0.05, marks[17:27, 2].max() * 0.5 + 5.2)
    y = middle[1] - 0.25
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    c, s = np.cos(turn), np.sin(turn)
    x_rim = wide * np.sign(c) * np.abs(c) ** (2 / power)
    y_rim = tall * np.sign(s) * np.abs(s) ** (2 / power)
    y_rim = y_rim + lift * np.clip(x_rim / wide, 0, 1) * (y_rim > 0)
    pieces, hinge = [], {}
    for side in (-1.0, 1.0):
        x = side * (half + x_rim)
        wrap = -0.055 * np.maximum(np.abs(x) - 1.2, 0) ** 1.5  # faces are round
        path = np.stack([x, y + y_rim, front + wrap], 1)
        pieces.append(
            make_tube(path, rod, rod * 1.1, np.array([0, 0, 1.0]), closed=True, uv_center=UV)
        )
        outer = path[np.argmax(side * path[:, 0] + 0.5 * path[:, 1])]
        hinge[side] = outer + np.array([side * 0.1, 0, -0.1])
    t = np.linspace(-1, 1, 15)
    gap = half - wide
    arc = np.stack(
        [t * (gap + 0.1), y + 0.35 * tall + 0.35 * (1 - t**2), front + 0.12 * (1 - t**2)], 1
    )
    pieces.append(make_tube(arc, rod, rod, np.array([0, 0, 1.0]), closed=False, uv_center=UV))
    for side in (-1.0, 1.0):
        pieces.append(_temple(hinge[side], side, head, skull, rod))
    return pieces


def _temple(hinge: NDArray[np.float64], side: float, head: Head, skull: Skull, rod: float) -> Piece:
    """The arm from the hinge along the temple, over and down behind the ear."""
    ear_z, ear_y = -0.6, 4.1
    z = np.concatenate(
        [np.linspace(hinge[2], ear_z - 0.8, 24), ear_z - 0.8 - np.array([0.7, 1.3, 1.7])]
    )
    y = np.interp(z, [ear_z - 2.6, ear_z - 0.8, hinge[2]], [ear_y - 2.4, ear_y, hinge[1]])
    x = np.full(len(z), hinge[0])
    for i in range(len(z)):
        # Radially off the skin at this height and depth.
        ray = np.array([side * 7.5, y[i], z[i]]) - skull.center
        ray /= np.linalg.norm(ray)
        skin = abs((skull.center + ray * skull.radius(ray[None])[0])[0])
        x[i] = side * max(skin + 0.3, np.interp(z[i], [0, hinge[2]], [0, abs(hinge[0])]))
    spread = np.convolve(np.pad(x, 2, mode="edge"), np.ones(5) / 5, "valid")
    path = np.stack([spread, y, z], 1)
    path[0] = hinge
    return make_tube(path, rod * 0.7, rod * 1.3, np.array([0, 1.0, 0]), closed=False, uv_center=UV)
