# SPDX-License-Identifier: Apache-2.0
"""A parametric head made in code: a lofted surface with lids, lips, ears and eyeballs.

Nothing needs to be downloaded. Identity and expression are smooth displacements placed by anatomy;
the mouth stays closed.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_synth.head.curve import (
    EYE,
    LANDMARKS,
    LIPS,
    LOWER_LID,
    MOUTH_LINE,
    UPPER_LID,
    mirrored,
    smooth,
)
from data_synth.head.head import (
    EYE_AXIS,
    EYE_CENTER,
    LIMBUS_DEG,
    Head,
    Int,
    Part,
    eye_uv,
    grid_faces,
)
from data_synth.head.loft import surface
from data_synth.noise import blob, smoothstep
from data_synth.skin.atlas import PIXELS_PER_CM, blank_canvas, fill
from data_synth.trait import Traits

Float = NDArray[np.float32]

ROWS, COLUMNS = 190, 210
EYEBALL_CM = 1.52
SKIN_U = 0.88
"""Share of the texture's width that the head takes; the ears share the rest."""

# Identity: centre, size (cm), direction of a displacement, and its deviation in cm. A sign of 1
# mirrors it (both sides move alike), 0 keeps it in the middle.
_IDENTITY = (
    ((0.0, 0.4, 13.0), (1.6, 1.6, 2.0), (0, 0.15, 1), 0.28, 0),  # nose's length
    ((0.0, 0.2, 12.6), (1.6, 1.3, 2.0), (0, 1, 0), 0.22, 0),  # its tip up or down
    ((0.0, 3.0, 11.2), (1.1, 1.5, 1.5), (0, 0, 1), 0.22, 0),  # bridge
    ((1.4, -0.4, 11.0), (0.9, 0.9, 1.4), (1, 0, 0), 0.17, 1),  # wings
    ((0.0, -7.2, 10.2), (2.2, 1.6, 3.0), (0, -0.4, 1), 0.35, 0),  # chin
    ((0.0, -7.0, 9.5), (3.5, 2.5, 4.0), (0, 1, 0), 0.35, 0),  # its height
    ((5.6, -4.5, 5.0), (2.2, 2.8, 4.0), (1, -0.2, 0), 0.40, 1),  # jaw's width
    ((5.2, 0.8, 8.0), (1.8, 1.7, 3.0), (0.7, 0, 0.7), 0.26, 1),  # cheekbones
    ((4.2, -2.6, 9.0), (1.7, 1.8, 2.5), (0.6, 0, 0.8), 0.32, 1),  # cheeks, hollow or full
    ((3.0, 5.6, 10.0), (2.6, 0.9, 2.0), (0, 0, 1), 0.20, 1),  # brow ridge
    ((0.0, 9.0, 9.5), (5.0, 2.6, 4.0), (0, 0, 1), 0.40, 0),  # forehead
    ((0.0, -2.75, 11.6), (2.0, 0.45, 1.5), (0, 0.25, 1), 0.12, 0),  # upper lip
    ((0.0, -4.0, 11.4), (1.8, 0.5, 1.5), (0, -0.25, 1), 0.14, 0),  # lower lip
    ((2.5, -3.5, 10.3), (0.9, 0.9, 1.5), (1, 0, 0), 0.16, 1),  # mouth's width
    ((7.0, 6.0, 0.0), (3.0, 4.5, 6.0), (1, 0, 0), 0.35, 1),  # skull's width
    ((0.0, -8.2, 6.5), (4.5, 1.6, 3.0), (0, -1, 0.4), 0.40, 0),  # double chin
)

# Expression by name: the same, with the shift in cm at full strength.
_EXPRESSION: dict[str, tuple[tuple[Any, Any, Any, float], ...]] = {
    "smile": (
        ((2.5, -3.5, 10.2), (1.1, 0.9, 1.6), (0.75, 0.65, -0.35), 0.62),
        ((4.0, -0.4, 9.5), (1.5, 1.3, 2.0), (0.1, 0.45, 0.5), 0.40),
    ),
    "frown": (
        ((2.5, -3.6, 10.2), (1.0, 0.8, 1.6), (0.1, -1, 0), 0.38),
        ((1.6, 5.6, 10.5), (1.5, 0.8, 2.0), (-0.5, -0.8, 0.3), 0.38),
    ),
    "surprise": (((3.0, 6.1, 9.8), (2.4, 1.2, 2.5), (0, 1, 0), 0.75),),
    "pucker": (((1.8, -3.5, 10.9), (1.3, 1.0, 2.0), (-0.7, 0, 0.6), 0.5),),
    "squint": (((3.2, 6.0, 9.8), (2.2, 1.0, 2.5), (-0.1, -1, 0), 0.35),),
}
_ALIKE = {"grin": "smile", "smirk": "smile", "speak": "pucker"}


class _Mean(NamedTuple):
    """The mean head; arrays as in :class:`data_synth.head.head.Head`."""

    vertices: Float
    faces: Int
    uv: Float
    part: NDArray[np.uint8]
    side: NDArray[np.int8]
    """0, or the side (-1, 1) of the eyeball that a vertex belongs to."""


def make_head(traits: Traits, deviation: float, rng: np.random.Generator) -> Head:
    """One person's head.

    Args:
        traits: expression and gaze.
        deviation: of the identity weights, as for other sources.
        rng: draws the identity.
    """
    mean = _mean_head()
    canonical = mean.vertices
    shift = np.zeros_like(canonical)
    for center, size, towards, amount, sides in _IDENTITY:
        weight = float(rng.normal()) * amount * deviation
        shift += weight * _push(canonical, center, size, towards, bool(sides))
    stretch = 1 + deviation * rng.normal(0, [0.022, 0.025, 0.018])
    waves = _waves(canonical, deviation, rng)
    feminine = 2 * traits.femininity - 1
    shift -= 0.25 * feminine * _push(canonical, (5.6, -4.8, 5.5), (2.0, 2.4, 4), (1, -0.3, 0), True)
    shift -= 0.12 * feminine * _push(canonical, (3, 5.5, 10), (2.6, 0.8, 2), (0, 0, 1), True)
    expression = _ALIKE.get(traits.expression, traits.expression)
    for center, size, towards, amount in _EXPRESSION.get(expression, ()):
        pushed = _push(canonical, center, size, towards, True)
        if traits.expression == "smirk":
            pushed *= canonical[:, :1] > 0
        shift += amount * traits.expression_strength * pushed
    posed = (canonical + shift + waves) * stretch
    posed = _place_eyes(mean, canonical, posed, traits)
    posed = np.round(posed, 5)
    lashes, lid = _lashes(canonical, posed)
    return Head(
        vertices=posed.astype(np.float32),
        canonical=canonical,
        faces=mean.faces,
        uv=mean.uv,
        part=mean.part,
        landmarks=_follow(canonical, posed.astype(np.float32)),
        lashes=lashes,
        lash_lid=lid,
        aspect=1,
    )


def _push(points: Float, center: Any, size: Any, towards: Any, sides: bool) -> Float:
    """Displacement field of height 1 around a centre, mirrored when ``sides``."""
    direction = np.asarray(towards, np.float32)
    direction = direction / np.linalg.norm(direction)
    total = blob(points, center, size)[:, None] * direction
    if sides:
        flip = np.array([-1, 1, 1], np.float32)
        total = total + blob(points, np.asarray(center) * flip, size)[:, None] * direction * flip
    return np.asarray(total, np.float32)


def _waves(points: Float, deviation: float, rng: np.random.Generator) -> Float:
    """Slow random bends, a little asymmetry among them."""
    total = np.zeros_like(points)
    for _ in range(6):
        frequency = rng.normal(0, 0.16, 3)
        amount = deviation * rng.normal(0, 0.07, 3)
        total += (np.sin(points @ frequency + rng.uniform(0, 6.28))[:, None] * amount).astype(
            np.float32
        )
    return total


def _place_eyes(mean: _Mean, canonical: Float, posed: Float, traits: Traits) -> Float:
    """Carry the eyeballs rigidly to where their lids went, and turn them to the gaze."""
    posed = posed.copy()
    yaw, pitch = np.radians(traits.gaze_deg)
    for side in (-1, 1):
        center = EYE_CENTER * [side, 1, 1]
        lid = np.linalg.norm(canonical - center, axis=1) < 2.4
        moved = (posed - canonical)[lid & (mean.side == 0)].mean(0)
        ball = mean.side == side
        x, y, z = (canonical[ball] - center).T
        x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
        y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
        posed[ball] = center + moved + np.stack([x, y, z], 1)
    return posed


@functools.lru_cache(maxsize=1)
def _mean_head() -> _Mean:
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
        ball, triangles = _eyeball(side)
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
    return _Mean(
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
        ball = _ball_depth(x_new, y_new)
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


def _ball_depth(x: Any, y: Any) -> NDArray[np.float64]:
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


def _eyeball(side: int) -> tuple[NDArray[np.float64], Int]:
    """A sphere with a cornea, its pole along the eye's axis."""
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


def _lashes(canonical: Float, posed: NDArray[Any]) -> tuple[Float, Int]:
    """Guide curves of the lashes."""
    curves: list[NDArray[np.float64]] = []
    lids: list[NDArray[np.int64]] = []
    for side in (-1, 1):
        for lid, length, lift in ((UPPER_LID, 0.75, 0.55), (LOWER_LID, 0.4, -0.5)):
            line = smooth(lid, 19)
            line = line if side > 0 else mirrored(line)
            depth = _ball_depth(line[:, 0] * side, line[:, 1]) + 0.12
            root = np.column_stack([line, depth])
            spread = (line[:, :1] - side * 3.1) * 0.25
            out = np.column_stack([spread, np.full(19, 0.1 * lift), np.ones(19)])
            t = np.linspace(0, 1, 6)[None, :, None]
            bend = np.array([0, lift, 0]) * t**2
            curves.append(root[:, None] + length * (out[:, None] * t * 0.75 + bend))
            lids.append(np.full(19, len(lids)))
    points = np.concatenate(curves)
    moved = _displacement(canonical, posed, points[:, 0])
    return (points + moved[:, None]).astype(np.float32), np.concatenate(lids).astype(np.int32)


def _displacement(canonical: Float, posed: Any, points: Any) -> NDArray[np.float64]:
    """Where canonical points moved, from the nearest vertices."""
    from scipy.spatial import cKDTree

    index = cKDTree(canonical).query(points)[1]
    return np.asarray((posed - canonical)[index], float)


def _follow(canonical: Float, posed: Float) -> Float:
    """The 68 landmarks on the posed head."""
    return (LANDMARKS + _displacement(canonical, posed, LANDMARKS)).astype(np.float32)
