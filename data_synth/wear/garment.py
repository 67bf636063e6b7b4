# SPDX-License-Identifier: Apache-2.0
"""Clothes: shells around neck and shoulders, cut by a neckline, with collars and folds.

A shell is a grid of angle around the neck's axis and height; its radius is the larger of the bare
bust's and a torso's. So it never cuts into skin, whatever the head and however it turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from data_synth.head.head import Head, Int, grid_faces
from data_synth.noise import fractal, smoothstep
from data_synth.skin.atlas import rasterize
from data_synth.trait import Traits

Float = NDArray[np.float32]

AXIS_Z = -2.0
"""Depth of the neck's vertical axis."""
BOTTOM_CM = -36.0
COLUMNS = 160

MAIN, INNER, HEADWEAR, TRIM = (0.0, 0.5), (0.0, 0.0), (0.5, 0.5), (0.5, 0.0)
"""Lower left corners of the quarters of the cloth's texture."""


@dataclass(frozen=True)
class Piece:
    """Part of the mesh that is not the head; arrays as in :class:`data_synth.subject.Mesh`."""

    vertices: Float
    faces: Int
    uv: Float


_HIGHEST, _LOWEST = -6.0, -24.0
_LEVELS, _SLICES = 180, 240
_RIM = 12
"""Cells by which the bust is carried on beyond its lower rim."""


def _unroll(vertices: Float, faces: Int) -> tuple[Float, Float]:
    """Radius of a surface about the neck's axis, unrolled: rows of height, columns of angle.

    Returns:
        Radius, spread beyond the surface's rim, and 1 where it is known; ``(180, 480)`` each, two
        whole turns wide, so that no lookup meets a seam.
    """
    corner = vertices[faces].astype(np.float64)
    offset = corner - np.array([0, 0, AXIS_Z])
    angle = np.arctan2(offset[..., 0], offset[..., 2])
    angle = angle[:, :1] + (angle - angle[:, :1] + np.pi) % (2 * np.pi) - np.pi
    v = (corner[..., 1] - _LOWEST) / (_HIGHEST - _LOWEST)
    u = np.concatenate([angle + turn * np.pi for turn in (0, 2, -2)]) / (4 * np.pi) + 0.5
    uv = np.stack([u, np.tile(v, (3, 1))], -1).astype(np.float32)
    triangle, weights = rasterize(uv, _LEVELS, 2 * _SLICES)
    known = triangle >= 0
    radius = np.zeros(known.shape, np.float32)
    owner = triangle[known] % len(faces)
    radius[known] = (np.hypot(offset[owner, :, 0], offset[owner, :, 2]) * weights[known]).sum(1)
    away, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros(labels.max() + 1, np.float32)
    nearest[labels[known]] = radius[known]
    # A little wider and further than it is: cloth is coarser than skin and must clear its rim.
    wide = cv2.dilate(nearest[labels], np.ones((5, 5), np.uint8))
    return wide, (away < _RIM).astype(np.float32)


class Bust:
    """How far the bare bust and a torso reach from the neck's axis.

    Args:
        head: the bare head.
        traits: width and turn of the shoulders.
        rng: draws their slope and depth.
    """

    def __init__(self, head: Head, traits: Traits, rng: np.random.Generator) -> None:
        mean = head.canonical
        # The underside of the chin is no neck.
        chin = (mean[:, 1] > -12) & (mean[:, 2] - AXIS_Z > 7.4)
        low = (mean[:, 1] < -8.8) & ~chin
        faces = head.faces[head.skin & low[head.faces].all(1)]
        self._top = float(head.vertices[low, 1].max() - 1.2)
        self._radius, self._known = _unroll(head.vertices, faces)
        self.turn = np.radians(traits.torso_turn_deg)
        self.width = traits.shoulder_width
        self.slope = float(rng.uniform(-1.0, 1.2))
        self.depth = float(rng.uniform(0.92, 1.15))

    def skin(self, angle: Any, height: Any) -> NDArray[np.float64]:
        """Radius of the bare bust, 0 beyond it; angle 0 is the front. The neck goes on upwards."""
        angle, height = np.broadcast_arrays(angle, np.minimum(height, self._top))
        column = ((angle + np.pi) / (2 * np.pi) % 1 * _SLICES).astype(np.float32)
        row = ((_HIGHEST - height) / (_HIGHEST - _LOWEST) * _LEVELS).astype(np.float32)
        shape = column.shape
        column, row = np.atleast_2d(column) - 0.5 + _SLICES / 2, np.atleast_2d(row) - 0.5
        radius = cv2.remap(self._radius, column, row, cv2.INTER_LINEAR)
        known = cv2.remap(self._known, column, row, cv2.INTER_NEAREST)
        return np.where(known > 0, radius, 0).astype(np.float64).reshape(shape)

    def torso(self, angle: Any, height: Any) -> NDArray[np.float64]:
        """Radius of the torso below cloth."""
        angle = np.asarray(angle) - self.turn
        y = np.asarray(height, float)
        w, s = self.width, self.slope
        levels = np.array([-36, -27, -21.5 - s, -18.5 - s, -16.2, -14.2, -12.6, -11.2, -9.5, -7.0])
        side = np.interp(
            y, levels, [w * 0.93, w * 0.98, w, w * 0.93, 15.2, 11.6, 8.8, 6.9, 5.7, 5.4]
        )
        front = np.interp(y, levels, [11.6, 11.4, 10.2, 8.9, 7.6, 6.6, 6.2, 6.0, 5.8, 5.6])
        back = np.interp(y, levels, [10.8, 10.8, 10.2, 9.2, 8.2, 7.3, 6.6, 6.0, 5.4, 5.0])
        depth = np.where(np.cos(angle) > 0, front, back) * self.depth
        power = np.interp(y, [-20, -14, -10], [2.6, 2.2, 2.0])
        sine, cosine = np.abs(np.sin(angle)) / side, np.abs(np.cos(angle)) / depth
        return np.asarray((sine**power + cosine**power) ** (-1 / power))

    def point(self, angle: Any, height: Any, radius: Any) -> NDArray[np.float64]:
        """Positions from angle, height and radius."""
        angle, height, radius = np.broadcast_arrays(angle, height, radius)
        return np.stack(
            [radius * np.sin(angle), height, AXIS_Z + radius * np.cos(angle)], -1
        ).astype(np.float64)


def make_garment(head: Head, bust: Bust, traits: Traits, rng: np.random.Generator) -> list[Piece]:
    """All pieces of the clothes that the traits name."""
    cut = traits.garment
    pieces = []
    seed = int(rng.integers(2**31))
    if cut == "jacket":
        inner = str(rng.choice(["crew neck", "shirt", "scoop neck"]))
        pieces.append(_shell(bust, inner, 0.25, seed, INNER))
        if inner == "shirt":
            pieces.append(_collar(bust, 2.6, 0.25, seed, rng, INNER))
        pieces.append(_shell(bust, "lapel", 1.0, seed, MAIN))
        pieces.append(_lapels(bust, seed, rng))
        return pieces
    pieces.append(_shell(bust, cut, 0.45, seed, MAIN))
    if cut == "shirt":
        pieces.append(_collar(bust, float(rng.uniform(2.4, 3.4)), 0.45, seed, rng, MAIN))
    elif cut in ("crew neck", "turtleneck", "v neck"):
        pieces.append(_band(bust, cut, rng))
    elif cut == "hoodie":
        pieces.append(_hood(bust, rng))
    return pieces


def neckline(cut: str, angle: Any) -> NDArray[np.float64]:
    """Height of the neckline at ``angle`` from the front, radians in any turn."""
    a = np.abs((np.asarray(angle) + np.pi) % (2 * np.pi) - np.pi)
    degrees = np.degrees(a)
    at = [0, 20, 45, 70, 95, 130, 180]
    crew = np.interp(degrees, at, [-14.2, -14.0, -13.2, -12.0, -11.3, -10.6, -10.2])
    if cut == "turtleneck":
        return crew + np.interp(degrees, at, [3.2, 3.0, 2.7, 2.4, 2.4, 2.6, 2.9])
    if cut == "v neck":
        return np.asarray(crew - np.interp(degrees, [0, 9, 26, 55, 90], [6.8, 4.4, 1.8, 0.6, 0.5]))
    if cut == "scoop neck":
        return np.asarray(
            crew - np.interp(degrees, [0, 25, 55, 80, 120], [4.2, 3.8, 2.4, 1.2, 0.4])
        )
    if cut == "shirt":
        return np.asarray(crew - np.interp(degrees, [0, 8, 20, 40], [3.6, 2.2, 0.6, 0.0]))
    if cut == "lapel":
        return np.asarray(
            crew - np.interp(degrees, [0, 5, 22, 42, 70, 110], [14.0, 10, 4.0, 1.6, 0.8, 0.5])
        )
    if cut == "hoodie":
        return crew - 0.6
    return crew


def _hang(
    bust: Bust, cut: str, thick: float, seed: int, angle: Any, height: Any
) -> NDArray[np.float64]:
    """Radius of hanging cloth, folds included.

    Args:
        bust: what lies below.
        cut: its neckline tells where the cloth is held.
        thick: how far it lies off skin and torso, cm.
        seed: of the folds; cloth over cloth shares them, so that none pokes through.
        angle: from the front.
        height: of the places asked for.
    """
    skin, torso = bust.skin(angle, height), bust.torso(angle, height)
    held = "crew neck" if cut == "lapel" else cut
    below = neckline(held, angle - 0.8 * bust.turn) - height
    # Cloth lies on the skin along its edge and hangs free further down.
    free = np.where(skin > 0, smoothstep(below, 0.5, 5.0), 1.0)
    radius = np.maximum(skin, free * (torso - 0.3)) + thick
    point = bust.point(angle, height, radius - thick)
    rng = np.random.default_rng(seed)
    folds = fractal(point * np.array([0.16, 0.06, 0.16]), 1.0, 2, rng)
    slanted = point @ np.array([[0.10, 0.2, 0.1], [0.09, 0.05, 0.05], [0.1, 0.1, 0.2]])
    folds = np.maximum(folds + 0.6 * fractal(slanted, 1.0, 2, rng), -0.6)
    radius = radius + 0.6 * folds * smoothstep(below, 1.0, 6.0)
    return np.asarray(np.maximum(radius, skin + 0.5 * thick))


def _shell(bust: Bust, cut: str, thick: float, seed: int, quarter: Any) -> Piece:
    """The body of a garment, from its neckline down."""
    angle = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)
    rows = 56
    down = np.concatenate([[0, 0, 0.004], np.linspace(0.012, 1, rows - 3) ** 1.15])[:, None]
    top = neckline(cut, angle - 0.8 * bust.turn)[None]
    height = top + (BOTTOM_CM - top) * down
    radius = _hang(bust, cut, thick, seed, angle[None], height)
    # The edge turns inwards.
    skin = bust.skin(angle, top[0])
    radius[0] = np.where(skin > 0, np.minimum(skin - 0.3, radius[0]), radius[0] - thick)
    radius[1] -= 0.4 * thick
    point = bust.point(angle[None], height, radius)
    return _piece(point, grid_faces(rows, COLUMNS, closed=True), quarter)


def _band(bust: Bust, cut: str, rng: np.random.Generator) -> Piece:
    """Knitted band along a neckline, a little thicker than the cloth."""
    angle = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)
    top = neckline(cut, angle - 0.8 * bust.turn)[None]
    tall = 1.5 if cut != "turtleneck" else 3.6
    t = np.linspace(0, 1, 9)[:, None]
    height = top + 0.35 - (tall + 0.35) * t
    bulge = 0.75 * np.sqrt(np.clip(1 - (2 * t - 1) ** 4, 0, 1)) - 0.25 * (t == 0)
    bulge = bulge + 0.02 * np.cos(angle * 90)[None] * (t > 0) * (t < 1)
    skin = bust.skin(angle[None], height)
    radius = np.where(skin > 0, skin, bust.torso(angle[None], height))
    points = bust.point(angle[None], height, radius + bulge + 0.05 * rng.random())
    return _piece(points, grid_faces(len(t), COLUMNS, closed=True), TRIM)


def _collar(
    bust: Bust, tall: float, thick: float, seed: int, rng: np.random.Generator, quarter: Any
) -> Piece:
    """Turned-down collar of a shirt of given thickness and folds, open at the front."""
    open_deg = rng.uniform(5, 11)
    angle = np.radians(np.linspace(open_deg, 360 - open_deg, 130))
    from_front = np.degrees(np.minimum(angle, 2 * np.pi - angle))
    base = neckline("crew neck", angle - 0.8 * bust.turn)
    base = base + np.interp(from_front, [0, 20, 60, 180], [0.2, 0.5, 1.3, 1.4])
    tip = smoothstep(from_front, 48, open_deg + 4)
    # Up along the neck, over the fold, down and outwards; lower where the fronts part.
    stand = tall * np.interp(from_front, [0, 12, 45, 180], [0.25, 0.5, 0.95, 1.0])
    knots, t = np.arange(7), np.linspace(0, 6, 25)
    rise = np.interp(t, knots, [-0.3, 0.5, 0.9, 1.0, 0.85, 0.3, -0.25])[:, None] * stand[None]
    out = np.interp(t, knots, [0.22, 0.30, 0.40, 0.62, 0.85, 1.10, 1.35])
    lower = np.interp(t, knots, [0, 0, 0, 0, 0.15, 0.6, 1.0])
    height = base[None] + rise - lower[:, None] * (1.7 + 1.4 * tip[None])
    height[0] = base - 1.9  # hidden below the shirt's own edge
    around = bust.skin(angle, base)
    neck = np.maximum(bust.skin(angle[None], height), around[None])
    radius = neck + out[:, None] + 0.25 * tip[None]
    # The turned-down leaf lies on the shirt.
    shirt = _hang(bust, "shirt", thick, seed, angle[None], height)
    leaf = smoothstep(t, 3.2, 4.2)[:, None] * (shirt + 0.15 + 0.1 * np.maximum(6 - t, 0)[:, None])
    radius = np.maximum(radius, leaf)
    points = bust.point(angle[None], height, radius)
    return _piece(points, grid_faces(len(rise), len(angle), closed=False), quarter)


def _lapels(bust: Bust, seed: int, rng: np.random.Generator) -> Piece:
    """Lapels that lie on the jacket along its opening."""
    angle = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False) + 1e-3
    degrees = np.degrees(np.minimum(angle, 2 * np.pi - angle))
    top = neckline("lapel", angle - 0.8 * bust.turn)
    wide = np.interp(degrees, [0, 12, 30, 45, 60, 180], [1.0, 3.2, 3.8, 2.6, 3.0, 3.4])
    wide = wide * rng.uniform(0.85, 1.15)
    t = np.linspace(0, 1, 8)[:, None]
    height = top[None] + 0.7 * np.sin(np.pi * np.minimum(t * 1.4, 1)) - wide[None] * t
    bulge = 0.15 + 0.3 * np.sin(np.pi * t) - 0.5 * (t == 0)
    radius = _hang(bust, "lapel", 1.0, seed, angle[None], height) + bulge
    points = bust.point(angle[None], height, radius)
    return _piece(points, grid_faces(len(t), COLUMNS, closed=True), MAIN)


def _hood(bust: Bust, rng: np.random.Generator) -> Piece:
    """A hood that lies down around the neck."""
    angle = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)
    back = smoothstep(np.cos(angle - bust.turn), 0.9, -0.6)
    turn = np.linspace(0, 2 * np.pi, 14)[:, None]
    thick = 0.9 + 1.5 * back
    top = neckline("hoodie", angle - 0.8 * bust.turn) - 0.6 + 1.2 * back
    height = top + thick * np.sin(turn) * 1.2
    wave = 0.12 * np.sin(angle * 7 + rng.uniform(0, 6)) * back
    center = np.maximum(bust.skin(angle, top), bust.torso(angle, top)) + thick * 0.9 + wave
    points = bust.point(angle[None], height, center - thick * np.cos(turn))
    return _piece(points, grid_faces(len(turn), COLUMNS, closed=True), MAIN)


def _piece(points: NDArray[np.float64], faces: Int, quarter: tuple[float, float]) -> Piece:
    """A grid of points as a piece, its texture projected from the front."""
    vertices = points.reshape(-1, 3).astype(np.float32)
    return Piece(vertices, faces, front_uv(vertices, quarter)[faces])


def front_uv(vertices: Float, quarter: tuple[float, float]) -> Float:
    """Texture coordinates by x and y; the quarter spans 60 cm."""
    square = np.stack([vertices[:, 0] / 60 + 0.5, (vertices[:, 1] + 42) / 60], 1)
    inside = np.clip(square, 0.01, 0.99) * 0.5 + np.array(quarter)
    return inside.astype(np.float32)
