# SPDX-License-Identifier: Apache-2.0
"""Other skin on a rendered face: factors on its albedo, the same for the photo and the key."""

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
    left, top, right, bottom = face_box
    at = np.arange(size, dtype=np.float32)
    below = (at - top) / (bottom - top) - np.float32(rng.uniform(0.52, 0.68))
    aside = np.abs(2 * at - left - right) / (right - left)
    # Higher on the jaw than under the nose.
    depth = np.clip(below[:, None] + 0.25 * np.clip(aside, 0, 1) ** 2, 0, 0.15) / 0.15
    strength = rng.uniform(0.1, 0.6) * np.array([1.0, 0.9, 0.8])
    return (1 - depth[..., None] * strength).astype(np.float32)
