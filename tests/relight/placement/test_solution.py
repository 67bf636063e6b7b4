# SPDX-License-Identifier: Apache-2.0
"""Intensity and fill solved together, on made-up pixels whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight.color import linear_to_srgb, srgb_to_linear
from relight.gain.apply import CEILING
from relight.gain.cell import LIFT
from relight.placement.intent import DARKER_STOPS, PATTERN_KEY, patterned
from relight.placement.reading import Reading
from relight.placement.recipe import SPLIT
from relight.placement.solution import STRONGEST_KEY, Outcome, Skin, Solver

SIDE = 16


def skin(level: float | np.ndarray, color: tuple[float, float, float] = (1.0, 0.8, 0.7)) -> Skin:
    """A face of one colour, its left half the left cheek."""
    pixels = np.ones((SIDE, SIDE, 1), np.float32) * level * np.array(color, np.float32)
    mask = np.ones((SIDE, SIDE), bool)
    left = np.zeros((SIDE, SIDE), bool)
    left[:, : SIDE // 2] = True
    encoded = linear_to_srgb(pixels).reshape(-1, 3)
    trust = np.ones((SIDE * SIDE, 1), np.float32)
    return Skin(encoded, trust, left.ravel(), ~left.ravel(), mask)


def from_right(left: float = 0.2, right: float = 1.0) -> np.ndarray:
    """The gain of a key at image right."""
    gain = np.full((SIDE, SIDE, 3), left, np.float32)
    gain[:, SIDE // 2 :] = right
    return gain


def until(solver: Solver, ratio: float) -> Outcome:
    return solver.until(lambda outcome: outcome.ratio >= ratio, 0.0, 0.9)


@given(st.floats(0.05, 0.3), st.floats(1.3, 2.5), st.floats(-0.1, 0.3))
@settings(max_examples=40, deadline=None)
def test_ratio_and_brightness_are_met_together(level: float, ratio: float, stops: float) -> None:
    """By hand, without shoulder and limit: f + k gain on each side."""
    found = until(Solver(skin(level), from_right(), stops), ratio)
    assert found.brightness == pytest.approx(2**stops, rel=0.02)
    assert found.ratio >= ratio
    k, f = found.intensity, found.fill
    assert found.ratio == pytest.approx((f + k) / (f + 0.2 * k), rel=0.02)
    if found.share > Solver(skin(level), from_right(), stops).least + 1e-3:
        assert found.ratio == pytest.approx(ratio, rel=0.02)


@given(st.floats(0.05, 0.9))
@settings(max_examples=30, deadline=None)
def test_the_ratio_grows_with_the_share(level: float) -> None:
    solver = Solver(skin(level), from_right(), 0.0)
    ratios = [solver.at(share).ratio for share in np.linspace(0, 0.85, 12)]
    assert ratios == sorted(ratios)
    assert all(np.isfinite(ratios))


def test_a_dim_face_is_raised_with_all_of_its_light_kept() -> None:
    solver = Solver(skin(0.05), from_right(0.8, 1.0), 1.0)
    found = solver.at(solver.least)
    assert found.fill == pytest.approx(1)
    assert found.brightness == pytest.approx(2, rel=0.03)


def test_no_light_is_no_change() -> None:
    found = Solver(skin(0.2), from_right(), 0.0).at(0.0)
    assert (found.intensity, found.fill) == (pytest.approx(0, abs=1e-3), pytest.approx(1, abs=1e-3))
    assert found.change < 0.1


def test_bright_skin_is_not_burnt_and_the_limit_is_told() -> None:
    pixels = skin(0.8)
    solver = Solver(pixels, from_right(), 0.0)
    found = solver.at(0.7)
    after = pixels.relit(from_right().reshape(-1, 3), found.intensity, found.fill)
    assert after.max() <= max(CEILING, pixels.encoded.max()) + 1e-4
    assert found.pressed
    assert not Solver(skin(0.2), from_right(), 0.0).at(0.5).pressed


def test_nothing_is_lifted_more_than_threefold() -> None:
    pixels = skin(0.02)
    after = srgb_to_linear(pixels.relit(np.full((SIDE * SIDE, 3), 50, np.float32), 1.0, 1.0))
    assert (after <= LIFT * srgb_to_linear(pixels.encoded) + 0.004).all()


def test_a_key_that_hardly_reaches_the_face_is_not_made_endless() -> None:
    solver = Solver(skin(0.2), np.full((SIDE, SIDE, 3), 0.01, np.float32), 0.0)
    found = solver.at(0.8)
    assert found.intensity <= STRONGEST_KEY
    assert found.brightness == pytest.approx(1, abs=0.1)
    weak = solver.no_stronger(2.0).at(0.8)
    assert weak.intensity == pytest.approx(2.0)
    assert weak.fill > found.fill
    assert not weak.pressed
    assert Solver(skin(0.2), np.zeros((SIDE, SIDE, 3), np.float32), 0.0).blind


def test_hue_and_saturation_of_lit_skin_stay() -> None:
    pixels = skin(0.5, (1.0, 0.6, 0.4))
    after = pixels.relit(np.full((SIDE * SIDE, 3), 1, np.float32), 1.0, 0.6)

    def saturation(values: np.ndarray) -> float:
        return float(((values.max(1) - values.min(1)) / values.max(1)).mean())

    assert saturation(after) >= 0.97 * saturation(pixels.encoded)
    assert (np.argsort(after, 1) == np.argsort(pixels.encoded, 1)).all()


def test_a_darker_face_is_darker_by_as_much() -> None:
    solver = Solver(skin(0.2), from_right(), 0.2)
    assert solver.darker(0.3).at(0.5).brightness == pytest.approx(2**-0.1, abs=0.02)
    dim = solver.no_stronger(1.0).darker(0.3).at(0.5)
    assert dim.intensity <= 1.0


def test_a_pattern_out_of_a_keys_reach_makes_the_face_darker() -> None:
    reading = Reading(0.2, 0.2, 0.2, 0.4, 0.5, 0.0, 0.0)
    intent = patterned(SPLIT, reading, np.eye(3, dtype=np.float32))
    near, far = (
        intent.solve(reading, Solver(skin(0.2), from_right(*gains), 0.0))
        for gains in ((0.05, 1.5), (0.05, 0.4))
    )
    assert near is not None
    assert far is not None
    assert near.brightness == pytest.approx(1, abs=0.02)  # it is not the key that is too weak
    assert near.towards(1) > 4.5
    assert far.intensity == pytest.approx(PATTERN_KEY)
    assert 2**-DARKER_STOPS - 0.02 < far.brightness < 0.95
