# SPDX-License-Identifier: Apache-2.0
"""A head is seen and lit alike at any roll: the example turned, its light turned with it."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from relight import Analysis, Environment, Face, Light, Relighter
from relight.environment import directions
from relight.geometry import angle_between, rolled

KEY = Light(-50, 30, 1.0)
FACE = slice(70, 180), slice(175, 275)
"""Rows and columns of the example's face."""
FEWEST = 0.97
"""Least correlation of the added light with that on the upright photo."""


def turned(pixels: np.ndarray, degrees: float) -> np.ndarray:
    """A photo turned clockwise as seen, as a roll > 0 turns a head; its edges are repeated.

    Black corners would be seen by the networks.
    """
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1)
    size, repeated = (width, height), cv2.BORDER_REPLICATE
    return cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=repeated)


def added(relighter: Relighter, pixels: np.ndarray, light: Light) -> np.ndarray:
    """Levels of light added, mean of the channels."""
    image = relighter.relight(pixels, light).image
    return (image.astype(float) - pixels).mean(-1)


@pytest.fixture(scope="module")
def upright(relighter: Relighter, astronaut: np.ndarray) -> np.ndarray:
    return added(relighter, astronaut, KEY)[FACE]


@pytest.mark.parametrize("degrees", [30, 60, 90, 150, 180, -90])
def test_a_turned_head_is_lit_as_the_upright_one(
    relighter: Relighter, astronaut: np.ndarray, upright: np.ndarray, degrees: float
) -> None:
    light = KEY.rolled(math.radians(degrees))
    there = added(relighter, turned(astronaut, degrees), light)
    back = turned(there.astype(np.float32), -degrees)[FACE]
    assert np.corrcoef(upright.ravel(), back.ravel())[0, 1] >= FEWEST
    assert back.mean() == pytest.approx(upright.mean(), rel=0.05)


@pytest.mark.parametrize("degrees", [-150, -40, 75, 120, 180])
def test_from_the_same_landmarks_a_turned_head_is_lit_almost_exactly_alike(
    relighter: Relighter, astronaut: np.ndarray, degrees: float
) -> None:
    """What the search for faces adds to the difference is left out."""
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    (face,) = relighter.find_faces(astronaut)
    landmarks = face.landmarks.copy()
    landmarks[:, :2] = (landmarks[:, :2] - 256) @ turn + 256
    pixels = turned(astronaut, degrees)
    leaning = relighter.look(pixels, [Face.from_landmarks(landmarks, pixels.shape)])
    lit = leaning.render(KEY.rolled(angle)).image.astype(float) - pixels
    back = turned(lit.mean(-1).astype(np.float32), -degrees)[FACE]
    upright = relighter.look(astronaut, [face]).render(KEY).image.astype(float) - astronaut
    expected = upright.mean(-1)[FACE]
    assert np.corrcoef(expected.ravel(), back.ravel())[0, 1] >= 0.985
    assert back.mean() == pytest.approx(expected.mean(), rel=0.01)


@pytest.fixture(scope="module")
def at_quarter(relighter: Relighter, astronaut: np.ndarray) -> tuple[Analysis, Analysis]:
    """The example's face, and on the photo turned by a quarter clockwise: no pixel changes."""
    quarter = np.ascontiguousarray(np.rot90(astronaut, -1))
    first, second = (
        relighter.analyze(pixels, relighter.find_faces(pixels)[0])
        for pixels in (astronaut, quarter)
    )
    return first, second


def test_a_turned_heads_normals_and_light_are_in_camera_frame(
    at_quarter: tuple[Analysis, Analysis],
) -> None:
    upright, quarter = at_quarter
    assert quarter.face.crop.roll - upright.face.crop.roll == pytest.approx(math.pi / 2, abs=0.05)
    seen = np.rot90(quarter.normals, 1)
    expected = rolled(upright.normals, math.pi / 2)
    known = np.isfinite(seen).all(-1) & np.isfinite(expected).all(-1)
    assert known[FACE].mean() > 0.9
    assert np.degrees(angle_between(seen[known], expected[known])).mean() < 6
    light = rolled(upright.existing_direction, math.pi / 2)
    assert np.degrees(angle_between(quarter.existing_direction, light)) < 10
    by_map = quarter.environment.dominant_direction()
    assert np.degrees(angle_between(by_map, quarter.existing_direction)) < 3
    np.testing.assert_allclose(
        quarter.head_pose, rolled(upright.head_pose.T, math.pi / 2).T, atol=0.08
    )


def test_the_automatic_light_turns_with_the_head(
    relighter: Relighter, at_quarter: tuple[Analysis, Analysis]
) -> None:
    upright, quarter = (relighter.place(analysis) for analysis in at_quarter)
    expected = upright.rolled(math.pi / 2)
    assert np.degrees(angle_between(quarter.direction, expected.direction)) < 8
    assert quarter.intensity == pytest.approx(upright.intensity, abs=0.2)
    side = "right" if quarter.azimuth_deg > 0 else "left"
    height = "up" if quarter.elevation_deg >= 0 else "down"
    assert f"{abs(quarter.azimuth_deg):.0f}° to the image {side}" in quarter.reason
    assert f"{abs(quarter.elevation_deg):.0f}° {height}" in quarter.reason


def test_nothing_is_known_outside_a_turned_crop(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    face = relighter.find_faces(astronaut)[0]
    tight = replace(face, crop=replace(face.crop, size=face.crop.size * 0.6, roll=0.6))
    analysis = replace(relighter.analyze(astronaut, tight), body=None)
    y, x = np.mgrid[: astronaut.shape[0], : astronaut.shape[1]] + 0.5
    u, v = tight.crop.to_crop(np.stack([x.ravel(), y.ravel()], 1), 2).T - 1
    outside = (np.maximum(np.abs(u), np.abs(v)) > 1.01).reshape(x.shape)
    assert not analysis.mask[outside].any()
    assert not analysis.confidence[outside].any()
    assert np.isnan(analysis.normals[outside]).all()
    gain = relighter.key_gain(analysis, KEY)
    assert gain.any()
    assert not gain[outside].any()


def test_an_environment_rolled_lights_what_is_rolled_alike() -> None:
    rng = np.random.default_rng(3)
    data = rng.random((16, 32, 3)).astype(np.float32) + 0.1
    data[2, 20] += (60, 50, 40)
    data[9, 12] += (10, 20, 30)
    environment = Environment(data)
    normals = directions(8)
    for angle in (0.4, math.pi / 2, math.pi, -2.5):
        turned = environment.roll(angle)
        assert turned.data.shape == data.shape
        np.testing.assert_allclose(turned.power(), environment.power(), rtol=1e-5)
        expected = environment.irradiance(normals)
        np.testing.assert_allclose(
            turned.irradiance(rolled(normals, angle)), expected, atol=0.04 * expected.max()
        )


def test_an_environment_rolled_by_nothing_is_the_same() -> None:
    environment = Environment.uniform(0.5)
    assert environment.roll(0.0) is environment
    np.testing.assert_allclose(environment.roll(1.0).data, 0.5, rtol=1e-5)


def test_a_light_rolled_by_a_quarter_stands_at_image_right_where_it_stood_above() -> None:
    light = Light(0, 60, 0.7, softness_deg=9).rolled(math.pi / 2)
    assert (light.azimuth_deg, light.elevation_deg) == pytest.approx((60, 0), abs=1e-4)
    assert (light.intensity, light.softness_deg) == (0.7, 9)
