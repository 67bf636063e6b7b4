# SPDX-License-Identifier: Apache-2.0
"""Loading and running TFLite models: those of the package, and ones that are damaged."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import relight
from relight.models import library as models
from relight.models.interpreter import ModelError, interpreter_module, load_interpreter
from relight.models.library import MANIFEST, Models, read_manifest

NETWORKS = ("normals", "lighting", "shading", "key")
MEDIAPIPES = ("face_full", "face_short", "face_mesh", "person")
NAMES = (*NETWORKS, *MEDIAPIPES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the package's models."""
    return Path(shutil.copytree(Models().folder, tmp_path / "models"))


def inputs(name: str) -> dict[str, np.ndarray]:
    _, entries = read_manifest(Models().folder)
    rng = np.random.default_rng(0)
    return {
        key: rng.uniform(size=shape[1:]).astype(np.float32)
        for key, shape in entries[name].inputs.items()
    }


# --- The package's models


def test_the_package_lists_its_models_as_they_are() -> None:
    version, entries = read_manifest(Models().folder)
    assert version == Models().version
    assert set(entries) == set(NAMES)
    total = 0
    for entry in entries.values():
        content = (Models().folder / entry.file).read_bytes()
        assert len(content) == entry.bytes
        assert hashlib.sha256(content).hexdigest() == entry.sha256
        total += len(content)
    assert total <= 10e6


@pytest.mark.parametrize("name", NAMES)
def test_outputs_have_the_names_and_shapes_listed(name: str) -> None:
    found = Models().run(name, inputs(name))
    _, entries = read_manifest(Models().folder)
    shapes = {key: [1, *array.shape] for key, array in found.items()}
    assert shapes == entries[name].outputs
    assert all(array.dtype == np.float32 for array in found.values())
    assert all(np.isfinite(array).all() for array in found.values())


def test_each_model_is_loaded_at_its_first_use_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = []
    load = models.load_interpreter

    def counted(content: bytes, threads: int) -> object:
        loaded.append(threads)
        return load(content, threads)

    monkeypatch.setattr(models, "load_interpreter", counted)
    made = Models(threads=2)
    assert loaded == []
    first = made.run("lighting", inputs("lighting"))
    made.run("lighting", inputs("lighting"))
    assert loaded == [2]
    made.close()
    made.close()
    again = made.run("lighting", inputs("lighting"))
    assert loaded == [2, 2]
    np.testing.assert_array_equal(again["log_environment"], first["log_environment"])


def test_a_result_stays_when_the_next_is_computed() -> None:
    made = Models()
    first = made.run("key", inputs("key"))["key"]
    kept = first.copy()
    made.run("key", {name: 0 * array for name, array in inputs("key").items()})
    np.testing.assert_array_equal(first, kept)


def test_a_model_that_asks_for_less_is_given_less() -> None:
    given = inputs("lighting")
    more = given | {"shading": np.ones((128, 128, 3), np.float32)}
    expected = Models().run("lighting", given)["log_environment"]
    np.testing.assert_array_equal(Models().run("lighting", more)["log_environment"], expected)
    with pytest.raises(ModelError, match="lighting does not run"):
        Models().run("lighting", {"photo": given["photo"]})


def test_loading_says_nothing() -> None:
    script = (
        "import numpy as np\n"
        "from relight.models.library import Models\n"
        "s = (128, 128, 3)\n"
        "Models().run('lighting', {'photo': np.zeros(s, 'f4'), 'normals': np.zeros(s, 'f4'),"
        " 'skin': np.zeros((128, 128, 1), 'f4')})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(relight.__file__).parents[1],
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- Damage


def cut(folder: Path) -> str:
    path = folder / "key.tflite"
    path.write_bytes(path.read_bytes()[:-1])
    return path.name


def remove(folder: Path) -> str:
    (folder / "key.tflite").unlink()
    return "key.tflite"


def remove_list(folder: Path) -> str:
    (folder / MANIFEST).unlink()
    return MANIFEST


def break_list(folder: Path) -> str:
    (folder / MANIFEST).write_text('{"version": "1", "models": {"key": {"file": ')
    return MANIFEST


def empty_list(folder: Path) -> str:
    (folder / MANIFEST).write_text('{"version": "1", "models": {}}')
    return MANIFEST


def foreign_list(folder: Path) -> str:
    (folder / MANIFEST).write_text('{"version": "1", "models": {"key": {"size": 3}}}')
    return MANIFEST


def other_content(folder: Path) -> str:
    """Listed with the right checksum, but no model."""
    (folder / "key.tflite").write_bytes(b"not a flatbuffer" * 8)
    return relist(folder)


def other_model(folder: Path) -> str:
    """A model, but not the one that the name promises."""
    shutil.copy(folder / "lighting.tflite", folder / "key.tflite")
    relist(folder)
    return folder.name


def relist(folder: Path) -> str:
    content = json.loads((folder / MANIFEST).read_text())
    model = (folder / "key.tflite").read_bytes()
    content["models"]["key"]["sha256"] = hashlib.sha256(model).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(content))
    return "key.tflite"


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        remove,
        remove_list,
        break_list,
        empty_list,
        foreign_list,
        other_content,
        other_model,
    ],
)
def test_damage_is_one_line_that_names_file_and_cure(
    folder: Path, damage: Callable[[Path], str]
) -> None:
    name = damage(folder)
    with pytest.raises(ModelError) as caught:
        Models(folder).run("key", inputs("key"))
    message = str(caught.value)
    assert name in message
    assert str(folder) in message
    assert "install the package again" in message
    assert "\n" not in message


def test_a_damaged_model_does_not_stop_the_others(folder: Path) -> None:
    cut(folder)
    made = Models(folder)
    with pytest.raises(ModelError):
        made.run("key", inputs("key"))
    assert made.run("lighting", inputs("lighting"))["log_environment"].shape == (16, 32, 3)


def test_no_threads_are_too_few() -> None:
    with pytest.raises(ValueError, match="threads"):
        Models(threads=0)


# --- Any model


@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_model_runs(*, as_bytes: bool) -> None:
    path = Models().folder / "face_mesh.tflite"
    model = load_interpreter(path.read_bytes() if as_bytes else path, threads=2)
    entry = model.get_input_details()[0]
    model.set_tensor(entry["index"], np.full(entry["shape"], 0.5, np.float32))
    model.invoke()
    shapes = [tuple(output["shape"]) for output in model.get_output_details()]
    assert (1, 1, 1, 1434) in shapes  # 478 points


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
        interpreter_module()
