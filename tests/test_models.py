# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from relight import models
from relight.models import ModelError, load_interpreter


@pytest.fixture(scope="module")
def face_landmark() -> Path:
    root = importlib.util.find_spec("mediapipe").submodule_search_locations[0]
    return Path(root) / "modules" / "face_landmark" / "face_landmark.tflite"


@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_model_runs(face_landmark: Path, *, as_bytes: bool) -> None:
    model = load_interpreter(face_landmark.read_bytes() if as_bytes else face_landmark, threads=2)
    entry = model.get_input_details()[0]
    model.set_tensor(entry["index"], np.full(entry["shape"], 0.5, np.float32))
    model.invoke()
    shapes = [tuple(output["shape"]) for output in model.get_output_details()]
    assert (1, 1, 1, 1404) in shapes  # 468 points


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"not a flatbuffer" * 8)
    for path in (broken, tmp_path / "missing.tflite", tmp_path):
        with pytest.raises(ModelError) as caught:
            load_interpreter(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="threads"):
        load_interpreter(broken, threads=0)


def test_no_runtime_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tflite_runtime", "ai_edge_litert"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, f"{name}.interpreter", None)
    with pytest.raises(ModelError, match="pip install"):
        models.interpreter_module()
