# SPDX-License-Identifier: Apache-2.0
"""The key gain: predicting it, fitting it to a photo, and multiplying the photo by it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relight import Environment, quotient
from relight.geometry import Crop, direction
from relight.quotient import GainMap, Part

SIDE = 256


def exact_decode(encoded: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1 in double precision."""
    x = np.asarray(encoded, float)
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def exact_encode(linear: np.ndarray) -> np.ndarray:
    x = np.asarray(linear, float)
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)


def part(crop: Crop, gain: np.ndarray, person: np.ndarray) -> Part:
    """A face that is trusted wherever there is a person."""
    given_ = {"crop": crop, "gain": gain, "person": person, "confidence": person, "face": person}
    names = [field.name for field in dataclasses.fields(Part)]
    return Part(**{name: given_[name] for name in names})


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


def disc(side: int, radius: float = 0.33) -> np.ndarray:
    y, x = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    return np.clip((radius - np.hypot(x, y)) * side / 3 + 0.5, 0, 1).astype(np.float32)


def scene(height: int = 300, width: int = 340, seed: int = 1) -> np.ndarray:
    """A photo with edges, texture and slow shading, neither clipped nor black."""
    y, x = np.mgrid[:height, :width]
    base = 110 + 40 * np.sin(x / 50) + 25 * np.cos(y / 35) + 25 * ((x // 60 + y // 60) % 2)
    colour = base[..., None] * [1.05, 0.9, 0.8]
    texture = np.random.default_rng(seed).normal(0, 4, (height, width, 1))
    return np.clip(colour + texture, 25, 235).astype(np.uint8)


CROP = Crop(40, 20, 256)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return scene()


@pytest.fixture(scope="module")
def fitted(photo: np.ndarray) -> GainMap:
    return quotient.upsample(photo, [part(CROP, bumps(128, 128) * 0.5 + 0.2, disc(SIDE))])


# --- Prediction


def test_visibility_is_lamberts_cosine() -> None:
    normals = np.array([[[0, 0, 1], [1, 0, 0], [0, 0, -1]]], np.float32)
    lit = quotient.visibility(normals, direction(np.radians(60), 0.0))
    np.testing.assert_allclose(lit, [[0.5, math.sin(math.radians(60)), 0]], atol=1e-6)


@given(st.floats(0.05, 5), st.floats(0, 1))
@settings(deadline=None)
def test_in_even_light_unit_intensity_doubles_what_faces_the_key(
    level: float, visible: float
) -> None:
    """k = 1: the key's irradiance at normal incidence is the existing light's mean."""
    irradiance = np.full((8, 8, 3), level, np.float32)
    gain = quotient.predict(np.full((8, 8), visible, np.float32), irradiance, level)
    assert gain.shape == (8, 8, 3)
    assert gain.dtype == np.float32
    np.testing.assert_allclose(gain, visible, rtol=0.05, atol=1e-6)


def test_the_gain_divides_by_the_light_already_there() -> None:
    """Half the light there: about twice the gain; and never more light than none at all."""
    visible = np.full((1, 3), 0.7, np.float32)
    irradiance = np.array([0.5, 1.0, 2.0], np.float32)[None, :, None].repeat(3, 2)
    dark, mean, bright = quotient.predict(visible, irradiance, 1.0)[0, :, 1]
    assert dark == pytest.approx(2 * mean, rel=0.15)
    assert bright == pytest.approx(mean / 2, rel=0.15)


@given(st.floats(0.01, 100), st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_the_gain_does_not_depend_on_exposure(exposure: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    visible = rng.uniform(size=(6, 6)).astype(np.float32)
    irradiance = rng.uniform(0.2, 2, (6, 6, 3)).astype(np.float32)
    one = quotient.predict(visible, irradiance, 1.0)
    other = quotient.predict(visible, irradiance * np.float32(exposure), exposure)
    np.testing.assert_allclose(other, one, rtol=1e-3)


@pytest.mark.parametrize("mean", [0.0, 1e-6, 1.0])
def test_in_darkness_the_gain_is_finite(mean: float) -> None:
    gain = quotient.predict(np.ones((4, 4), np.float32), np.zeros((4, 4, 3), np.float32), mean)
    assert np.isfinite(gain).all()
    assert (gain >= 0).all()


def test_where_the_key_does_not_reach_nothing_is_added() -> None:
    normals = -np.ones((4, 4, 3), np.float32) / np.sqrt(3)
    irradiance = Environment.uniform().irradiance(normals)
    visible = quotient.visibility(normals, np.array([0, 0, 1]))
    assert not quotient.predict(visible, irradiance, 1.0).any()


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
    assert red < 1
    # Between the channels in the same order and proportion, only paler: not yellow.
    before = (190 - 160) / (235 - 160)
    assert (green - blue) / (red - blue) == pytest.approx(before, abs=0.05)
    assert (red - blue) < (235 - 160) / 255


def test_a_tiny_gain_beside_zero_gain_leaves_the_latter_alone() -> None:
    photo = noise((40, 40, 3), np.uint16)
    gain = np.zeros((40, 40, 3), np.float32)
    gain[20, 20] = 1e-3
    result = quotient.apply(photo, GainMap(0, 0, 1, gain))
    result[20, 20] = photo[20, 20]
    np.testing.assert_array_equal(result, photo)


@given(st.floats(0, 3, width=32), st.integers(0, 200))
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


@pytest.mark.parametrize("value", [3, 30, 128, 200, 230, 250])
def test_more_gain_is_never_darker(value: int) -> None:
    gains = np.concatenate([[0], np.geomspace(1e-3, 50, 299)]).astype(np.float32)
    photo = np.full((300, 1, 3), round(value * 257), np.uint16)
    result = quotient.apply(photo, GainMap(0, 0, 1, gains[:, None, None].repeat(3, 2)))
    assert (np.diff(result[:, 0, 1].astype(int)) >= 0).all()
    assert result[-1, 0, 1] > result[0, 0, 1]


@pytest.mark.parametrize("factor", [1, 3])
def test_sixteen_bits_agree_with_eight_within_rounding(factor: int) -> None:
    photo = noise((90, 90, 3))
    added = GainMap(0, 0, factor, bumps(90 // factor, 90 // factor))
    eight = quotient.apply(photo, added).astype(float)
    sixteen = quotient.apply(photo.astype(np.uint16) * 257, added) / 257
    assert np.abs(eight - sixteen).max() <= 0.51


@pytest.mark.parametrize("factor", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("threads", [2, 5])
def test_any_number_of_threads_gives_the_same_photo(factor: int, threads: int) -> None:
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


# --- Fitting to the photo


def test_outside_the_person_and_the_crop_nothing_is_added(
    photo: np.ndarray, fitted: GainMap
) -> None:
    gain = fitted.expand(photo.shape)
    assert gain.shape == photo.shape
    rows, columns = CROP.visible(photo.shape)
    outside = np.ones(photo.shape[:2], bool)
    outside[rows, columns] = False
    assert not gain[outside].any()
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    distance = np.hypot(x - (CROP.left + 128), y - (CROP.top + 128))
    far = distance > 0.33 * 256 + 40
    assert not gain[far].any()
    assert gain[distance < 50].mean() > 0.1
    assert (gain >= 0).all()


def test_inside_the_person_the_gain_is_the_one_predicted() -> None:
    flat = np.full((300, 340, 3), 120, np.uint8)
    gain = np.empty((128, 128, 3), np.float32)
    gain[...] = np.linspace(0.2, 1.4, 128, dtype=np.float32)[None, :, None] * [1, 0.8, 0.5]
    expanded = quotient.upsample(flat, [part(CROP, gain, np.ones((SIDE, SIDE), "f4"))]).expand(
        flat.shape
    )
    middle = expanded[148, 168 - 40 : 168 + 40]
    x = (np.arange(168 - 40, 168 + 40) + 0.5 - CROP.left) / 256
    expected = (0.2 + 1.2 * x)[:, None] * [1, 0.8, 0.5]
    np.testing.assert_allclose(middle, expected, rtol=0.05)


def test_two_lights_gains_add_up(photo: np.ndarray) -> None:
    person = disc(SIDE)
    a, b = bumps(128, 128, 3) * 0.4 + 0.1, bumps(128, 128, 4) * 0.4 + 0.1
    gains = [
        quotient.upsample(photo, [part(CROP, g, person)]).expand(photo.shape) for g in (a, b, a + b)
    ]
    inside = disc(SIDE, 0.25) > 0.99
    rows, columns = CROP.visible(photo.shape)
    one, other, both = (g[rows, columns][inside] for g in gains)
    np.testing.assert_allclose(both, one + other, rtol=1e-3, atol=2e-3)


@given(st.floats(0.1, 4))
@settings(deadline=None, max_examples=10)
def test_the_gain_grows_linearly_with_the_intensity(intensity: float) -> None:
    photo = scene()
    gain, person = bumps(128, 128, 3) * 0.4 + 0.1, disc(SIDE)
    one = quotient.upsample(photo, [part(CROP, gain, person)]).expand(photo.shape)
    other = quotient.upsample(photo, [part(CROP, gain * np.float32(intensity), person)])
    np.testing.assert_allclose(
        other.expand(photo.shape), one * intensity, rtol=1e-3, atol=1.1e-3 * max(1, intensity)
    )


def test_no_gain_at_all_adds_nothing(photo: np.ndarray) -> None:
    dark = quotient.upsample(photo, [part(CROP, np.zeros((128, 128, 3), "f4"), disc(SIDE))])
    nobody = quotient.upsample(
        photo, [part(CROP, np.ones((128, 128, 3), "f4"), np.zeros((SIDE, SIDE), "f4"))]
    )
    for added in (dark, nobody):
        np.testing.assert_array_equal(quotient.apply(photo, added), photo)


def test_black_and_clipped_pixels_get_less_of_the_light() -> None:
    levels = {}
    for level in (0, 120, 255):
        flat = np.full((300, 340, 3), level, np.uint8)
        added = quotient.upsample(
            flat, [part(CROP, np.ones((128, 128, 3), "f4"), np.ones((SIDE, SIDE), "f4"))]
        )
        levels[level] = added.expand(flat.shape)[140:150, 160:170].mean()
    assert levels[120] > 0.9
    assert levels[0] < 0.6 * levels[120]
    assert levels[255] < 0.6 * levels[120]


def test_the_light_ends_where_the_crop_does_without_a_seam() -> None:
    """A person who fills the crop: the gain must be gone at the crop's border."""
    flat = np.full((600, 700, 3), 120, np.uint8)
    crop = Crop(150, 120, 320)
    everyone = np.ones((SIDE, SIDE), np.float32)
    gain = quotient.upsample(flat, [part(crop, np.ones((128, 128, 3), "f4"), everyone)]).expand(
        flat.shape
    )
    assert gain[280, 310].min() > 0.9
    border = np.concatenate(
        [gain[121, 150:470], gain[438, 150:470], gain[120:440, 151], gain[120:440, 468]]
    )
    assert border.max() < 0.02
    for axis in (0, 1):
        assert np.abs(np.diff(gain, axis=axis)).max() < 0.05


def test_at_the_photos_own_border_the_light_goes_on() -> None:
    flat = np.full((200, 260, 3), 120, np.uint8)
    crop = Crop(-20, -30, 300)  # the photo ends inside the crop on all sides
    everyone = np.ones((SIDE, SIDE), np.float32)
    gain = quotient.upsample(flat, [part(crop, np.ones((128, 128, 3), "f4"), everyone)]).expand(
        flat.shape
    )
    assert gain[0].min() > 0.9
    assert gain[:, -1].min() > 0.9


def test_two_faces_side_by_side_each_get_their_own_light() -> None:
    flat = np.full((300, 700, 3), 120, np.uint8)
    parts = [
        part(Crop(20, 20, 256), np.full((128, 128, 3), 0.3, "f4"), disc(SIDE)),
        part(Crop(420, 20, 256), np.full((128, 128, 3), 0.9, "f4"), disc(SIDE)),
    ]
    gain = quotient.upsample(flat, parts).expand(flat.shape)
    assert gain[148, 148, 0] == pytest.approx(0.3, rel=0.05)
    assert gain[148, 548, 0] == pytest.approx(0.9, rel=0.05)
    assert not gain[:, 345:355].any()
    swapped = quotient.upsample(flat, parts[::-1]).expand(flat.shape)
    np.testing.assert_allclose(swapped, gain, atol=1e-5)


def test_overlapping_faces_get_neither_more_nor_less_light() -> None:
    flat = np.full((300, 500, 3), 120, np.uint8)
    everyone = np.ones((SIDE, SIDE), np.float32)
    gain = np.full((128, 128, 3), 0.5, np.float32)
    parts = [part(Crop(20, 20, 256), gain, everyone), part(Crop(120, 20, 256), gain, everyone)]
    found = quotient.upsample(flat, parts).expand(flat.shape)
    np.testing.assert_allclose(found[148, 148:248], 0.5, rtol=0.05)
    assert found.max() < 0.53
    outer = [found[21, 20:376], found[274, 20:376], found[20:276, 21], found[20:276, 374]]
    assert max(line.max() for line in outer) < 0.02


def test_a_large_photo_is_fitted_on_a_coarser_grid_to_the_same_gain() -> None:
    small = scene()
    large = small.repeat(8, 0).repeat(8, 1)
    gain, person = bumps(128, 128, 3) * 0.2 + 0.4, disc(SIDE)
    one = quotient.upsample(small, [part(CROP, gain, person)]).expand(small.shape)
    added = quotient.upsample(large, [part(Crop(320, 160, 2048), gain, person)])
    assert added.factor > 1
    other = added.expand(large.shape).reshape(300, 8, 340, 8, 3).mean((1, 3))
    assert np.abs(one - other).mean() < 0.02


@given(
    st.integers(4, 70),
    st.integers(4, 70),
    st.integers(-40, 40),
    st.integers(-40, 40),
    st.integers(20, 120),
    st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=60)
def test_no_picture_and_no_light_give_anything_but_numbers(
    height: int, width: int, left: int, top: int, size: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    visible = (min(width, left + size) - max(0, left), min(height, top + size) - max(0, top))
    assume(min(visible) >= 4)
    photo = rng.choice(np.array([0, 1, 128, 254, 255], np.uint8), (height, width, 3))
    cover = rng.uniform(-0.2, 1.2, (64, 64)).clip(0, 1).astype(np.float32)
    gain = (rng.uniform(size=(32, 32, 3)) * 10 ** rng.uniform(-3, 3)).astype(np.float32)
    arguments: dict[str, Any] = {"strength": float(rng.choice([0.1, 1, 100]))}
    added = quotient.upsample(photo, [part(Crop(left, top, size), gain, cover)])
    assert np.isfinite(added.gain).all()
    assert (added.gain >= 0).all()
    for pixels in (photo, photo.astype(np.uint16) * 257):
        result = quotient.apply(pixels, added, **arguments)
        assert result.shape == pixels.shape
        assert result.dtype == pixels.dtype
        assert (result >= pixels).all()  # light is only ever added


@pytest.mark.parametrize("seen", [1, 2])
def test_a_sliver_of_a_crop_is_fitted_too(seen: int) -> None:
    photo = scene(40, 40)
    crop = Crop(40 - seen, 40 - seen, 60)
    added = quotient.upsample(photo, [part(crop, np.ones((32, 32, 3), "f4"), disc(64))])
    assert np.isfinite(added.gain).all()
