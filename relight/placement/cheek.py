# SPDX-License-Identifier: Apache-2.0
"""The skin of both cheeks, on which key and fill are measured: not the hair or glasses over it.

What lies on a face tells its shape as little as the light explains it: a smooth light leaves no
part of a face much darker or redder than the parts that face the same way. So a light is fitted to
the face's own pixels, and what it does not explain is no skin.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight.color import LUMINANCE, luminance
from relight.face.mesh import POINTS, template
from relight.stage.analysis import SKIN
from relight.stage.view import Mask, View

Float = NDArray[np.float32]

CHEEK = 64
"""Pixels of skin by which a cheek is measured, at 128 pixels a crop: as many as lie on its flat. Of
96, some lie so far in that a ratio of 1.5 counts as 1.4."""
DARKER_STOPS = 0.8
"""Skin is not darker than the fitted light makes it by more than this: on 65 photos hair over a
cheek is so by 0.9 to 1.5, skin in hard shadow, which half of the face shares, by 0.5 at most,"""
REDDER_STOPS = 0.5
"""nor redder by more than this, red over green: red hair is by 1.0, skin in the shade by 0.4."""
ROUNDS = 5
"""Times that the light is fitted, each time to what the last one explains."""
LEAST_SKIN = 0.3
"""Share of one side of the face from which what is explained is its skin. Where it is less, as in
hard light from the other side, what is not explained is shadow."""
FIRMNESS = 1e-3
"""Weight of a light that is the same from everywhere, over that of all pixels."""
DEEP = 2e-3
"""Linear value below which colours are noise."""
STRAND = 5
"""Width in pixels of the narrowest skin beside hair that is no strand of it."""
QUARTER = 4
"""One part in so many of a cheek's values is left out of its mean, the darkest, and as many of the
brightest."""
DARKEST = 1e-4
"""Luminance that a cheek counts as having at least, so that the ratio is finite."""


class Cheeks(NamedTuple):
    """Where key and fill are measured on a face.

    Attributes:
        left: ``(128, 128)`` bool, turned to image left as the head stands upright.
        right: ``(128, 128)`` bool.
    """

    left: Mask
    right: Mask

    def brightness(self, linear: Float) -> tuple[float, float]:
        """Luminance of both on a picture of the crop, ``(128, 128, 3)`` linear light."""
        left, right = (middle(luminance(linear[side])) for side in self)
        return left, right

    def ratio(self, linear: Float) -> float:
        """Key-to-fill: the brighter over the darker, >= 1."""
        left, right = self.brightness(linear)
        return max(left, right) / min(left, right)


def cheeks(view: View) -> Cheeks:
    """The skin nearest to the flat of both cheeks.

    Where a cheek is turned away or covered, that is skin further in: beside the nose, on it in
    profile. Where only the drawn mesh is known, both are all of the face.
    """
    if view.landmarks is None:
        return Cheeks(view.face, view.face)
    skin = bare(view)
    rows, columns = np.nonzero(skin)
    points = view.landmarks[:POINTS].astype(float)
    depth = view.mesh.depth[skin] - points[:, 2].mean()  # from the camera's side, as landmarks' z
    found = []
    for name in ("right_cheek", "left_cheek"):
        x, y, z = points[template().loops[name]].mean(0)
        away = (columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 + (depth + z) ** 2
        chosen = np.argsort(away, kind="stable")[:CHEEK]
        mask = np.zeros_like(skin)
        mask[rows[chosen], columns[chosen]] = True
        found.append(mask)
    return Cheeks(*found)


def bare(view: View) -> Mask:
    """Plain skin with nothing over it, ``(128, 128)`` bool; the face where none is known.

    Its light is fitted as a logarithm that changes with the normal, along x on each side apart.
    What is darker or redder than that is left out, and the light is fitted again.
    """
    import cv2

    skin: Mask = view.skin > SKIN
    if not skin.any():
        return view.face
    linear = np.maximum(view.linear[skin], DEEP).astype(float)
    bright = np.log2(linear @ LUMINANCE)
    seen = np.stack([bright, np.log2(linear[:, 0] / linear[:, 1])], 1)
    x, y, z = view.mesh.normals[skin].astype(float).T
    told = np.stack([np.ones_like(x), np.maximum(x, 0), np.maximum(-x, 0), y, z], 1)
    kept = np.ones(len(seen), bool)
    for _ in range(ROUNDS):
        some = told[kept]
        firm = np.diag([1.0, *[FIRMNESS * len(some)] * 4])
        light = np.linalg.solve(some.T @ some + firm, some.T @ seen[kept])
        beyond = seen - told @ light
        still = (beyond[:, 0] > -DARKER_STOPS) & (beyond[:, 1] < REDDER_STOPS)
        if not still.any():
            break
        kept = still
    for side in (x < 0, x >= 0):
        if kept[side].sum() < LEAST_SKIN * side.sum():
            kept[side] = True
    found = skin.copy()
    found[skin] = kept
    # Strands of hair may be as bright as skin; what is no plain skin, an eye say, divides none.
    clear = (view.face & (found | ~skin)).astype(np.uint8)
    wide = cv2.morphologyEx(clear, cv2.MORPH_OPEN, np.ones((STRAND, STRAND), np.uint8)) > 0
    return found & wide if (found & wide).any() else found


def middle(values: Float) -> float:
    """Mean of the values without the darkest and brightest quarters; at least :data:`DARKEST`."""
    out = len(values) // QUARTER
    inner = np.sort(values)[out : len(values) - out]
    return max(float(inner.mean()), DARKEST) if len(inner) else DARKEST
