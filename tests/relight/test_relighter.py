# SPDX-License-Identifier: Apache-2.0
"""The whole path on the example portrait: what it promises, not what it estimates."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import ASTRONAUT
from hypothesis import given, settings
from hypothesis import strategies as st

from relight import (
    Analysis,
    Environment,
    Face,
    Light,
    NoFaceError,
    Photo,
    Relighter,
    RelightError,
    Result,
    load_photo,
)
from relight.face.perception import Perception
from relight.geometry import head_angles
from relight.setup import place_group
from relight.stage.tflite import TfliteStages
from relight.stage.view import View

KEY = Light(45, 30, 0.8)


@pytest.fixture(scope="module")
def face(relighter: Relighter, astronaut: np.ndarray) -> Face:
    return relighter.find_faces(astronaut)[0]


@pytest.fixture(scope="module")
def analysis(relighter: Relighter, astronaut: np.ndarray, face: Face) -> Analysis:
    return relighter.analyze(astronaut, face)


@pytest.fixture(scope="module")
def relit(relighter: Relighter, astronaut: np.ndarray) -> Result:
    return relighter.relight(astronaut, KEY)


@pytest.fixture(scope="module")
def automatic(relighter: Relighter, astronaut: np.ndarray) -> Result:
    return relighter.relight(astronaut)


def linear(encoded: np.ndarray) -> np.ndarray:
    x = encoded / np.iinfo(encoded.dtype).max
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def halves(analysis: Analysis) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the middle of the face: its image-left and image-right halves."""
    left, top, width, height = (round(v) for v in analysis.face.box)
    masks = []
    for start in (left + width // 8, left + width // 2):
        mask = np.zeros(analysis.photo_rgb.shape[:2], bool)
        mask[top + height // 4 : top + height * 3 // 4, start : start + width * 3 // 8] = True
        masks.append(mask)
    return masks[0], masks[1]


# --- Names and shapes of the public API


def test_an_analysis_is_what_the_design_says(analysis: Analysis, astronaut: np.ndarray) -> None:
    height, width = astronaut.shape[:2]
    assert analysis.normals.shape == (height, width, 3)
    assert analysis.normals.dtype == np.float32
    assert analysis.mask.shape == analysis.confidence.shape == (height, width)
    assert analysis.mask.dtype == analysis.confidence.dtype == np.float32
    for part in (analysis.mask, analysis.confidence):
        assert 0 <= part.min() <= part.max() <= 1
    assert isinstance(analysis.environment, Environment)
    assert analysis.environment.data.shape == (16, 32, 3)
    assert analysis.head_pose.shape == (3, 3)
    np.testing.assert_allclose(analysis.head_pose @ analysis.head_pose.T, np.eye(3), atol=1e-5)
    assert np.linalg.det(analysis.head_pose) == pytest.approx(1, abs=1e-5)


def test_normals_are_unit_or_unknown(analysis: Analysis) -> None:
    known = np.isfinite(analysis.normals).all(-1)
    assert np.isnan(analysis.normals[~known]).all()
    np.testing.assert_allclose(np.linalg.norm(analysis.normals[known], axis=1), 1, atol=1e-4)
    assert (analysis.normals[known][:, 2] > -0.05).all()
    left, right = halves(analysis)
    assert known[left | right].mean() > 0.95
    # They face the sides they lie on, and nothing is known off the person.
    assert np.nanmean(analysis.normals[left][:, 0]) < 0 < np.nanmean(analysis.normals[right][:, 0])
    assert not known[analysis.mask < 0.3].any()
    assert not known[:, :4].any()


def test_the_person_is_where_the_person_is(analysis: Analysis) -> None:
    left, right = halves(analysis)
    assert analysis.mask[left | right].mean() > 0.95
    assert analysis.mask[:20, :20].max() < 0.5
    assert analysis.confidence[left | right].mean() > 0.7
    assert (analysis.crop_confidence <= analysis.view.person + 1e-6).all()


def test_key_gain_is_light_for_every_pixel(
    relighter: Relighter, analysis: Analysis, astronaut: np.ndarray
) -> None:
    gain = relighter.key_gain(analysis, KEY)
    assert gain.shape == astronaut.shape
    assert gain.dtype == np.float32
    assert np.isfinite(gain).all()
    assert gain.min() >= 0
    left, right = halves(analysis)
    assert gain[right].mean() > 1.3 * gain[left].mean()
    assert 0.2 < gain[right].mean() < 5


def test_key_gain_is_for_unit_intensity_and_white_light(
    relighter: Relighter, analysis: Analysis
) -> None:
    strong = Light(KEY.azimuth_deg, KEY.elevation_deg, 7, (1, 0.5, 0))
    np.testing.assert_array_equal(
        relighter.key_gain(analysis, strong), relighter.key_gain(analysis, KEY)
    )


def test_a_placed_light_has_its_reason(relighter: Relighter, analysis: Analysis) -> None:
    light = relighter.place(analysis)
    assert isinstance(light, Light)
    assert light.reason.endswith(".")
    assert light.intensity >= 0
    assert 30 <= abs(light.azimuth_deg) <= 60
    assert light.color == (1, 1, 1)


def test_a_result_is_what_the_design_says(automatic: Result, astronaut: np.ndarray) -> None:
    assert automatic.image.shape == astronaut.shape
    assert automatic.image.dtype == np.uint8
    assert len(automatic.faces) == 1
    assert isinstance(automatic.faces[0], Face)
    assert len(automatic.lights) == 1
    assert automatic.lights[0].reason


def test_the_report_is_json_with_everything_worth_knowing(
    automatic: Result, astronaut: np.ndarray
) -> None:
    report = json.loads(json.dumps(automatic.report(), allow_nan=False))
    assert (report["width"], report["height"]) == (astronaut.shape[1], astronaut.shape[0])
    light = report["lights"][0]
    assert light["reason"] == automatic.lights[0].reason
    assert light["azimuth_deg"] == pytest.approx(automatic.lights[0].azimuth_deg, abs=0.01)
    assert light["elevation_deg"] == pytest.approx(automatic.lights[0].elevation_deg, abs=0.01)
    found = report["faces"][0]
    assert found["box"] == pytest.approx(automatic.faces[0].box, abs=0.1)
    yaw, pitch, roll = head_angles(automatic.faces[0].head_pose)
    assert [found["yaw_deg"], found["pitch_deg"], found["roll_deg"]] == pytest.approx(
        [yaw, pitch, roll], abs=0.1
    )
    assert found["key_to_fill_before"] >= 1
    assert found["key_to_fill_after"] >= found["key_to_fill_before"] - 1e-3
    assert all(seconds >= 0 for seconds in report["timings_s"].values())
    assert report["timings_s"]


def test_the_report_of_several_lights_counts_them_all(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    report = relighter.relight(astronaut, [KEY, Light(-60, 10, 0.2, (1, 0.8, 0.6), 20)]).report()
    assert [light["azimuth_deg"] for light in report["lights"]] == [45, -60]
    assert report["lights"][1]["color"] == [1, 0.8, 0.6]
    assert [light["softness_deg"] for light in report["lights"]] == [5, 20]
    json.dumps(report, allow_nan=False)


# --- Light


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
    rows, columns = analysis.face.crop.visible(astronaut.shape)
    outside = np.ones(astronaut.shape[:2], bool)
    outside[rows, columns] = False
    assert outside.any()
    np.testing.assert_array_equal(relit.image[outside], astronaut[outside])
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


def test_a_groups_light_is_its_members_weighted_by_size(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    # Opposite lighting, so that the members want different lights.
    dark = np.linspace(0.4, 1.1, 512)[None, :, None]
    small = cv2.resize((astronaut * dark).clip(0, 255).astype(np.uint8), (256, 256))
    canvas = np.full((512, 768, 3), 110, np.uint8)
    canvas[:, :512], canvas[200:456, 512:] = astronaut, small
    result = relighter.relight(canvas)
    assert len(result.faces) == 2
    placed = [relighter.place(analysis) for analysis in result.analyses]
    sizes, roll = [face.size for face in result.faces], result.faces[0].crop.roll
    assert result.lights == [place_group(placed, sizes, roll)]
    assert result.lights != [place_group(placed, [1, 1], roll)]


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


# --- Errors and life


def test_a_photo_without_a_face_says_so(relighter: Relighter) -> None:
    wall = np.full((200, 300, 3), 140, np.uint8)
    assert relighter.find_faces(wall) == []
    for lights in (None, KEY):
        with pytest.raises(NoFaceError, match="no face") as caught:
            relighter.relight(wall, lights)
        assert isinstance(caught.value, RelightError)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((30, 40, 3), np.float32),
        np.zeros((30, 40, 3), np.int64),
        np.zeros((30, 40, 3), bool),
        "nothing here.jpg".encode,
        None,
    ],
    ids=["floats", "ints", "bools", "a function", "None"],
)
def test_what_is_no_photo_is_a_type_error(relighter: Relighter, array: object) -> None:
    for method in (relighter.find_faces, relighter.relight):
        with pytest.raises(TypeError):
            method(array)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "shape", [(0, 0, 3), (0, 40, 3), (40, 0, 3), (30, 40, 5), (30,), (1, 30, 40, 3)]
)
def test_an_array_of_another_shape_is_a_value_error(
    relighter: Relighter, shape: tuple[int, ...]
) -> None:
    for method in (relighter.find_faces, relighter.relight):
        with pytest.raises(ValueError, match=r"."):
            method(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("strength", [-0.1, math.nan, math.inf])
def test_an_impossible_strength_is_refused(
    relighter: Relighter, astronaut: np.ndarray, strength: float
) -> None:
    with pytest.raises(ValueError, match="strength"):
        relighter.relight(astronaut, strength=strength)


def test_no_threads_are_too_few() -> None:
    with pytest.raises(ValueError, match="threads"):
        Relighter(threads=0)


def test_stages_of_ones_own_are_used_and_closed(
    detector: Perception, astronaut: np.ndarray
) -> None:
    class Mirrored(TfliteStages):
        """The package's own networks, but light falls from the other side."""

        closed = 0

        def gain(self, view: View, normals: Any, environment: Environment, light: Light) -> Any:
            other = dataclasses.replace(light, azimuth_deg=-light.azimuth_deg)
            return super().gain(view, normals, environment, other)

        def close(self) -> None:
            self.closed += 1
            super().close()

    own = Mirrored()
    made = Relighter(detector=detector, models=own)
    seen = made.analyze(astronaut, made.find_faces(astronaut)[0])
    left, right = halves(seen)
    gain = made.key_gain(seen, KEY)
    assert gain[left].mean() > 1.3 * gain[right].mean()
    made.close()
    assert own.closed == 1


def test_after_every_error_it_still_works(
    relighter: Relighter, astronaut: np.ndarray, relit: Result
) -> None:
    for broken in (np.zeros((0, 0, 3), np.uint8), np.zeros((30, 40, 3), np.float32), None):
        with pytest.raises((TypeError, ValueError)):
            relighter.relight(broken)  # type: ignore[arg-type]
    np.testing.assert_array_equal(relighter.relight(astronaut, KEY).image, relit.image)


def test_it_can_be_used_again_after_closing(astronaut: np.ndarray, relit: Result) -> None:
    with Relighter() as made:
        first = made.relight(astronaut, KEY).image
    np.testing.assert_array_equal(first, relit.image)
    np.testing.assert_array_equal(made.relight(astronaut, KEY).image, relit.image)
    made.close()
    made.close()


def test_an_error_inside_the_block_is_not_swallowed() -> None:
    def fail() -> None:
        with Relighter():
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()


@pytest.mark.parametrize("kind", ["strided", "fortran", "flipped twice"])
def test_any_memory_layout_gives_the_same_photo(
    relighter: Relighter, astronaut: np.ndarray, relit: Result, kind: str
) -> None:
    if kind == "strided":
        wide = np.zeros((512, 1024, 3), np.uint8)
        wide[:, ::2] = astronaut
        view = wide[:, ::2]
    elif kind == "fortran":
        view = np.asfortranarray(astronaut)
    else:
        view = np.ascontiguousarray(astronaut[::-1])[::-1]
    np.testing.assert_array_equal(relighter.relight(view, KEY).image, relit.image)


def test_the_report_is_json_whatever_number_the_strength_was(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    report = relighter.relight(astronaut, KEY, strength=np.float32(0.5)).report()
    assert json.loads(json.dumps(report))["strength"] == 0.5


@pytest.mark.parametrize("lights", ["left", [(45, 30)], 45])
def test_what_is_no_light_is_a_type_error(
    relighter: Relighter, astronaut: np.ndarray, lights: object
) -> None:
    with pytest.raises(TypeError, match="Light"):
        relighter.relight(astronaut, lights)  # type: ignore[arg-type]


def test_lights_from_an_iterator_are_added_too(
    relighter: Relighter, astronaut: np.ndarray, relit: Result
) -> None:
    result = relighter.relight(astronaut, iter([KEY]))
    assert result.lights == [KEY]
    np.testing.assert_array_equal(result.image, relit.image)


def test_faces_and_analyses_can_be_looked_up_in_a_list(
    relighter: Relighter, astronaut: np.ndarray, face: Face, analysis: Analysis
) -> None:
    again = relighter.find_faces(astronaut)
    assert [face, *again].index(again[0]) in (0, 1)
    assert isinstance(analysis == relighter.analyze(astronaut, face), bool)
