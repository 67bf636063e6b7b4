# SPDX-License-Identifier: Apache-2.0
"""Fitting gains to a photo's edges: where light may fall and where it ends."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from crop_sample import square
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relight.color import srgb_to_linear
from relight.gain import apply as quotient
from relight.gain import edge, guide
from relight.gain.apply import GainMap
from relight.gain.guide import FaceGain, Outline
from relight.geometry import Crop

SIDE = 256


class Part(NamedTuple):
    outline: Outline
    gain: np.ndarray


def part(crop: Crop, gain: np.ndarray, person: np.ndarray) -> Part:
    """A face that is trusted wherever there is a person."""
    return Part(Outline(crop, person=person, face=person, confidence=person), gain)


def upsample(photo: np.ndarray, parts: list[Part]) -> GainMap:
    return guide.upsample(photo, [p.outline for p in parts], [FaceGain(p.gain) for p in parts])


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


CROP = square(40, 20, 256)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return scene()


@pytest.fixture(scope="module")
def fitted(photo: np.ndarray) -> GainMap:
    return upsample(photo, [part(CROP, bumps(128, 128) * 0.5 + 0.2, disc(SIDE))])


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
    distance = np.hypot(x - CROP.x, y - CROP.y)
    far = distance > 0.33 * 256 + 40
    assert not gain[far].any()
    assert gain[distance < 50].mean() > 0.1
    assert (gain >= 0).all()


def test_inside_the_person_the_gain_is_the_one_predicted() -> None:
    flat = np.full((300, 340, 3), 120, np.uint8)
    gain = np.empty((128, 128, 3), np.float32)
    gain[...] = np.linspace(0.2, 1.4, 128, dtype=np.float32)[None, :, None] * [1, 0.8, 0.5]
    expanded = upsample(flat, [part(CROP, gain, np.ones((SIDE, SIDE), "f4"))]).expand(flat.shape)
    middle = expanded[148, 168 - 40 : 168 + 40]
    x = (np.arange(168 - 40, 168 + 40) + 0.5 - (CROP.x - 128)) / 256
    expected = (0.2 + 1.2 * x)[:, None] * [1, 0.8, 0.5]
    np.testing.assert_allclose(middle, expected, rtol=0.05)


def test_two_lights_gains_add_up(photo: np.ndarray) -> None:
    person = disc(SIDE)
    a, b = bumps(128, 128, 3) * 0.4 + 0.1, bumps(128, 128, 4) * 0.4 + 0.1
    gains = [upsample(photo, [part(CROP, g, person)]).expand(photo.shape) for g in (a, b, a + b)]
    inside = disc(SIDE, 0.25) > 0.99
    rows, columns = CROP.visible(photo.shape)
    one, other, both = (g[rows, columns][inside] for g in gains)
    np.testing.assert_allclose(both, one + other, rtol=1e-3, atol=2e-3)


@given(st.floats(0.1, 4))
@settings(deadline=None, max_examples=10)
def test_the_gain_grows_linearly_with_the_intensity(intensity: float) -> None:
    photo = scene()
    gain, person = bumps(128, 128, 3) * 0.4 + 0.1, disc(SIDE)
    one = upsample(photo, [part(CROP, gain, person)]).expand(photo.shape)
    other = upsample(photo, [part(CROP, gain * np.float32(intensity), person)])
    np.testing.assert_allclose(
        other.expand(photo.shape), one * intensity, rtol=1e-3, atol=1.1e-3 * max(1, intensity)
    )


@pytest.mark.parametrize(("black", "expected"), [(5, 1.0), (36, 0.3)])
def test_a_veil_over_black_gets_little_light(black: int, expected: float) -> None:
    """Dark hair is lit where black is black, not where it is as dark as the photo gets."""
    portrait = np.full((300, 340, 3), 150, np.uint8)
    portrait[40:120, 80:200] = 36
    portrait[200:260, 80:240] = black
    everyone = np.ones((SIDE, SIDE), np.float32)
    gain = np.ones((128, 128, 3), np.float32)
    added = upsample(portrait, [part(CROP, gain, everyone)]).expand(portrait.shape)
    assert added[60:100, 120:160].mean() == pytest.approx(expected, abs=0.05)
    assert added[150:180, 140:200].mean() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("color", "whitened"), [((12, 24, 26), True), ((26, 20, 16), False), ((60, 120, 130), False)]
)
def test_light_on_teal_black_is_white_and_on_brown_or_bright_in_its_own_colour(
    color: tuple[int, int, int], whitened: bool
) -> None:
    """Black hair in haze, brown hair, and a teal shirt."""
    portrait = np.full((300, 340, 3), 150, np.uint8)
    portrait[60:240, 80:260] = color
    portrait[250:] = 0  # black is black: nothing is held back as a veil
    everyone = np.ones((SIDE, SIDE), np.float32)
    added = upsample(portrait, [part(CROP, np.ones((128, 128, 3), "f4"), everyone)])
    red, green, _ = added.expand(portrait.shape)[150, 170]
    linear = srgb_to_linear(np.array(color, np.uint8))
    if whitened:
        assert red > 1.5 * green
        assert red * linear[0] == pytest.approx(green * linear[1], rel=0.25)
    else:
        assert red == pytest.approx(green, rel=1e-3)


def test_no_gain_at_all_adds_nothing(photo: np.ndarray) -> None:
    dark = upsample(photo, [part(CROP, np.zeros((128, 128, 3), "f4"), disc(SIDE))])
    nobody = upsample(
        photo, [part(CROP, np.ones((128, 128, 3), "f4"), np.zeros((SIDE, SIDE), "f4"))]
    )
    for added in (dark, nobody):
        np.testing.assert_array_equal(quotient.apply(photo, added), photo)


def test_black_pixels_get_less_of_the_light_and_clipped_ones_all() -> None:
    levels = {}
    for level in (0, 120, 255):
        flat = np.full((300, 340, 3), level, np.uint8)
        added = upsample(
            flat, [part(CROP, np.ones((128, 128, 3), "f4"), np.ones((SIDE, SIDE), "f4"))]
        )
        levels[level] = added.expand(flat.shape)[140:150, 160:170].mean()
    assert levels[120] > 0.9
    assert levels[0] < 0.6 * levels[120]
    assert levels[255] > 0.9


def test_dark_hair_before_a_bright_wall_gets_no_shining_rim() -> None:
    """Cells that mix both must not be lit more than the hair beside them."""
    import cv2

    hair = cv2.GaussianBlur(disc(300, 0.3), (0, 0), 1.5)[..., None]
    photo = np.rint(15 * hair + 190 * (1 - hair)).astype(np.uint8).repeat(3, 2)
    crop = square(0, 0, 300)
    gain = upsample(photo, [part(crop, np.ones((128, 128, 3), np.float32), disc(SIDE, 0.3))])
    row = gain.expand(photo.shape)[150, :, 0]
    inside = row[100:200].max()
    assert 0.2 < inside < 0.5  # black hair gets little of the light
    assert row.max() < inside + 0.03


def test_the_light_ends_where_the_crop_does_without_a_seam() -> None:
    """A person who fills the crop: the gain must be gone at the crop's border."""
    flat = np.full((600, 700, 3), 120, np.uint8)
    crop = square(150, 120, 320)
    everyone = np.ones((SIDE, SIDE), np.float32)
    gain = upsample(flat, [part(crop, np.ones((128, 128, 3), "f4"), everyone)]).expand(flat.shape)
    assert gain[280, 310].min() > 0.9
    border = np.concatenate(
        [gain[121, 150:470], gain[438, 150:470], gain[120:440, 151], gain[120:440, 468]]
    )
    assert border.max() < 0.02
    for axis in (0, 1):
        assert np.abs(np.diff(gain, axis=axis)).max() < 0.05


def test_at_the_photos_own_border_the_light_goes_on() -> None:
    flat = np.full((200, 260, 3), 120, np.uint8)
    crop = square(-20, -30, 300)  # the photo ends inside the crop on all sides
    everyone = np.ones((SIDE, SIDE), np.float32)
    gain = upsample(flat, [part(crop, np.ones((128, 128, 3), "f4"), everyone)]).expand(flat.shape)
    assert gain[0].min() > 0.9
    assert gain[:, -1].min() > 0.9


def test_two_faces_side_by_side_each_get_their_own_light() -> None:
    flat = np.full((300, 700, 3), 120, np.uint8)
    parts = [
        part(square(20, 20, 256), np.full((128, 128, 3), 0.3, "f4"), disc(SIDE)),
        part(square(420, 20, 256), np.full((128, 128, 3), 0.9, "f4"), disc(SIDE)),
    ]
    gain = upsample(flat, parts).expand(flat.shape)
    assert gain[148, 148, 0] == pytest.approx(0.3, rel=0.05)
    assert gain[148, 548, 0] == pytest.approx(0.9, rel=0.05)
    assert not gain[:, 345:355].any()
    swapped = upsample(flat, parts[::-1]).expand(flat.shape)
    np.testing.assert_allclose(swapped, gain, atol=1e-5)


def test_overlapping_faces_get_neither_more_nor_less_light() -> None:
    flat = np.full((300, 500, 3), 120, np.uint8)
    everyone = np.ones((SIDE, SIDE), np.float32)
    gain = np.full((128, 128, 3), 0.5, np.float32)
    parts = [part(square(20, 20, 256), gain, everyone), part(square(120, 20, 256), gain, everyone)]
    found = upsample(flat, parts).expand(flat.shape)
    np.testing.assert_allclose(found[148, 148:248], 0.5, rtol=0.05)
    assert found.max() < 0.53
    outer = [found[21, 20:376], found[274, 20:376], found[20:276, 21], found[20:276, 374]]
    assert max(line.max() for line in outer) < 0.02


def test_a_large_photo_is_fitted_on_a_coarser_grid_to_the_same_gain() -> None:
    small = scene()
    large = small.repeat(8, 0).repeat(8, 1)
    gain, person = bumps(128, 128, 3) * 0.2 + 0.4, disc(SIDE)
    one = upsample(small, [part(CROP, gain, person)]).expand(small.shape)
    added = upsample(large, [part(square(320, 160, 2048), gain, person)])
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
    added = upsample(photo, [part(square(left, top, size), gain, cover)])
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
    crop = square(40 - seen, 40 - seen, 60)
    added = upsample(photo, [part(crop, np.ones((32, 32, 3), "f4"), disc(64))])
    assert np.isfinite(added.gain).all()


@pytest.mark.parametrize("color", [(150, 130, 120), (135, 135, 135)])
def test_the_light_reaches_an_edge_of_low_contrast_and_ends_there(
    color: tuple[int, int, int],
) -> None:
    photo = np.full((300, 340, 3), 110, np.uint8)
    distance = np.hypot(*(np.mgrid[:300, :340] + 0.5 - np.reshape([148, 168], (2, 1, 1))))
    photo[distance < 80] = color
    nowhere, anywhere = np.zeros((8, 8), "f4"), np.ones((8, 8), "f4")
    outline = Outline(CROP, disc(SIDE, 80 / SIDE), face=nowhere, confidence=anywhere)
    gain = upsample(photo, [Part(outline, np.ones((128, 128, 3), "f4"))]).expand(photo.shape)
    assert gain[distance < 78].min() > 0.9
    assert gain[distance > 82].max() < 0.05


def test_brightness_is_what_opencv_makes_of_colours() -> None:
    colors = np.random.default_rng(5).random((20, 30, 3), np.float32)
    wanted = cv2.cvtColor(colors, cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(colors @ np.float32(edge.LUMA), wanted, atol=1e-6)


def turned_gain(roll: float, middle: tuple[float, float] = (200, 150)) -> np.ndarray:
    """Gain 1 for a person everywhere on a turned crop, fitted to a flat photo, one channel."""
    flat = np.full((300, 400, 3), 128, np.uint8)
    outline = Outline(Crop(*middle, 160, roll), *[np.ones((SIDE, SIDE), "f4")] * 3)
    gain = np.ones((128, 128, 3), np.float32)
    return guide.upsample(flat, [outline], [FaceGain(gain)]).expand(flat.shape)[..., 0]


@pytest.mark.parametrize("roll", [0.3, math.pi / 4, 2.0, -math.pi / 2, math.pi])
def test_light_dies_away_towards_the_sides_of_a_turned_crop(roll: float) -> None:
    gain = turned_gain(roll)
    y, x = np.mgrid[:300, :400] + 0.5
    u, v = Crop(200, 150, 160, roll).to_crop(np.stack([x.ravel(), y.ravel()], 1), 2).T - 1
    far = np.maximum(np.abs(u), np.abs(v)).reshape(gain.shape)  # 0 in the middle, 1 at the sides
    assert gain[far < 0.5].min() > 0.99
    assert gain[far > 1.01].max() == 0
    assert np.abs(np.diff(gain, axis=0)).max() < 0.06
    assert np.abs(np.diff(gain, axis=1)).max() < 0.06


def test_a_turned_crop_fades_as_the_upright_one_does() -> None:
    upright, turned = turned_gain(0.0), turned_gain(math.pi / 2)
    np.testing.assert_allclose(turned[50:250, 100:300], upright[50:250, 100:300], atol=0.02)


@settings(max_examples=25, deadline=None)
@given(st.floats(-math.pi, math.pi), st.floats(-20, 420), st.floats(-20, 320))
def test_wherever_a_turned_crop_meets_the_photos_border_no_edge_shows(
    roll: float, x: float, y: float
) -> None:
    gain = turned_gain(roll, (x, y))
    step = max(np.abs(np.diff(gain, axis=axis)).max() for axis in (0, 1))
    assert step < 0.2  # over 5 % of the crop's side light may come to its whole


def test_a_crop_reaching_far_beyond_the_border_does_not_fade_there() -> None:
    gain = turned_gain(math.pi, (200, 60))
    assert gain[0, 180:220].min() > 0.99


# --- Defocused outlines


def across(values: np.ndarray) -> float:
    """Pixels between which values that fall outwards fall from nine tenths to one tenth."""
    falling = np.minimum.accumulate(values)[::-1]
    places = np.arange(len(falling))
    return float(np.diff(np.interp([0.1, 0.9], falling, places))[0])


@pytest.mark.parametrize("blur", [3.0, 6.0, 10.0])
@pytest.mark.parametrize("wall", [(60, 80, 60), (160, 175, 190)])
def test_a_defocused_outline_gets_a_soft_end_of_light(
    blur: float, wall: tuple[int, int, int]
) -> None:
    """The light ends over much of the photo's own blur, at its middle, though the outline given
    is sharp; a sharp outline's light ends at once."""
    side, radius = 512, 140

    def light_on(sigma: float) -> tuple[np.ndarray, np.ndarray]:
        y, x = np.mgrid[:side, :side] + 0.5 - side / 2
        inside = (np.hypot(x, y) < radius).astype(np.float32)
        share = cv2.GaussianBlur(inside, (0, 0), sigma)
        picture = share[..., None] * np.float32((200, 150, 120))
        picture += (1 - share[..., None]) * np.float32(wall)
        picture += np.random.default_rng(0).normal(0, 1.5, picture.shape)
        shown = np.clip(picture, 0, 255).astype(np.uint8)
        crop = square(0, 0, side)
        inner, sure = disc(128, 0.1), np.ones((128, 128), np.float32)
        outline = Outline(crop, disc(SIDE, radius / side), face=inner, confidence=sure)
        found = guide.upsample(shown, [outline], [FaceGain(np.ones((128, 128, 3), np.float32))])
        ray = side // 2, slice(side // 2, side // 2 + 200)
        return share[ray], found.expand(shown.shape)[ray].mean(-1)

    share, light = light_on(blur)
    light /= light[:80].mean()
    assert 0.45 * across(share) < across(light) < 1.2 * across(share)
    middle = float(np.interp(0.5, np.minimum.accumulate(light)[::-1], np.arange(200)[::-1]))
    assert abs(middle - radius) < 0.4 * blur + 0.5
    _, sharp = light_on(0.4)
    assert across(sharp / sharp[:80].mean()) < 4
