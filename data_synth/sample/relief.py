# SPDX-License-Identifier: Apache-2.0
"""Changes a rendered face's relief: finer and deeper shapes than the few rendered heads have.

Normals are bent as if the surface had bumps and the head another depth. The photo and the key's
picture are multiplied by the change of a Lambert surface's unshadowed irradiance, so that shading
and normals still match and a network has to read one from the other.

References:
    Blinn 1978, "Simulation of Wrinkled Surfaces" (bumps). Basri & Jacobs 2003, "Lambertian
    Reflectance and Linear Subspaces" (irradiance hardly depends on more than the normal).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight.environment import directions, map_position
from relight.geometry import normalize

Float = NDArray[np.float32]

ROWS = 24
"""Rows of the lat-long maps that irradiance is looked up in, every 7.5 degrees."""
FLOOR = 0.05
"""Added to irradiance, over its largest value, so that shadows change little."""
MOST = 4.0
"""Largest factor on a pixel, and the inverse of the least."""
CELLS = (4, 9, 20)
"""Bumps along the face's larger side, of each kind."""


@dataclass(frozen=True)
class ReliefRanges:
    """What is drawn for each relief.

    Attributes:
        slope: largest root mean square of the bumps' slopes.
        depth: deviation of the logarithm of the factor on the head's depth.
    """

    slope: float = 0.3
    depth: float = 0.12


class ReliefMaker:
    """Changes the relief of one view.

    Args:
        normals: ``(S, S, 3)`` unit, camera frame; 0 outside the person.
        bare: ``(S, S, 1)`` in [0, 1], where it may change: hair has no relief of its own.
        lights: ``(L, 3)`` unit vectors towards the rig's lights, camera frame.
        face_box: left, top, right and bottom of the face in pixels.
        ranges: what to draw.
    """

    def __init__(
        self,
        normals: Float,
        bare: Float,
        lights: Float,
        face_box: Float,
        ranges: ReliefRanges | None = None,
    ) -> None:
        self.ranges = ranges or ReliefRanges()
        self._normals, self._bare = normals, bare
        self._transfer = np.maximum(directions(ROWS).reshape(-1, 3) @ lights.T, 0)
        self._at = _place(normals)
        left, top, right, bottom = (float(x) for x in face_box)
        self._face = max(right - left, bottom - top, 1.0)

    def draw(self, weights: Float, rng: np.random.Generator) -> tuple[Float, Float]:
        """A relief, and how it changes pictures of the view.

        Args:
            weights: ``(L, C)`` of the rig's lights in each of the pictures' channels.
            rng: draws.

        Returns:
            Normals ``(S, S, 3)`` unit where those given are, and factors ``(S, S, C)``.
        """
        n = self._normals
        slopes = self._bare * self._bumps(rng) * np.float32(rng.uniform(0, self.ranges.slope))
        deeper = 1 + self._bare * np.float32(np.expm1(rng.normal(0, self.ranges.depth)))
        bent = np.concatenate([deeper * n[..., :2] + slopes * n[..., 2:], n[..., 2:]], -1)
        bent = normalize(bent) * (np.abs(n).max(-1, keepdims=True) > 0)
        irradiance = (self._transfer @ weights).reshape(ROWS, 2 * ROWS, -1)
        floor = FLOOR * irradiance.max((0, 1))
        before, after = (_look_up(irradiance, at) + floor for at in (self._at, _place(bent)))
        return bent, np.clip(after / np.maximum(before, 1e-9), 1 / MOST, MOST)

    def _bumps(self, rng: np.random.Generator) -> Float:
        """Slopes ``(S, S, 2)`` of random heights, of root mean square length 1."""
        import cv2

        size = len(self._normals)
        total = np.zeros((size, size), np.float32)
        for cells, share in zip(CELLS, rng.dirichlet(np.ones(len(CELLS))), strict=True):
            count = max(3, round(size / self._face * cells))
            coarse = rng.standard_normal((count, count), np.float32)
            heights = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
            total += np.float32(share * self._face / cells) * heights
        slopes = np.stack([-np.gradient(total, axis=1), np.gradient(total, axis=0)], -1)
        result: Float = slopes / np.sqrt((slopes**2).sum(-1).mean() + 1e-12)
        return result


def _place(normals: Float) -> tuple[Float, Float]:
    """Column and row of unit vectors ``(S, S, 3)`` in a bordered lat-long map."""
    column, row = map_position(normals, ROWS)
    return (column + 1).astype(np.float32), (row + 1).astype(np.float32)


def _look_up(image: Float, at: tuple[Float, Float]) -> Float:
    """A map ``(ROWS, 2 ROWS, C)`` where vectors look, bilinear, ``(S, S, C)``."""
    import cv2

    wrapped = cv2.copyMakeBorder(image, 0, 0, 1, 1, cv2.BORDER_WRAP)
    bordered = cv2.copyMakeBorder(wrapped, 1, 1, 0, 0, cv2.BORDER_REPLICATE)
    found: Float = cv2.remap(bordered.astype(np.float32), *at, cv2.INTER_LINEAR)
    return found.reshape(*at[0].shape, -1)
