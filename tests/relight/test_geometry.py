# SPDX-License-Identifier: Apache-2.0
"""Directions, angles between them, and the square crop."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from crop_sample import square
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relight.geometry import (
    Crop,
    Grid,
    angle_between,
    angles,
    direction,
    head_angles,
    normalize,
    roll_of,
    rolled,
    shrink,
)

AZIMUTH = st.floats(-math.pi + 1e-3, math.pi)
ELEVATION = st.floats(-math.pi / 2 + 1e-3, math.pi / 2 - 1e-3)
VECTOR = st.tuples(*[st.floats(-10, 10)] * 3).map(np.array)
DTYPES = [np.uint8, np.uint16, np.float32]


def smooth_image(height: int, width: int, dtype: type = np.float32) -> np.ndarray:
    """Slow waves, a different one per channel, filling the dtype's range."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 23 + c) + np.cos(y / 31 - c) for c in range(3)]
    unit = np.stack(waves, -1) / 4 + 0.5
    peak = 1.0 if dtype == np.float32 else np.iinfo(dtype).max
    return (unit * peak).astype(dtype)


@given(AZIMUTH, ELEVATION)
@settings(deadline=None)
def test_angles_of_a_direction_are_those_it_was_made_from(az: float, el: float) -> None:
    vector = direction(az, el)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    back_az, back_el = angles(vector)
    assert float(back_el) == pytest.approx(el, abs=1e-3)
    turn = (float(back_az) - az + math.pi) % (2 * math.pi) - math.pi
    assert abs(turn) * math.cos(el) < 1e-5


@pytest.mark.parametrize(
    ("az", "el", "vector"),
    [
        (0, 0, (0, 0, 1)),  # at the camera, towards the viewer
        (90, 0, (1, 0, 0)),  # image right
        (-90, 0, (-1, 0, 0)),
        (0, 90, (0, 1, 0)),  # above
        (180, 0, (0, 0, -1)),  # behind the subject
        (45, 30, (0.6123724, 0.5, 0.6123724)),
    ],
)
def test_axes(az: float, el: float, vector: tuple[float, ...]) -> None:
    np.testing.assert_allclose(direction(np.radians(az), np.radians(el)), vector, atol=1e-6)
    got = np.degrees(angles(np.array(vector, float)))
    assert got[1] == pytest.approx(el, abs=1e-4)
    if abs(el) < 90:
        assert got[0] == pytest.approx(az, abs=1e-4)


def test_directions_broadcast() -> None:
    assert direction(np.zeros((1, 4)), np.zeros((3, 1))).shape == (3, 4, 3)
    az, el = angles(np.ones((5, 2, 3)))
    assert az.shape == el.shape == (5, 2)


@given(VECTOR)
@settings(deadline=None)
def test_normalize_gives_unit_length_and_keeps_the_direction(v: np.ndarray) -> None:
    assume(np.linalg.norm(v) > 1e-3)
    unit = normalize(v)
    assert np.linalg.norm(unit) == pytest.approx(1, abs=1e-5)
    assert float(angle_between(unit, v)) < 1e-5


def test_normalize_leaves_zero_alone() -> None:
    np.testing.assert_array_equal(normalize(np.zeros((2, 3))), 0)


@given(AZIMUTH, ELEVATION, st.floats(-9, math.log10(math.pi)))
@settings(deadline=None)
def test_angle_between_is_exact_from_nothing_to_opposite(az: float, el: float, e: float) -> None:
    turn = min(10.0**e, math.pi)
    v = np.array([math.sin(az) * math.cos(el), math.sin(el), math.cos(az) * math.cos(el)])
    side = np.cross(v, [0, 1, 0])
    side /= np.linalg.norm(side)
    turned = v * math.cos(turn) + side * math.sin(turn)
    assert float(angle_between(v, 7 * turned)) == pytest.approx(turn, rel=1e-6, abs=1e-15)
    assert float(angle_between(v, -turned)) == pytest.approx(math.pi - turn, abs=1e-9)


# --- Images


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("factor", [1, 2, 3, 7])
def test_shrinking_averages_whole_blocks(dtype: type, factor: int) -> None:
    image = np.random.default_rng(1).integers(0, 255, (23, 30, 3)).astype(dtype)
    rows, columns = 23 // factor, 30 // factor
    blocks = image[: rows * factor, : columns * factor].astype(float)
    expected = blocks.reshape(rows, factor, columns, factor, 3).mean((1, 3))
    small = shrink(image, factor)
    assert small.dtype == dtype
    assert small.shape == (rows, columns, 3)
    np.testing.assert_allclose(small, expected, atol=0.51 if dtype != np.float32 else 1e-3)


def test_shrinking_by_more_than_an_image_has_leaves_one_pixel() -> None:
    thin = np.full((2, 9), 5, np.float32)
    np.testing.assert_allclose(shrink(thin, 4), [[5, 5]])
    np.testing.assert_allclose(shrink(thin, 100), [[5]])


# --- Crop


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_crop_of_the_whole_image_is_the_image(dtype: type) -> None:
    image = smooth_image(30, 30, dtype)
    cut = square(0, 0, 30).extract(image)
    assert cut.dtype == dtype
    np.testing.assert_array_equal(cut, image)
    np.testing.assert_array_equal(square(0, 0, 30).extract(image, 30), image)


@given(st.integers(0, 20), st.integers(0, 10), st.integers(1, 20), st.sampled_from(DTYPES))
@settings(deadline=None)
def test_inside_the_image_a_crop_is_a_slice(left: int, top: int, size: int, dtype: type) -> None:
    image = np.random.default_rng(3).integers(0, 255, (30, 40, 3)).astype(dtype)
    cut = square(left, top, size).extract(image)
    np.testing.assert_array_equal(cut, image[top : top + size, left : left + size])


@given(st.integers(-25, 35), st.integers(-25, 25), st.integers(1, 60), st.sampled_from(DTYPES))
@settings(deadline=None)
def test_outside_the_image_its_border_repeats(left: int, top: int, size: int, dtype: type) -> None:
    image = np.random.default_rng(4).integers(0, 255, (30, 40, 3)).astype(dtype)
    assume(-size < left < 40 and -size < top < 30)
    rows = np.clip(np.arange(top, top + size), 0, 29)
    columns = np.clip(np.arange(left, left + size), 0, 39)
    cut = square(left, top, size).extract(image)
    assert cut.dtype == dtype
    np.testing.assert_array_equal(cut, image[rows][:, columns])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(64, 80), (64, 80, 2), (64, 80, 3), (64, 80, 4)])
@pytest.mark.parametrize("resolution", [None, 7, 16, 20, 39, 40, 41, 90])
@pytest.mark.parametrize("crop", [square(10, 5, 40), square(-12, -7, 40), square(60, 40, 40)])
def test_shape_and_type_at_every_resolution(
    dtype: type, shape: tuple[int, ...], resolution: int | None, crop: Crop
) -> None:
    image = np.full(shape, 77, dtype)
    cut = crop.extract(image, resolution)
    side = resolution or 40
    assert cut.shape == (side, side, *shape[2:])
    assert cut.dtype == dtype
    np.testing.assert_allclose(cut, 77, rtol=1e-6)  # a flat image stays flat


def test_a_single_channel_keeps_its_axis_at_every_resolution() -> None:
    image = np.zeros((64, 80, 1), np.float32)
    assert square(10, 5, 40).extract(image).shape == (40, 40, 1)
    assert square(10, 5, 40).extract(image, 16).shape == (16, 16, 1)


def exact_shrink(image: np.ndarray, crop: Crop, resolution: int) -> np.ndarray:
    """Area average of the crop, with its border repeated, by one plain resize."""
    height, width = image.shape[:2]
    top, left = (round(middle - crop.size / 2) for middle in (crop.y, crop.x))
    rows = np.clip(np.arange(top, top + round(crop.size)), 0, height - 1)
    columns = np.clip(np.arange(left, left + round(crop.size)), 0, width - 1)
    whole = np.ascontiguousarray(image[rows][:, columns])
    return cv2.resize(whole, (resolution, resolution), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("size", [199, 200, 201, 202, 250, 333, 399])
@pytest.mark.parametrize("corner", [(40, 30), (-60, -35), (120, 90)])
def test_shrinking_a_little_and_a_lot_give_the_same_picture(
    size: int, corner: tuple[int, int]
) -> None:
    """Above twice the resolution another path is taken; a smooth picture must not show it."""
    image = smooth_image(320, 360)
    crop = square(*corner, size)
    error = np.abs(crop.extract(image, 100) - exact_shrink(image, crop, 100))
    assert error.mean() < 0.012
    assert error.max() < 0.05  # where a photo's last pixels make no whole block they are left out


def test_shrinking_averages_instead_of_picking() -> None:
    checks = np.indices((512, 512)).sum(0) % 2 * np.float32(1)
    for resolution in (64, 100, 200, 255):
        cut = square(0, 0, 512).extract(checks, resolution)
        assert abs(float(cut.mean()) - 0.5) < 0.01
        # Averages over at least four pixels of a fine check lie near its mean.
        assert cut.std() < 0.2


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 299),
    st.integers(0, 199),
    st.sampled_from([(20, 10, 170), (-40, -50, 260), (100, 60, 250), (-30, -60, 400)]),
    st.sampled_from([0.0, 0.3, -1.2, 3.0]),
    st.sampled_from([32, 50, 128, 170, 300, 512]),
)
def test_a_bright_dot_lands_where_to_crop_says(
    x: int, y: int, corner: tuple[int, int, int], roll: float, resolution: int
) -> None:
    crop = replace(square(*corner), roll=roll)
    image = np.zeros((200, 300), np.float32)
    image[y, x] = 1
    u, v = crop.to_crop(np.array([[x + 0.5, y + 0.5]]), resolution)[0]
    # Where the image's border repeats, the dot is smeared outwards; there it has no one place.
    reach = 3 + 2 * crop.size / resolution
    assume(reach <= x < 300 - reach and reach <= y < 200 - reach)
    margin = 3 * max(1.0, resolution / crop.size)
    assume(margin < u < resolution - margin and margin < v < resolution - margin)
    cut = crop.extract(image, resolution)
    total = float(cut.sum())
    assert total > 0
    centres = np.arange(resolution) + 0.5
    found = np.array([cut.sum(0) @ centres, cut.sum(1) @ centres]) / total
    np.testing.assert_allclose(found, (u, v), atol=max(0.51, 0.51 * resolution / crop.size))


def test_to_crop_maps_corners_to_corners() -> None:
    crop = square(-10, 20, 50)
    corners = np.array([[-10, 20], [40, 70], [15, 45]])
    np.testing.assert_allclose(
        crop.to_crop(corners, 200), [[0, 0], [200, 200], [100, 100]], atol=1e-4
    )


@pytest.mark.parametrize(
    "crop", [square(40, 0, 10), square(0, 30, 10), square(-10, 5, 10), square(5, -10, 10)]
)
@pytest.mark.parametrize("resolution", [None, 3, 20])
def test_a_crop_wholly_outside_is_an_error(crop: Crop, resolution: int | None) -> None:
    with pytest.raises(ValueError, match="40 x 30"):
        crop.extract(np.zeros((30, 40, 3), np.uint8), resolution)


def test_extracting_neither_changes_the_image_nor_needs_it_contiguous() -> None:
    image = smooth_image(60, 60, np.uint8)
    kept = image.copy()
    views = {"flipped": image[:, ::-1], "strided": image[::2, ::2], "bgr": image[..., ::-1]}
    for view in views.values():
        for crop, resolution in ((square(-3, 2, 25), None), (square(-3, 2, 28), 9)):
            np.testing.assert_array_equal(
                crop.extract(view, resolution), crop.extract(view.copy(), resolution)
            )
    np.testing.assert_array_equal(image, kept)


@given(st.integers(-500, 900), st.integers(-500, 900), st.integers(2, 700), st.integers(2, 700))
@settings(deadline=None)
def test_the_crop_around_points_is_centred_on_them(x: int, y: int, w: int, h: int) -> None:
    points = np.array([[x, y, 5], [x + w, y + h, -5]], np.float32)
    crop = Crop.around(points, scale=2.0)
    assert crop == Crop(x + w / 2, y + h / 2, 2 * max(w, h))


def test_visible_is_the_part_of_the_photo_that_a_crop_covers() -> None:
    image = np.arange(30 * 40).reshape(30, 40)
    np.testing.assert_array_equal(image[square(-5, 20, 20).visible(image.shape)], image[20:, :15])
    np.testing.assert_array_equal(image[square(3, 4, 5).visible(image.shape)], image[4:9, 3:8])


# --- Roll


def test_rolled_by_a_quarter_what_pointed_up_points_to_image_right() -> None:
    axes = rolled(np.eye(3), math.pi / 2)
    np.testing.assert_allclose(axes, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-6)


@pytest.mark.parametrize("degrees", [-170.0, -90.0, -20.0, 0.0, 35.0, 179.0])
def test_a_heads_roll_is_how_far_its_up_axis_leans(degrees: float) -> None:
    pose = rolled(np.eye(3), math.radians(degrees)).T  # columns: the head's axes
    assert math.degrees(roll_of(pose)) == pytest.approx(degrees, abs=1e-3)
    assert head_angles(pose)[2] == pytest.approx(-degrees, abs=1e-3)


def test_a_head_in_profile_has_the_roll_of_its_up_axis() -> None:
    yaw, _ = cv2.Rodrigues(np.radians(np.array([0.0, 90.0, 0.0])))
    assert math.degrees(roll_of(rolled(yaw.T, 0.4).T)) == pytest.approx(math.degrees(0.4), abs=1e-3)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_crop_of_a_turned_photo_is_the_crop_of_the_photo(turns: int) -> None:
    """By quarters a photo turns without loss: clockwise here, as a roll > 0 does."""
    image = smooth_image(60, 80, np.uint8)
    turned = np.ascontiguousarray(np.rot90(image, -turns))
    x, y = 33.0, 27.0
    for _ in range(turns):  # the row y of a photo of height h becomes the column h - y
        x, y = (60 if _ % 2 == 0 else 80) - y, x
    for side in (9, 20, 24, 31):
        here = Crop(33.0, 27.0, 24).extract(image, side).astype(int)
        there = Crop(x, y, 24, turns * math.pi / 2).extract(turned, side).astype(int)
        assert np.abs(here - there).max() <= 1


@settings(max_examples=40, deadline=None)
@given(st.floats(-math.pi, math.pi), st.sampled_from([16, 40, 90]))
def test_values_go_from_the_photo_onto_a_turned_crop_and_back(roll: float, side: int) -> None:
    image = smooth_image(120, 140)
    crop = Crop(72, 61, 70, roll)
    back = crop.onto_grid(crop.extract(image, side), Grid(0, 0, 1, 120, 140))
    y, x = np.mgrid[:120, :140] + 0.5
    inside = np.hypot(x - crop.x, y - crop.y) < 30
    assert np.abs(back - image)[inside].max() < 0.04 + 0.6 / side


def test_outside_a_turned_crop_there_is_what_was_asked_for() -> None:
    crop, grid = Crop(50, 50, 40, math.pi / 4), Grid(0, 0, 1, 100, 100)
    found = crop.onto_grid(np.ones((32, 32), np.float32), grid, outside=0.0)
    assert found[50, 50] == 1
    assert found[50 - 18, 50 - 18] == 0  # an upright square of this size would reach here
    assert found[50, 50 + 26] == 1  # but not here
    assert found.sum() == pytest.approx(40 * 40, rel=0.01)


def test_a_turned_crop_lies_within_what_it_says_is_visible() -> None:
    crop = Crop(40, 30, 20, math.pi / 4)
    rows, columns = crop.visible((100, 100))
    assert (rows, columns) == (slice(15, 45), slice(25, 55))
    assert Crop(2, 3, 20, 0.3).visible((10, 8)) == (slice(0, 10), slice(0, 8))


def test_the_crop_around_a_turned_face_is_the_faces_crop_turned() -> None:
    points = np.random.default_rng(8).normal((200, 120), (30, 50), (40, 2))
    crop = Crop.around(points)
    turn = np.array([[math.cos(0.7), math.sin(0.7)], [-math.sin(0.7), math.cos(0.7)]])
    turned = Crop.around(points @ turn, 0.7)
    assert turned.size == pytest.approx(crop.size)
    np.testing.assert_allclose((turned.x, turned.y), (crop.x, crop.y) @ turn)
    np.testing.assert_allclose(
        turned.to_crop(points @ turn, 128), crop.to_crop(points, 128), atol=1e-3
    )
