# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
from export_network import inputs, network

from export.error import ExportError
from export.model.convert import Precision, convert
from export.model.graph import inspect
from relight.models.interpreter import load_interpreter
from relight.models.library import SIGNATURE


@pytest.fixture(scope="module")
def model() -> Any:
    return network("normals")


@pytest.fixture(scope="module")
def files(model: Any) -> dict[Precision, bytes]:
    calibration = [inputs(model, seed) for seed in range(4)]
    return {precision: convert(model, precision, calibration) for precision in Precision}


def run(content: bytes, given: dict[str, np.ndarray]) -> np.ndarray:
    interpreter = load_interpreter(content)
    normals: np.ndarray = interpreter.get_signature_runner(SIGNATURE)(**given)["normals"]
    return normals


def error(model: Any, content: bytes) -> float:
    given = inputs(model, seed=9)
    expected = np.asarray(model(given, training=False)["normals"])
    assert expected.std() > 0.05
    return float(np.abs(run(content, given) - expected).max() / expected.std())


def test_float32_is_what_keras_computes(model: Any, files: dict[Precision, bytes]) -> None:
    assert error(model, files[Precision.FLOAT32]) < 1e-4


def test_float16_is_half_as_large_and_close(model: Any, files: dict[Precision, bytes]) -> None:
    full, half = (load_interpreter(files[p]) for p in (Precision.FLOAT32, Precision.FLOAT16))
    kinds = [{t["dtype"] for t in i.get_tensor_details()} for i in (full, half)]
    assert np.float16 not in kinds[0]
    assert np.float16 in kinds[1]
    assert error(model, files[Precision.FLOAT32]) < error(model, files[Precision.FLOAT16]) < 0.02


def test_dynamic_leaves_small_layers_as_they_are(model: Any, files: dict[Precision, bytes]) -> None:
    assert error(model, files[Precision.DYNAMIC]) < 1e-4


def test_int8_quantises_its_convolutions_and_keeps_its_face(
    model: Any, files: dict[Precision, bytes]
) -> None:
    interpreter = load_interpreter(files[Precision.INT8])
    kinds = {t["index"]: t["dtype"] for t in interpreter.get_tensor_details()}
    nodes = interpreter._get_ops_details()
    convolutions = [n for n in nodes if n["op_name"] == "CONV_2D"]
    assert convolutions
    assert {kinds[int(n["inputs"][1])] for n in convolutions} == {np.int8}
    runner = interpreter.get_signature_runner(SIGNATURE)
    details = {**runner.get_input_details(), **runner.get_output_details()}
    assert {detail["dtype"] for detail in details.values()} == {np.float32}
    assert error(model, files[Precision.INT8]) < 3


def test_int8_needs_calibration(model: Any) -> None:
    with pytest.raises(ValueError, match="calibration"):
        convert(model, Precision.INT8)


@pytest.mark.parametrize("precision", Precision)
def test_names_and_shapes_are_those_of_keras_with_a_batch_of_one(
    model: Any, files: dict[Precision, bytes], precision: Precision
) -> None:
    runner = load_interpreter(files[precision]).get_signature_runner(SIGNATURE)
    found = {**runner.get_input_details(), **runner.get_output_details()}
    wanted = {**model.input, **model.output}
    assert {k: tuple(d["shape"]) for k, d in found.items()} == {
        k: (1, *t.shape[1:]) for k, t in wanted.items()
    }


@pytest.mark.parametrize("precision", Precision)
def test_only_built_in_operations(files: dict[Precision, bytes], precision: Precision) -> None:
    graph = inspect(files[precision])
    names = {*graph.delegated, *graph.others}
    assert "CONV_2D" in names
    assert not [name for name in names if name.startswith(("Flex", "CUSTOM"))]


def test_the_converter_keeps_its_listing_to_itself(
    capfd: pytest.CaptureFixture[str],
) -> None:
    convert(network("lighting"), Precision.FLOAT32)
    assert capfd.readouterr() == ("", "")


def test_another_keras_backend_is_refused(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ExportError, match="KERAS_BACKEND"):
        convert(model, Precision.FLOAT32)


def test_what_tflite_lacks_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    given = keras.Input((4,), name="x")
    odd = keras.Model({"x": given}, {"y": keras.ops.erfinv(given)}, name="odd")
    with pytest.raises(ExportError, match="odd: cannot be converted to float32") as caught:
        convert(odd, Precision.FLOAT32)
    assert "\n" not in str(caught.value)
