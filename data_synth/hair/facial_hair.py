# SPDX-License-Identifier: Apache-2.0
"""Brows and beard: where they grow, as densities over canonical positions, and their strands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.hair.hair_color import fibre_colors, natural_color
from data_synth.hair.lock import gather_locks
from data_synth.hair.root import Roots, scatter
from data_synth.head.curve import BROW, closed_lips, smooth
from data_synth.head.head import Head
from data_synth.noise import smoothstep
from data_synth.subject import Strands
from data_synth.trait import Traits

Float = NDArray[np.float32]

BEARD_LENGTH_CM = {
    "stubble": (0.1, 0.35),
    "short full": (0.4, 0.9),
    "full": (1.2, 3.2),
    "moustache": (0.5, 1.2),
    "goatee": (0.6, 1.8),
    "chin strap": (0.3, 0.7),
}

BROW_RADIUS_CM = 0.006
BEARD_RADIUS_CM = 0.008
LASH_RADIUS_CM = 0.005
"""Somewhat thicker than real ones (0.003 to 0.005), of which there are more."""
LASHES = 44
"""Of a lid."""


def brow_curve(traits: Traits, rng: np.random.Generator) -> NDArray[np.float64]:
    """Middle line of the left brow ``(40, 2)`` in canonical cm, shaped at random."""
    arch, height = rng.uniform(-0.25, 0.3), rng.uniform(-0.12, 0.18)
    tail = rng.uniform(-0.25, 0.2) + 0.15 * traits.femininity
    rise = height + np.array([0, 0.4 * arch, arch, arch * 0.8 + tail * 0.5, tail])
    curve = BROW + np.stack([np.zeros(5), rise], 1)
    curve[0, 0] += rng.uniform(-0.2, 0.25)
    return smooth(curve, 40)


def brow_half_width(at: Any) -> NDArray[np.float64]:
    """Half width in cm along the brow, ``at`` from 0 (inner end) to 1."""
    return np.interp(at, [0, 0.12, 0.55, 1], [0.34, 0.44, 0.35, 0.14])


def brow_density(canonical: Float, curve: NDArray[np.float64], weight: float) -> Float:
    """How densely brow hairs grow, ``(N,)`` in [0, 1]."""
    x = np.abs(canonical[..., 0])
    middle = np.interp(x, curve[:, 0], curve[:, 1])
    at = (x - curve[0, 0]) / (curve[-1, 0] - curve[0, 0])
    half = brow_half_width(at) * (0.75 + 0.4 * weight)
    across = smoothstep(np.abs(canonical[..., 1] - middle) / half, 1.2, 0.1)
    along = smoothstep(at, -0.1, 0.3) * smoothstep(at, 1.06, 0.6)
    return across * along * smoothstep(canonical[..., 2], 5.5, 6.5)


def beard_density(canonical: Float, style: str) -> Float:
    """How densely a beard grows, ``(...)`` in [0, 1]."""
    if style == "none":
        return np.zeros(canonical.shape[:-1], np.float32)
    x, y, z = np.abs(canonical[..., 0]), canonical[..., 1], canonical[..., 2]
    front = smoothstep(z, 4.0, 6.5)
    under = smoothstep(y, -10.6, -8.6)
    # Where the edge is steep, at the sideburn, it is as soft across.
    steep = np.hypot(1, (_cheek_edge(x + 0.1) - _cheek_edge(x - 0.1)) / 0.2)
    whole = smoothstep((_cheek_edge(x) - y) / steep, -0.3, 0.8) * under * smoothstep(z, 0.6, 2.0)
    lip_free = _lip_free(canonical)
    over = np.interp(x, [0, 0.6, 1.3, 2.4, 3.0], [-1.75, -1.4, -1.5, -2.45, -3.5])
    below = np.interp(x, [0, 1.7, 2.5, 3.1], [-2.5, -2.85, -3.75, -4.2])
    moustache = smoothstep(over - y, -0.12, 0.3) * smoothstep(y - below, -0.15, 0.25) * front
    moustache = moustache * (0.55 + 0.45 * smoothstep(x, 0.1, 0.45)) * smoothstep(x, 3.1, 2.6)
    wings = smoothstep(np.abs(x - 2.75), 0.55, 0.15) * smoothstep(y, -6.5, -4.5) * front
    wings = wings * smoothstep(y, -2.0, -2.8)
    chin = smoothstep(x, 2.4, 1.5) * smoothstep(y, -4.7, -5.3) * smoothstep(z, 5.5, 7.5) * under
    strap = whole * smoothstep(_jaw_distance(x, y), 1.6, 0.8)
    sides = whole * smoothstep(x, 1.8, 2.6)
    kinds = {
        "moustache": moustache,
        "goatee": np.maximum.reduce([moustache, chin, wings]),
        "chin strap": np.maximum(strap, 0.6 * moustache),
    }
    growth = kinds.get(style, np.maximum.reduce([sides, moustache, chin, wings]))
    return (growth * lip_free).astype(np.float32)


def _cheek_edge(x: Any) -> NDArray[np.float64]:
    """Upper edge of a beard: from below the sideburn down to beside the mouth."""
    return np.interp(x, [0, 2.2, 3.6, 5.2, 6.4, 7.2], [-1.4, -1.5, -4.0, -3.6, -1.6, 2.2])


def _jaw_distance(x: Any, y: Any) -> NDArray[np.float64]:
    jaw = np.interp(x, [0, 1.5, 3.0, 4.3, 5.7, 6.6, 7.2], [-7.6, -7.3, -6.9, -6.2, -4.5, -2.4, 0.5])
    return np.abs(y - jaw)


def _lip_free(canonical: Float) -> Float:
    """1 off the lips, 0 on them."""
    rim = closed_lips()
    x, y = np.abs(canonical[..., 0]), canonical[..., 1]
    upper = np.interp(x, rim[:4, 0], rim[:4, 1])
    lower = np.interp(x, rim[3:7, 0][::-1], rim[3:7, 1][::-1])
    inside = smoothstep(np.minimum(upper + 0.12 - y, y - lower + 0.25), -0.08, 0.08)
    inside = inside * smoothstep(x, 2.75, 2.5) * (canonical[..., 2] > 6)
    # A bare strip below the middle of the lower lip sets off the soul patch.
    bare = 0.5 * smoothstep(np.abs(y + 4.75), 0.35, 0.15) * smoothstep(np.abs(x - 1.2), 0.7, 0.3)
    covered = np.maximum(inside, bare * (canonical[..., 2] > 6))
    return (1 - covered).astype(np.float32)


def grow_brows(
    head: Head, normals: Float, traits: Traits, curve: NDArray[np.float64], rng: np.random.Generator
) -> Strands:
    """Brow hairs: upwards at the inner end, outwards along the rest."""
    count = int(1700 * traits.brow_weight)
    roots = scatter(head, normals, lambda p: brow_density(p, curve, traits.brow_weight), count, rng)
    x = np.abs(roots.canonical[:, 0])
    at = np.clip((x - curve[0, 0]) / (curve[-1, 0] - curve[0, 0]), 0, 1)
    middle = np.interp(x, curve[:, 0], curve[:, 1])
    above = (roots.canonical[:, 1] - middle) / 0.3
    angle = np.radians(np.interp(at, [0, 0.15, 0.4, 1], [80, 50, 22, -18]))
    angle = angle - 0.25 * above * (at > 0.15) + rng.normal(0, 0.2, len(x))
    side = np.sign(roots.canonical[:, 0])
    towards = np.stack([side * np.cos(angle), np.sin(angle), -0.45 * np.cos(angle)], 1)
    length = rng.uniform(0.2, 0.7, len(x)) * np.interp(at, [0, 0.3, 1], [0.75, 1, 0.7])
    points = _comb(roots, towards, length, 5, lift=0.35, sag=0.0)
    grey = max(0.0, traits.grey - 0.35)
    color = natural_color(traits.hair_color)
    return Strands(
        points,
        _taper(points, BROW_RADIUS_CM),
        0.75 * fibre_colors(color, grey, (np.arange(len(points)),), rng),
    )


def grow_beard(
    head: Head, normals: Float, traits: Traits, rng: np.random.Generator
) -> Strands | None:
    """Beard hairs, or ``None`` for the clean-shaven; stubble below 2 mm is left to the skin."""
    if traits.beard == "none":
        return None
    low, high = BEARD_LENGTH_CM[traits.beard]
    mean = rng.uniform(low, high)
    count = 8000 if traits.beard in ("full", "short full") else 4600
    roots = scatter(head, normals, lambda p: beard_density(p, traits.beard), count, rng)
    number = len(roots.position)
    locks = gather_locks(roots.position, rng, free_share=0.1)
    towards = np.zeros((number, 3))
    side = np.clip(roots.canonical[:, 0] / 0.6, -1, 1)
    on_lip = roots.canonical[:, 1] > -3.2
    spread = np.clip(np.abs(roots.canonical[:, 0]) / 1.2, 0.2, 1)
    towards[:, 0] = np.where(on_lip, side * spread, 0.12 * side)
    towards[:, 1] = -1
    towards[:, 2] = 0.15
    towards += locks.spread(rng.normal(0, 0.28, (number, 3)), 0.6)
    length = mean * locks.spread(rng.uniform(0.5, 1.1, number), 0.6)
    at_edge = beard_density(roots.canonical.astype(np.float32), traits.beard)
    length *= 0.45 + 0.55 * at_edge
    length *= np.interp(roots.canonical[:, 1], [-8, -5, -2, 2], [1.15, 1.1, 0.65, 0.45])
    points = _comb(roots, towards, length, 7 if mean > 0.8 else 4, lift=0.6, sag=0.5)
    if mean > 0.5:  # beards curl
        steps = np.linspace(0, 1, points.shape[1])[None, :, None]
        points = locks.pull(points, locks.wisp, 0.7 * steps**0.8)
        phase = rng.uniform(0, 2 * np.pi, (number, 1, 3))[locks.wisp]
        phase = phase + rng.normal(0, 0.8, phase.shape)
        turns = rng.uniform(1.0, 2.2, (number, 1, 1)) * mean
        points = points + 0.09 * steps * np.sin(phase + 2 * np.pi * turns * steps)
    color = natural_color(traits.hair_color)
    tint = 0.8 * np.array([1.15, 0.95, 0.85])
    albedo = fibre_colors(color, min(1, traits.grey * 1.15), (locks.lock, locks.wisp), rng) * tint
    return Strands(
        points.astype(np.float32),
        _taper(points, BEARD_RADIUS_CM),
        np.clip(albedo, 0, 1).astype(np.float32),
    )


def grow_lashes(head: Head, rng: np.random.Generator, made_up: bool) -> Strands | None:
    """Lashes between the curves that the head gives."""
    lids = [head.lashes[head.lash_lid == k] for k in np.unique(head.lash_lid)]
    grown = []
    for curves in lids:
        at = rng.uniform(0, len(curves) - 1.001, LASHES)
        low, part = at.astype(int), (at % 1)[:, None, None]
        lash = curves[low] * (1 - part) + curves[low + 1] * part
        short = rng.uniform(0.5, 1.0, (len(at), 1, 1)) * (1.1 if made_up else 0.9)
        grown.append(lash[:, :1] + (lash - lash[:, :1]) * short)
    if not grown:
        return None
    points = np.concatenate(grown).astype(np.float32)
    albedo = np.full((len(points), 3), 0.008 if made_up else 0.016, np.float32)
    return Strands(points, _taper(points, LASH_RADIUS_CM * (1.3 if made_up else 1)), albedo)


def _comb(
    roots: Roots, towards: NDArray[Any], length: Any, steps: int, lift: float, sag: float
) -> Float:
    """Short hairs that leave the skin at an angle and lie down along ``towards``."""
    normal = roots.normal
    flat = towards - (towards * normal).sum(1, keepdims=True) * normal
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    point, points = roots.position - 0.02 * normal, []
    for k in range(steps):
        points.append(point)
        away = lift * (1 - k / steps) + 0.06
        step = flat + away * normal + np.array([0, -sag * k / steps, 0])
        step /= np.linalg.norm(step, axis=1, keepdims=True)
        point = point + step * (np.asarray(length) / (steps - 1))[:, None]
    return np.stack(points, 1).astype(np.float32)


def _taper(points: NDArray[Any], radius: float) -> Float:
    along = np.linspace(1, 0.35, points.shape[1], dtype=np.float32) * np.float32(radius)
    return np.repeat(along[None], len(points), 0)
