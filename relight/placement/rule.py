# SPDX-License-Identifier: Apache-2.0
"""The rule that sets lights up for one face or several, automatic or in a named pattern.

A group gets common lights, and each face its own share of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from relight.light import Light
from relight.placement import intent as intents
from relight.placement import wording
from relight.placement.direction import lifted
from relight.placement.intent import Intent
from relight.placement.likeness import Likeness
from relight.placement.reading import Reading, read, together
from relight.placement.recipe import PATTERNS
from relight.placement.solution import Outcome, Skin, Solver
from relight.setup import Setup
from relight.stage.analysis import Analysis

Float = NDArray[np.float32]
Gains = Callable[[Light], Sequence[Float]]
"""Key gain of a unit light, camera frame, on the crop of each face, ``(128, 128, 3)``."""

GROUP = 4
"""Faces that are lit as a group unless all are asked for: the largest."""
HARDLY_SEEN = 5.0
"""Mean change over a group, levels of 255, below which it is left alone: most of it is lit well."""
WHOLE = 0.99
"""Fill from which all of the existing light is kept: to take so little is not seen, but costs."""


def suggest(
    analyses: Sequence[Analysis],
    gains: Gains,
    wanted: str | Likeness | None = None,
    most: int | None = GROUP,
) -> Setup:
    """The setup that suits a photo's faces, a named pattern, or light like a reference's.

    Args:
        analyses: one per face, the largest face first; at least one.
        gains: predicts a light's gain on all of these faces.
        wanted: a name of :data:`relight.placement.recipe.PATTERNS`, or a reference's light;
            ``None`` for the automatic light.
        most: how many of the faces, the largest, are lit; ``None`` for all.

    Raises:
        ValueError: for an unknown pattern.
    """
    faces = list(analyses[:most])
    readings = [read(one) for one in faces]
    intent = intent_for(wanted, together(readings), faces[0])
    roll = faces[0].face.crop.roll
    lights = [light.rolled(roll) for light in intent.lights]
    if not isinstance(wanted, Likeness):
        lights[0] = lifted(lights[0], roll)
    stops = [intent.stops(reading) for reading in readings]
    solvers = _solvers(faces, stops, lights, gains)
    found = [
        None if solver.blind else intent.solve(reading, solver)
        for reading, solver in zip(readings, solvers, strict=True)
    ]
    strength, fill, shares = _joined(found)
    # What each face looks like under the intensity and fill that suit all of the group.
    seen = [
        solver.given(strength * share, 1 - share * (1 - fill))
        for solver, share in zip(solvers, shares, strict=True)
    ]
    if strength == 0 or (wanted is None and _change(readings, seen) < HARDLY_SEEN):
        reason = wording.unlit(wanted, together(readings).ratio, lights[0], len(faces))
        return Setup((replace(lights[0], intensity=0.0, reason=reason),), reason=reason)
    lights = [replace(light, intensity=light.intensity * strength) for light in lights]
    first = next(k for k, share in enumerate(shares) if share > 0)
    own, alone = readings[first], found[first]
    outcome = seen[first]._replace(pressed=alone is not None and alone.pressed)
    reason = wording.lit(lights[0], fill, own.ratio, outcome, intent.aim(own), intent.gist)
    shares += [0.0] * (len(analyses) - len(shares))
    if len(shares) > 1:
        reason += " " + wording.group(shares)
    lights[0] = replace(lights[0], reason=reason)
    return Setup(tuple(lights), fill, reason, tuple(shares) if min(shares) < 1 else ())


def intent_for(wanted: str | Likeness | None, reading: Reading, first: Analysis) -> Intent:
    """What a setup is after, for a group's mean reading and its largest face."""
    pose = first.face.crop_pose
    if wanted is None:
        return intents.automatic(reading, pose)
    if isinstance(wanted, Likeness):
        return intents.like(wanted, wanted.tint(first), pose)
    if wanted not in PATTERNS:
        names = ", ".join(PATTERNS)
        raise ValueError(f"{wanted!r:.40} is no pattern of light; there are {names}")
    return intents.patterned(PATTERNS[wanted], reading, pose)


def _solvers(
    faces: Sequence[Analysis], stops: Sequence[float], lights: Sequence[Light], gains: Gains
) -> list[Solver]:
    """What finds intensity and fill on each face, for all lights together."""
    added = [gains(light) for light in lights]
    colors = [np.float32(light.intensity) * np.array(light.color, np.float32) for light in lights]
    solvers = []
    for k, (one, change) in enumerate(zip(faces, stops, strict=True)):
        gain = np.zeros_like(added[0][k])
        for color, every in zip(colors, added, strict=True):
            gain += color * every[k]
        solvers.append(Solver(Skin.of(one), gain, change))
    return solvers


def _change(readings: Sequence[Reading], seen: Sequence[Outcome]) -> float:
    """Mean change over a group's faces, levels of 255."""
    areas = [reading.size**2 for reading in readings]
    total = sum(area * one.change for area, one in zip(areas, seen, strict=True))
    return total / sum(areas)


def _joined(found: Sequence[Outcome | None]) -> tuple[float, float, list[float]]:
    """Intensity and fill for a group, and each face's share of both.

    A face whose share is small keeps more of its light: what is taken suits all on average.
    """
    lit = [one for one in found if one]
    strength = max((one.intensity for one in lit), default=0.0)
    if strength == 0:
        return 0.0, 1.0, [0.0] * len(found)
    shares = [one.intensity / strength if one else 0.0 for one in found]
    taken = sum(1 - one.fill for one in lit) / sum(shares)
    fill = 1 - min(taken, max(1 - one.fill for one in lit))
    return strength, 1.0 if fill > WHOLE else fill, shares
