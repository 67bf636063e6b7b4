# SPDX-License-Identifier: Apache-2.0
"""The light fit on surfaces that are known, lit by light that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight import Environment
from relight.color import luminance
from relight.environment import directions
from relight.face import mesh
from relight.geometry import angle_between, direction
from training.analytic.light_fit import fitted_light

SIDE = 128
LAMPS = [(a, e) for a in (-60, -30, 30, 60) for e in (-10, 15, 40)] + [(0, 30), (0, -15)]


def ball() -> tuple[np.ndarray, np.ndarray]:
    """Normals and weights of the camera's side of a sphere."""
    x = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    x, y = np.meshgrid(x, -x)
    inside = np.hypot(x, y) < 0.95
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0))
    n = np.stack([x, y, z], -1).astype(np.float32) * inside[..., None]
    return n, inside.astype(np.float32)


def face() -> tuple[np.ndarray, np.ndarray]:
    points = mesh.template().vertices_cm * (SIDE / 22) * [1, -1, -1] + [SIDE / 2, SIDE / 2, 0]
    n, _, mask = mesh.surface(points.astype(np.float32), np.eye(3), SIDE)
    return n, mask.astype(np.float32)


SURFACES = {"ball": ball(), "face": face()}
SKIN = np.array([0.45, 0.30, 0.22], np.float32)


def lamp(azimuth_deg: float, elevation_deg: float, ambient: float = 0.1) -> Environment:
    """A broad lamp of irradiance 1 (over pi) at normal incidence over uniform light."""
    towards = direction(math.radians(azimuth_deg), math.radians(elevation_deg))
    lobe = np.maximum(directions(32) @ towards, 0) ** 60
    made = Environment(np.repeat(lobe[..., None], 3, 2))
    scale = 1 / float(made.irradiance(towards)[0])
    return Environment(made.data * np.float32(scale) + np.float32(ambient))


def photographed(
    environment: Environment, surface: str, albedo: np.ndarray = SKIN
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n, weights = SURFACES[surface]
    return environment.irradiance(n) * albedo * weights[..., None], n, weights


def turned_deg(a: np.ndarray, b: np.ndarray) -> float:
    return math.degrees(float(angle_between(a, b)))


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(("azimuth", "elevation"), LAMPS)
def test_a_lamps_direction_is_recovered(surface: str, azimuth: float, elevation: float) -> None:
    estimate = fitted_light(*photographed(lamp(azimuth, elevation), surface))
    expected = direction(math.radians(azimuth), math.radians(elevation))
    assert turned_deg(estimate.dominant_direction(), expected) < 12


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(("azimuth", "elevation"), LAMPS[::3])
def test_the_estimate_shades_the_surface_as_the_photo_does(
    surface: str, azimuth: float, elevation: float
) -> None:
    linear, n, weights = photographed(lamp(azimuth, elevation), surface)
    seen = luminance(linear)[weights > 0]
    shaded = luminance(fitted_light(linear, n, weights).irradiance(n[weights > 0]))
    scale = (seen @ shaded) / (shaded @ shaded)
    assert np.sqrt(((scale * shaded - seen) ** 2).mean()) < 0.1 * seen.mean()


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("radiance", [0.05, 0.5, 1.0])
def test_uniform_light_is_nearly_uniform(surface: str, radiance: float) -> None:
    estimate = fitted_light(*photographed(Environment.uniform(radiance), surface))
    assert estimate.key_to_fill() < 1.05
    n, weights = SURFACES[surface]
    shading = luminance(estimate.irradiance(n[weights > 0]))
    assert shading.std() < 0.05 * shading.mean()


@pytest.mark.parametrize("azimuth", [-45, 45])
def test_the_lit_side_and_its_ratio_are_seen(azimuth: float) -> None:
    true = lamp(azimuth, 15, ambient=0.3)
    estimate = fitted_light(*photographed(true, "face"))
    left, right = estimate.cheek_irradiance()
    assert (right > left) == (azimuth > 0)
    assert estimate.key_to_fill() == pytest.approx(true.key_to_fill(), rel=0.25)


@pytest.mark.parametrize("surface", SURFACES)
@given(
    st.floats(0.15, 1),
    st.tuples(st.floats(0.7, 1), st.floats(0.4, 0.7), st.floats(0.3, 0.5)),
)
@settings(max_examples=6, deadline=None)
def test_neither_skin_tone_nor_exposure_changes_where_light_comes_from(
    surface: str, exposure: float, tone: tuple[float, float, float]
) -> None:
    true = lamp(40, 20)
    reference = fitted_light(*photographed(true, surface))
    albedo = np.array(tone, np.float32) * np.float32(0.5 * exposure)
    estimate = fitted_light(*photographed(true, surface, albedo))
    assert turned_deg(estimate.dominant_direction(), reference.dominant_direction()) < 2
    assert estimate.key_to_fill() == pytest.approx(reference.key_to_fill(), rel=0.05)


def test_a_tinted_photo_of_even_light_is_skin_not_coloured_light() -> None:
    estimate = fitted_light(*photographed(Environment.uniform(0.6), "face"))
    red, green, blue = estimate.power()
    assert red == pytest.approx(green, rel=0.05)
    assert blue == pytest.approx(green, rel=0.05)


def test_a_brighter_photo_has_brighter_light() -> None:
    powers = [
        float(luminance(fitted_light(*photographed(lamp(30, 20), "face", SKIN * s)).power()))
        for s in (0.2, 0.5, 1.0)
    ]
    assert powers == sorted(powers)
    assert powers[0] > 0


def test_the_scale_is_that_of_a_white_sphere_in_the_photo() -> None:
    """Uniform light on average skin in a well exposed photo: a white sphere is nearly white."""
    estimate = fitted_light(
        *photographed(Environment.uniform(0.9), "face", np.full(3, 0.3, np.float32))
    )
    white = luminance(estimate.irradiance(np.array([[0, 0, 1.0]])))
    assert 0.6 < float(white[0]) < 1.3


@pytest.mark.parametrize("visible", [0, 5, 31])
def test_too_little_skin_says_uniform_light(visible: int) -> None:
    linear, n, weights = photographed(lamp(60, 10), "face")
    few = np.zeros_like(weights)
    rows, columns = np.nonzero(weights)
    few[rows[:visible], columns[:visible]] = 1
    estimate = fitted_light(linear, n, few)
    assert estimate.data.shape == (16, 32, 3)
    assert np.ptp(estimate.data) == 0
    assert estimate.data[0, 0, 0] > 0


@pytest.mark.parametrize("level", [0.0, 1e-6, 1.0])
def test_black_and_white_pictures_give_finite_light(level: float) -> None:
    n, weights = SURFACES["face"]
    estimate = fitted_light(np.full((SIDE, SIDE, 3), level, np.float32), n, weights)
    assert np.isfinite(estimate.data).all()
    assert math.isfinite(estimate.key_to_fill())


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_any_picture_gives_a_valid_map(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, weights = SURFACES["face"]
    linear = (rng.uniform(size=(SIDE, SIDE, 3)) ** rng.uniform(0.2, 8)).astype(np.float32)
    estimate = fitted_light(linear, n, weights * (rng.uniform(size=weights.shape) > 0.5))
    assert estimate.data.shape == (16, 32, 3)
    assert np.isfinite(estimate.data).all()
    assert (estimate.data >= 0).all()


def test_pixels_without_weight_do_not_count() -> None:
    linear, n, weights = photographed(lamp(40, 20), "face")
    half = weights * (np.indices(weights.shape).sum(0) % 2)
    spoilt = np.where(half[..., None] > 0, linear, 0.9).astype(np.float32)
    np.testing.assert_allclose(
        fitted_light(spoilt, n, half).data, fitted_light(linear, n, half).data
    )


def test_a_mirrored_face_has_mirrored_light() -> None:
    linear, n, weights = photographed(lamp(50, 20), "face")
    flip = np.array([-1, 1, 1], np.float32)
    other = fitted_light(linear[:, ::-1], n[:, ::-1] * flip, weights[:, ::-1])
    mirrored = fitted_light(linear, n, weights).data[:, ::-1]
    np.testing.assert_allclose(other.data, mirrored, rtol=0.02, atol=0.02 * mirrored.max())
