# SPDX-License-Identifier: Apache-2.0
"""Where a step's time goes: spans of a trace made by hand, the verdict, and a real trace."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("tensorflow")

import keras

from training.scale.trace import (
    LAST,
    Profile,
    Trace,
    TraceError,
    covered,
    read_spans,
    spans_of,
    split,
)

MS = 10**9
"""Picoseconds of a millisecond."""


def trace(*planes: tuple[str, list[tuple[str, list[tuple[str, int, int]]]]]) -> Any:
    """An ``XSpace`` of planes of lines of events: name, begin and length in milliseconds."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    for plane_name, lines in planes:
        plane = space.planes.add(name=plane_name)
        for line_name, events in lines:
            line = plane.lines.add(name=line_name, timestamp_ns=5)
            for name, begin, length in events:
                key = len(plane.event_metadata) + 1
                plane.event_metadata[key].name = name
                line.events.add(metadata_id=key, offset_ps=begin * MS, duration_ps=length * MS)
    return space


HOST = (
    "/host:CPU",
    [
        ("python", [("EagerLocalExecute: f", 0, 90)]),
        ("tf_data_iterator_get_next/1", [("IteratorGetNextOp::DoCompute", 0, 30)]),
        ("tf_data_private_threadpool/1", [("PyFunc:PyFunc", 0, 100)]),
        ("tf_Compute/1", [("a/conv:_FusedConv2D", 30, 40), ("f:StatefulPartitionedCall", 0, 90)]),
        ("tf_Compute/2", [("a/add:AddV2", 60, 20), ("g:CollectiveReduceV2", 80, 20)]),
    ],
)


def test_overlapping_spans_count_once() -> None:
    assert covered([]) == 0
    assert covered([(5, 9), (0, 3), (2, 4), (6, 7)]) == 8


def test_operations_of_the_processor_are_its_computing() -> None:
    data, device = spans_of(trace(HOST))
    assert (covered(data) // MS, covered(device) // MS) == (30, 50)


def test_with_a_gpu_only_its_streams_compute() -> None:
    gpu = (
        "/device:GPU:0",
        [("Stream #1", [("gemm", 35, 5), ("copy", 38, 4)]), ("Steps", [("1", 0, 90)])],
    )
    data, device = spans_of(trace(HOST, gpu))
    assert (covered(data) // MS, covered(device) // MS) == (30, 7)


def test_a_steps_time_is_split_without_rest() -> None:
    profile = split(*spans_of(trace(HOST)), 0.1, 2, 3.0, 256)
    assert profile == Profile(2, *map(pytest.approx, (50, 15, 25, 10)), 3.0, pytest.approx(12.8))


@pytest.mark.parametrize(
    ("times", "limit", "cure"),
    [
        ((100, 30, 60, 10, 1, 9), "input", "--shards"),
        ((100, 1, 90, 9, 10, 9), "input", "--shards"),
        ((100, 1, 90, 9, 1, 9), "compute", "training.scale.supervise"),
        ((100, 1, 9, 90, 1, 9), "host", "--batch"),
    ],
)
def test_the_verdict_names_limit_and_cure(times: tuple[float, ...], limit: str, cure: str) -> None:
    profile = Profile(10, *times)
    assert profile.limit == limit
    assert profile.verdict().startswith(f"{limit}-bound")
    assert cure in profile.verdict()


def test_no_trace_is_told(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="disk"):
        read_spans(tmp_path)


class Slow(keras.utils.PyDataset):
    """Batches that take longer to make than to learn from."""

    block_seconds, block_batches = 0.1, 100

    def __init__(self) -> None:
        super().__init__(max_queue_size=1)  # none is laid up while the step is built

    def __len__(self) -> int:
        return LAST + 2

    def __getitem__(self, index: int) -> Any:
        time.sleep(0.2)
        return np.ones((2, 16, 16, 3), np.float32), np.ones((2, 16, 16, 8), np.float32)


def test_a_training_that_waits_is_input_bound(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Conv2D(8, 1)])
    model.compile("adam", "mse", jit_compile=False)
    console = Console(record=True, width=200, file=io.StringIO())
    model.fit(Slow(), verbose=0, callbacks=[Trace(tmp_path, Slow(), console)])
    profile = json.loads((tmp_path / "profile.json").read_text())
    assert profile["limit"] == "input"
    assert profile["steps"] == 11
    assert profile["step_ms"] > 150
    assert profile["data_ms"] > 0.5 * profile["step_ms"]
    assert profile["device_ms"] > 0
    assert "input-bound" in console.export_text()
