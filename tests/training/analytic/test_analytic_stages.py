# SPDX-License-Identifier: Apache-2.0
"""The analytic stages on surfaces that are known, lit by light that is known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from conftest import FACE
from hypothesis import given, settings
from hypothesis import strategies as st

from relight import Environment, Light, Relighter
from relight.color import linear_to_srgb, luminance, srgb_to_linear, to_uint8
from relight.environment import directions
from relight.face import mesh
from relight.face.perception import Perception
from relight.geometry import angle_between, direction
from relight.stage.shading import visibility
from training.analytic.analytic_stages import AnalyticStages, lambert_gain
from training.analytic.extended_normals import extended_normals
from training.analytic.light_fit import fitted_light

# --- Normals

CROP = 256


def head(yaw_deg: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Mesh normals and mask of the template in the middle of a crop."""
    y = math.radians(yaw_deg)
    pose = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    scale = CROP / 42
    points = mesh.template().vertices_cm @ pose.T * scale * [1, -1, -1]
    points = (points + np.array([CROP / 2, CROP * 0.45, 0])).astype(np.float32)
    drawn = mesh.surface(points, pose, CROP)
    return drawn.normals, drawn.mask


def person() -> np.ndarray:
    """A head and shoulders with soft edges: a disc on a wider half disc."""
    y, x = np.mgrid[:CROP, :CROP] + 0.5
    skull = CROP * 0.29 - np.hypot(x - CROP / 2, (y - CROP * 0.42) * 0.85)
    body = CROP * 0.42 - np.hypot(x - CROP / 2, (y - CROP * 1.12) * 1.0)
    return np.clip(np.maximum(skull, body) / 4 + 0.5, 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def estimated() -> tuple[np.ndarray, np.ndarray]:
    drawn, face = head()
    return extended_normals(drawn, face, person())


def test_normals_are_unit_vectors_that_face_the_camera(
    estimated: tuple[np.ndarray, np.ndarray],
) -> None:
    n, confidence = estimated
    assert n.shape == (CROP, CROP, 3)
    assert n.dtype == np.float32
    assert confidence.shape == (CROP, CROP)
    np.testing.assert_allclose(np.linalg.norm(n, axis=2), 1, atol=1e-4)
    assert n[..., 2].min() >= 0


def test_confidence_is_highest_in_the_face_and_none_off_the_person(
    estimated: tuple[np.ndarray, np.ndarray],
) -> None:
    _, confidence = estimated
    _, face = head()
    cover = np.maximum(person(), face)
    assert 0 <= confidence.min() <= confidence.max() <= 1
    assert not confidence[cover == 0].any()
    shoulders = (person() > 0.99) & (np.arange(CROP)[:, None] > 0.85 * CROP)
    middle = confidence[CROP // 2 - 20 : CROP // 2, CROP // 2 - 10 : CROP // 2 + 10]
    assert middle.min() > confidence[shoulders].max() > 0


@pytest.mark.parametrize("yaw", [-30, 0, 30])
def test_inside_the_face_they_are_the_meshs(yaw: float) -> None:
    drawn, face = head(yaw)
    n, _ = extended_normals(drawn, face, person())
    inner = face.copy()
    for axis in (0, 1):
        for step in range(-14, 15, 7):
            inner &= np.roll(face, step, axis)
    assert inner.sum() > 2000
    error = np.degrees(angle_between(n[inner], drawn[inner]))
    assert error.mean() < 1
    assert error.max() < 6


def test_at_the_outline_they_lean_outward(estimated: tuple[np.ndarray, np.ndarray]) -> None:
    n, _ = estimated
    cover = person()
    rows, columns = np.nonzero((cover > 0.6) & (cover < 0.95))
    outline = [(r, c) for r, c in zip(rows, columns, strict=True) if r < 0.6 * CROP]
    assert len(outline) > 50
    outward = np.array([((c - CROP / 2), -(r - CROP * 0.42) * 0.85**2) for r, c in outline])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    found = np.array([n[r, c] for r, c in outline])
    lean = (found[:, :2] * outward).sum(1)
    assert np.median(lean) > 0.6  # more than 37 degrees away from the camera
    assert np.percentile(lean, 5) > 0.3


def test_they_change_gently_between_face_and_outline(
    estimated: tuple[np.ndarray, np.ndarray],
) -> None:
    n, _ = estimated
    inside = person() > 0.97
    for axis in (0, 1):
        step = np.degrees(angle_between(n, np.roll(n, 1, axis)))
        both = inside & np.roll(inside, 1, axis)
        both[:2], both[:, :2] = False, False
        # A sudden edge would show as a line of light across the forehead.
        assert np.percentile(step[both], 99) < 25
        assert step[both].mean() < 4


@pytest.mark.parametrize("yaw", [-30, 30])
def test_beside_the_face_they_go_on_as_the_mesh_ended(yaw: float) -> None:
    """A turned head's forehead and jaw turn with it, though its outline does not."""
    drawn, face = head(yaw)
    n, _ = extended_normals(drawn, face, person())
    ring = cv2.dilate(face.astype(np.uint8), np.ones((9, 9), np.uint8)) > face
    ring &= np.indices(ring.shape)[0] < 0.35 * CROP  # across the forehead
    assert ring.sum() > 100
    rim = face & (cv2.erode(face.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0)
    rim &= np.indices(ring.shape)[0] < 0.35 * CROP
    assert np.sign(n[ring][:, 0].mean()) == np.sign(yaw)
    assert abs(n[ring][:, 0].mean() - drawn[rim][:, 0].mean()) < 0.2


def test_a_mirrored_person_has_mirrored_normals() -> None:
    drawn, face = head(20)
    n, confidence = extended_normals(drawn, face, person())
    flip = np.array([-1, 1, 1], np.float32)
    other, other_confidence = extended_normals(
        np.ascontiguousarray(drawn[:, ::-1] * flip), face[:, ::-1].copy(), person()[:, ::-1].copy()
    )
    error = np.degrees(angle_between(n, other[:, ::-1] * flip))
    assert error[person() > 0.5].max() < 1
    np.testing.assert_allclose(confidence, other_confidence[:, ::-1], atol=1e-3)


@pytest.mark.parametrize("cover", [0.0, 1.0])
@pytest.mark.parametrize("seen", [True, False])
def test_no_person_or_nothing_but_a_person_give_finite_normals(cover: float, seen: bool) -> None:
    drawn, face = head()
    if not seen:
        drawn, face = np.zeros_like(drawn), np.zeros_like(face)
    n, confidence = extended_normals(drawn, face, np.full((CROP, CROP), cover, np.float32))
    np.testing.assert_allclose(np.linalg.norm(n, axis=2), 1, atol=1e-3)
    assert np.isfinite(confidence).all()
    if not seen:
        np.testing.assert_allclose(confidence, confidence[0, 0], atol=1e-6)


@given(st.integers(0, 10**6), st.sampled_from([64, 100, 256]))
@settings(max_examples=15, deadline=None)
def test_any_mask_gives_unit_normals(seed: int, side: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(side, side, 3)).astype(np.float32)
    drawn[..., 2] = np.abs(drawn[..., 2])
    drawn /= np.linalg.norm(drawn, axis=2, keepdims=True)
    face = rng.uniform(size=(side, side)) > rng.uniform()
    drawn[~face] = 0
    cover = rng.uniform(size=(side, side)).astype(np.float32)
    n, confidence = extended_normals(drawn, face, cover)
    np.testing.assert_allclose(np.linalg.norm(n, axis=2), 1, atol=1e-3)
    assert n[..., 2].min() >= 0
    assert (confidence <= np.maximum(cover, face) + 1e-6).all()


# --- Light

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
