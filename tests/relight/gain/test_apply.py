# SPDX-License-Identifier: Apache-2.0
"""The key gain: where a light reaches, and multiplying a photo by it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight.gain import apply as quotient
from relight.gain.apply import GainMap
from relight.gain.cell import LIFT
from relight.geometry import direction
from relight.stage.shading import visibility


def exact_decode(encoded: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1 in double precision."""
    x = np.asarray(encoded, float)
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def exact_encode(linear: np.ndarray) -> np.ndarray:
    x = np.asarray(linear, float)
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)


def noise(shape: tuple[int, ...], dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    peak = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, peak + 1, shape, dtype=dtype)


def bumps(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth gain, coloured, with parts that are exactly zero."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [
        np.sin(x / rng.uniform(3, 9) + c) + np.cos(y / rng.uniform(3, 9) - c) for c in range(3)
    ]
    return np.maximum(np.stack(waves, -1), 0).astype(np.float32)


# --- Visibility


def test_visibility_is_lamberts_cosine() -> None:
    normals = np.array([[[0, 0, 1], [1, 0, 0], [0, 0, -1]]], np.float32)
    lit = visibility(normals, direction(np.radians(60), 0.0))
    np.testing.assert_allclose(lit, [[0.5, math.sin(math.radians(60)), 0]], atol=1e-6)


# --- Applying


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_strength_zero_is_the_photo_bit_for_bit(dtype: type) -> None:
    photo = noise((60, 70, 3), dtype)
    result = quotient.apply(photo, GainMap(5, 7, 2, bumps(20, 25)), strength=0)
    np.testing.assert_array_equal(result, photo)
    assert result.dtype == dtype
    assert not np.shares_memory(result, photo)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("factor", [1, 2, 5])
def test_pixels_without_gain_are_bit_identical(dtype: type, factor: int) -> None:
    photo = noise((130, 160, 3), dtype)
    kept = photo.copy()
    gain = bumps(20, 24)
    gain[5:12] = 0
    gain[:, :6] = 0
    added = GainMap(11, 8, factor, gain)
    result = quotient.apply(photo, added)
    untouched = (added.expand(photo.shape) == 0).all(-1)
    assert untouched.sum() > 1000
    np.testing.assert_array_equal(result[untouched], photo[untouched])
    np.testing.assert_array_equal(photo, kept)
    assert (result != photo).any()


def test_light_never_darkens_and_keeps_the_hue_of_bright_skin() -> None:
    photo = noise((60, 60, 3), np.uint8)
    photo[:30] = (235, 190, 160)  # bright skin
    gain = np.full((60, 60, 3), 0.8, np.float32)
    result = quotient.apply(photo, GainMap(0, 0, 1, gain)).astype(int)
    assert (result >= photo).all()
    red, green, blue = result[0, 0] / 255
    assert red <= quotient.CEILING
    # Between the channels in the same order and proportion: neither yellow nor pale.
    before = (190 - 160) / (235 - 160)
    assert (green - blue) / (red - blue) == pytest.approx(before, abs=0.05)
    assert (red - blue) / red >= 0.97 * (235 - 160) / 235


def test_skin_that_is_lit_strongly_is_not_burnt() -> None:
    """A judge of portraits counts as burnt what has a channel of 245 or more."""
    photo = np.tile(np.arange(0, 245, dtype=np.uint8)[:, None, None], (1, 1, 3))
    result = quotient.apply(photo, GainMap(0, 0, 1, np.full((245, 1, 3), 2, np.float32)))
    assert result.max() < 245
    assert (np.diff(result[:, 0, 0].astype(int)) >= 0).all()


def test_what_is_burnt_already_stays_as_it_is() -> None:
    photo = np.full((4, 4, 3), 250, np.uint8)
    result = quotient.apply(photo, GainMap(0, 0, 1, np.ones((4, 4, 3), np.float32)))
    np.testing.assert_array_equal(result, photo)


def test_nothing_is_lifted_more_than_threefold() -> None:
    photo = np.full((4, 4, 3), 20, np.uint8)
    lifted = quotient.apply(photo, GainMap(0, 0, 1, np.full((4, 4, 3), 30, np.float32)))
    assert exact_decode(lifted / 255).max() <= LIFT * exact_decode(20 / 255) + 0.004


def test_a_tiny_gain_beside_zero_gain_leaves_the_latter_alone() -> None:
    photo = noise((40, 40, 3), np.uint16)
    gain = np.zeros((40, 40, 3), np.float32)
    gain[20, 20] = 1e-3
    result = quotient.apply(photo, GainMap(0, 0, 1, gain))
    result[20, 20] = photo[20, 20]
    np.testing.assert_array_equal(result, photo)


@given(st.floats(0, 2, width=32), st.integers(0, 200))
@settings(deadline=None)
def test_below_the_shoulder_it_multiplies_linear_light(gain: float, value: int) -> None:
    photo = np.full((2, 2, 3), value, np.uint8)
    added = GainMap(0, 0, 1, np.full((2, 2, 3), gain, np.float32))
    exact = float(exact_encode(exact_decode(value / 255) * (1 + np.float32(gain)))) * 255
    result = quotient.apply(photo, added)
    assert (result == result[0, 0, 0]).all()
    if exact < 0.75 * 255:
        # One step more where a pixel leaves the curve's straight part.
        assert abs(float(result[0, 0, 0]) - exact) <= (1.7 if value <= 10 else 0.51)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("gain", [0.01, 0.3, 1.0, 2.5, 20.0])
def test_tones_keep_their_order_and_none_gets_darker(dtype: type, gain: float) -> None:
    peak = np.iinfo(dtype).max
    ramp = np.arange(0, peak + 1, dtype=dtype)[:, None, None].repeat(3, 2)
    added = GainMap(0, 0, 1, np.full(ramp.shape, gain, np.float32))
    result = quotient.apply(ramp, added)[:, 0].astype(int)
    assert (np.diff(result, axis=0) >= 0).all()
    assert (result >= ramp[:, 0]).all()
    assert (result[-1] == peak).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_highlights_approach_white_without_reaching_it(dtype: type) -> None:
    """Only what rounds to white within half a step of it may become white."""
    peak = np.iinfo(dtype).max
    ramp = np.arange(0, peak + 1, dtype=dtype)[:, None, None].repeat(3, 2)
    for gain in (0.3, 1.0, 4.0):
        added = GainMap(0, 0, 1, np.full(ramp.shape, gain, np.float32))
        white = quotient.apply(ramp, added)[:, 0, 0] == peak
        assert ramp[white].min() > 0.93 * peak
        if dtype == np.uint16:
            assert ramp[white].min() > 0.995 * peak


@pytest.mark.parametrize("gain", [0.02, 0.1, 0.3, 1.0, 3.0])
def test_noise_in_nearly_clipped_colours_is_not_blown_up(gain: float) -> None:
    """A shirt whose red is at 250 to 255 stays one shirt: no pixel bleaches before the next."""
    photo = np.full((56, 1, 3), (0, 40, 130), np.uint8)
    photo[:, 0, 0] = np.arange(200, 256)
    added = GainMap(0, 0, 1, np.full(photo.shape, gain, np.float32))
    result = quotient.apply(photo, added)[:, 0].astype(int)
    assert np.abs(np.diff(result, axis=0)).max() <= 2


@pytest.mark.parametrize("value", [3, 30, 128, 200, 230, 250])
def test_more_gain_is_never_darker(value: int) -> None:
    gains = np.concatenate([[0], np.geomspace(1e-3, 50, 299)]).astype(np.float32)
    photo = np.full((300, 1, 3), round(value * 257), np.uint16)
    result = quotient.apply(photo, GainMap(0, 0, 1, gains[:, None, None].repeat(3, 2)))
    assert (np.diff(result[:, 0, 1].astype(int)) >= 0).all()
    burnt = value > 255 * quotient.CEILING
    assert result[-1, 0, 1] == result[0, 0, 1] if burnt else result[-1, 0, 1] > result[0, 0, 1]


@pytest.mark.parametrize("factor", [1, 3])
def test_sixteen_bits_agree_with_eight_within_rounding(factor: int) -> None:
    photo = noise((90, 90, 3))
    added = GainMap(0, 0, factor, bumps(90 // factor, 90 // factor))
    eight = quotient.apply(photo, added).astype(float)
    sixteen = quotient.apply(photo.astype(np.uint16) * 257, added) / 257
    assert np.abs(eight - sixteen).max() <= 0.51


@pytest.mark.parametrize("factor", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("threads", [2, 5])
def test_any_number_of_threads_gives_the_same_photo(
    factor: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotient, "SHARE", 1)
    photo = noise((500, 120, 3))
    added = GainMap(0, 0, factor, bumps(math.ceil(500 / factor), math.ceil(120 / factor)))
    np.testing.assert_array_equal(
        quotient.apply(photo, added, threads=threads), quotient.apply(photo, added)
    )


@pytest.mark.parametrize(("left", "top"), [(0, 0), (13, 9), (88, 95)])
@pytest.mark.parametrize("factor", [1, 2, 4])
def test_the_expanded_gain_is_what_was_applied(left: int, top: int, factor: int) -> None:
    photo = noise((110, 100, 3), np.uint16) // 3
    added = GainMap(left, top, factor, bumps(30, 24) * 0.4)
    expanded = added.expand(photo.shape)
    assert expanded.shape == (110, 100, 3)
    result = quotient.apply(photo, added)
    expected = exact_encode(exact_decode(photo / 65535) * (1 + expanded.astype(float))) * 65535
    plain = (photo > 0.05 * 65535) & (expected < 0.8 * 65535)
    assert plain.sum() > 0.5 * photo.size
    assert np.abs(result - expected)[plain].max() < 65535 * 2e-3
    np.testing.assert_array_equal(result[expanded == 0], photo[expanded == 0])


@given(st.integers(1, 12), st.integers(1, 9), st.sampled_from([1, 2, 3, 5]), st.integers(1, 5))
@settings(deadline=None)
def test_strips_enlarged_one_by_one_are_the_whole_enlarged_at_once(
    height: int, width: int, factor: int, step: int
) -> None:
    grid = bumps(height, width, seed=height * width)
    whole = quotient.enlarge(grid, 0, height, factor)
    assert whole.shape == (height * factor, width * factor, 3)
    strips = [
        quotient.enlarge(grid, start, min(start + step, height), factor)
        for start in range(0, height, step)
    ]
    np.testing.assert_allclose(np.concatenate(strips), whole, atol=1e-5)


def test_enlarging_is_bilinear_between_cell_centres() -> None:
    ramp = np.arange(6, dtype=np.float32)[:, None, None].repeat(3, 2)
    whole = quotient.enlarge(ramp, 0, 6, 4)[:, 0, 0]
    expected = np.clip((np.arange(24) + 0.5) / 4 - 0.5, 0, 5)
    np.testing.assert_allclose(whole, expected, atol=1e-5)


@given(st.floats(0, 2), st.floats(0, 2))
@settings(deadline=None, max_examples=30)
def test_strength_scales_the_gain(strength: float, level: float) -> None:
    photo = np.full((4, 4, 3), 20000, np.uint16)
    one = quotient.apply(
        photo, GainMap(0, 0, 1, np.full((4, 4, 3), level, np.float32)), strength=strength
    )
    other = quotient.apply(photo, GainMap(0, 0, 1, np.full((4, 4, 3), level * strength, "f4")))
    assert np.abs(one.astype(int) - other).max() <= 1


# --- Light that is taken away


def ramp_with(taken: float, gain: float, strength: float = 1.0) -> np.ndarray:
    """All 16-bit greys with so much of their light taken and added, ``(65536, 3)``."""
    ramp = np.arange(65536, dtype=np.uint16)[:, None, None].repeat(3, 2)
    added = GainMap(0, 0, 1, np.full(ramp.shape, gain, np.float32))
    less = np.full(ramp.shape[:2], taken, np.float32)
    return quotient.apply(ramp, added, strength=strength, taken=less)[:, 0].astype(int)


@pytest.mark.parametrize("taken", [0.1, 0.5, 0.9])
def test_light_is_taken_away_in_linear_light(taken: float) -> None:
    exact = exact_encode(exact_decode(np.arange(65536) / 65535) * (1 - taken)) * 65535
    error = np.abs(ramp_with(taken, 0.0)[:, 0] - exact)
    assert error[exact > 11 / 255 * 65535].max() <= 1.5
    assert error.max() <= 1.7 * 257  # where a pixel comes onto the curve's straight part


@pytest.mark.parametrize("taken", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("gain", [0.0, 0.02, 0.4, 1.0, 5.0])
def test_tones_keep_their_order_without_gaps_when_light_is_taken(taken: float, gain: float) -> None:
    result = ramp_with(taken, gain)
    steps = np.diff(result, axis=0)
    assert steps.min() >= 0
    # The curve is steepest in the dark, and there a tone is lifted by the gain.
    assert steps.max() <= 2 + 2 * (1 + gain)
    alone = ramp_with(taken, 0.0)
    assert (result >= alone).all()


@pytest.mark.parametrize("gain", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("value", [30, 128, 215, 250, 255])
def test_brightness_falls_evenly_as_light_is_taken(value: int, gain: float) -> None:
    taken = np.linspace(0, 0.9, 1000, dtype=np.float32)[:, None]
    photo = np.full((1000, 1, 3), value * 257, np.uint16)
    added = GainMap(0, 0, 1, np.full(photo.shape, gain, np.float32))
    result = quotient.apply(photo, added, taken=taken)[:, 0, 1].astype(int)
    steps = np.diff(result)
    assert steps.max() <= 0
    assert steps.min() >= -0.006 * 65535
    assert result[0] == quotient.apply(photo, added)[0, 0, 1]


def test_more_than_all_is_never_taken() -> None:
    np.testing.assert_array_equal(ramp_with(0.6, 0.0, 1.0), ramp_with(0.6, 0.0, 5.0))
    np.testing.assert_array_equal(ramp_with(0.6, 0.8, 0.5), ramp_with(0.3, 0.4, 1.0))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("factor", [1, 3])
def test_where_nothing_is_taken_or_added_pixels_are_bit_identical(dtype: type, factor: int) -> None:
    photo = noise((120, 120, 3), dtype)
    taken = np.zeros((30, 30), np.float32)
    taken[5:12, 20:25] = 0.5
    added = GainMap(9, 6, factor, np.zeros((30, 30, 3), np.float32))
    result = quotient.apply(photo, added, taken=taken)
    changed = (result != photo).any(-1)
    assert changed.any()
    rows, columns = np.nonzero(changed)
    assert 6 + factor * 4 <= rows.min() <= rows.max() < 6 + factor * 13
    assert 9 + factor * 19 <= columns.min() <= columns.max() < 9 + factor * 26
    assert (result <= photo).all()


def test_taking_nothing_is_adding_alone() -> None:
    photo, added = noise((90, 90, 3)), GainMap(3, 4, 2, bumps(40, 40))
    nothing = np.zeros((40, 40), np.float32)
    np.testing.assert_array_equal(
        quotient.apply(photo, added, taken=nothing), quotient.apply(photo, added)
    )
