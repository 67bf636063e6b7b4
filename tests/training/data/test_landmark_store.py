# SPDX-License-Identifier: Apache-2.0
"""Stored landmarks of a dataset's views."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relight.models.library import Models, read_manifest
from training.data import landmark_store
from training.data.landmark_store import MODEL, LandmarkStore, store_path


def test_landmarks_of_another_model_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, entries = read_manifest(Models().folder)
    own = store_path(tmp_path)
    other = {**entries, MODEL: replace(entries[MODEL], sha256="0123456789" * 6 + "0123")}
    monkeypatch.setattr(landmark_store, "read_manifest", lambda folder: (version, other))
    assert store_path(tmp_path) != own
    assert store_path(tmp_path).name == "landmarks-face_mesh-01234567.npz"


def test_whole_and_tight_pictures_are_told_apart() -> None:
    store = LandmarkStore(
        names=np.array(["a/camera-00", "b/camera-00"]),
        landmarks=np.zeros((2, 2, 478, 3), np.float32),
        head_poses=np.zeros((2, 2, 3, 3), np.float32),
        found=np.array([[True, True], [False, True]]),
        cuts=np.float32([[[0, 0, 0, 0], [3, 4, 50, 60]], [[0, 0, 0, 0], [1, 2, 30, 40]]]),
    )
    assert len(store.whole("a/camera-00")) == len(store.tight("a/camera-00")) == 1
    assert store.whole("b/camera-00") == []
    assert store.usable == ["a/camera-00"]
