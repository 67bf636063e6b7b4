# SPDX-License-Identifier: Apache-2.0
"""The key light: where the rule places it, for one face and for several."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relight import Environment, Light
from relight.environment import directions
from relight.geometry import angle_between, direction, head_angles
from relight.setup import Setup, key_to_fill_with, place, place_group

FRONTAL = np.eye(3, dtype=np.float32)


def pose(yaw_deg: float, pitch_deg: float = 0.0) -> np.ndarray:
    """Head to camera: nose turned by yaw (> 0 image right), then raised by pitch (> 0 up)."""
    y, p = math.radians(yaw_deg), math.radians(pitch_deg)
    turn = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    nod = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    return (turn @ nod).astype(np.float32)


def lit(azimuth_deg: float, elevation_deg: float, ambient: float) -> Environment:
    """A broad lamp whose irradiance at normal incidence is 1, and white light from everywhere."""
    towards = direction(math.radians(azimuth_deg), math.radians(elevation_deg))
    lobe = np.maximum(directions(16) @ towards, 0) ** 40
    lamp = Environment(np.repeat(lobe[..., None], 3, 2))
    scale = 1 / float(lamp.irradiance(towards)[0])
    return Environment(lamp.data * np.float32(scale) + np.float32(ambient))


@given(st.floats(-80, 80), st.floats(-60, 60))
@settings(deadline=None)
def test_head_angles_are_the_noses(yaw: float, pitch: float) -> None:
    found = head_angles(pose(yaw, pitch))
    assert found[0] == pytest.approx(yaw, abs=0.01)
    assert found[1] == pytest.approx(pitch, abs=0.01)


@pytest.mark.parametrize("angle", [-30, 10, 45])
def test_roll_is_the_tilt_of_the_heads_horizontal(angle: float) -> None:
    a = math.radians(angle)
    tilted = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
    assert head_angles(tilted) == pytest.approx((0, 0, angle), abs=0.01)


# --- The rule

LAMP_AZIMUTH = st.one_of(st.floats(12, 85), st.floats(-85, -12))
LAMP_ELEVATION = st.floats(-20, 50)
AMBIENT = st.floats(0.3, 3)


@given(LAMP_AZIMUTH, LAMP_ELEVATION, AMBIENT, st.floats(-8, 8), st.floats(-10, 10))
@settings(max_examples=200, deadline=None)
def test_the_key_stands_on_the_lit_side_within_the_rules_range(
    azimuth: float, elevation: float, ambient: float, yaw: float, pitch: float
) -> None:
    environment, head = lit(azimuth, elevation, ambient), pose(yaw, pitch)
    assume(environment.key_to_fill(head) > 1.15)  # clearly from one side, on the face as turned
    left, right = environment.cheek_irradiance(head)
    assume((right > left) == (azimuth > 0))
    light = place(environment, head)
    assert np.sign(light.azimuth_deg) == np.sign(azimuth)
    assert 30 - 1e-6 <= abs(light.azimuth_deg) <= 60 + 1e-6
    assert 20 <= light.elevation_deg <= 45
    assert light.color == (1, 1, 1)


@pytest.mark.parametrize("azimuth", [-50, 50])
def test_a_level_head_gets_its_key_thirty_degrees_up(azimuth: float) -> None:
    assert place(lit(azimuth, 10, 2), FRONTAL).elevation_deg == pytest.approx(30)


def test_the_keys_height_follows_the_heads_tilt() -> None:
    heights = [place(lit(45, 0, 2), pose(0, tilt)).elevation_deg for tilt in (-8, 0, 8)]
    assert heights == sorted(set(heights))


@given(st.floats(8, 40), st.sampled_from([-1, 1]))
@settings(max_examples=30, deadline=None)
def test_in_flat_light_the_key_stands_where_the_nose_points(yaw: float, side: int) -> None:
    light = place(Environment.uniform(), pose(side * yaw))
    assert np.sign(light.azimuth_deg) == side
    assert 30 <= abs(light.azimuth_deg) <= 60
    assert "short side" in light.reason


def test_flat_light_on_a_frontal_face_still_gets_a_key() -> None:
    light = place(Environment.uniform(), FRONTAL)
    assert 30 <= abs(light.azimuth_deg) <= 60
    assert light.intensity > 0


@pytest.mark.parametrize("azimuth", [-70, -40, 40, 70])
def test_a_photo_that_has_its_two_to_one_gets_no_light(azimuth: float) -> None:
    environment = lit(azimuth, 20, 0.05)
    ratio = environment.key_to_fill()
    assert ratio >= 2
    light = place(environment, FRONTAL)
    assert light.intensity == 0
    assert f"{ratio:.1f}:1" in light.reason


@given(
    LAMP_AZIMUTH, LAMP_ELEVATION, AMBIENT, st.floats(-12, 12), st.floats(-10, 10), st.floats(0.3, 3)
)
@settings(max_examples=150, deadline=None)
def test_the_intensity_is_the_smallest_that_reaches_two_to_one(
    azimuth: float, elevation: float, ambient: float, yaw: float, pitch: float, mean: float
) -> None:
    environment, head = lit(azimuth, elevation, ambient), pose(yaw, pitch)
    light = place(environment, head, mean_irradiance=mean)
    assume(environment.key_to_fill(head) < 1.98)
    assert light.intensity > 0
    assume(light.intensity < 1.999)  # not held back by the largest intensity allowed

    def ratio(k: float) -> float:
        return key_to_fill_with(environment, head, [replace(light, intensity=k)], mean)

    assert ratio(light.intensity) == pytest.approx(2, abs=2e-3)
    assert ratio(0.99 * light.intensity) < 2 - 1e-5


def test_in_uniform_light_on_a_frontal_face_the_intensity_is_lamberts() -> None:
    """By hand: (1 + k c_key) / (1 + k c_fill) = 2 for the two cheeks' cosines."""
    light = place(Environment.uniform(), FRONTAL, mean_irradiance=1.0)
    a, e = math.radians(abs(light.azimuth_deg)), math.radians(light.elevation_deg)
    cheek = math.radians(50)
    key = math.cos(a - cheek) * math.cos(e)
    fill = max(0.0, math.cos(a + cheek) * math.cos(e))
    assert light.intensity == pytest.approx(1 / (key - 2 * fill), rel=0.02)


@pytest.mark.parametrize("headroom", [0.0, 0.05, 0.2])
def test_headroom_caps_the_intensity_and_the_reason_says_so(headroom: float) -> None:
    environment = Environment.uniform()
    assert place(environment, FRONTAL).intensity > headroom
    capped = place(environment, FRONTAL, headroom=headroom)
    assert capped.intensity == headroom
    assert "highlights" in capped.reason
    roomy = place(environment, FRONTAL, headroom=100)
    assert roomy == place(environment, FRONTAL)
    assert "highlights" not in roomy.reason


def test_no_headroom_at_all_is_no_light() -> None:
    assert place(Environment.uniform(), FRONTAL, headroom=-0.5).intensity == 0


@given(st.floats(-90, 90), LAMP_ELEVATION, st.floats(0, 3), st.floats(-30, 30), st.floats(-20, 20))
@settings(max_examples=100, deadline=None)
def test_the_reason_is_one_sentence_with_the_numbers(
    azimuth: float, elevation: float, ambient: float, yaw: float, pitch: float
) -> None:
    environment, head = lit(azimuth, elevation, ambient), pose(yaw, pitch)
    light = place(environment, head)
    reason = light.reason
    assert re.fullmatch(r"[A-Z][^\n]*[^.\n]\.", reason)
    assert not re.search(r"\.\s", reason), "more than one sentence"
    assert f"{abs(light.azimuth_deg):.0f}°" in reason
    assert f"{light.elevation_deg:.0f}°" in reason
    assert f"image {'right' if light.azimuth_deg > 0 else 'left'}" in reason
    assert f"{environment.key_to_fill(head):.1f}:1" in reason
    if light.intensity:
        assert f"intensity {light.intensity:.2f}" in reason


@given(LAMP_AZIMUTH, LAMP_ELEVATION, AMBIENT, st.floats(-20, 20))
@settings(max_examples=50, deadline=None)
def test_a_mirrored_scene_gets_the_mirrored_light(
    azimuth: float, elevation: float, ambient: float, yaw: float
) -> None:
    environment, head = lit(azimuth, elevation, ambient), pose(yaw)
    mirrored = Environment(environment.data[:, ::-1])
    ratio = environment.key_to_fill(head)
    assume(abs(ratio - 1.1) > 0.01)  # the border between flat and sided light
    assume(ratio >= 1.1 or abs(abs(yaw) - 5) > 0.1)
    assume(ratio >= 1.1 or abs(yaw) > 5.1)  # wholly symmetric: the customary side is one side
    assume(abs(ratio - 2) > 0.01)
    light, other = place(environment, head), place(mirrored, pose(-yaw))
    assume(abs(abs(light.azimuth_deg) - 30) > 0.5)  # nearer the axis, the standard 45 is taken
    assert other.azimuth_deg == pytest.approx(-light.azimuth_deg, abs=0.1)
    assert other.elevation_deg == pytest.approx(light.elevation_deg, abs=0.1)
    assert other.intensity == pytest.approx(light.intensity, abs=0.01)


def test_brighter_light_changes_neither_place_nor_intensity() -> None:
    dim = lit(40, 20, 1.0)
    bright = Environment(dim.data * 5)
    assert place(bright, FRONTAL).intensity == pytest.approx(place(dim, FRONTAL).intensity)
    assert place(bright, FRONTAL).azimuth_deg == pytest.approx(place(dim, FRONTAL).azimuth_deg)


def test_added_keys_raise_the_ratio_as_lambert_says() -> None:
    environment = Environment.uniform()
    key = Light(50, 0, 1.0)  # straight onto the cheek at image right
    fill = max(0.0, math.cos(math.radians(100)))
    expected = (1 + 1) / (1 + fill)
    assert key_to_fill_with(environment, FRONTAL, [key], 1.0) == pytest.approx(expected, rel=0.01)
    assert key_to_fill_with(environment, FRONTAL, [], 1.0) == pytest.approx(1, abs=0.01)
    both = [key, Light(-50, 0, 1.0)]
    assert key_to_fill_with(environment, FRONTAL, both, 1.0) == pytest.approx(1, abs=0.01)


# --- Groups


def test_a_group_of_one_keeps_its_light() -> None:
    light = Light(40, 30, 0.5, reason="why")
    assert place_group([light], [7]) is light


def test_a_group_without_lights_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        place_group([], [])


def test_a_groups_light_lies_between_its_members_nearer_the_larger_face() -> None:
    lights = [Light(30, 20, 0.4, reason="Large."), Light(60, 40, 1.0, reason="Small.")]
    for weights in ([3, 1], [300, 100]):
        group = place_group(lights, weights)
        assert 30 < group.azimuth_deg < 45
        assert 20 < group.elevation_deg < 32
        assert group.intensity == pytest.approx(0.75 * 0.4 + 0.25 * 1.0)
        assert "2 faces" in group.reason
        assert "2 faces" in group.reason
    assert f"{group.intensity:.2f}" in group.reason
    assert group.reason.count(".") - group.reason.count("0.") == 1  # one sentence
    even = place_group(lights, [1, 1])
    assert group.azimuth_deg < even.azimuth_deg < 60


def test_keys_on_both_sides_do_not_meet_at_the_camera() -> None:
    lights = [Light(45, 30, 1, reason="r"), Light(-45, 30, 1, reason="l")]
    assert place_group(lights, [2, 1]).azimuth_deg == pytest.approx(45)
    assert place_group(lights, [1, 2]).azimuth_deg == pytest.approx(-45)


# --- Heads that lean


@given(LAMP_AZIMUTH, st.floats(-3.1, 3.1))
@settings(max_examples=30, deadline=None)
def test_a_leaning_heads_light_is_the_upright_ones_turned(azimuth: float, roll: float) -> None:
    upright = place(lit(azimuth, 20, 1.0), FRONTAL)
    leaning = place(lit(azimuth, 20, 1.0), FRONTAL, roll=roll)
    expected = upright.rolled(roll)
    assert leaning.intensity == upright.intensity
    assert math.degrees(float(angle_between(leaning.direction, expected.direction))) < 0.01


def test_the_members_of_a_leaning_group_have_their_sides_where_they_are() -> None:
    lights = [Light(45, 30, 0.5), Light(-45, 30, 0.7)]
    upright = place_group(lights, [2, 1])
    leaning = place_group([light.rolled(math.pi / 2) for light in lights], [2, 1], math.pi / 2)
    expected = upright.rolled(math.pi / 2).direction
    assert math.degrees(float(angle_between(leaning.direction, expected))) < 0.01
    assert leaning.intensity == upright.intensity


def test_what_is_taken_of_the_existing_light_raises_the_ratio() -> None:
    environment, key = lit(0, 20, 1.0), [Light(60, 30, 0.5)]
    ratios = [key_to_fill_with(environment, FRONTAL, key, 1.0, kept) for kept in (1, 0.5, 0.2)]
    assert ratios[0] < ratios[1] < ratios[2]
    assert key_to_fill_with(environment, FRONTAL, [], 1.0, 0.3) == pytest.approx(
        environment.key_to_fill(FRONTAL)
    )


# --- Setups


@pytest.mark.parametrize("fill", [0, -1, 1.001, math.nan, math.inf])
def test_a_fill_out_of_range_is_refused(fill: float) -> None:
    with pytest.raises(ValueError, match="fill lies in"):
        Setup((), fill)


def test_a_setup_is_made_of_one_light_or_several_or_another() -> None:
    key, rim = Light(45, 30), Light(-120, 10)
    assert Setup.of(key).lights == (key,)
    assert Setup.of([key, rim]).lights == (key, rim)
    assert Setup.of(iter([key])).fill == 1
    made = Setup((key,), 0.5, "because")
    assert Setup.of(made) is made
    assert Setup.of(made, 0.7) == Setup((key,), 0.7)
    assert Setup.of(made, 0.7).reason == "because"
