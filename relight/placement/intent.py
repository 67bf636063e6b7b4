# SPDX-License-Identifier: Apache-2.0
"""What a setup is after: its lights' directions, and how strong they are to be on a face.

A key-to-fill ratio of about 2:1 (Google, "Portrait Light", 2020), measured on the pixels that come
out; a change that one sees, or none; the face as bright as it was, or brighter where it is dim.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.light import Light
from relight.placement import direction
from relight.placement.likeness import Likeness
from relight.placement.reading import Reading
from relight.placement.recipe import BALANCE, Recipe
from relight.placement.solution import Outcome, Solver, narrowed

KEY_TO_FILL = 2.0
"""Ratio that the automatic key aims at, on the pixels that come out,"""
STEEPER = 1.35
"""but at least so many times the one that is there, so that the key is seen,"""
STRONGEST = 3.0
"""and never more than this. A face beyond it is left as it is, unless it is dim."""
SHARES = (0.0, 0.65)
"""Least and largest part of a face's light that the automatic key makes: with more, all one sees is
what the networks err by."""
SETTLED = 0.5
"""The part where the ratio is out of reach: more would cost the light that is there for little,"""
SHORT = 0.25
"""once the largest part falls short of it by this share; between, the part falls evenly: two photos
that hardly differ, or one and its mirror image, must not be lit differently."""
LIKE_SHARES = (0.3, 0.75)
"""The same for light like a reference's."""
SEEN = 9.0
"""Mean change over the face that is noticed, levels of 255: from 8 it is, with one to spare."""
STOPS = (-0.1, 0.2, 1.0)
"""A face's brightness changes by so many stops at a dimness of"""
DIMNESS = (-1.0, 0.5, 1.2)
"""so many, straight lines between: kept, or raised where it is underexposed,"""
SPARE_STOPS = 0.3
"""or by so many where nothing else would be seen."""
PATTERN_STOPS = 0.4
"""No more than by so many under a pattern: what is raised by a key alone shows no pattern."""
PATTERN_KEY = 2.2
"""No pattern's key is stronger than this: it stands beside more of the light that is there instead.
At 3.5 necks, hair and jackets glowed orange or purple or shadows looked cut out in six of 62
portraits; at 2 the patterns got milder for nothing."""
DARKER_STOPS = 0.3
"""Where such a key is too weak for the pattern, the face gets darker by so much at most: half of it
lies in shadow. Without that a split light at 2.2 is none; by 0.5 faces look underexposed."""
DIM = 0.5
"""Dimness from which a harshly lit face is filled rather than left."""
KEPT = "the shadow side is kept"
"""What the automatic key does, in words,"""
BROUGHT = "it brings the face out of the dark"
"""and what light from the front does to a dim face that is harshly lit."""


@dataclass(frozen=True)
class Intent:
    """What a setup is after.

    Attributes:
        lights: for an upright head; the first is the key, of unit intensity, the others as strong
            as they are to be beside it.
        solve: how strong they are to be on a face; ``None`` leaves it as it is.
        gist: what they do, in words.
        aim: key-to-fill aimed at on a face; 0 for none.
        most_stops: by which a face is brightened at most.
    """

    lights: list[Light]
    solve: Callable[[Reading, Solver], Outcome | None]
    gist: str
    aim: Callable[[Reading], float]
    most_stops: float = STOPS[2]

    def stops(self, reading: Reading) -> float:
        """Stops by which a face's brightness is to change."""
        return min(float(np.interp(reading.dimness, DIMNESS, STOPS)), self.most_stops)


def automatic(reading: Reading, head_pose: NDArray[Any]) -> Intent:
    """What suits a face, or a group of which this is the mean.

    Args:
        reading: of its light.
        head_pose: ``(3, 3)`` rotation from the largest head to the frame where it is upright.
    """
    side = direction.side_of(reading)
    if reading.ratio > STRONGEST and reading.dimness >= DIM:
        lights = direction.patterned(BALANCE, side, head_pose)
        return Intent(lights, _raised, BROUGHT, lambda own: 0.0)

    def solve(own: Reading, solver: Solver) -> Outcome | None:
        if own.ratio > STRONGEST and own.dimness < DIM:
            return None
        goal = _steeper(own, side)

        def reached(outcome: Outcome) -> bool:
            return outcome.towards(side) >= goal

        found = solver.until(reached, *SHARES)
        if not reached(found):
            near = max(0.0, 1 - (1 - found.towards(side) / goal) / SHORT)
            found = solver.at(max(SETTLED + (found.share - SETTLED) * near, solver.least))
        return _seen(found, solver, side) or _seen(found, solver.brighter(SPARE_STOPS), side)

    return Intent([direction.automatic(reading)], solve, KEPT, lambda own: _steeper(own, side))


def patterned(recipe: Recipe, reading: Reading, head_pose: NDArray[Any]) -> Intent:
    """A named pattern; arguments as for :func:`automatic`."""
    side = direction.side_of(reading)

    def solve(own: Reading, solver: Solver) -> Outcome | None:
        if recipe is BALANCE:
            return _balanced(own, solver)
        if recipe.intensity:
            return solver.given(recipe.intensity, recipe.fill)

        def reached(outcome: Outcome) -> bool:
            return outcome.towards(side) >= recipe.ratio

        def enough(outcome: Outcome) -> bool:
            return reached(outcome) or softer.spares(outcome)

        softer = solver.no_stronger(PATTERN_KEY)
        found = softer.until(reached, *recipe.shares)
        return found if enough(found) else _darker(softer, enough, recipe.shares[1])

    aim = 0.0 if recipe is BALANCE else recipe.ratio
    lights = direction.patterned(recipe, side, head_pose)
    most = STOPS[2] if recipe is BALANCE else PATTERN_STOPS
    return Intent(lights, solve, recipe.gist, lambda own: aim, most)


def like(wanted: Likeness, color: tuple[float, float, float], head_pose: NDArray[Any]) -> Intent:
    """Light like a reference's, of a colour; ``head_pose`` as for :func:`automatic`."""
    key = direction.head_light(
        wanted.azimuth_deg, wanted.elevation_deg, head_pose, direction.SOFTNESS_DEG
    )
    key = replace(key, color=color)
    side = 1 if wanted.azimuth_deg > 0 else -1

    def solve(own: Reading, solver: Solver) -> Outcome | None:
        return solver.until(lambda outcome: outcome.towards(side) >= wanted.ratio, *LIKE_SHARES)

    return Intent([key], solve, "as in the reference", lambda own: wanted.ratio)


def _steeper(reading: Reading, side: int) -> float:
    """Key-to-fill that the automatic light aims at on a face."""
    return min(max(KEY_TO_FILL, STEEPER * reading.towards(side)), STRONGEST)


def _raised(reading: Reading, solver: Solver) -> Outcome | None:
    """A dim face that is harshly lit is filled: all of the existing light stays."""
    found = solver.at(solver.least)
    return found if found.change >= SEEN else None


def _seen(found: Outcome, solver: Solver, side: int) -> Outcome | None:
    """An outcome, its key made stronger until it is noticed; ``None`` if it never is."""

    def enough(outcome: Outcome) -> bool:
        return outcome.change >= SEEN or outcome.towards(side) > STRONGEST

    if found.change < SEEN:
        found = solver.until(enough, found.share, SHARES[1])
    return found if found.change >= SEEN else None


def _darker(solver: Solver, enough: Callable[[Outcome], bool], share: float) -> Outcome:
    """The outcome of a share on the face that is darker by the least that is enough."""

    def at(stops: float) -> Outcome:
        dim = solver.darker(stops)
        return dim.at(max(share, dim.least))

    last = at(DARKER_STOPS)
    return narrowed(at, enough, 0.0, DARKER_STOPS, last) if enough(last) else last


def _balanced(reading: Reading, solver: Solver) -> Outcome | None:
    """Soft light until a face's ratio is that of balance, or as near to it as it comes."""
    if reading.ratio <= BALANCE.ratio:
        return None

    def even(outcome: Outcome) -> bool:
        return outcome.uneven <= BALANCE.ratio and outcome.change >= SEEN

    found = solver.until(even, *BALANCE.shares)
    if even(found):
        return found
    return min(found, solver.at(solver.least), key=lambda outcome: outcome.uneven)
