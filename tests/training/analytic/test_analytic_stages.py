# SPDX-License-Identifier: Apache-2.0
"""The analytic key gain, and the analytic stages on a portrait."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import FACE
from hypothesis import given, settings
from hypothesis import strategies as st

from relight import Environment, Light, Relighter
from relight.color import linear_to_srgb, srgb_to_linear, to_uint8
from relight.face.perception import Perception
from relight.stage.shading import visibility
from training.analytic.analytic_stages import AnalyticStages, lambert_gain

# --- Gain


@given(st.floats(0.05, 5), st.floats(0, 1))
@settings(deadline=None)
def test_in_even_light_unit_intensity_doubles_what_faces_the_key(
    level: float, visible: float
) -> None:
    """k = 1: the key's irradiance at normal incidence is the existing light's mean."""
    irradiance = np.full((8, 8, 3), level, np.float32)
    gain = lambert_gain(np.full((8, 8), visible, np.float32), irradiance, level)
    assert gain.shape == (8, 8, 3)
    assert gain.dtype == np.float32
    np.testing.assert_allclose(gain, visible, rtol=0.05, atol=1e-6)


def test_the_gain_divides_by_the_light_already_there() -> None:
    """Half the light there: about twice the gain; and never more light than none at all."""
    visible = np.full((1, 3), 0.7, np.float32)
    irradiance = np.array([0.5, 1.0, 2.0], np.float32)[None, :, None].repeat(3, 2)
    dark, mean, bright = lambert_gain(visible, irradiance, 1.0)[0, :, 1]
    assert dark == pytest.approx(2 * mean, rel=0.15)
    assert bright == pytest.approx(mean / 2, rel=0.15)


@given(st.floats(0.01, 100), st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_the_gain_does_not_depend_on_exposure(exposure: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    visible = rng.uniform(size=(6, 6)).astype(np.float32)
    irradiance = rng.uniform(0.2, 2, (6, 6, 3)).astype(np.float32)
    one = lambert_gain(visible, irradiance, 1.0)
    other = lambert_gain(visible, irradiance * np.float32(exposure), exposure)
    np.testing.assert_allclose(other, one, rtol=1e-3)


@pytest.mark.parametrize("mean", [0.0, 1e-6, 1.0])
def test_in_darkness_the_gain_is_finite(mean: float) -> None:
    gain = lambert_gain(np.ones((4, 4), np.float32), np.zeros((4, 4, 3), np.float32), mean)
    assert np.isfinite(gain).all()
    assert (gain >= 0).all()


def test_where_the_key_does_not_reach_nothing_is_added() -> None:
    normals = -np.ones((4, 4, 3), np.float32) / np.sqrt(3)
    irradiance = Environment.uniform().irradiance(normals)
    visible = visibility(normals, np.array([0, 0, 1]))
    assert not lambert_gain(visible, irradiance, 1.0).any()


# --- The whole path


@pytest.fixture(scope="module")
def analytic(detector: Perception) -> Relighter:
    return Relighter(detector=detector, models=AnalyticStages())


def sides(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Image-left and image-right half of the astronaut's face in values on the photo."""
    middle = (FACE[1].start + FACE[1].stop) // 2
    return image[FACE[0], FACE[1].start : middle], image[FACE[0], middle : FACE[1].stop]


def test_a_mirrored_photo_gets_the_mirrored_light(
    analytic: Relighter, astronaut: np.ndarray
) -> None:
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    light, other = (analytic.relight(photo).lights[0] for photo in (astronaut, mirrored))
    assert np.sign(light.azimuth_deg) == -np.sign(other.azimuth_deg)
    assert other.azimuth_deg == pytest.approx(-light.azimuth_deg, abs=10)
    assert other.elevation_deg == pytest.approx(light.elevation_deg, abs=10)
    assert other.intensity == pytest.approx(light.intensity, abs=0.15)


def test_a_lit_photos_light_is_seen_from_where_it_was_put(
    analytic: Relighter, astronaut: np.ndarray
) -> None:
    """Light the portrait strongly from either side, then look at it again."""
    seen = {}
    for azimuth in (-60, 60):
        image = analytic.relight((astronaut * 0.6).astype(np.uint8), Light(azimuth, 20, 2)).image
        again = analytic.analyze(image, analytic.find_faces(image)[0])
        seen[azimuth] = again.environment.dominant_direction()[0]
    assert seen[-60] < seen[60] - 0.3


def test_the_key_adds_relatively_more_where_less_light_is_there(
    analytic: Relighter, astronaut: np.ndarray
) -> None:
    """Lit from the right already, a frontal key changes the left cheek more."""
    gains = {}
    for side in (-1, 1):
        ramp = np.exp2(side * np.clip((np.arange(512) - 225) / 46, -1, 1))[None, :, None]
        shaded = to_uint8(linear_to_srgb(srgb_to_linear(astronaut) * 0.4 * ramp))
        seen = analytic.analyze(shaded, analytic.find_faces(shaded)[0])
        left, right = sides(analytic.key_gain(seen, Light(0, 10)))
        gains[side] = right.mean() / left.mean()
    assert gains[1] < 0.8 * gains[-1]


def test_the_next_face_is_not_taken_for_the_last(
    analytic: Relighter, astronaut: np.ndarray
) -> None:
    ramp = np.linspace(1.2, 0.3, 512)[None, :, None]
    photos = [astronaut, (astronaut * ramp).clip(0, 255).astype(np.uint8)]
    seen = [analytic.analyze(photo, analytic.find_faces(photo)[0]) for photo in photos]
    alone = [Relighter(models=AnalyticStages()).key_gain(one, Light(0, 0)) for one in seen]
    for one, expected in zip(seen, alone, strict=True):
        np.testing.assert_array_equal(analytic.key_gain(one, Light(0, 0)), expected)
