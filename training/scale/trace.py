# SPDX-License-Identifier: Apache-2.0
"""What limits a training: a trace of a few steps, and a verdict.

References:
    TensorFlow profiler, https://www.tensorflow.org/guide/profiler: a step that waits for its input
    for more than a fifth of its time is called input-bound.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from relight.error import RelightError
from relight.storage import whole_file

FIRST, LAST = 10, 20
"""The steps that are traced, both included, counted from 1: the first ones build the step."""
WAITING = 0.2
"""Share of a step that it may wait for its data."""

Span = tuple[int, int]
"""Begin and end in picoseconds."""

WAIT = "IteratorGetNextOp::DoCompute"
"""TensorFlow's name for the wait for a batch."""
OPERATION = re.compile(r"^[^\s:]+:_?([A-Z]\w*)$")
"""``node:Type``, TensorFlow's name for an operation that a processor computes."""
OTHERS = re.compile(r"\w*PartitionedCall|(Stateless)?(If|While)|IteratorGetNext|Collective\w*")
"""Operations that hold others, or wait for data or workers."""
INPUT = "tf_data_"
"""Names of the threads that load the data."""


class TraceError(RelightError):
    """A training cannot be traced."""


@dataclass(frozen=True)
class Profile:
    """Where a step's time goes, in milliseconds.

    Attributes:
        steps: that were traced.
        step_ms: wall time of one.
        data_ms: waiting for the batch.
        device_ms: computing, on GPUs or, without any, on the processor.
        host_ms: the rest: Python, dispatch and, with several workers, the exchange of gradients.
        block_s: seconds that it takes to make a block of samples, beside the training.
        block_lasts_s: seconds that the training takes to use it up.
    """

    steps: int
    step_ms: float
    data_ms: float
    device_ms: float
    host_ms: float
    block_s: float
    block_lasts_s: float

    @property
    def limit(self) -> str:
        """``input``, ``compute`` or ``host``."""
        if self.data_ms > WAITING * self.step_ms or self.block_s > self.block_lasts_s:
            return "input"
        return "compute" if self.device_ms >= self.host_ms else "host"

    def verdict(self) -> str:
        """What limits the training, and the cure, in one sentence."""
        if self.limit == "input":
            return (
                f"input-bound: a block of samples takes {self.block_s:.1f} s to make and lasts "
                f"{self.block_lasts_s:.1f} s; give more --shards (a process makes each) or free "
                "cores of other work"
            )
        if self.limit == "compute":
            return (
                "compute-bound: the data come in time; train on a GPU with "
                "--mixed-precision, or on more workers (python -m training.scale.supervise)"
            )
        return (
            "host-bound: the device waits for Python or other workers; give a larger --batch, "
            "and with several workers a faster network or one machine"
        )


class Trace(keras.callbacks.Callback):
    """Traces steps :data:`FIRST` to :data:`LAST`, prints the verdict and keeps ``profile.json``.

    Args:
        out: the run's folder; the trace goes where TensorBoard's profile plugin finds it.
        data: gives ``block_seconds`` and ``block_batches``.
        console: where the verdict is printed.

    Raises:
        TraceError: without TensorFlow.
    """

    def __init__(self, out: Path, data: Any, console: Console) -> None:
        super().__init__()
        if keras.backend.backend() != "tensorflow":
            raise TraceError("--profile needs TensorFlow; set KERAS_BACKEND=tensorflow")
        self.out, self.data, self.console = out, data, console
        self._step, self._begin = 0, 0.0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the trace."""
        self._step += 1
        if self._step == FIRST:
            import tensorflow as tf

            self._finish_step()
            options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=2)
            tf.profiler.experimental.start(str(self.out / "tensorboard"), options=options)
            self._begin = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop the trace and print what it shows."""
        if self._step != LAST:
            return
        import tensorflow as tf

        self._finish_step()
        seconds = time.perf_counter() - self._begin
        tf.profiler.experimental.stop()
        data, device = read_spans(self.out / "tensorboard")
        block = (self.data.block_seconds or 0.0, self.data.block_batches)
        profile = split(data, device, seconds, LAST - FIRST + 1, *block)
        with whole_file(self.out / "profile.json") as path:
            record = asdict(profile) | {"limit": profile.limit}
            path.write_text(json.dumps(record, indent=1) + "\n")
        self.console.print(
            f"a step of {profile.step_ms:.1f} ms: data {profile.data_ms:.1f}, "
            f"host {profile.host_ms:.1f}, device {profile.device_ms:.1f}\n{profile.verdict()}\n"
            "The trace: pip install tensorboard-plugin-profile; "
            f"tensorboard --logdir {self.out / 'tensorboard'}"
        )

    def _finish_step(self) -> None:
        """Wait for the device: a step on a GPU returns before it has been computed."""
        keras.ops.convert_to_numpy(self.model.optimizer.iterations)


def split(
    data: Iterable[Span],
    device: Iterable[Span],
    seconds: float,
    steps: int,
    block_s: float,
    block_batches: int,
) -> Profile:
    """A profile of the spans in which a training waited and computed.

    Args:
        data: waiting for batches.
        device: computing; these may overlap.
        seconds: of all steps.
        steps: that were traced.
        block_s: what a block of samples takes to make.
        block_batches: batches that it gives.
    """
    data, device = list(data), list(device)
    computing, either = covered(device), covered([*data, *device])
    share = 1e-9 / steps  # picoseconds of all steps to milliseconds of one
    return Profile(
        steps=steps,
        step_ms=seconds * 1e3 / steps,
        data_ms=(either - computing) * share,
        device_ms=computing * share,
        host_ms=max(0.0, seconds * 1e3 / steps - either * share),
        block_s=block_s,
        block_lasts_s=block_batches * seconds / steps,
    )


def covered(spans: Iterable[Span]) -> int:
    """Length of the union of spans."""
    total, reached = 0, -1
    for begin, end in sorted(spans):
        total += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def read_spans(folder: Path) -> tuple[list[Span], list[Span]]:
    """The newest trace below a TensorBoard folder: spans of waiting for data, and of computing.

    Raises:
        TraceError: if there is none.
    """
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    traces = sorted(folder.glob("plugins/profile/*/*.xplane.pb"))
    if not traces:
        raise TraceError(f"{folder}: TensorFlow wrote no trace; see that its disk is not full")
    space = xplane_pb2.XSpace.FromString(traces[-1].read_bytes())
    return spans_of(space)


def spans_of(space: Any) -> tuple[list[Span], list[Span]]:
    """Spans of waiting for data and of computing in an ``XSpace`` message.

    With GPUs, only their work counts as computing.
    """
    data: list[Span] = []
    computed: dict[bool, list[Span]] = {False: [], True: []}
    for plane in space.planes:
        gpu = plane.name.startswith("/device:GPU")
        for line in plane.lines:
            if gpu and not line.name.startswith("Stream"):
                continue  # summaries of the streams
            input_thread = line.name.startswith(INPUT)
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                begin = line.timestamp_ns * 1000 + event.offset_ps
                span = (begin, begin + event.duration_ps)
                found = OPERATION.match(name)
                if name.startswith(WAIT):
                    data.append(span)
                elif gpu or (found and not input_thread and not OTHERS.fullmatch(found[1])):
                    computed[gpu].append(span)
    return data, computed[True] or computed[False]
