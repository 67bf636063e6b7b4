# SPDX-License-Identifier: Apache-2.0
"""Light drawn for real portraits: the keys to be judged, and hard light laid on softly lit ones.

A portrait that is dimmed and lit by an estimated key again shows real skin in hard light, and what
was done to it is known: the shading it had before, times the factor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from relight.face.mesh import Surface
from relight.geometry import normalize
from relight.light import SOFTEST_DEG, Light
from relight.stage.analysis import Analysis
from relight.stage.stages import Stages
from relight.stage.view import SIDE
from training.split.real.teacher import DARK, onto_photo

Float = NDArray[np.float32]


@dataclass(frozen=True)
class LightDraw:
    """Chances and ranges.

    Attributes:
        azimuth_deg: of a key, to either side.
        elevation_deg: of a key.
        near: share of keys within the ranges of ``near_deg`` and ``near_elevation_deg``.
        near_deg: azimuth, to either side, that portraits are usually lit from.
        near_elevation_deg: their elevation.
        hard: share of lights of radius up to ``hard_deg``.
        hard_deg: largest radius of a hard light.
        from_top: share of the laid lights that come from above,
        from_side: and from the side.
        second: share of the portraits that two lights are laid on.
        kept: share of the light already there that is kept, spread evenly in logarithms.
        bend: largest strength of a smooth error on the normals that a light is laid on.
        relief: factor on the mesh's depth, spread evenly in logarithms.
        gloss: factor on a laid light's gloss,
        key_gloss: and on a key's, with which the mean of the teachers shines as real skin does.
    """

    azimuth_deg: float = 95.0
    elevation_deg: tuple[float, float] = (-50.0, 70.0)
    near: float = 0.5
    near_deg: float = 60.0
    near_elevation_deg: tuple[float, float] = (-45.0, 50.0)
    hard: float = 0.65
    hard_deg: float = 7.0
    from_top: float = 0.3
    from_side: float = 0.35
    second: float = 0.2
    kept: tuple[float, float] = (0.04, 0.7)
    bend: float = 0.35
    relief: tuple[float, float] = (0.75, 1.35)
    gloss: tuple[float, float] = (0.5, 2.5)
    key_gloss: float = 2.0


def draw_key(rng: np.random.Generator, draw: LightDraw) -> Light:
    """A key that the networks are asked for."""
    reach, (low, high) = draw.azimuth_deg, draw.elevation_deg
    if rng.random() < draw.near:
        reach, (low, high) = draw.near_deg, draw.near_elevation_deg
    return Light(
        rng.uniform(-reach, reach),
        rng.uniform(low, high),
        softness_deg=_softness(rng, draw),
        gloss=draw.key_gloss,
    )


def draw_laid(rng: np.random.Generator, draw: LightDraw) -> list[Light]:
    """Lights to be laid on a portrait, their intensities shares of the light laid on."""
    lights = []
    for _ in range(2 if rng.random() < draw.second else 1):
        kind, softness = rng.random(), _softness(rng, draw)
        if kind < draw.from_top:
            azimuth, elevation = rng.uniform(-45, 45), rng.uniform(40, 85)
        elif kind < draw.from_top + draw.from_side:
            azimuth, elevation = rng.choice([-1, 1]) * rng.uniform(40, 100), rng.uniform(-25, 40)
        else:
            azimuth, elevation = rng.uniform(-80, 80), rng.uniform(-50, 80)
        share, gloss = rng.uniform(0.3, 1.0), rng.uniform(*draw.gloss)
        lights.append(Light(azimuth, elevation, share, softness_deg=softness, gloss=gloss))
    total = sum(light.intensity for light in lights)
    return [replace(light, intensity=light.intensity / total) for light in lights]


def laid_factor(
    stages: Sequence[Stages],
    analysis: Analysis,
    face: NDArray[np.bool_],
    lights: Sequence[Light],
    rng: np.random.Generator,
    draw: LightDraw,
) -> Float:
    """Factor ``(H, W, 3)`` on a portrait that hard light makes; its mean on the face is about 1.

    The geometry is bent at random, so that no shadow lies where the estimated mesh draws it.

    Args:
        stages: one of them is chosen for each light.
        analysis: of the portrait.
        face: ``(H, W)`` where the face is.
        lights: by :func:`draw_laid`.
        rng: of the random numbers.
        draw: ranges.
    """
    kept = math.exp(rng.uniform(*np.log(draw.kept)))
    bent = bend(analysis, rng, draw)
    factor = np.full((*analysis.photo_rgb.shape[:2], 3), kept, np.float32)
    for light in lights:
        chosen = stages[int(rng.integers(len(stages)))]
        turned = light.rolled(-analysis.face.crop.roll)
        found = chosen.gain(bent.view, bent.crop_normals, bent.crop_environment, turned)
        gain = np.maximum(onto_photo(found, analysis), 0)
        level = float(gain[face].mean())
        if level > DARK:
            factor += gain * np.float32((1 - kept) * light.intensity / level)
    return factor


def bend(analysis: Analysis, rng: np.random.Generator, draw: LightDraw) -> Analysis:
    """The same face with another relief and normals that err smoothly."""
    strength = draw.bend * rng.random()
    error = strength * smooth_noise(rng, 6, 3)

    def turned(normals: Float) -> Float:
        known = (normals**2).sum(-1, keepdims=True) > 0
        return np.asarray(normalize(normals + error) * known, np.float32)

    mesh = analysis.view.mesh
    relief = np.float32(math.exp(rng.uniform(*np.log(draw.relief))))
    bent = Surface(turned(mesh.normals), mesh.depth * relief, mesh.mask)
    view = replace(analysis.view, mesh=bent)
    return replace(analysis, view=view, crop_normals=turned(analysis.crop_normals))


def smooth_noise(rng: np.random.Generator, cells: int, channels: int) -> Float:
    """Smooth noise ``(128, 128, C)`` of deviation about 1."""
    import cv2

    coarse = rng.standard_normal((cells, cells, channels)).astype(np.float32)
    grown = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return grown.reshape(SIDE, SIDE, channels)


def _softness(rng: np.random.Generator, draw: LightDraw) -> float:
    if rng.random() < draw.hard:
        return float(rng.uniform(1.0, draw.hard_deg))
    return float(rng.uniform(draw.hard_deg, min(35.0, SOFTEST_DEG)))
