# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from export.error import ExportError
from export.model.verify import EQUAL_DB, Bench, Gates, OutputError, Parity, decibels, failures
from export.model.verify import scaled_errors as scaled


def parity(error: float, level: float) -> Parity:
    found = OutputError(largest=error, scaled=error, mean=error / 2, spread=1.0)
    return Parity({"key": {"key": found}}, {"good": 80.0, "bad": level})


def test_errors_are_absolute_to_one_and_relative_above() -> None:
    assert scaled(np.array([0.5]), np.array([0.25])) == 0.25
    assert scaled(np.array([110.0, 0.1]), np.array([100.0, 0.0])) == pytest.approx([0.1, 0.1])
    assert scaled(np.array([-110.0]), np.array([-100.0])) == pytest.approx(0.1)


def test_only_relit_pixels_count() -> None:
    photo = np.zeros((100, 100, 3), np.uint8)
    expected, image = photo.copy(), photo.copy()
    expected[0, 0], image[0, 0] = 51, 102
    assert decibels(image, expected, photo) == pytest.approx(-20 * np.log10(0.2))
    assert decibels(expected, expected, photo) == EQUAL_DB
    assert decibels(photo, photo, photo) == EQUAL_DB


def test_good_files_pass() -> None:
    assert failures(parity(9e-5, 90), parity(0.1, 50.0), 5.9, Gates()) == []


@pytest.mark.parametrize("error", [1.1e-4, float("nan")])
def test_a_float32_file_that_differs_fails(error: float) -> None:
    (reason,) = failures(parity(error, 90), parity(0.1, 60), 5, Gates())
    assert reason.startswith("key: float32 key differs from Keras")


@pytest.mark.parametrize("level", [49.9, float("nan")])
def test_a_shipped_file_that_relights_otherwise_fails(level: float) -> None:
    (reason,) = failures(parity(0, 90), parity(0.1, level), 5, Gates())
    assert reason.startswith("bad: relit by the shipped files at")


def test_large_models_fail() -> None:
    (reason,) = failures(parity(0, 90), parity(0, 90), 10.01, Gates())
    assert "10.01 MB" in reason


def test_photos_without_a_face_are_refused() -> None:
    with pytest.raises(ExportError, match="no photo shows a face"):
        Bench({}, {"wall": np.full((64, 64, 3), 90, np.uint8)})
