# SPDX-License-Identifier: Apache-2.0
"""A photo on the cells that gains are fitted to: all of it but who is where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from relight.gain.edge import EdgeFilter, on_grid, photo_tint, photo_trust
from relight.gain.grain import grain_of, noise
from relight.gain.reach import Reach, box_of, cells_over, grid_over, part_of, scale_for
from relight.geometry import Grid

GAIN_SIDE = 128
"""Side of the gain as predicted; light and shadow may move by one of its pixels to meet an edge."""


class Ground:
    """A photo on cells, whoever is on it.

    Attributes:
        grid: the cells.
        shape: of the photo, ``(H, W, 3)``.
        colors: ``(h, w, 3)`` float32 sRGB in [0, 1].
        brightness: ``(h, w)`` float32 in [0, 1].
        trust: ``(h, w)`` float32, where the photo can be multiplied.
        tint: ``(h, w, 3)`` float32 factors on light.
        grain: the photo's noise; ``None`` where it has none.
    """

    def __init__(self, rgb: NDArray[np.uint8], grid: Grid) -> None:
        """Shrink the photo, ``(H, W, 3)`` uint8 sRGB, and see what it tells."""
        import cv2

        self.grid, self.shape = grid, rgb.shape
        self.colors = on_grid(rgb, grid)
        self.brightness = cv2.cvtColor(self.colors, cv2.COLOR_RGB2GRAY)
        self.trust, self.tint = photo_trust(self.brightness), photo_tint(self.colors)
        self.grain = grain_of(noise(rgb), self.colors, grid.step)

    @classmethod
    def of_all(cls, rgb: NDArray[np.uint8]) -> Ground:
        """All of a photo: what the light of a portrait mostly reaches."""
        return cls(rgb, cells_over((slice(0, rgb.shape[0]), slice(0, rgb.shape[1]))))


class Canvas:
    """A photo around its faces.

    Attributes:
        ground: the photo there.
        edges: what fits light to them in each face's crop.
    """

    def __init__(
        self, rgb: NDArray[np.uint8], reaches: Sequence[Reach], ground: Ground | None = None
    ) -> None:
        """Find the photo's edges.

        Args:
            rgb: ``(H, W, 3)`` uint8 sRGB.
            reaches: one per face, at least one.
            ground: of all of the photo, if there is one; it may serve.
        """
        grid = grid_over(rgb.shape, reaches)
        self.ground = ground if ground and ground.grid == grid else Ground(rgb, grid)
        self.edges = []
        for head, _ in reaches:
            box, radius = box_of(head.visible(rgb.shape), grid), head.size / grid.step / GAIN_SIDE
            near = self.ground.brightness[box]
            self.edges.append(EdgeFilter(near, part_of(grid, box), radius, scale_for(radius)))
