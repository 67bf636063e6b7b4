# SPDX-License-Identifier: Apache-2.0
"""The built-in mean head: a lofted surface with lids, lips, ears and eyeballs, made in code."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_synth.head.curve import EYE, LIPS, MOUTH_LINE, UPPER_LID, smooth
from data_synth.head.head import (
    EYE_AXIS,
    EYE_CENTER,
    LIMBUS_DEG,
    Int,
    Part,
    eye_uv,
    grid_faces,
)
from data_synth.head.loft import surface
from data_synth.noise import smoothstep
from data_synth.skin.atlas import PIXELS_PER_CM, blank_canvas, fill

Float = NDArray[np.float32]

ROWS, COLUMNS = 190, 210
EYEBALL_CM = 1.52
SKIN_U = 0.88
"""Share of the texture's width that the head takes; the rest is for the ears."""


class MeanHead(NamedTuple):
    """The mean head; arrays as in :class:`data_synth.head.head.Head`."""

    vertices: Float
    faces: Int
    uv: Float
    part: NDArray[np.uint8]
    side: NDArray[np.int8]
    """0, or the side (-1, 1) of the eyeball that a vertex belongs to."""


@functools.lru_cache(maxsize=1)
def mean_head() -> MeanHead:
    """Loft, carve, and add ears and eyes; the same for everyone, so made once."""
    station, azimuth = _grid()
    points = _round_jaw(surface(station[:, None], azimuth[None]), station)
    points = _carve_mouth(points)
    points = _carve_eyes(points)
    u = np.linspace(0, SKIN_U, COLUMNS)
    v = np.linspace(1, 0, ROWS)
    uv = np.stack(np.broadcast_arrays(u[None], v[:, None]), -1).reshape(-1, 2)
    faces = grid_faces(ROWS, COLUMNS, closed=False)
    parts = [(points.reshape(-1, 3), faces, uv[faces], Part.FACE, 0)]
    for side in (-1, 1):
        parts.append((*_ear(side), Part.NECK, 0))
        ball, triangles = eyeball(side)
        parts.append((ball, triangles, eye_uv(ball.astype(np.float32))[triangles], Part.EYE, side))
    vertices, all_faces, all_uv, part, sides, count = [], [], [], [], [], 0
    for vertex, face, coordinate, kind, side in parts:
        vertices.append(vertex)
        all_faces.append(face + count)
        all_uv.append(coordinate)
        behind = vertex[face].mean(1)[:, 2] < 0
        part.append(np.where(behind & (kind == Part.FACE), Part.NECK, kind).astype(np.uint8))
        sides.append(np.full(len(vertex), side, np.int8))
        count += len(vertex)
    return MeanHead(
        np.concatenate(vertices).astype(np.float32),
        np.concatenate(all_faces).astype(np.int32),
        np.clip(np.concatenate(all_uv), 0, 1).astype(np.float32),
        np.concatenate(part),
        np.concatenate(sides),
    )


def _grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Stations and azimuths of the grid's rows and columns, dense on the face."""
    at = np.linspace(0, 1, ROWS)
    station = np.interp(at, [0, 0.14, 0.22, 0.74, 0.82, 1], [0.0, 0.27, 0.345, 0.645, 0.73, 1.0])
    x = np.linspace(-1, 1, COLUMNS)
    azimuth = np.interp(np.abs(x), [0, 0.62, 0.75, 1], [0, 42, 70, 180]) * np.sign(x)
    return station, np.radians(azimuth)


def _round_jaw(points: NDArray[np.float64], station: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smooth the crease where the loft's rays turn from the face to the neck."""
    amount = smoothstep(station, 0.672, 0.70) * smoothstep(station, 0.85, 0.79)
    for _ in range(14):
        middle = (points[:-2] + points[2:]) / 2
        points[1:-1] += 0.5 * amount[1:-1, None, None] * (middle - points[1:-1])
    return points


def _carve_mouth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Press the line where the lips meet, the corners, the philtrum and the nostrils in."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    front = z > 7
    ax = np.abs(x)
    line = np.interp(ax, MOUTH_LINE[:, 0], MOUTH_LINE[:, 1])
    seam = np.exp(-0.5 * ((y - line) / 0.075) ** 2) * smoothstep(ax, 2.75, 2.2) * front
    top, low = (
        np.interp(ax, LIPS[:4, 0], LIPS[:4, 1]),
        np.interp(ax, LIPS[3:][::-1, 0], LIPS[3:][::-1, 1]),
    )
    within = smoothstep(ax, 2.6, 1.4) * front
    full = np.exp(-0.5 * ((y - (line + top) / 2) / 0.22) ** 2)
    full = full + 1.2 * np.exp(-0.5 * ((y - (line + low) / 2) / 0.24) ** 2)
    ridge = np.exp(-0.5 * ((ax - 0.55) / 0.16) ** 2) * smoothstep(y, -2.6, -2.2)
    ridge = ridge * smoothstep(y, -1.2, -1.7) * front
    nostril = np.exp(-0.5 * (((ax - 0.62) / 0.27) ** 2 + ((y + 1.12) / 0.2) ** 2)) * front
    moved = points.copy()
    moved[..., 2] += -0.26 * seam + 0.10 * full * within + 0.05 * ridge - 0.75 * nostril
    moved[..., 1] += 0.30 * nostril
    return moved


def _carve_eyes(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round the lids over the eyeballs and open them along a clean edge."""
    moved = points.copy()
    outline = smooth(np.concatenate([EYE, EYE[:1]]), 90)
    for side in (-1.0, 1.0):
        x, y, z = moved[..., 0] * side, moved[..., 1], moved[..., 2]
        near = (np.hypot(x - 3.1, y - 3.5) < 2.6) & (z > 5)
        inside, edge = _signed_distance(x[near], y[near], outline)
        # Vertices next to the opening's rim move onto it.
        snap = np.abs(inside) < 0.055
        x_new, y_new = x[near], y[near]
        x_new[snap], y_new[snap] = edge[snap].T
        ball = ball_depth(x_new, y_new)
        lid = np.maximum(z[near], ball + 0.16 * smoothstep(inside, 0.9, 0.1) + 0.02)
        crease = np.interp(x_new, UPPER_LID[:, 0], UPPER_LID[:, 1]) + 0.42
        lid = lid - 0.13 * np.exp(-0.5 * ((y_new - crease) / 0.11) ** 2) * smoothstep(
            np.abs(x_new - 3.1), 1.9, 1.2
        )
        lid = np.maximum(lid, ball + 0.09)
        opened = inside < -0.055
        z_new = np.where(opened, ball - 0.35, lid)
        moved[near] = np.stack([x_new * side, y_new, z_new], -1)
    return moved


def ball_depth(x: Any, y: Any) -> NDArray[np.float64]:
    """Depth z of the left eyeball's front, or far behind beside it."""
    square = EYEBALL_CM**2 - (x - EYE_CENTER[0]) ** 2 - (y - EYE_CENTER[1]) ** 2
    return np.where(square > 0, EYE_CENTER[2] + np.sqrt(np.maximum(square, 0)), 0.0)


def _signed_distance(
    x: Any, y: Any, outline: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance to a closed outline, negative inside, and the nearest point on it."""
    from scipy.spatial import cKDTree

    dense = smooth(outline, 900)
    distance, index = cKDTree(dense).query(np.stack([x, y], 1))
    canvas = blank_canvas()
    fill(canvas, outline)
    row = np.clip(((12 - y) * PIXELS_PER_CM).astype(int), 0, canvas.shape[0] - 1)
    column = np.clip(((x + 8) * PIXELS_PER_CM).astype(int), 0, canvas.shape[1] - 1)
    return np.where(canvas[row, column] > 0.5, -distance, distance), dense[index]


def eyeball(side: int) -> tuple[NDArray[np.float64], Int]:
    """Canonical vertices and triangles of an eye: a sphere with a cornea, its pole along the axis.

    Args:
        side: 1 for the left eye, -1 for the right.
    """
    rows, columns = 40, 48
    angle = np.pi * np.linspace(0.004, 1, rows) ** 1.35
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    rim = np.radians(LIMBUS_DEG)
    bulge = 0.16 * np.clip(1 - (angle / (rim * 1.15)) ** 2, 0, 1) ** 0.8
    radius = EYEBALL_CM + bulge
    right = np.cross([0.0, 1.0, 0.0], EYE_AXIS)
    right /= np.linalg.norm(right)
    up = np.cross(EYE_AXIS, right)
    local = (
        np.cos(angle)[:, None, None] * EYE_AXIS
        + (np.sin(angle)[:, None] * np.cos(turn))[..., None] * right
        + (np.sin(angle)[:, None] * np.sin(turn))[..., None] * up
    )
    points = (EYE_CENTER + radius[:, None, None] * local).reshape(-1, 3) * [side, 1, 1]
    faces = grid_faces(rows, columns, closed=True)
    return points, faces if side > 0 else faces[:, ::-1].copy()


def turned(points: Any, gaze_deg: tuple[float, float]) -> NDArray[Any]:
    """Points ``(N, 3)`` about an eye's centre, turned to the subject's left and upwards."""
    yaw, pitch = np.radians(gaze_deg)
    x, y, z = points.T
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    return np.stack([x, y, z], 1)


def _ear(side: int) -> tuple[NDArray[np.float64], Int, Float]:
    """An ear: rings from the concha over antihelix and helix to the back and into the head."""
    turn = np.linspace(0, 2 * np.pi, 56, endpoint=False)
    ring = np.array(
        [0.0, 0.18, 0.34, 0.46, 0.56, 0.66, 0.76, 0.85, 0.93, 1.0, 1.02, 0.96, 0.8, 0.5]
    )
    away = np.array([0.1, 0.12, 0.2, 0.5, 0.82, 0.88, 0.72, 0.68, 0.92, 0.9, 0.7, 0.5, 0.1, -0.9])
    # Outline seen from the side: backwards is turn = 0, up is pi / 2.
    tall = np.where(np.sin(turn) > 0, 3.0, 3.3)
    deep = np.where(np.cos(turn) > 0, 1.75, 1.35) * (1 - 0.28 * np.clip(-np.sin(turn), 0, 1) ** 1.5)
    back, up = deep * np.cos(turn), tall * np.sin(turn)
    lobe = smoothstep(np.sin(turn), -0.55, -0.9)
    height = away[:, None] * np.ones_like(turn)
    flat = np.where(ring > 0.3, 0.55, 0.3)[:, None]
    height = height + lobe * (flat - height) * (ring < 1)[:, None] * 0.85
    open_front = smoothstep(np.cos(turn), -0.35, -0.85)  # the helix fades into the cheek
    height = height - open_front * np.clip(height - 0.25, 0, None) * 0.9
    flare = 0.42 * (ring[:, None] * back + 1.2)
    x = 6.95 + height + flare
    y = 1.9 + ring[:, None] * up
    z = -0.9 - ring[:, None] * back - 0.12 * ring[:, None] * up
    points = np.stack([side * x, y, z], -1)
    faces = grid_faces(len(ring), len(turn), closed=True)
    low = 0.02 if side < 0 else 0.52
    square = np.stack(
        [
            0.945 + 0.05 * ring[:, None] * np.cos(turn),
            low + 0.23 + 0.22 * ring[:, None] * np.sin(turn),
        ],
        -1,
    ).reshape(-1, 2)
    outward = faces if side > 0 else faces[:, ::-1].copy()
    return points.reshape(-1, 3), outward, square[outward].astype(np.float32)
