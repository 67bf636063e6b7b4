# SPDX-License-Identifier: Apache-2.0
"""Moving a light over a photo that was looked at once."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest

from relight import Environment, Light, NoFaceError, Relighter
from relight.face.perception import Perception
from relight.portrait import Preview
from relight.stage.tflite import TfliteStages

KEY = Light(45, 30, 0.8)
FILL = Light(-50, 10, 0.4, (1, 0.8, 0.6), softness_deg=25)


@pytest.fixture(scope="module")
def preview(relighter: Relighter, astronaut: np.ndarray) -> Preview:
    return relighter.preview(astronaut)


@pytest.mark.parametrize("lights", [KEY, [KEY, FILL]])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_photo_no_larger_than_the_preview_is_relit_as_ever(
    relighter: Relighter,
    astronaut: np.ndarray,
    preview: Preview,
    lights: Light | list[Light],
    strength: float,
) -> None:
    expected = relighter.relight(astronaut, lights, strength=strength).image
    np.testing.assert_array_equal(preview.relight(lights, strength=strength), expected)
    np.testing.assert_array_equal(preview.rgb, astronaut)


def test_the_preview_is_the_relit_photo_made_small(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    large = cv2.resize(astronaut, (1500, 1500), interpolation=cv2.INTER_CUBIC)
    preview = relighter.preview(large, side=400)
    assert preview.rgb.shape == (400, 400, 3)
    full = relighter.relight(large, KEY, analyses=preview.analyses).image
    expected = cv2.resize(full, (400, 400), interpolation=cv2.INTER_AREA).astype(int)
    shown = preview.relight(KEY).astype(int)
    added = shown - preview.rgb
    assert added.max() > 20
    assert np.abs(shown - expected).mean() < 0.1 * np.abs(added).mean() + 0.3
    wrong = np.abs(preview.relight(Light(-45, 30, 0.8)).astype(int) - expected)
    assert wrong.mean() > 3 * np.abs(shown - expected).mean()


@pytest.mark.parametrize(("width", "height"), [(700, 512), (512, 700)])
def test_the_longer_side_is_the_one_asked_for(
    relighter: Relighter, astronaut: np.ndarray, width: int, height: int
) -> None:
    canvas = np.full((height, width, 3), 90, np.uint8)
    canvas[:512, :512] = astronaut
    shown = relighter.preview(canvas, side=350).relight(KEY)
    assert shown.shape == (height // 2, width // 2, 3)
    assert shown.dtype == np.uint8


def test_a_moved_light_runs_the_quotient_network_alone(
    detector: Perception, astronaut: np.ndarray
) -> None:
    calls: list[str] = []

    class Counted(TfliteStages):
        def run(self, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
            calls.append(name)
            return super().run(name, inputs)

    preview = Relighter(detector=detector, models=Counted()).preview(astronaut)
    assert calls == ["normals", "lighting"]
    first = preview.relight(KEY)
    moved = preview.relight(Light(-45, 30, 0.8))
    assert (moved != first).any()
    preview.relight([KEY, FILL])
    assert calls[2:] == ["quotient"] * 4
    preview.relight(Light(0, 0, 0))
    assert len(calls) == 6  # a light that is off costs nothing
    np.testing.assert_array_equal(preview.relight(KEY), first)


def test_without_light_it_is_the_small_photo(preview: Preview) -> None:
    kept = preview.rgb.copy()
    for shown in (preview.relight([]), preview.relight(KEY, strength=0)):
        np.testing.assert_array_equal(shown, kept)
        assert not np.shares_memory(shown, preview.rgb)


def test_every_face_of_a_group_is_lit(relighter: Relighter, astronaut: np.ndarray) -> None:
    two = np.concatenate([astronaut, astronaut[:, ::-1]], 1)
    preview = relighter.preview(two, side=512)
    assert len(preview.analyses) == 2
    added = preview.relight(Light(0, 20)).astype(int) - preview.rgb
    for analysis in preview.analyses:
        left, top, width, height = (round(value / 2) for value in analysis.face.box)
        assert added[top : top + height, left : left + width].mean() > 5


def test_what_cannot_be_previewed_is_refused(
    relighter: Relighter, astronaut: np.ndarray, preview: Preview
) -> None:
    with pytest.raises(NoFaceError, match="no face"):
        relighter.preview(np.full((100, 100, 3), 120, np.uint8))
    with pytest.raises(ValueError, match="side"):
        relighter.preview(astronaut, side=0)
    for strength in (-0.1, math.nan, 101):
        with pytest.raises(ValueError, match="strength"):
            preview.relight(KEY, strength=strength)
    assert isinstance(preview.analyses[0].environment, Environment)
