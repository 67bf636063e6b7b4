# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

pytest.importorskip("tensorflow")

import keras
import numpy as np
from export_network import network

from export.model.convert import Precision, convert
from export.model.graph import inspect


@pytest.fixture(scope="module")
def counted() -> tuple[int, bytes]:
    """Parameters, and file, of a model whose work is counted by hand."""
    x = given = keras.Input((8, 8, 3), name="x")
    x = keras.layers.Conv2D(5, 3, 2, "same", name="halve")(x)  # 4 * 4 * 5 * 27 = 2160
    x = keras.layers.DepthwiseConv2D(3, padding="same", name="each")(x)  # 4 * 4 * 5 * 9 = 720
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(7, name="dense")(x)  # 80 * 7 = 560
    model = keras.Model({"x": given}, {"y": x}, name="counted")
    rng = np.random.default_rng(0)  # equal constants would be stored once
    model.set_weights([rng.random(w.shape) for w in model.get_weights()])
    return model.count_params(), convert(model, Precision.FLOAT16)


def test_work_is_counted(counted: tuple[int, bytes]) -> None:
    assert inspect(counted[1]).macs == 2160 + 720 + 560


def test_parameters_are_counted_once(counted: tuple[int, bytes]) -> None:
    parameters, content = counted
    # A reshape stores the shape too, a few numbers.
    assert parameters <= inspect(content).parameters <= parameters + 8


def test_nodes_are_told_by_who_runs_them() -> None:
    graph = inspect(convert(network("shading"), Precision.FLOAT32))
    assert graph.delegated["CONV_2D"] > 5
    assert graph.others["CONV_2D"] == 0
    assert graph.groups >= 1
    assert graph.others.total() < graph.delegated.total()


def test_what_xnnpack_lacks_stays_with_the_interpreter() -> None:
    given = keras.Input((4,), name="x")
    sums = keras.ops.cumsum(keras.layers.Dense(4, name="dense")(given), axis=-1)
    graph = inspect(convert(keras.Model({"x": given}, {"y": sums}, name="sums"), Precision.FLOAT32))
    assert (graph.delegated["FULLY_CONNECTED"], graph.others["CUMSUM"]) == (1, 1)
