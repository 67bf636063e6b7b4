# SPDX-License-Identifier: Apache-2.0
"""Golden vectors of the rule that sets lights up: readings, directions, solutions, words."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from export.vectors.notation import Float, described
from export.vectors.vector import Vectors
from relight import Analysis, Light, Setup
from relight.gain.edge import trust_in
from relight.placement import direction, wording
from relight.placement.cheek import bare, cheeks
from relight.placement.intent import automatic
from relight.placement.likeness import Likeness, likeness
from relight.placement.reading import Reading, read, together
from relight.placement.recipe import PATTERNS
from relight.placement.rule import suggest
from relight.placement.solution import Outcome, Skin, Solver
from relight.stage.view import SIDE

EVERY = 4
"""Of the trust every so many rows and columns are kept."""
SHARES = (0.0, 0.2, 0.45, 0.7)
"""Of a face's light, that a key is tried with."""
STOPS = (-0.1, 0.3, 1.0)
"""Changes of a face's brightness that it is tried for."""
READINGS = (
    Reading(0.30, 0.31, 0.30, 0.50, 0.05, 2.0, -3.0, 100.0),
    Reading(0.20, 0.45, 0.33, 0.60, 0.90, -14.0, 4.0, 80.0),
    Reading(0.25, 0.20, 0.08, 0.20, -0.30, 25.0, 12.0, 60.0),
    Reading(0.02, 0.30, 0.09, 0.25, 1.40, -40.0, -20.0, 50.0),
    Reading(0.50, 0.10, 0.40, 0.75, -1.10, 5.0, 0.0, 120.0),
)
"""Frontal, lit from the right, dim and turned, harsh and dim, harsh and bright."""
LIGHTS = (
    Light(-45, 30, softness_deg=10),
    Light(4, 48, softness_deg=6),
    Light(150, 5, softness_deg=3),
    Light(60, -20),
)


def add(vectors: Vectors, analysis: Analysis, poses: list[Any], gain: Float) -> None:
    """All of the rule's vectors but those of whole setups.

    Args:
        vectors: to add to.
        analysis: of the example's face.
        poses: rotations head to camera.
        gain: ``(128, 128, 3)`` gain of a unit key on its crop: ``relight/added_gain`` over the
            intensity in ``relight/setup``.
    """
    _readings(vectors, analysis, poses)
    _solutions(vectors, analysis, gain)
    _words(vectors)


def set_up(vectors: Vectors, name: str, setup: Setup) -> None:
    """A whole setup."""
    vectors.value(
        name,
        {
            "lights": [described(light) for light in setup.lights],
            "fill": setup.fill,
            "shares": list(setup.shares),
            "reason": setup.reason,
        },
    )


def given_gains(vectors: Vectors, analysis: Analysis) -> None:
    """Setups of the example under gains that need no network: the same whatever runs it."""
    falling = np.linspace(3.0, -1.8, SIDE, dtype=np.float32).clip(0.1, 1.2)
    vectors.array("placement/given_gain", falling)  # of each column, in all rows and channels
    gain = np.repeat(np.repeat(falling[None, :, None], SIDE, 0), 3, 2)
    other = likeness(analysis)
    vectors.value("placement/likeness", dataclasses.asdict(other))
    choices: dict[str, str | Likeness | None] = {"automatic": None, "like": other}
    for name, wanted in (choices | {name: name for name in PATTERNS}).items():
        set_up(vectors, f"placement/given/{name}", suggest([analysis], lambda _: [gain], wanted))


def _readings(vectors: Vectors, analysis: Analysis, poses: list[Any]) -> None:
    found = cheeks(analysis.view)
    vectors.array("placement/cheeks/left", found.left)
    vectors.array("placement/cheeks/right", found.right)
    vectors.array("placement/bare", bare(analysis.view))
    vectors.value("placement/reading", _reading(read(analysis)))
    cases = []
    for reading in (*READINGS, together(READINGS[:3])):
        side = direction.side_of(reading)
        intent = automatic(reading, poses[0])
        cases.append(
            {
                **_reading(reading),
                "side": side,
                "stops": intent.stops(reading),
                "aim": intent.aim(reading),
                "gist": intent.gist,
                "lights": [described(light) for light in intent.lights],
            }
        )
    vectors.value("placement/readings", cases)
    vectors.value(
        "placement/patterns",
        [
            {
                "name": name,
                "side": side,
                "head_pose": k,
                "lights": [described(one) for one in direction.patterned(recipe, side, pose)],
            }
            for name, recipe in PATTERNS.items()
            for side in (1, -1)
            for k, pose in enumerate(poses)
        ],
    )


def _reading(reading: Reading) -> dict[str, float]:
    return {
        **dataclasses.asdict(reading),
        "ratio": reading.ratio,
        "lean": reading.lean,
        "dimness": reading.dimness,
    }


def _solutions(vectors: Vectors, analysis: Analysis, gain: Float) -> None:
    skin = Skin.of(analysis)
    vectors.array("placement/trust", trust_in(analysis.view.photo)[::EVERY, ::EVERY])
    tried, reached = [], []
    for stops in STOPS:
        solver = Solver(skin, gain, stops)
        tried += [{"stops": stops, **solver.at(share)._asdict()} for share in SHARES]
        found = solver.until(lambda outcome: outcome.uneven >= 2, 0.1, 0.8)
        reached.append({"stops": stops, **found._asdict()})
    vectors.value("placement/tried", tried)
    vectors.value("placement/reached", reached)
    vectors.value("placement/given_key", Solver(skin, gain, 0.0).given(1.5, 0.85)._asdict())


def _words(vectors: Vectors) -> None:
    outcome = Outcome(0.8, 0.6, 0.5, 0.5, 1.0, 12.0)
    vectors.value(
        "placement/words",
        {
            "lights": [
                {**described(one), "standing": wording.standing(one), "angles": wording.angles(one)}
                for one in LIGHTS
            ],
            "lit": [
                wording.lit(LIGHTS[0], 0.6, 1.2, outcome, 2.0, "gist"),
                wording.lit(LIGHTS[1], 1.0, 1.2, outcome._replace(brightness=1.5), 3.0, "gist"),
                wording.lit(LIGHTS[2], 0.6, 1.2, outcome._replace(pressed=True), 3.0, "gist"),
            ],
            "unlit": [
                wording.unlit(None, 4.2, LIGHTS[0]),
                wording.unlit(None, 2.9, LIGHTS[0]),
                wording.unlit("balance", 1.5, LIGHTS[0]),
                wording.unlit(None, 1.5, LIGHTS[0], 3),
            ],
            "group": [wording.group([1.0, 1.0, 0.0]), wording.group([1.0, 0.4])],
        },
    )
