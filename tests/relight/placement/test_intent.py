# SPDX-License-Identifier: Apache-2.0
"""Where lights stand and what they are after, from readings alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relight import Light, geometry
from relight.placement import direction
from relight.placement.intent import SEEN, SETTLED, SHARES, STRONGEST, automatic, patterned
from relight.placement.reading import Reading, together
from relight.placement.recipe import BALANCE, PATTERNS, SPLIT
from relight.placement.solution import Outcome, Solver

FRONTAL = np.eye(3, dtype=np.float32)
PLAIN = Reading(0.3, 0.3, 0.3, 0.5, 0.0, 0.0, 0.0)


def pose(yaw_deg: float, pitch_deg: float = 0.0) -> np.ndarray:
    """Head to camera: nose turned by yaw (> 0 image right), then raised by pitch (> 0 up)."""
    y, p = math.radians(yaw_deg), math.radians(pitch_deg)
    turn = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    nod = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    return (turn @ nod).astype(np.float32)


READING = st.builds(
    Reading,
    st.floats(0.02, 0.9),
    st.floats(0.02, 0.9),
    st.floats(0.02, 0.9),
    st.floats(0.05, 0.95),
    st.floats(-2, 2),
    st.floats(-70, 70),
    st.floats(-30, 30),
)


def mirrored(reading: Reading) -> Reading:
    return replace(
        reading,
        left=reading.right,
        right=reading.left,
        around=-reading.around,
        yaw_deg=-reading.yaw_deg,
    )


@given(READING)
@settings(max_examples=200, deadline=None)
def test_a_mirrored_face_gets_the_mirrored_lights(reading: Reading) -> None:
    other = mirrored(reading)
    lean = reading.lean + (reading.yaw_deg / direction.SHORT_DEG) * (
        abs(reading.lean) < direction.FAVOURED
    )
    assume(abs(lean) > 1e-6)  # wholly symmetric: it has to be one side
    yaw, pitch = reading.yaw_deg, reading.pitch_deg
    plans = automatic(reading, pose(yaw, pitch)), automatic(other, pose(-yaw, pitch))
    for one, two in zip(*(plan.lights for plan in plans), strict=True):
        assert two.azimuth_deg == pytest.approx(-one.azimuth_deg, abs=1e-3)
        assert two.elevation_deg == pytest.approx(one.elevation_deg, abs=1e-3)
    assert plans[0].aim(reading) == pytest.approx(plans[1].aim(other))
    assert plans[0].gist == plans[1].gist


@given(READING)
@settings(max_examples=200, deadline=None)
def test_the_automatic_key_stands_within_the_posts_range(reading: Reading) -> None:
    key = direction.automatic(reading)
    assert 30 <= abs(key.azimuth_deg) <= 60
    assert 20 <= key.elevation_deg <= 45
    assert key.color == (1, 1, 1)


@pytest.mark.parametrize("side", [-1, 1])
def test_light_from_a_side_names_the_keys(side: int) -> None:
    lit = replace(PLAIN, around=side * 1.0, left=2.0**-side * 0.3, yaw_deg=-side * 25.0)
    assert direction.side_of(lit) == side, "never against the light that is there"


@pytest.mark.parametrize("yaw", [-40, -15, 15, 40])
def test_in_flat_light_a_turned_face_gets_its_key_from_the_short_side(yaw: float) -> None:
    """A near cheek that is brighter in light from the camera is no light from its side."""
    near = 2.0 ** (-math.copysign(0.3, yaw))
    key = direction.automatic(replace(PLAIN, yaw_deg=yaw, right=0.3 * near))
    assert np.sign(key.azimuth_deg) == np.sign(yaw)
    assert abs(key.azimuth_deg) > 45


def test_the_keys_height_follows_the_heads_tilt() -> None:
    heights = [direction.automatic(replace(PLAIN, pitch_deg=t)).elevation_deg for t in (-8, 0, 8)]
    assert heights == [22, 30, 38]


def test_a_bright_face_keeps_its_brightness_and_a_dim_one_gains_a_stop_at_most() -> None:
    def stops_for(reading: Reading) -> float:
        return automatic(PLAIN, FRONTAL).stops(reading)

    levels = [stops_for(replace(PLAIN, mean=m, bright=b)) for m, b in ((0.6, 0.9), (0.3, 0.5))]
    assert -0.1 <= levels[0] < levels[1] <= 0.3
    assert stops_for(replace(PLAIN, mean=0.05, bright=0.1)) == 1
    dark_skin = replace(PLAIN, mean=0.15, bright=0.5)
    assert stops_for(dark_skin) <= 0.3, "dark skin is not a dark photo"
    rembrandt = patterned(PATTERNS["rembrandt"], PLAIN, FRONTAL)
    assert rembrandt.stops(replace(PLAIN, mean=0.05, bright=0.1)) < 0.5


def test_a_strongly_lit_face_is_left_unless_it_is_dim() -> None:
    strong = replace(PLAIN, left=0.6, right=0.1, around=-1.5)
    plan = automatic(strong, FRONTAL)
    assert plan.solve(strong, None) is None  # type: ignore[arg-type]
    dim = replace(strong, left=0.2, right=0.03, mean=0.08, bright=0.2)
    filled = automatic(dim, FRONTAL)
    assert filled.gist != plan.gist
    assert abs(filled.lights[0].azimuth_deg) < 1


@pytest.mark.parametrize("now", [1.0, 1.5, 2.0, 2.5, 2.9])
def test_the_aim_is_two_to_one_or_more_than_there_is(now: float) -> None:
    lit = replace(PLAIN, right=0.3 * now, around=math.log2(now))
    aim = automatic(lit, FRONTAL).aim(lit)
    assert max(2.0, now) <= aim <= STRONGEST
    assert SEEN > 8


@pytest.mark.parametrize("name", list(PATTERNS))
@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (25, -10), (-25, 15)])
def test_a_patterns_light_stands_where_it_does_as_the_head_sees_it(
    name: str, yaw: float, pitch: float
) -> None:
    recipe, head = PATTERNS[name], pose(yaw, pitch)
    for side in (1, -1):
        key = direction.patterned(recipe, side, head)[0]
        own = geometry.angles(head.T @ key.direction)
        azimuth, elevation = (math.degrees(float(angle)) for angle in own)
        lifted = key.elevation_deg == pytest.approx(direction.LOWEST_DEG)
        held = abs(key.azimuth_deg) == pytest.approx(direction.WIDEST_DEG)
        if not lifted and not held:
            turn = (azimuth - side * recipe.azimuth_deg + 180) % 360 - 180
            assert turn == pytest.approx(0, abs=0.01)
            assert elevation == pytest.approx(recipe.elevation_deg, abs=0.01)
        assert key.softness_deg == recipe.softness_deg


def test_patterns_are_told_apart() -> None:
    reading = replace(PLAIN, around=0.5)
    plans = {name: patterned(recipe, reading, FRONTAL) for name, recipe in PATTERNS.items()}
    assert len({plan.gist for plan in plans.values()}) == len(PATTERNS)
    assert len(plans["clamshell"].lights) == 2
    assert plans["clamshell"].lights[1].elevation_deg < 0
    assert abs(plans["rim"].lights[0].azimuth_deg) > 90
    assert plans[BALANCE.name].lights[0].softness_deg > 30


def test_a_split_lights_key_stays_in_sight_of_a_turned_head() -> None:
    (key,) = direction.patterned(SPLIT, 1, pose(40))
    assert key.azimuth_deg == pytest.approx(direction.WIDEST_DEG)


@pytest.mark.parametrize("lean", [-40, -20, 0, 20, 40])
@pytest.mark.parametrize("side", [-1, 1])
def test_the_key_is_never_below_the_eyes_of_a_head_that_leans(side: int, lean: float) -> None:
    roll = math.radians(lean)
    key = Light(side * 60.0, 30.0).rolled(roll)
    lifted = direction.lifted(key, roll)
    assert lifted.elevation_deg == pytest.approx(max(key.elevation_deg, direction.LOWEST_DEG))
    assert lifted.azimuth_deg == key.azimuth_deg


@pytest.mark.parametrize("turn", [-150, -60, 90, 180])
def test_the_key_turns_with_a_photo_that_was_turned(turn: float) -> None:
    key = Light(60.0, 30.0).rolled(math.radians(turn))
    assert direction.lifted(key, math.radians(turn)) == key


def test_a_groups_reading_is_its_members_weighted_by_size() -> None:
    large = replace(PLAIN, yaw_deg=10.0, around=0.3, size=3.0)
    small = replace(PLAIN, yaw_deg=-20.0, around=-0.3, right=0.6, size=1.0)
    mean = together([large, small])
    assert mean.yaw_deg == pytest.approx(2.5)
    assert mean.around == pytest.approx(0.15)
    assert mean.right == pytest.approx(0.3 * 2**0.25)
    assert together([large]).lean == pytest.approx(large.lean)


class Slope(Solver):
    """A face whose ratio grows evenly with the key's share."""

    least = 0.0

    def __init__(self, steepness: float, side: int) -> None:
        self.steepness, self.side = steepness, side

    def at(self, share: float) -> Outcome:
        ratio = (1 + self.steepness * share) ** self.side
        return Outcome(1.0, 1.0, share, ratio, 1.0, 2 * SEEN)


def test_a_ratio_just_out_of_reach_gets_a_key_hardly_weaker_than_one_just_in_reach() -> None:
    solve = automatic(PLAIN, FRONTAL).solve
    side = direction.side_of(PLAIN)
    found = [solve(PLAIN, Slope(steepness, side)) for steepness in np.linspace(0.5, 3, 251)]
    shares = np.array([outcome.share for outcome in found if outcome is not None])
    assert len(shares) == 251
    assert np.abs(np.diff(shares)).max() < 0.01
    assert shares.max() == pytest.approx(SHARES[1], abs=0.01)
    assert shares[0] == SETTLED
