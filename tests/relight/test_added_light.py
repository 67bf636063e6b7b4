# SPDX-License-Identifier: Apache-2.0
"""The light that is added to the example portrait: where it falls, and where it must not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from conftest import ASTRONAUT, halves
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from relight import (
    Analysis,
    Light,
    Photo,
    Relighter,
    Result,
    load_photo,
)

KEY = Light(45, 30, 0.8)


def linear(encoded: np.ndarray) -> np.ndarray:
    x = encoded / np.iinfo(encoded.dtype).max
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def test_the_key_lights_its_own_side(
    relit: Result, analysis: Analysis, astronaut: np.ndarray
) -> None:
    added = linear(relit.image) - linear(astronaut)
    left, right = halves(analysis)
    assert added.min() > -1e-6
    assert added[right].mean() > 0.02
    assert (added[right] / (linear(astronaut)[right] + 0.01)).mean() > 1.2 * (
        added[left] / (linear(astronaut)[left] + 0.01)
    ).mean()


def test_the_background_stays_bit_for_bit(
    relighter: Relighter, relit: Result, analysis: Analysis, astronaut: np.ndarray
) -> None:
    gain = relighter.key_gain(analysis, KEY)
    untouched = (gain == 0).all(-1)
    np.testing.assert_array_equal(relit.image[untouched], astronaut[untouched])
    # Well away from the person no gain is left.
    person = cv2.dilate((analysis.mask > 0.3).astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    assert (~person).sum() > 10000
    np.testing.assert_array_equal(relit.image[~person], astronaut[~person])


@pytest.mark.parametrize("lights", [None, KEY, [KEY, Light(-30, 0, 2)]])
def test_strength_zero_is_the_photo_bit_for_bit(
    relighter: Relighter, astronaut: np.ndarray, lights: Light | list[Light] | None
) -> None:
    result = relighter.relight(astronaut, lights, strength=0)
    np.testing.assert_array_equal(result.image, astronaut)
    assert len(result.lights) >= 1


@pytest.mark.parametrize("lights", [[], Light(45, 30, 0), Light(45, 30, 1, (0, 0, 0))])
def test_no_light_is_the_photo_bit_for_bit(
    relighter: Relighter, astronaut: np.ndarray, lights: Light | list[Light]
) -> None:
    np.testing.assert_array_equal(relighter.relight(astronaut, lights).image, astronaut)


def test_a_light_from_behind_adds_next_to_nothing_to_the_face(
    relighter: Relighter, astronaut: np.ndarray, analysis: Analysis
) -> None:
    back = relighter.key_gain(analysis, Light(180, 0))
    front = relighter.key_gain(analysis, Light(0, 0))
    left, right = halves(analysis)
    assert back[left | right].mean() < 0.05 * front[left | right].mean()


def test_one_light_and_a_list_of_it_are_the_same(
    relighter: Relighter, astronaut: np.ndarray, relit: Result
) -> None:
    np.testing.assert_array_equal(relighter.relight(astronaut, [KEY]).image, relit.image)
    np.testing.assert_array_equal(relighter.relight(astronaut, (KEY,)).image, relit.image)


def test_a_result_as_pillow_image(relit: Result) -> None:
    image = relit.to_pil()
    assert image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image), relit.image)


def test_the_same_photo_in_other_forms(
    relighter: Relighter, astronaut: np.ndarray, relit: Result
) -> None:
    image = Image.fromarray(astronaut)
    np.testing.assert_array_equal(relighter.relight(image, KEY).image, relit.image)
    floats = relighter.relight(astronaut.astype(np.float32) / 255, KEY)
    assert floats.image.dtype == np.uint16
    assert np.abs(np.asarray(floats.to_pil()).astype(int) - relit.image).max() <= 1


def test_two_lights_add_up(relighter: Relighter, analysis: Analysis, astronaut: np.ndarray) -> None:
    """Y = X (1 + k1 G1 + k2 G2): the same from the gains and from the photos."""
    other = Light(-50, 10, 0.5)
    gains = 0.8 * relighter.key_gain(analysis, KEY) + 0.5 * relighter.key_gain(analysis, other)
    both = relighter.relight(astronaut, [KEY, other]).image
    expected = linear(astronaut) * (1 + gains)
    plain = (expected.max(-1) < 0.55) & (astronaut.min(-1) > 40)
    plain &= gains.min(-1) > 0.1
    assert plain.sum() > 1000
    np.testing.assert_allclose(linear(both)[plain], expected[plain], atol=0.016)


def test_twice_the_intensity_is_twice_the_light(
    relighter: Relighter, analysis: Analysis, astronaut: np.ndarray
) -> None:
    dim, bright = (relighter.relight(astronaut, Light(45, 30, k)).image for k in (0.2, 0.4))
    strong = relighter.relight(astronaut, Light(45, 30, 0.2), strength=2).image
    assert np.abs(strong.astype(int) - bright).max() <= 2
    lit = relighter.key_gain(analysis, KEY).min(-1) > 0.1
    plain = (bright.max(-1) < 190) & lit
    assert plain.sum() > 1000
    one, two = (float((linear(image) - linear(astronaut))[plain].sum()) for image in (dim, bright))
    assert two == pytest.approx(2 * one, rel=0.05)


def test_a_coloured_key_adds_its_own_colour(
    relighter: Relighter, analysis: Analysis, astronaut: np.ndarray
) -> None:
    red = relighter.relight(astronaut, Light(45, 30, 0.8, (1, 0, 0))).image
    # Highlights pale as they are compressed; below them the other channels stay as they were.
    plain = red.max(-1) < 200
    assert (red[plain] != astronaut[plain]).any()
    np.testing.assert_array_equal(red[plain][:, 1:], astronaut[plain][:, 1:])
    assert red[..., 0].astype(int).sum() > astronaut[..., 0].astype(int).sum()


def test_a_grey_photo_stays_grey(relighter: Relighter, astronaut: np.ndarray) -> None:
    grey = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, 2)
    result = relighter.relight(grey, KEY).image
    assert (result != grey).any()
    spread = result.astype(int).max(-1) - result.min(-1)
    assert spread.max() <= 1


def test_sixteen_bits_are_relit_like_eight(
    relighter: Relighter, astronaut: np.ndarray, relit: Result
) -> None:
    result = relighter.relight(astronaut.astype(np.uint16) * 257, KEY)
    assert result.image.dtype == np.uint16
    assert np.abs(result.image / 257 - relit.image).max() <= 1.01


def test_a_flipped_photo_is_relit_like_the_photo_flipped(
    relighter: Relighter, astronaut: np.ndarray, relit: Result
) -> None:
    flipped = np.ascontiguousarray(astronaut[:, ::-1])
    mirrored = relighter.relight(flipped, Light(-45, 30, 0.8)).image[:, ::-1]
    difference = np.abs(mirrored.astype(int) - relit.image)
    assert difference.mean() < 1.0
    assert np.percentile(difference, 99) < 20


def test_a_photo_and_its_array_are_relit_the_same(relighter: Relighter, relit: Result) -> None:
    photo = load_photo(ASTRONAUT)
    assert isinstance(photo, Photo)
    result = relighter.relight(photo, KEY)
    np.testing.assert_array_equal(result.image, relit.image)
    assert result.photo is photo
    assert result.report()["photo"].endswith("astronaut.png")


def test_more_threads_give_the_same_photo(astronaut: np.ndarray, relit: Result) -> None:
    with Relighter(threads=2) as other:
        np.testing.assert_array_equal(other.relight(astronaut, KEY).image, relit.image)


def test_a_second_run_gives_the_same_photo(
    relighter: Relighter, astronaut: np.ndarray, relit: Result
) -> None:
    np.testing.assert_array_equal(relighter.relight(astronaut, KEY).image, relit.image)


def test_relighting_changes_no_pixel_of_the_input(
    relighter: Relighter, astronaut: np.ndarray, relit: Result
) -> None:
    assert not np.shares_memory(relit.image, astronaut)
    writeable = astronaut.copy()
    relighter.relight(writeable, KEY)
    np.testing.assert_array_equal(writeable, astronaut)


def test_every_face_of_a_group_is_lit_by_one_light(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    two = np.concatenate([astronaut, astronaut[:, ::-1]], 1)
    result = relighter.relight(two)
    assert len(result.faces) == len(result.report()["faces"]) == 2
    assert len(result.lights) == 1
    assert "2 faces" in result.lights[0].reason
    lit = relighter.relight(two, KEY)
    for found in lit.faces:
        left, top, width, height = (round(v) for v in found.box)
        where = (slice(top, top + height), slice(left, left + width))
        assert (lit.image[where].astype(int) - two[where]).mean() > 3


def test_a_face_at_the_photos_edge_is_relit(relighter: Relighter, astronaut: np.ndarray) -> None:
    cut = np.ascontiguousarray(astronaut[60:, 170:])
    result = relighter.relight(cut, KEY)
    assert result.image.shape == cut.shape
    assert (result.image.astype(int) - cut).max() > 10
    assert np.isfinite(result.analyses[0].mask).all()


@given(st.floats(-180, 180), st.floats(-90, 90))
@settings(deadline=None, max_examples=15)
def test_light_from_anywhere_gives_a_finite_gain(
    relighter: Relighter, analysis: Analysis, azimuth: float, elevation: float
) -> None:
    gain = relighter.key_gain(analysis, Light(azimuth, elevation))
    assert np.isfinite(gain).all()
    assert gain.min() >= 0
