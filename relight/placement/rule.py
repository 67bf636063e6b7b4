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
    added = [gains(light) for light in lights]
    found: list[Outcome | None] = []
    for k, (one, reading) in enumerate(zip(faces, readings, strict=True)):
        gain = np.zeros_like(added[0][k])
        for light, every in zip(lights, added, strict=True):
            gain += np.float32(light.intensity) * np.array(light.color, np.float32) * every[k]
        solver = Solver(Skin.of(one), gain, intents.stops_for(reading))
        found.append(None if solver.blind else intent.solve(reading, solver))
    if not any(found):
        reason = wording.unlit(wanted, together(readings).ratio, lights[0])
        return Setup((replace(lights[0], intensity=0.0, reason=reason),), reason=reason)
    found += [None] * (len(analyses) - len(faces))
    return _joined(intent, lights, readings, found)


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


def _joined(
    intent: Intent,
    lights: list[Light],
    readings: Sequence[Reading],
    found: Sequence[Outcome | None],
) -> Setup:
    """One setup of what was found for each face: common lights, and each face's share of them."""
    lit = [one for one in found if one]
    strongest = max(one.intensity for one in lit)
    shares = [one.intensity / strongest if one else 0.0 for one in found]
    # A face whose share is small keeps more of its light: taken is what suits all on average.
    fill = 1 - min(sum(1 - one.fill for one in lit) / sum(shares), max(1 - o.fill for o in lit))
    fill = 1.0 if fill > WHOLE else fill
    lights = [replace(light, intensity=light.intensity * strongest) for light in lights]
    first = next(k for k, one in enumerate(found) if one)
    reason = wording.lit(
        lights[0], fill, readings[first].ratio, lit[0], intent.aim(readings[first]), intent.gist
    )
    if len(found) > 1:
        reason += " " + wording.group(shares)
    lights[0] = replace(lights[0], reason=reason)
    return Setup(tuple(lights), fill, reason, tuple(shares) if min(shares) < 1 else ())
