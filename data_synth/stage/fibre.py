# SPDX-License-Identifier: Apache-2.0
"""Fibres (hair, beard, brows, lashes) as the camera and as the lights see them.

The camera sees ribbons that face it. A light sees a deep opacity map: the plane across the light is
cut into cells; each stores the depth of its first fibre and how much light is left below layers of
growing thickness. That costs no rays, has no noise, and serves all cameras.

Reference:
    Yuksel and Keyser 2008, "Deep Opacity Maps".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.subject import Strands
from relight.color import luminance
from relight.geometry import normalize

Float = NDArray[np.float32]

CELL_CM = 0.3
"""Side of a cell of the opacity map."""
LAYER_CM = 0.2
"""Thickness of the first layer; each next one is twice as thick."""
LAYERS = 8
MAX_POINTS = 150_000
"""Points that stand for all fibres in the opacity maps."""
FAR = np.float32(1e6)
"""Depth of the first fibre in an empty cell."""
SELF_CM = 0.15
"""How far a fibre must lie above a point to shadow it."""


class Ribbons:
    """Camera-facing strips, two triangles for each piece of fibre.

    Attributes:
        vertices: ``(V, 3)`` float32.
        faces: ``(F, 3)`` int32; triangles 2 k and 2 k + 1 are piece k.
        tangent: ``(F / 2, 3)`` float32 unit, root to tip.
        albedo: ``(F / 2, 3)`` float32.
    """

    def __init__(self, strands: list[Strands], eye: Float) -> None:
        vertices, faces, tangents, albedos, count = [], [], [], [], 0
        for group in strands:
            points = np.asarray(group.points, np.float32)
            number, steps = points.shape[:2]
            if not number:
                continue
            along = normalize(np.gradient(points, axis=1))
            side = normalize(np.cross(along, eye - points)) * group.radius[..., None]
            vertices.append(np.stack([points - side, points + side], 2).reshape(-1, 3))
            first = count + np.arange(number * steps).reshape(number, steps)[:, :-1].ravel() * 2
            low = np.stack([first, first + 1, first + 2], 1)
            high = np.stack([first + 1, first + 3, first + 2], 1)
            faces.append(np.stack([low, high], 1).reshape(-1, 3))
            tangents.append(normalize(np.diff(points, axis=1)).reshape(-1, 3))
            albedos.append(np.repeat(group.albedo, steps - 1, 0))
            count += 2 * number * steps
        self.vertices: Float = np.concatenate(vertices).astype(np.float32)
        self.faces = np.concatenate(faces).astype(np.int32)
        self.tangent: Float = np.concatenate(tangents).astype(np.float32)
        self.albedo: Float = np.concatenate(albedos).astype(np.float32)


class Opacity:
    """How much light reaches any point through the fibres.

    Args:
        strands: all fibres of the subject.
        lights: ``(L, 3)`` unit vectors towards the lights.
    """

    def __init__(self, strands: list[Strands], lights: Float) -> None:
        self._points, self._shade = _cloud(strands)
        self._lights = np.asarray(lights, np.float32)
        self._maps: dict[int, tuple[Float, NDArray[np.uint8], Float]] = {}
        low, high = self._points.min(0), self._points.max(0)
        self._center: Float = ((low + high) / 2).astype(np.float32)
        reach = np.linalg.norm(self._points - self._center, axis=1).max() + 2 * CELL_CM
        self._cells = int(np.ceil(2 * reach / CELL_CM))
        self._points = self._points - self._center

    def transmittance(self, light: int, points: NDArray[Any]) -> Float:
        """Fraction ``(N,)`` of light number ``light`` that reaches ``points`` ``(N, 3)``."""
        front, left, axes = self._map(light)
        local = (points - self._center) @ axes.T
        x = local[:, 0] / CELL_CM + (self._cells - 1) / 2
        y = local[:, 1] / CELL_CM + (self._cells - 1) / 2
        inside = (x >= 0) & (y >= 0) & (x < self._cells - 1) & (y < self._cells - 1)
        result = np.ones(len(points), np.float32)
        chosen = np.flatnonzero(inside)
        x, y, depth = x[chosen], y[chosen], -local[chosen, 2] - SELF_CM
        x0, y0 = x.astype(np.int32), y.astype(np.int32)
        fx, fy = x - x0, y - y0
        corner = y0 * self._cells + x0
        total = np.zeros(len(chosen), np.float32)
        for dy, wy in ((0, 1 - fy), (1, fy)):
            for dx, wx in ((0, 1 - fx), (1, fx)):
                cell = corner + (dy * self._cells + dx)
                below = np.maximum(depth - front[cell], 0)
                layer = np.minimum(np.log2(1 + below / LAYER_CM), np.float32(LAYERS - 0.001))
                k = layer.astype(np.int32)
                k += cell * (LAYERS + 1)
                upper = left[k].astype(np.float32)
                lower = left[k + 1].astype(np.float32)
                total += (upper + (lower - upper) * (layer - np.floor(layer))) * (wx * wy)
        result[chosen] = total / np.float32(255)
        return result

    def _map(self, light: int) -> tuple[Float, NDArray[np.uint8], Float]:
        if light not in self._maps:
            self._maps[light] = self._make(self._lights[light])
        return self._maps[light]

    def _make(self, light: Float) -> tuple[Float, NDArray[np.uint8], Float]:
        axes = frame(light)
        local = self._points @ axes.T
        index = np.rint(local[:, :2] / CELL_CM + (self._cells - 1) / 2).astype(np.int32)
        cell = index[:, 1] * self._cells + index[:, 0]
        depth = -local[:, 2]
        front = np.full(self._cells**2, FAR, np.float32)
        np.minimum.at(front, cell, depth)
        layer = np.log2(1 + (depth - front[cell]) / LAYER_CM)
        layer = np.minimum(layer.astype(np.int32), LAYERS - 1)
        density = np.bincount(
            cell * LAYERS + layer, self._shade, minlength=self._cells**2 * LAYERS
        ).reshape(-1, LAYERS)
        left = np.full((self._cells**2, LAYERS + 1), 255, np.uint8)
        filled = np.flatnonzero(front < FAR)
        through = np.exp(-np.cumsum(density[filled], 1, dtype=np.float32))
        left[filled, 1:] = np.rint(255 * through)
        return front, left.ravel(), axes


def frame(light: NDArray[Any]) -> Float:
    """Orthonormal rows ``(3, 3)``: two vectors across a light's direction, and the direction."""
    light = np.asarray(light, float)
    helper = np.array([0.0, 1.0, 0.0]) if abs(light[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    across = np.cross(helper, light)
    across /= np.linalg.norm(across)
    return np.stack([across, np.cross(light, across), light]).astype(np.float32)


def _cloud(strands: list[Strands]) -> tuple[Float, Float]:
    """Points along the fibres, and the optical depth that each adds to its cell."""
    length = sum(float(np.linalg.norm(np.diff(g.points, axis=1), axis=2).sum()) for g in strands)
    keep = max(1, int(np.ceil(length / CELL_CM / MAX_POINTS)))
    clouds, shades = [], []
    for group in strands:
        step = keep if len(group.points) > 100 * keep else 1
        points = np.asarray(group.points[::step], np.float32)
        if not len(points):
            continue
        pieces = np.linalg.norm(np.diff(points, axis=1), axis=2)
        parts = max(1, int(np.ceil(pieces.mean() / CELL_CM)))
        part = ((np.arange(parts) + 0.5) / parts).astype(np.float32)
        clouds.append(
            (
                points[:, :-1, None] * (1 - part[:, None]) + points[:, 1:, None] * part[:, None]
            ).reshape(-1, 3)
        )
        width = group.radius[::step, :-1] + group.radius[::step, 1:]
        # A drawn fibre stands for a tuft: the paler it is, the more light finds its way through.
        through = 0.2 + 0.5 * np.sqrt(np.clip(luminance(group.albedo[::step]), 0, 1))
        shade = width * pieces / parts * (1 - through[:, None]) * step / CELL_CM**2
        shades.append(np.repeat(shade.ravel(), parts))
    return np.concatenate(clouds), np.concatenate(shades).astype(np.float32)
