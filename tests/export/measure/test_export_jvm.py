# SPDX-License-Identifier: Apache-2.0
"""The comparison of stages in Python and on the JVM: the same stages, and errors of one line."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from export.error import ExportError
from export.measure import jvm
from export.measure.jvm import ANDROID, Remembered, jvm_table, jvm_times, python_times
from relight import Photo, load_photo
from relight.models.library import read_manifest

SPEED_TEST = ANDROID / "core/src/test/kotlin/portrait/relight/SpeedTest.kt"


@pytest.fixture(scope="module")
def photo(astronaut: NDArray[np.uint8]) -> Photo:
    return load_photo(astronaut)


@pytest.fixture(scope="module")
def times(photo: Photo) -> dict[str, list[float]]:
    return python_times(photo, 2)


def test_both_time_the_same_stages_by_the_same_names(times: dict[str, list[float]]) -> None:
    kotlin = re.findall(r'clock\("([^"]+)"\)', SPEED_TEST.read_text("utf-8"))
    assert list(times) == kotlin
    assert all(len(found) == 2 for found in times.values())


def test_answers_are_given_again_without_running() -> None:
    models = Remembered()
    (name,) = read_manifest(models.folder)[1]["face_full"].inputs
    first = models.run("face_full", {name: np.zeros((192, 192, 3), np.float32)})
    models.again()
    assert models.run("no such model", {}) is first
    assert models.run("no such model", {}) is first


def test_the_table_names_what_is_too_slow(
    photo: Photo, times: dict[str, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = {name: [1e9 if name == "guide" else 0.0] * 2 for name in times}
    monkeypatch.setattr(jvm, "jvm_times", lambda *_: slow)
    table = jvm_table(photo, 2)
    assert len(table.rows) == len(times)
    assert table.note == "each <= 1.5: missed by guide."


def test_without_maven_one_line_says_so(photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ExportError, match="mvn: not found"):
        jvm_times(photo, 1)


def test_without_a_checkout_one_line_says_so(
    photo: Photo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(jvm, "ANDROID", tmp_path / "none")
    with pytest.raises(ExportError, match="checkout"):
        jvm_times(photo, 1)
