# SPDX-License-Identifier: Apache-2.0
"""The whole path on the example portrait: what it promises, not what it estimates."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from conftest import halves

from relight import (
    Analysis,
    Environment,
    Face,
    Light,
    NoFaceError,
    Relighter,
    RelightError,
    Result,
)
from relight.face.perception import Perception
from relight.geometry import head_angles
from relight.stage.tflite import TfliteStages
from relight.stage.view import View

KEY = Light(45, 30, 0.8)


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
    assert not known[:200, :4].any()


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
    assert [light["gloss"] for light in report["lights"]] == [1, 1]
    json.dumps(report, allow_nan=False)


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
        np.zeros((30, 40, 3), complex),
        np.zeros((30, 40, 3), np.int64),
        np.zeros((30, 40, 3), bool),
        "nothing here.jpg".encode,
        None,
    ],
    ids=["complex numbers", "ints", "bools", "a function", "None"],
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


@pytest.mark.parametrize("beside", [0, 1200])
def test_a_second_thread_changes_nothing(
    relighter: Relighter, astronaut: np.ndarray, beside: int
) -> None:
    """Whether light reaches all of the photo, as is expected while faces are looked for, or not."""
    photo = np.pad(astronaut, ((0, 0), (0, beside), (0, 0)), constant_values=90)
    with Relighter(threads=2) as other:
        np.testing.assert_array_equal(
            other.relight(photo, KEY).image, relighter.relight(photo, KEY).image
        )


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
