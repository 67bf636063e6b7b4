# SPDX-License-Identifier: Apache-2.0
"""Surface maps read at the scale of a pixel, so that pores become gloss and not glitter.

Each map is averaged down into a pyramid. Slopes are kept as first and second moments: what a coarse
level averages away of the bumps comes back as variance, which the renderer adds to the roughness.

References:
    Williams 1983, "Pyramidal Parametrics". Olano and Baker 2010, "LEAN Mapping".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_synth.subject import Texture

Float = NDArray[np.float32]


class Lookup(NamedTuple):
    """What a texture holds at ``N`` places.

    Attributes:
        albedo: ``(N, 3)``.
        roughness: ``(N,)``.
        specular: ``(N,)``.
        slope: ``(N, 2)`` mean change of height, cm per unit of u and of v.
        variance: ``(N,)`` of the slope within the footprint, both axes together, same unit squared.
    """

    albedo: Float
    roughness: Float
    specular: Float
    slope: Float
    variance: Float


class Pyramid:
    """A texture at all scales."""

    def __init__(self, texture: Texture) -> None:
        import cv2

        height = np.asarray(texture.height, np.float32)
        rows, columns = height.shape
        slope_u = np.gradient(height, axis=1) * columns
        slope_v = np.gradient(height, axis=0) * -rows
        stack = np.dstack(
            [
                texture.albedo,
                texture.roughness,
                texture.specular,
                slope_u,
                slope_v,
                slope_u**2 + slope_v**2,
            ]
        ).astype(np.float32)
        self.size = max(rows, columns)
        self.levels: list[Float] = [stack]
        while min(stack.shape[:2]) > 4:
            half = (max(1, stack.shape[1] // 2), max(1, stack.shape[0] // 2))
            # Four channels at a time, which is what cv2 resizes.
            halves = [
                cv2.resize(part, half, interpolation=cv2.INTER_AREA)
                for part in (stack[..., :4], stack[..., 4:])
            ]
            stack = np.dstack(halves)
            self.levels.append(stack)

    def sample(self, uv: NDArray[Any], footprint: NDArray[Any]) -> Lookup:
        """Read the maps.

        Args:
            uv: ``(N, 2)``, row 0 of the maps is v = 1; outside [0, 1] the border repeats.
            footprint: ``(N,)`` width of what one sample stands for, in units of uv.
        """
        level = np.log2(np.maximum(np.asarray(footprint, np.float32) * self.size, 1e-6))
        level = np.clip(np.rint(level), 0, len(self.levels) - 1).astype(int)
        values = np.empty((len(uv), 8), np.float32)
        for k in np.unique(level):
            chosen = np.flatnonzero(level == k)
            values[chosen] = _bilinear(self.levels[k], uv[chosen])
        slope = values[:, 5:7]
        variance = np.maximum(values[:, 7] - (slope**2).sum(1), 0)
        return Lookup(values[:, :3], values[:, 3], values[:, 4], slope, variance)


def _bilinear(image: Float, uv: NDArray[Any]) -> Float:
    rows, columns = image.shape[:2]
    x = np.clip(uv[:, 0] * columns - 0.5, 0, columns - 1)
    y = np.clip((1 - uv[:, 1]) * rows - 0.5, 0, rows - 1)
    x0, y0 = x.astype(int), y.astype(int)
    x1, y1 = np.minimum(x0 + 1, columns - 1), np.minimum(y0 + 1, rows - 1)
    fx = (x - x0).astype(np.float32)[:, None]
    fy = (y - y0).astype(np.float32)[:, None]
    upper = image[y0, x0] * (1 - fx) + image[y0, x1] * fx
    lower = image[y1, x0] * (1 - fx) + image[y1, x1] * fx
    return upper * (1 - fy) + lower * fy
