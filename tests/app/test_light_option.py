# SPDX-License-Identifier: Apache-2.0
"""Lights and colours in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from relight_app.light_option import NAMED_K, LightChoice, parse_color, parse_light

from relight import Light
from relight.color import luminance


def test_colors() -> None:
    assert parse_color("#ffffff") == pytest.approx((1, 1, 1))
    assert parse_color("#ff0000") == pytest.approx((1, 0, 0))
    assert parse_color("#808080")[0] == pytest.approx(0.21586, abs=1e-4)  # sRGB's middle grey
    assert parse_color("white") == pytest.approx((1, 1, 1), abs=1e-6)
    assert parse_color("orange") == parse_color("#ffa500")
    red, green, blue = parse_color("3200K")
    assert red > green > blue > 0
    red, green, blue = parse_color("9000k")
    assert blue > green > red
    assert parse_color("warm") == parse_color("3200 K")
    for name in NAMED_K:
        assert float(luminance(np.array(parse_color(name)))) == pytest.approx(1, abs=1e-5)


def test_lights() -> None:
    assert parse_light("-45,30") == Light(-45, 30)
    assert parse_light(" 10 , -5 , 0.5 , #ff0000 ") == Light(10, -5, 0.5, (1, 0, 0))
    assert parse_light("200,0").azimuth_deg == -160
    assert parse_light("10,20,,,25") == Light(10, 20, softness_deg=25)


@given(st.text(max_size=30) | st.from_regex(r"[-+0-9.einfa]*(,[-+0-9.einfaK#]*){1,4}"))
def test_any_text_is_a_light_or_a_clear_error(text: str) -> None:
    try:
        light = parse_light(text)
    except ValueError as error:
        message, numbers = str(error), [0.0]
    else:
        message = "a light needs no message"
        numbers = [light.azimuth_deg, light.elevation_deg, light.intensity, *light.color]
        assert 0 <= light.intensity <= 100
    assert np.isfinite(numbers).all()
    assert len(message.split()) > 3


def test_what_is_not_chosen_stays_automatic() -> None:
    automatic = Light(-45, 30, 0.2, reason="automatic")
    assert LightChoice().complete(None) is None
    for choice, expected in (
        (LightChoice(intensity=0.7), Light(-45, 30, 0.7)),
        (LightChoice(color=(1, 0, 0)), Light(-45, 30, 0.2, (1, 0, 0))),
        (LightChoice(azimuth_deg=60), Light(60, 30, 1)),
        (LightChoice(elevation_deg=10, intensity=0.4), Light(-45, 10, 0.4)),
    ):
        assert choice.needs_automatic
        assert choice.complete(automatic) == [expected]
    whole = LightChoice(azimuth_deg=5, elevation_deg=6)
    assert not whole.needs_automatic
    assert whole.complete(None) == [Light(5, 6, 1)]
    two = (Light(1, 2), Light(3, 4))
    assert LightChoice(lights=two).complete(None) == list(two)


def test_a_pattern_sets_all_of_the_light() -> None:
    assert LightChoice(pattern="rembrandt").complete(None) is None
    for other in ({"azimuth_deg": 40.0}, {"lights": (Light(40, 30),)}, {"like": "other.jpg"}):
        with pytest.raises(ValueError, match="--pattern"):
            LightChoice(pattern="loop", **other)
    with pytest.raises(ValueError, match="clamshell"):
        LightChoice(pattern="disco")
