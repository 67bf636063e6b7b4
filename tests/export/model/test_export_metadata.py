# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from export_network import BUILDERS, inputs, network

from export.model.convert import Precision, convert
from export.model.description import DESCRIPTIONS
from export.model.mediapipe_package import schemas
from export.model.metadata import annotate, read
from relight.models.interpreter import load_interpreter
from relight.models.library import SIGNATURE


@pytest.fixture(scope="module")
def plain() -> bytes:
    return convert(network("normals"), Precision.FLOAT16)


@pytest.fixture(scope="module")
def annotated(plain: bytes) -> bytes:
    return annotate(plain, "normals", DESCRIPTIONS["normals"], "1.2.3", {"parameters": 42})


@pytest.mark.parametrize("name", BUILDERS)
def test_every_tensor_of_every_network_is_described(name: str) -> None:
    model = BUILDERS[name]()
    assert DESCRIPTIONS[name].inputs.keys() == model.input.keys()
    assert DESCRIPTIONS[name].outputs.keys() == model.output.keys()


def test_a_file_says_what_it_is(annotated: bytes) -> None:
    found = read(annotated)
    assert (found["version"], found["license"]) == ("1.2.3", "Apache-2.0")
    assert found["name"] == "Portrait Relight: normals"
    assert '"parameters": 42' in found["description"]


def test_tensors_are_named_in_the_files_own_order(annotated: bytes) -> None:
    graph = read(annotated)["subgraph_metadata"][0]
    interpreter = load_interpreter(annotated)
    runner = interpreter.get_signature_runner(SIGNATURE)
    for kind in ("input", "output"):
        by_name = getattr(runner, f"get_{kind}_details")()
        indices = [by_name[t["name"]]["index"] for t in graph[f"{kind}_tensor_metadata"]]
        assert indices == [d["index"] for d in getattr(interpreter, f"get_{kind}_details")()]
        assert len(indices) == 2


def test_ranges_and_colour_space_are_told(annotated: bytes) -> None:
    graph = read(annotated)["subgraph_metadata"][0]
    tensors = {t["name"]: t for t in graph["input_tensor_metadata"]}
    photo = tensors["photo"]
    assert (photo["stats"]["min"], photo["stats"]["max"]) == ([0], [1])
    assert photo["content"]["content_properties"]["color_space"] == schemas()[1].ColorSpaceType.RGB
    assert "sRGB" in photo["description"]
    assert "camera frame" in tensors["mesh"]["description"]


def test_metadata_change_no_result(plain: bytes, annotated: bytes) -> None:
    given = inputs(network("normals"))
    results = [
        load_interpreter(content).get_signature_runner(SIGNATURE)(**given)["normals"]
        for content in (plain, annotated)
    ]
    np.testing.assert_array_equal(*results)
