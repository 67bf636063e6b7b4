# SPDX-License-Identifier: Apache-2.0
"""Hats, caps, beanies, turbans and headscarves: shells around the skull."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.head.head import Head, Int, grid_faces
from data_synth.noise import fractal, smoothstep
from data_synth.wear.garment import AXIS_Z, HEADWEAR, Bust, Piece

Float = NDArray[np.float32]

COLUMNS = 140


class Skull:
    """How far the head reaches from a point inside, in any direction.

    Args:
        head: the bare head.
        ears: whether ears count.
    """

    def __init__(self, head: Head, ears: bool = False) -> None:
        from scipy.spatial import cKDTree

        skin = np.unique(head.faces[head.skin])
        mean, posed = head.canonical[skin], head.vertices[skin]
        chosen = mean[:, 1] > -9.5
        if not ears:
            chosen &= ~((np.abs(mean[:, 0]) > 7.35) & (mean[:, 1] < 5.8) & (mean[:, 2] < 1.5))
        offset = posed[chosen] - self.center
        self._radius = np.linalg.norm(offset, axis=1)
        self._tree = cKDTree(offset / self._radius[:, None])

    center = np.array([0.0, 3.0, 0.5])

    def radius(self, direction: Any) -> NDArray[np.float64]:
        """Distance of the skin along unit vectors ``(..., 3)``, cm."""
        near, index = self._tree.query(np.asarray(direction, float), k=6)
        weight = 1 / (near + 0.02)
        found = (self._radius[index] * weight).sum(-1) / weight.sum(-1)
        return np.asarray(found)


def make_headwear(
    head: Head, bust: Bust, kind: str, rng: np.random.Generator
) -> tuple[list[Piece], Callable[[Float], NDArray[np.bool_]]]:
    """Pieces of headwear, and the test whether points lie beneath it."""
    skull = Skull(head, ears=kind == "headscarf")
    lift = float(rng.uniform(-0.4, 0.5))
    rims = {  # height of the rim at the front, over the ear, at the back
        "beanie": (7.6, 4.6, -1.5),
        "cap": (8.2, 6.2, 1.5),
        "brimmed hat": (8.4, 6.4, 2.5),
        "turban": (8.2, 3.6, -2.0),
        "headscarf": (8.8, 3.0, -3.0),
    }
    rim = np.array(rims[kind]) + lift
    if kind == "headscarf":
        pieces = _scarf(skull, bust, rng)
    elif kind == "turban":
        pieces = _turban(skull, rim, rng)
    else:
        thick = {"beanie": 0.55, "cap": 0.5, "brimmed hat": 0.6}[kind]
        pieces = [_dome(skull, rim, thick, kind, rng)]
        if kind == "beanie":
            pieces.append(_cuff(skull, rim, rng))
        elif kind == "cap":
            pieces.append(_visor(skull, rim, rng))
        else:
            pieces.append(_brim(skull, rim, rng))

    def covers(points: Float) -> NDArray[np.bool_]:
        offset = points - skull.center
        angle = np.arctan2(offset[..., 0], offset[..., 2])
        under: NDArray[np.bool_] = points[..., 1] > _rim_height(rim, angle) - 0.3
        return under

    return pieces, covers


def _rim_height(rim: NDArray[np.float64], angle: Any) -> NDArray[np.float64]:
    """Height of the rim at angles from the front."""
    around = np.degrees(np.abs((np.asarray(angle) + np.pi) % (2 * np.pi) - np.pi))
    front, side, back = rim
    return np.interp(around, [0, 25, 90, 150, 180], [front, front - 0.3, side, back, back])


def _dome_points(
    skull: Skull, rim: NDArray[np.float64], thick: Any, rows: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Grid from the rim up to the crown: points, outward directions, and height from 0 to 1."""
    angle = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)
    level = _rim_height(rim, angle) - skull.center[1]
    # Where the rim meets the skull: elevation at which the skin has the rim's height.
    low = np.full(COLUMNS, -0.6)
    high = np.full(COLUMNS, 1.5)
    for _ in range(18):
        middle = (low + high) / 2
        height = np.sin(middle) * skull.radius(_directions(angle, middle))
        low, high = np.where(height < level, middle, low), np.where(height < level, high, middle)
    up = np.linspace(0, 1, rows)[:, None]
    elevation = low + (np.pi / 2 - low) * up
    towards = _directions(np.broadcast_to(angle, elevation.shape), elevation)
    radius = skull.radius(towards) + thick
    return skull.center + towards * radius[..., None], towards, np.broadcast_to(up, radius.shape)


def _directions(angle: Any, elevation: Any) -> NDArray[np.float64]:
    flat = np.cos(elevation)
    return np.stack([np.sin(angle) * flat, np.sin(elevation), np.cos(angle) * flat], -1)


def _dome(
    skull: Skull, rim: NDArray[np.float64], thick: float, kind: str, rng: np.random.Generator
) -> Piece:
    rows = 34
    points, towards, up = _dome_points(skull, rim, thick, rows)
    if kind == "beanie":
        slack = rng.uniform(0.2, 2.2)
        points = points + np.array([0, 1, -0.5]) * (slack * up**3)[..., None]
        ribs = 0.05 * np.cos(np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False) * 46) * (1 - up**4)
        points = points + towards * (ribs + 0.25 * (1 - up))[..., None]
    elif kind == "brimmed hat":
        crown = rng.uniform(2.0, 4.0)
        points[..., 1] += crown * smoothstep(up, 0.0, 0.55)
        points[..., :1] *= 1 + 0.06 * smoothstep(up, 0.1, 0.5)[..., None]
        pinch = np.exp(-0.5 * (points[..., 0] / 2.0) ** 2) * smoothstep(up, 0.6, 1.0)
        points[..., 1] -= 1.4 * pinch
    else:
        front = smoothstep(towards[..., 2], 0.0, 0.8)
        points = points + np.array([0, 0.6, 0.5]) * (np.sin(np.pi * up) * front)[..., None]
    wrinkled = fractal(points * 0.35, 1.0, 2, rng)
    points = points + towards * (0.07 * wrinkled * (1 - 0.6 * (kind == "cap")))[..., None]
    inner = skull.center + (points[:1] - skull.center) * 0.93
    grid = np.concatenate([inner, points])[::-1]
    return _piece(grid, grid_faces(len(grid), COLUMNS, closed=True))


def _cuff(skull: Skull, rim: NDArray[np.float64], rng: np.random.Generator) -> Piece:
    """Turned-up edge of a beanie."""
    tall = rng.uniform(3.0, 5.5)
    points, _, _ = _dome_points(skull, rim, 0.9, 2)
    start = points[0]
    t = np.linspace(0, 1, 10)
    bulge = 0.55 * np.clip(1 - (2 * t - 1) ** 6, 0, 1) - 0.5 * ((t == 0) | (t == 1))
    raised = start[None] + t[:, None, None] * np.array([0, tall, 0])
    flat = (raised - skull.center) / np.linalg.norm(raised - skull.center, axis=-1, keepdims=True)
    ribs = 0.06 * np.cos(np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False) * 46)
    radius = skull.radius(flat) + 0.75 + bulge[:, None] + ribs * (bulge > 0)[:, None]
    grid = (skull.center + flat * radius[..., None])[::-1]
    return _piece(grid, grid_faces(len(grid), COLUMNS, closed=True))


def _visor(skull: Skull, rim: NDArray[np.float64], rng: np.random.Generator) -> Piece:
    """Curved peak of a cap."""
    reach, drop = rng.uniform(6.0, 7.5), rng.uniform(1.0, 2.6)
    angle = np.radians(np.linspace(-58, 58, 44))
    height = _rim_height(rim, angle)
    tilt = np.full_like(angle, np.arctan2(height[22] - skull.center[1], 9.0))
    radius = (skull.radius(_directions(angle, tilt)) + 0.45) * np.cos(tilt)
    base = np.stack([np.sin(angle) * radius, height + 0.15, 0.5 + np.cos(angle) * radius], -1)
    t = np.linspace(0, 1, 12)[:, None]
    shape = np.cos(np.clip(angle / np.radians(62), -1, 1) * np.pi / 2) ** 0.6
    out = reach * shape[None] * t
    bend = 0.9 * (base[:, 0] / 6.5) ** 2
    top = np.stack(
        [
            np.broadcast_to(base[:, 0], out.shape) * (1 + 0.02 * t),
            base[:, 1] - drop * t * shape - bend * t,
            base[:, 2] + out,
        ],
        -1,
    )
    under = top[::-1] - np.array([0, 0.28, 0.0])
    grid = np.concatenate([top, under])
    return _piece(grid, grid_faces(len(grid), len(angle), closed=False))


def _brim(skull: Skull, rim: NDArray[np.float64], rng: np.random.Generator) -> Piece:
    """Brim of a hat all around."""
    reach, droop, roll = rng.uniform(4.5, 7.5), rng.uniform(-0.5, 1.8), rng.uniform(0.0, 2.0)
    points, _, _ = _dome_points(skull, rim, 0.35, 2)
    base = points[0]
    out = base - skull.center
    out[:, 1] = 0
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    t = np.linspace(0, 1, 12)[:, None, None]
    side = np.abs(out[:, :1])
    top = base + out * reach * t + np.array([0.0, 1.0, 0.0]) * (-droop * t**2 + roll * side * t**2)
    grid = np.concatenate([top, top[::-1] - np.array([0, 0.25, 0])])
    return _piece(grid, grid_faces(len(grid), COLUMNS, closed=True))


def _turban(skull: Skull, rim: NDArray[np.float64], rng: np.random.Generator) -> list[Piece]:
    """Wound cloth: a thick dome with crossing folds."""
    full = rng.uniform(1.6, 3.0)
    rows = 60
    points, towards, up = _dome_points(skull, rim, 0.4, rows)
    angle = np.arctan2(towards[..., 0], towards[..., 2])
    side = np.sign(angle)
    # Bands rise from the sides to the middle of the front and cross there.
    wind = 11 * up + 1.5 * np.abs(angle) - 0.35 * side
    folds = np.abs(np.sin(np.pi * wind / 2)) ** 0.7
    body = full * np.sin(np.pi * np.clip(up * 0.85 + 0.12, 0, 1)) + 0.35 * folds - 0.2
    body = body + 0.12 * fractal(points * 0.4, 1.0, 2, rng)
    points = points + towards * body[..., None]
    inner = skull.center + (points[:1] - skull.center) * 0.88
    grid = np.concatenate([inner, points])[::-1]
    return [_piece(grid, grid_faces(len(grid), COLUMNS, closed=True))]


def _scarf(skull: Skull, bust: Bust, rng: np.random.Generator) -> list[Piece]:
    """Headscarf: a hood around the face's oval, and a drape over neck and shoulders."""
    from scipy import ndimage

    # Rings run from the face's oval to the back of the head.
    around = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)
    wide, high, low = rng.uniform(6.7, 7.2), rng.uniform(8.6, 9.8), rng.uniform(-8.6, -8.1)
    x = wide * np.sin(around)
    y = np.where(np.cos(around) > 0, high * np.cos(around), -low * np.cos(around))
    z = np.interp(np.cos(around), [-1, -0.6, 0, 0.7, 1], [7.5, 6.6, 3.4, 6.8, 8.4])
    start = np.stack([x, y, z], -1) - skull.center
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    pole = np.array([0.0, 0.12, -1.0]) / np.hypot(0.12, 1)
    rows = 46
    turn = np.arccos(np.clip(start @ pole, -1, 1))
    t = np.linspace(0, 1, rows)[:, None, None]
    towards = (np.sin((1 - t) * turn[:, None]) * start + np.sin(t * turn[:, None]) * pole) / np.sin(
        turn
    )[:, None]
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    # Cloth spans hollows and takes ears in.
    tight = np.pad(skull.radius(towards), ((4, 4), (0, 0)), mode="edge")
    tight = ndimage.maximum_filter(tight, (7, 9), mode="wrap")
    tight = ndimage.gaussian_filter(tight, 2.5, mode="wrap")[4:-4]
    pole = smoothstep(t[..., 0], 0.82, 1.0)
    tight = tight + pole * (tight[-1].mean() - tight)
    radius = tight + 0.3 + 1.3 * np.sin(np.pi * np.minimum(1.6 * t[..., 0], 0.5))
    points = skull.center + towards * radius[..., None]
    folds = fractal(points * np.array([0.3, 0.12, 0.3]), 1.0, 2, rng)
    points = points + towards * (0.16 * folds * smoothstep(t[..., 0], 0.0, 0.15))[..., None]
    edge = skull.center + (points[:1] - skull.center) * 0.95
    grid = np.concatenate([edge, points])[:, ::-1]
    hood = _piece(grid, grid_faces(len(grid), COLUMNS, closed=True))
    return [hood, _drape(bust, rng)]


def _drape(bust: Bust, rng: np.random.Generator) -> Piece:
    """Cloth from below the chin over neck, shoulders and chest."""
    angle = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)
    down = np.linspace(0, 1, 40)[:, None]
    end = -24 - 5 * smoothstep(np.cos(angle), -0.2, 0.9) * rng.uniform(0.5, 1.2)
    start = -3.5 - 4.4 * smoothstep(np.cos(angle), 0.1, 0.85)
    height = start + (end - start) * down
    reach = np.maximum(bust.skin(angle[None], height), bust.torso(angle[None], height))
    head = np.interp(np.degrees(np.arccos(np.cos(angle))), [0, 40, 90, 180], [9.4, 8.3, 7.0, 6.2])
    radius = np.maximum(
        reach + 1.5 + 0.9 * smoothstep(down, 0.2, 0.6), head[None] * smoothstep(down, 0.55, 0.1)
    )
    for _ in range(3):  # cloth bridges hollows
        radius[1:-1] = np.maximum(radius[1:-1], (radius[:-2] + radius[2:]) / 2)
    spiral = angle[None] * 3 + height * 0.35
    folds = np.sin(spiral + rng.uniform(0, 6)) + 0.7 * np.sin(2.3 * spiral + rng.uniform(0, 6))
    radius = radius + 0.28 * folds * smoothstep(down, 0.02, 0.3)
    point = np.stack([radius * np.sin(angle), height, AXIS_Z + radius * np.cos(angle)], -1)
    return _piece(point, grid_faces(len(point), COLUMNS, closed=True))


def _piece(grid: NDArray[np.float64], faces: Int) -> Piece:
    vertices = grid.reshape(-1, 3).astype(np.float32)
    square = np.stack([vertices[:, 0] / 60 + 0.5, (vertices[:, 1] + 34) / 60], 1)
    uv = np.clip(square, 0.01, 0.99) * 0.5 + np.array(HEADWEAR)
    return Piece(vertices, faces, uv.astype(np.float32)[faces])
