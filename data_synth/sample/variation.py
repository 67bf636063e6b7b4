# SPDX-License-Identifier: Apache-2.0
"""Changes a rendered face's skin: factors on its albedo, the same for the photo and the key."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


def albedo_field(size: int, rng: np.random.Generator) -> Float:
    """A smooth random factor ``(S, S, 3)`` around 1: skin, beard and make-up of other people."""
    import cv2

    total = np.zeros((size, size, 3), np.float32)
    for cells in (2, 5, 12):
        coarse = rng.standard_normal((cells, cells, 1), np.float32)
        coarse = coarse + 0.2 * rng.standard_normal((cells, cells, 3), np.float32)
        total += cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.exp(np.float32(rng.uniform(0.02, 0.16)) * total)


def stubble(face_box: Float, size: int, rng: np.random.Generator) -> Float:
    """A factor ``(S, S, 3)`` that darkens mouth, chin and jaw, the red of skin most.

    Args:
        face_box: left, top, right and bottom in pixels.
        size: side of the picture.
        rng: draws.
    """
    down, aside = _across_face(face_box, size)
    below = down - np.float32(rng.uniform(0.52, 0.68))
    # Higher on the jaw than under the nose.
    depth = np.clip(below + 0.25 * np.clip(aside, 0, 1) ** 2, 0, 0.15) / 0.15
    strength = rng.uniform(0.1, 0.6) * np.array([1.0, 0.9, 0.8])
    return (1 - depth[..., None] * strength).astype(np.float32)


def zones(face_box: Float, size: int, rng: np.random.Generator) -> Float:
    """A factor ``(S, S, 3)``: darker eye sockets, another forehead and other cheeks.

    Without them, networks take what is darker in most faces for light from above.

    Args:
        face_box: left, top, right and bottom in pixels.
        size: side of the picture.
        rng: draws.
    """
    down, aside = _across_face(face_box, size)
    height, wide, high = rng.uniform(0.28, 0.42), rng.uniform(0.2, 0.32), rng.uniform(0.07, 0.13)
    sockets = np.exp(-(((aside - 0.4) / wide) ** 2) - ((down - height) / high) ** 2)
    below, soft = rng.uniform(0.25, 0.5), rng.uniform(0.02, 0.1)
    forehead = 1 / (1 + np.exp(np.clip((down - below) / soft, -30, 30)))
    cheeks = np.exp(-(((aside - 0.55) / 0.3) ** 2) - ((down - 0.6) / 0.15) ** 2)
    total = rng.normal(0, 0.15) * forehead + rng.normal(0, 0.12) * cheeks
    if rng.random() < 0.6:
        total = total - rng.uniform(0, 0.6) * sockets
    tint = np.exp(rng.normal(0, 0.1, 3))
    return np.exp(total[..., None] * tint).astype(np.float32)


def _across_face(face_box: Float, size: int) -> tuple[Float, Float]:
    """Where pixels lie in a face's box.

    Returns:
        Distance below its top, ``(S, 1)``, 1 at its bottom, and from its middle line, ``(1, S)``,
        1 at its sides.
    """
    left, top, right, bottom = face_box
    at = np.arange(size, dtype=np.float32)
    down = (at - top) / (bottom - top)
    aside = np.abs(2 * at - left - right) / (right - left)
    return down[:, None], aside[None]
