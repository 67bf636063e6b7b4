# SPDX-License-Identifier: Apache-2.0
"""Scalp hair: strands grown step by step, kept off the body, gathered into locks and curled.

Reference:
    Kajiya and Kay 1989, "Rendering Fur with Three Dimensional Textures" (hair as fibres).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.hair.hair_color import fibre_colors
from data_synth.hair.hair_style import FACE_FREE, STYLES, Style, scalp_density
from data_synth.hair.lock import Locks, gather_locks
from data_synth.hair.root import Roots, scatter
from data_synth.hair.tie import tie_place, tied_hair
from data_synth.head.head import Head
from data_synth.noise import smoothstep
from data_synth.subject import Strands
from data_synth.trait import Traits

Float = NDArray[np.float32]

RADIUS_CM = 0.021
"""Each strand stands for several hairs."""
TIP = 0.25
"""Radius at the tip over the root's: locks end in points."""
FLYAWAY_RADIUS = 0.3
"""Radius of fly-aways over that of the others: they are single hairs, and show as a soft rim."""
WISP_PULL = 1.5
LOCK_PULL = 0.8
"""How far strands draw together within wisps and locks, over the style's clump; by eye."""
OWN_LEAN, OWN_LENGTH = 0.3, 0.25
"""Share of a strand's lean and length that is not its wisp's; by eye."""
FRIZZ = (2.0, 0.6)
"""Crookedness of fly-aways and of the other strands, over the style's."""


@dataclass(frozen=True)
class Obstacle:
    """What strands must not enter: points of a surface and the normals there, ``(N, 3)`` each."""

    points: Float
    normals: Float


def grow_hair(
    head: Head, normals: Float, body: Obstacle, traits: Traits, rng: np.random.Generator
) -> Strands | None:
    """Hair of the scalp.

    Args:
        head: the bare head.
        normals: ``(V, 3)`` of its vertices.
        body: head and shoulders.
        traits: style, texture, colour, hairline.
        rng: draws everything else.

    Returns:
        Strands, or ``None`` when there is none.
    """
    style = _with_texture(STYLES[traits.hair_style], traits)
    bald = traits.hair_style == "bald"
    if bald and traits.receding > 0.5:
        style = replace(STYLES["buzz"], length=(0.2, 0.6), count=6000)  # a ring of short hair
    if style.count == 0:
        return None
    roots = scatter(head, normals, lambda p: scalp_density(p, traits), style.count, rng)
    if not len(roots.position):
        return None
    part_cm = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 3.0)) if style.comb else 0.0
    # A lock over the parting would fall across the face.
    beyond = (roots.canonical[:, 0] > part_cm) & (style.comb > 0)
    locks = gather_locks(roots.position, rng, beyond)
    strands, lengths = _grow(roots, locks, body, style, traits, part_cm, rng)
    if style.cut is not None:
        strands, lengths = _cut_level(strands, rng.uniform(*style.cut), roots, style, rng)
    strands = _gather(strands, locks, lengths, style, traits, rng)
    if style.tie:
        tied, wisp = tied_hair(style.tie, head.vertices, style.steps, rng)
        strands = np.concatenate([strands, tied])
        locks = locks.extended(wisp)
    strands = _keep_out(strands, body, 0.06)
    steps = strands.shape[1]
    taper = np.interp(np.linspace(0, 1, steps), [0, 0.6, 1], [1, 0.9, TIP]) * RADIUS_CM
    radius = taper * np.where(locks.free, FLYAWAY_RADIUS, 1)[:, None]
    shade = fibre_colors(traits.hair_color, traits.grey, (locks.lock, locks.wisp), rng)
    return Strands(strands.astype(np.float32), radius.astype(np.float32), shade)


def _with_texture(style: Style, traits: Traits) -> Style:
    """Coily and curly hair stands further off and takes more points to draw."""
    if style.count == 0 or style.length[1] < 2.5 or style.tie:
        return style
    if traits.hair_texture == "coily":
        return replace(style, steps=max(style.steps, 22), lift=style.lift + 0.35, clump=0.6)
    if traits.hair_texture == "curly" or style is STYLES["curly"]:
        return replace(style, steps=max(style.steps, 22), lift=style.lift + 0.1, clump=0.85)
    return style


def _grow(
    roots: Roots,
    locks: Locks,
    body: Obstacle,
    style: Style,
    traits: Traits,
    part_cm: float,
    rng: np.random.Generator,
) -> tuple[Float, Float]:
    from scipy.spatial import cKDTree

    tree = cKDTree(body.points)
    number = len(roots.position)
    p0, n0, c0 = roots.position, roots.normal, roots.canonical
    length = locks.spread(rng.uniform(*style.length, number), OWN_LENGTH)
    length = length * np.clip(rng.normal(1, 0.08, number), 0.7, 1.3)
    if style.cut is None and not style.tie:
        low = smoothstep(c0[:, 1], 9.5, 4.0)
        length = length * (1 + (style.sides - 1) * low)
        # Shorter towards the hairline.
        length *= 0.55 + 0.45 * scalp_density(c0, traits)
    side = np.where(c0[:, 0] > part_cm, 1.0, -1.0)
    front = smoothstep(c0[:, 2], 1.0, 7.0)
    comb = _comb_direction(c0, side, front, style, rng)
    tie = None
    if style.tie:
        tie = tie_place(body.points, style.tie)
    # Locks lean as one; their hairs differ little.
    jitter = locks.spread(rng.normal(0, 1, (number, 3)).clip(-1.5, 1.5), OWN_LEAN)
    jitter *= 0.06 if style.cut or style.tie else 0.13
    stand = rng.random(number) * (0.7 if style.cut else 0.12 + 0.06 * style.length[1])
    volume = 0.10 + 0.6 * style.lift * float(rng.uniform(0.4, 1.3)) * (style.length[1] > 2)
    point, direction = p0 - 0.05 * n0, n0.copy()
    grown, step = [point], (length / (style.steps - 1))[:, None]
    normal = n0
    curtain = float(rng.uniform(1.0, 6.5))
    for k in range(1, style.steps):
        a = k / style.steps
        done = (length * a)[:, None]  # cm from the root
        fade = np.exp(-done / (1.2 + 4 * style.lift))
        pull = style.comb * (1.4 * np.exp(-done / 5) if style.cut else 1 - 0.4 * a)
        weight = style.gravity * (np.minimum(0.3 + done / 6, 3) if style.cut else 0.3 + 1.3 * a)
        if tie is not None:
            towards = tie - point
            near = np.linalg.norm(towards, axis=1, keepdims=True)
            target = towards / np.maximum(near, 1e-3) + jitter * 0.5
            step_now = np.minimum(step, near / max(1, style.steps - k) * 1.15)
        else:
            # The comb follows the skull: its pull never leads off the surface.
            flat = comb - (comb * normal).sum(1, keepdims=True) * normal
            target = n0 * (style.lift * fade) + flat * pull + jitter
            target = target - weight * np.array([0.0, 1.0, 0.0])
            step_now = step
        target = target / np.maximum(np.linalg.norm(target, axis=1, keepdims=True), 1e-6)
        direction = 0.55 * direction + 0.45 * target
        direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
        point = point + direction * step_now
        if traits.hair_style in FACE_FREE and not style.back:
            point = _off_face(point, c0, side, style, curtain)
        away, nearest = tree.query(point, distance_upper_bound=4.0)
        nearest = np.where(np.isfinite(away), nearest, 0)
        normal = body.normals[nearest]
        depth = ((point - body.points[nearest]) * normal).sum(1)
        clear = 0.1 + stand + (0.12 if tie is not None else volume * min(1.0, 2.5 * a))
        push = np.clip(clear - depth, 0, 1.5) * (away < 4)
        point = point + normal * push[:, None]
        into = np.minimum((direction * normal).sum(1), 0) * (push > 0)
        direction = direction - into[:, None] * normal
        grown.append(point)
    return np.stack(grown, 1).astype(np.float32), length.astype(np.float32)


def _comb_direction(
    c0: Float, side: Any, front: Float, style: Style, rng: np.random.Generator
) -> Float:
    """Unit direction of the comb at each root."""
    number = len(c0)
    if style.back:
        comb = np.stack([0.25 * side, 0.15 * np.ones(number), -np.ones(number)], 1)
    elif style.fringe:
        forward = (np.abs(c0[:, 0]) < 5.2) & (c0[:, 2] > 4.0)
        comb = np.stack([side, -0.25 * np.ones(number), -0.4 - 0.5 * (1 - front)], 1)
        ahead = np.stack([0.1 * c0[:, 0], -0.4 * np.ones(number), np.full(number, 1.6)], 1)
        comb = np.where(forward[:, None], ahead, comb)
    elif style.length[1] < 6:  # short: swept from the crown, at the front to one side
        swirl = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.4, 1.0))
        comb = np.stack(
            [c0[:, 0] * 0.12 + swirl * front, -0.3 * np.ones(number), 0.5 * (front - 0.3)], 1
        )
    else:
        comb = np.stack(
            [side * (0.8 + 0.2 * front), -0.25 * np.ones(number), -0.9 + 0.5 * front], 1
        )
    return (comb / np.linalg.norm(comb, axis=1, keepdims=True)).astype(np.float32)


def _off_face(point: Any, c0: Float, side: Any, style: Style, curtain: float) -> Any:
    """Move points that hang before the face to its sides, and behind the depth ``curtain``."""
    half = 7.1 * smoothstep(point[:, 1], 10.8, 7.0)
    bangs = (np.abs(c0[:, 0]) < 5.2) & (c0[:, 2] > 4.0) if style.fringe else np.zeros(len(c0), bool)
    ahead = smoothstep(point[:, 2], 1.0, 3.0) * ~bangs
    wanted = side * np.maximum(side * point[:, 0], half)
    moved = point.copy()
    # At most a little per step, so that strands bend and do not jump.
    shift = np.clip((wanted - point[:, 0]) * ahead, -1.6, 1.6)
    moved[:, 0] += shift
    beside = smoothstep(point[:, 1], 7.5, 3.5) * (np.abs(point[:, 0]) > 5.5) * ~bangs
    moved[:, 2] -= np.clip(point[:, 2] - curtain, 0, 0.7) * beside
    return moved


def _cut_level(
    strands: Float, level: float, roots: Roots, style: Style, rng: np.random.Generator
) -> tuple[Float, Float]:
    """Trim strands where they pass below ``level``, and bangs above the brows."""
    number, steps = strands.shape[:2]
    ragged = rng.normal(0, 0.5, number)
    height = np.full(number, level) + ragged
    if style.fringe:
        bangs = (np.abs(roots.canonical[:, 0]) < 5.2) & (roots.canonical[:, 2] > 4.0)
        height = np.where(bangs, rng.uniform(5.6, 7.2) + 0.4 * ragged, height)
    below = strands[..., 1] < height[:, None]
    last = np.where(below.any(1), below.argmax(1), steps - 1)
    last = np.maximum(last, 2)
    length = np.linalg.norm(np.diff(strands, axis=1), axis=2)
    total = np.where(np.arange(steps - 1)[None] < last[:, None], length, 0).sum(1)
    return _resample(strands, np.zeros(number), last.astype(float)), total.astype(np.float32)


def _resample(strands: Float, start: Any, end: Any) -> Float:
    """Each strand between two fractional point numbers, with as many points as before."""
    number, steps = strands.shape[:2]
    at = start[:, None] + (end - start)[:, None] * np.linspace(0, 1, steps)[None]
    low = np.clip(np.floor(at).astype(int), 0, steps - 2)
    part = (at - low)[..., None]
    row = np.arange(number)[:, None]
    return (strands[row, low] * (1 - part) + strands[row, low + 1] * part).astype(np.float32)


def _gather(
    strands: Float,
    locks: Locks,
    lengths: Float,
    style: Style,
    traits: Traits,
    rng: np.random.Generator,
) -> Float:
    """Wisps, locks of them, and curls."""
    number, steps = strands.shape[:2]
    along = np.linspace(0, 1, steps)[None, :, None]
    if style.clump > 0:
        for owner, strength in ((locks.wisp, WISP_PULL), (locks.lock, LOCK_PULL)):
            vary = rng.uniform(0.6, 1.15, (number, 1, 1)).clip(0, 1)
            strands = locks.pull(strands, owner, along**0.8 * style.clump * strength * vary)
    texture = traits.hair_texture
    if traits.hair_style == "wavy" and texture == "straight":
        texture = "wavy"
    if traits.hair_style == "curly" and texture in ("straight", "wavy"):
        texture = "curly"
    curl = {"straight": (0.0, 1.0), "wavy": (0.32, 6.5), "curly": (0.5, 2.8), "coily": (0.28, 1.1)}
    width, wave = curl[texture]
    reach = lengths[:, None] * np.linspace(0, 1, steps)[None]
    if width > 0 and style.length[1] > 2.0 and not style.tie:
        width = width * float(rng.uniform(0.7, 1.2))
        wave = wave * float(rng.uniform(0.85, 1.3))
        phase = rng.uniform(0, 2 * np.pi, number)[locks.wisp][:, None]
        phase = phase + rng.normal(0, 0.2, (number, 1))
        tangent = np.gradient(strands, axis=1)
        tangent /= np.linalg.norm(tangent, axis=2, keepdims=True) + 1e-6
        first = np.cross(tangent, [0.3, 1.0, 0.2])
        first /= np.linalg.norm(first, axis=2, keepdims=True) + 1e-6
        second = np.cross(tangent, first)
        grow = width * np.minimum(1, reach / 2.0)[..., None]
        angle = 2 * np.pi * reach / wave + phase
        strands = strands + grow * (
            np.cos(angle)[..., None] * first + np.sin(angle)[..., None] * second
        )
    bend = np.where(locks.free, *FRIZZ) * (0.007 if style.cut or style.tie else 0.013)
    frizz = np.cumsum(rng.normal(0, 1, strands.shape) * bend[:, None, None], 1)
    frizz = frizz * (np.arange(steps) > 0)[None, :, None]
    return (strands + frizz).astype(np.float32)


def _keep_out(strands: Float, body: Obstacle, clear: float) -> Float:
    """Push points out of the body once more, after locks and curls moved them."""
    from scipy.spatial import cKDTree

    flat = strands[:, 1:].reshape(-1, 3)
    away, nearest = cKDTree(body.points).query(flat, distance_upper_bound=2.5)
    found = np.isfinite(away)
    index = nearest[found]
    normal = body.normals[index]
    depth = ((flat[found] - body.points[index]) * normal).sum(1)
    flat[found] += normal * np.clip(clear - depth, 0, 2.0)[:, None]
    strands[:, 1:] = flat.reshape(strands[:, 1:].shape)
    return strands


def hide_below(strands: Strands, covered: NDArray[np.bool_]) -> Strands | None:
    """What is left of strands under headwear: only the parts that come out below its rim.

    Args:
        strands: all of them.
        covered: ``(S, K)`` true where a point lies under the headwear.
    """
    _, steps = covered.shape
    backwards = covered[:, ::-1]
    last = np.where(covered.any(1), steps - 1 - backwards.argmax(1), 0)
    length = np.linalg.norm(np.diff(strands.points, axis=1), axis=2).sum(1)
    keep = np.flatnonzero((1 - last / (steps - 1)) * length > np.where(last > 0, 0.8, 0.0))
    if not len(keep):
        return None
    ends = np.full(len(keep), steps - 1.0)
    points = _resample(strands.points[keep], last[keep].astype(float), ends)
    return Strands(points, strands.radius[keep], strands.albedo[keep])
