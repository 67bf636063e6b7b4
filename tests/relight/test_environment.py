# SPDX-License-Identifier: Apache-2.0
"""Environment maps: energy, directions, files, and the spheres that show them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from environment_map import all_directions, bumpy
from hypothesis import given, settings
from hypothesis import strategies as st

import relight
from relight import Environment
from relight.environment import directions, solid_angles, sphere_normals
from relight.geometry import angle_between, direction

ROOT = Path(relight.__file__).parents[1]
HEIGHTS = [1, 2, 3, 7, 15, 16, 17, 24, 33, 64]


def lamp(azimuth_deg: float, elevation_deg: float, height: int = 32) -> Environment:
    """A lamp some 15 degrees wide, smooth, so that the map's grid hardly matters."""
    towards = direction(np.radians(azimuth_deg), np.radians(elevation_deg))
    lobe = np.maximum(directions(height) @ towards, 0) ** 200
    return Environment(np.repeat(lobe[..., None], 3, 2))


def turned_deg(a: np.ndarray, b: np.ndarray) -> float:
    return math.degrees(float(angle_between(a, b)))


# --- The map


@pytest.mark.parametrize("height", HEIGHTS)
def test_solid_angles_cover_the_sphere(height: int) -> None:
    assert solid_angles(height).shape == (height, 1)
    assert float(solid_angles(height).sum(dtype=float)) * 2 * height == pytest.approx(4 * math.pi)
    assert (solid_angles(height) > 0).all()


def test_pixels_look_where_the_convention_says() -> None:
    towards = directions(16)
    assert towards[0, :, 1].min() > 0.99  # row 0 is up
    assert towards[:, :16, 0].min() > 0  # the map's left half is image right
    assert towards[8, 16, 2] > 0.98  # the middle of the map is azimuth 0, at the camera
    assert towards[8, 0, 2] < -0.98  # its seam is behind the subject
    np.testing.assert_allclose(np.linalg.norm(towards, axis=-1), 1, atol=1e-6)


def test_one_bright_pixel_in_the_left_half_lights_image_right() -> None:
    data = np.zeros((16, 32, 3), np.float32)
    data[7, 8] = 100
    environment = Environment(data)
    left, right = environment.cheek_irradiance()
    assert right > 10 * left
    ball = environment.spheres(32).diffuse[..., 1]
    assert ball[:, 20:].sum() > 10 * ball[:, :12].sum()
    assert environment.dominant_direction()[0] > 0.95


@given(st.integers(0, 10**6), st.sampled_from(HEIGHTS), st.sampled_from([1, 2, 5, 16, 32]))
@settings(max_examples=60, deadline=None)
def test_resampling_keeps_the_energy_of_every_channel(seed: int, to: int, start: int) -> None:
    environment = bumpy(seed, start)
    resampled = environment.resample(to)
    assert resampled.data.shape == (to, 2 * to, 3)
    np.testing.assert_allclose(resampled.power(), environment.power(), rtol=1e-4)
    assert (resampled.data >= 0).all()


@given(st.integers(0, 10**6), st.sampled_from(HEIGHTS))
@settings(max_examples=30, deadline=None)
def test_a_uniform_map_stays_uniform_at_every_size(seed: int, to: int) -> None:
    radiance = np.random.default_rng(seed).uniform(0.1, 9, 3)
    resampled = Environment.uniform(radiance).resample(to)
    # Rows that do not divide the old ones are off by a few percent next to the poles.
    rtol = 1e-4 if to > 16 or 16 % to == 0 else 0.06
    np.testing.assert_allclose(
        resampled.data, np.broadcast_to(radiance, resampled.data.shape), rtol=rtol
    )


@given(st.floats(-180, 180), st.floats(-60, 60), st.sampled_from([15, 16, 17, 24, 33, 100]))
@settings(max_examples=40, deadline=None)
def test_resampling_leaves_the_light_where_it_is(az: float, el: float, to: int) -> None:
    environment = lamp(az, el, 32)
    # Within a third of the coarser map's pixel.
    limit = 0.33 * 180 / min(to, 32)
    assert turned_deg(environment.resample(to).dominant_direction(), direction(
        math.radians(az), math.radians(el)
    )) < limit  # fmt: skip


@given(st.floats(-7, 7), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_rotating_keeps_the_energy(turn: float, seed: int) -> None:
    environment = bumpy(seed)
    rotated = environment.rotate(turn)
    np.testing.assert_allclose(rotated.power(), environment.power(), rtol=1e-4)
    assert (rotated.data >= 0).all()


@given(st.floats(-180, 180), st.floats(-45, 45), st.floats(-180, 180))
@settings(max_examples=40, deadline=None)
def test_rotating_turns_the_light_towards_image_right(az: float, el: float, turn: float) -> None:
    rotated = lamp(az, el).rotate(math.radians(turn)).dominant_direction()
    expected = direction(math.radians(az + turn), math.radians(el))
    assert turned_deg(rotated, expected) < 1.5


@pytest.mark.parametrize(("az", "el"), [(0, 0), (50, 20), (-120, -40), (175, 10), (30, 70)])
def test_the_dominant_direction_of_a_single_lamp_is_its_direction(az: float, el: float) -> None:
    expected = direction(math.radians(az), math.radians(el))
    assert turned_deg(lamp(az, el).dominant_direction(), expected) < 1
    lit = Environment(lamp(az, el).data + 0.01)  # a uniform surround has no direction of its own
    assert turned_deg(lit.dominant_direction(), expected) < 1


@pytest.mark.parametrize("radiance", [1e-3, 1.0, 1e4])
def test_uniform_light_has_no_side(radiance: float) -> None:
    environment = Environment.uniform(radiance)
    assert environment.key_to_fill() == pytest.approx(1, abs=1e-3)
    np.testing.assert_array_equal(environment.dominant_direction(), [0, 0, 1])


def test_darkness_is_a_light_too() -> None:
    black = Environment.uniform(0)
    np.testing.assert_array_equal(black.dominant_direction(), [0, 0, 1])
    assert math.isfinite(black.key_to_fill())
    assert not black.resample(33).data.any()
    assert not black.spheres(16).diffuse.any()


def test_key_to_fill_is_the_lit_cheek_over_the_shadow_cheek_on_either_side() -> None:
    for azimuth in (-60, 60):
        environment = Environment(lamp(azimuth, 0).data * 5 + 0.05)
        left, right = environment.cheek_irradiance()
        assert (right > left) == (azimuth > 0)
        assert environment.key_to_fill() == pytest.approx(max(left, right) / min(left, right))
        assert environment.key_to_fill() > 1.5


def test_turning_head_and_light_together_changes_no_ratio() -> None:
    turn = math.radians(25)
    pose = np.array(
        [[math.cos(turn), 0, math.sin(turn)], [0, 1, 0], [-math.sin(turn), 0, math.cos(turn)]]
    )
    environment = Environment(lamp(40, 10).data + 0.02)
    turned = environment.rotate(turn)
    assert turned.key_to_fill(pose) == pytest.approx(environment.key_to_fill(), rel=0.02)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((16, 16, 3)),
        np.zeros((16, 32)),
        np.zeros((16, 32, 4)),
        np.full((4, 8, 3), np.nan),
        np.full((4, 8, 3), np.inf),
        np.full((4, 8, 3), -1.0),
    ],
)
def test_what_is_no_environment_map_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="environment map"):
        Environment(bad)


# --- What the light does


def test_a_white_lambert_sphere_in_white_light_is_white_everywhere() -> None:
    white = Environment.uniform()
    np.testing.assert_allclose(white.irradiance(all_directions()), 1, atol=0.01)
    _, mask = sphere_normals(48)
    for sphere in white.spheres(48):
        np.testing.assert_allclose(sphere[mask > 0], 1, atol=0.01)
        assert not sphere[mask == 0].any()


@given(st.tuples(*[st.floats(0, 1)] * 3))
@settings(max_examples=20, deadline=None)
def test_in_white_light_a_surface_shows_its_albedo(albedo: tuple[float, float, float]) -> None:
    shown = Environment.uniform().irradiance(all_directions(20)) * np.array(albedo)
    np.testing.assert_allclose(shown, np.broadcast_to(albedo, shown.shape), atol=0.01)


def test_irradiance_of_a_lamp_follows_lamberts_cosine() -> None:
    environment = lamp(30, 20)
    towards = direction(math.radians(30), math.radians(20))
    normals = all_directions(500)
    cosine = normals @ towards
    irradiance = environment.irradiance(normals)[:, 0]
    at_normal = environment.irradiance(towards[None])[0, 0]
    # The lamp is 15 degrees wide, so its terminator is soft.
    clear = np.abs(cosine) > 0.25
    np.testing.assert_allclose(
        irradiance[clear] / at_normal, np.maximum(cosine, 0)[clear], atol=0.01
    )


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_irradiance_adds_up_as_light_does(seed: int) -> None:
    a, b = bumpy(seed), bumpy(seed + 1)
    both = Environment(a.data + 2 * b.data)
    normals = all_directions(30)
    np.testing.assert_allclose(
        both.irradiance(normals), a.irradiance(normals) + 2 * b.irradiance(normals), rtol=1e-3
    )


def test_a_pixels_centre_shows_that_pixel() -> None:
    environment = bumpy(5)
    np.testing.assert_allclose(
        environment.sample(directions(16)), environment.data, rtol=2e-3, atol=2e-3
    )


def test_the_map_has_no_seam_behind_the_subject() -> None:
    environment = lamp(180, 0)
    left, right = environment.sample(direction(np.radians([179.99, -179.99]), 0.0))
    np.testing.assert_allclose(left, right, rtol=0.01)


@given(st.floats(0, 6.3), st.floats(-1.5, 1.5), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_samples_lie_between_the_maps_extremes(az: float, el: float, seed: int) -> None:
    environment = bumpy(seed)
    value = environment.sample(direction(az, el))
    assert (value >= environment.data.min((0, 1)) * 0.999).all()
    assert (value <= environment.data.max((0, 1)) * 1.001).all()


@pytest.mark.parametrize("size", [1, 7, 64])
def test_spheres_have_the_size_asked_for(size: int) -> None:
    spheres = bumpy(2).spheres(size)
    for sphere in spheres:
        assert sphere.shape == (size, size, 3)
        assert sphere.dtype == np.float32
        assert np.isfinite(sphere).all()
        assert (sphere >= 0).all()
    image = spheres.image()
    assert image.shape == (size, 3 * size, 3)
    assert image.dtype == np.uint8


def test_spheres_show_a_frontal_lamp_in_their_middle() -> None:
    diffuse, matte, mirror = lamp(0, 0).spheres(65)
    for sphere in (diffuse, matte, mirror):
        brightest = np.unravel_index(sphere[..., 1].argmax(), (65, 65))
        assert np.hypot(brightest[0] - 32, brightest[1] - 32) <= 3
    # The rougher the ball, the wider its highlight.
    wide = [(s[..., 1] > s[..., 1].max() / 2).sum() for s in (mirror, matte, diffuse)]
    assert wide[0] < wide[1] < wide[2]


@pytest.mark.parametrize(("az", "el"), [(60, 0), (-60, 0), (0, 50), (100, -30)])
def test_a_mirror_shows_a_lamp_halfway_between_it_and_the_camera(az: float, el: float) -> None:
    towards = direction(math.radians(az), math.radians(el))
    half = towards + np.array([0, 0, 1])
    half /= np.linalg.norm(half)
    mirror = lamp(az, el).spheres(65).mirror[..., 1]
    row, column = np.unravel_index(mirror.argmax(), mirror.shape)
    assert column == pytest.approx(32.5 * (1 + half[0]) - 0.5, abs=1.6)
    assert row == pytest.approx(32.5 * (1 - half[1]) - 0.5, abs=1.6)


def test_two_maps_can_be_compared() -> None:
    one = Environment.uniform()
    assert [Environment.uniform(2), one].index(one) == 1
    assert isinstance(one == Environment.uniform(2), bool)


@pytest.mark.parametrize("height", [0, -3])
def test_a_map_of_no_rows_is_refused(height: int) -> None:
    with pytest.raises(ValueError, match="at least one row"):
        Environment.uniform().resample(height)
