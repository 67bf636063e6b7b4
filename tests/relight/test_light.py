# SPDX-License-Identifier: Apache-2.0
"""The key light and the rule that places it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight import Light
from relight.geometry import angle_between


@pytest.mark.parametrize(
    "arguments",
    [
        (math.nan, 0),
        (0, math.inf),
        (0, 91),
        (0, -90.5),
        (0, 0, -0.1),
        (0, 0, math.nan),
        (0, 0, 1, (1, 1)),
        (0, 0, 1, (1, 1, 1, 1)),
        (0, 0, 1, (1, -1, 1)),
        (0, 0, 1, (1, math.nan, 1)),
        (0, 0, 1, (1, 1, 1), -0.1),
        (0, 0, 1, (1, 1, 1), 45.1),
        (0, 0, 1, (1, 1, 1), math.nan),
        (0, 0, 1, (1, 1, 1), 5, -0.1),
        (0, 0, 1, (1, 1, 1), 5, 100.1),
        (0, 0, 1, (1, 1, 1), 5, math.nan),
    ],
)
def test_impossible_lights_are_refused(arguments: tuple) -> None:
    with pytest.raises(ValueError, match=r"finite|elevation|intensity|color|softness|gloss"):
        Light(*arguments)


@given(st.floats(-2000, 2000))
@settings(deadline=None)
def test_azimuth_wraps_into_one_turn(azimuth: float) -> None:
    light = Light(azimuth, 0)
    assert -180 < light.azimuth_deg <= 180
    turns = (light.azimuth_deg - azimuth) / 360
    assert abs(turns - round(turns)) < 1e-9
    if -179.9 < azimuth <= 180:
        assert light.azimuth_deg == pytest.approx(azimuth, abs=1e-9)


def test_a_light_is_small_unless_said_otherwise() -> None:
    assert Light(0, 0).softness_deg == 5
    assert Light(0, 0, softness_deg=45).softness_deg == 45
    assert Light(0, 0, softness_deg=np.float32(0)).softness_deg == 0


def test_gloss_is_as_estimated_unless_said_otherwise() -> None:
    light = Light(0, 0)
    assert light.gloss == 1
    assert light.shining(1) is light
    assert light.shining(0.5).shining(0.5).gloss == 0.25
    with pytest.raises(ValueError, match="gloss"):
        light.shining(-1)


def test_straight_behind_is_plus_180() -> None:
    assert Light(-180, 0).azimuth_deg == Light(540, 0).azimuth_deg == 180


@given(st.floats(-179, 180), st.floats(-89, 89))
@settings(deadline=None)
def test_a_light_made_from_a_direction_points_there(azimuth: float, elevation: float) -> None:
    light = Light(azimuth, elevation)
    assert np.linalg.norm(light.direction) == pytest.approx(1, abs=1e-6)
    back = Light.from_direction(3 * light.direction, intensity=0.5)
    assert back.intensity == 0.5
    assert math.degrees(float(angle_between(back.direction, light.direction))) < 1e-3


def test_a_light_has_the_conventions_axes() -> None:
    np.testing.assert_allclose(Light(90, 0).direction, [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(Light(0, 90).direction, [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(Light(0, 0).direction, [0, 0, 1], atol=1e-6)


def test_two_lights_are_equal_whatever_their_reasons() -> None:
    assert Light(10, 20, reason="a") == Light(10, 20, reason="b")
    assert Light(10, 20).color == (1, 1, 1)
    assert Light(10, 20).intensity == 1
    assert Light(10, 20).reason == ""


@pytest.mark.parametrize("color", ["warm", 0.5, None, ("a", "b", "c"), [1, None, 1]])
def test_a_color_that_is_no_numbers_is_told_what_a_color_is(color: object) -> None:
    with pytest.raises(TypeError, match="linear red, green and blue"):
        Light(50, 30, color=color)  # type: ignore[arg-type]
