# SPDX-License-Identifier: Apache-2.0
"""Earrings: studs, hoops and drops, hung on the lobes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_synth.head.head import Head, Part
from data_synth.wear.garment import Piece
from data_synth.wear.tube import make_tube

UV = (0.75, 0.5)


def make_earrings(head: Head, kind: str, rng: np.random.Generator) -> list[Piece]:
    """A pair of earrings.

    Args:
        head: its lobes are found by canonical position.
        kind: ``stud``, ``hoop`` or ``drop``.
        rng: draws the size.
    """
    size = float(rng.uniform(0.8, 1.25))
    hoop = float(rng.uniform(0.7, 2.2))
    pieces = []
    for side in (-1.0, 1.0):
        lobe = find_lobe(head, side)
        if kind == "stud":
            pieces.append(_ball(lobe + np.array([side * 0.12, 0, 0]), 0.24 * size))
        elif kind == "hoop":
            pieces.append(_ring(lobe + np.array([side * 0.05, -hoop + 0.1, 0]), hoop, 0.09 * size))
        else:
            pieces.append(_ball(lobe + np.array([side * 0.1, 0, 0]), 0.16 * size))
            drop = lobe + np.array([side * 0.15, -1.3 * size, 0])
            line = np.linspace(lobe + np.array([side * 0.12, -0.1, 0]), drop, 5)
            up = np.array([0.0, 0, 1])
            pieces.append(make_tube(line, 0.04, 0.04, up, closed=False, uv_center=UV))
            pieces.append(_ball(drop, 0.33 * size, tall=1.6))
    return pieces


def find_lobe(head: Head, side: float) -> NDArray[np.float64]:
    """Middle of an ear lobe's outside."""
    mean = head.canonical
    used = np.unique(head.faces[head.part <= Part.NECK])
    at = mean[used]
    ear = (side * at[:, 0] > 7.2) & (np.abs(at[:, 1] + 0.2) < 1.4) & (np.abs(at[:, 2] - 0.6) < 1.8)
    if not ear.any():
        return np.array([side * 7.9, -0.6, 0.5])
    chosen = used[ear]
    low = chosen[mean[chosen, 1] < np.quantile(mean[chosen, 1], 0.3)]
    middle = head.vertices[low].astype(float).mean(0)
    middle[0] = side * (side * head.vertices[low, 0]).max()
    return middle


def _ball(center: object, radius: float, tall: float = 1.0) -> Piece:
    t = np.linspace(-1, 1, 13)
    path = np.asarray(center, float) + np.outer(t, [0, radius * tall, 0])
    wide = radius * np.sqrt(np.clip(1 - t**2, 0.0004, 1))
    return make_tube(path, wide, wide, np.array([0, 0, 1.0]), closed=False, uv_center=UV)


def _ring(center: object, radius: float, rod: float) -> Piece:
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    circle = np.stack(
        [0.25 * np.cos(turn) * radius, radius * np.sin(turn), radius * np.cos(turn)], 1
    )
    return make_tube(
        np.asarray(center, float) + circle,
        rod,
        rod,
        np.array([1.0, 0, 0]),
        closed=True,
        uv_center=UV,
    )
