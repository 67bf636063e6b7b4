# SPDX-License-Identifier: Apache-2.0
"""Throughput by number of workers, measured in one run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data_synth.run.dataset import render_dataset
from data_synth.run.plan import Plan
from data_synth.run.run_progress import RunProgress
from relight.work.runner import Runner


@dataclass(frozen=True)
class Throughput:
    """One measurement.

    Attributes:
        counts: of the run.
        ratio: of its throughput to that of the first measurement.
        view_bytes: mean size of a view's files.
        load: other work on this machine: its load average when the run began.
    """

    counts: RunProgress
    ratio: float
    view_bytes: float
    load: float


def measure(
    plan: Plan, workers: Sequence[int], make: Callable[[int], Runner], folder: Path
) -> Iterator[Throughput]:
    """Render the same views with each number of workers, from the first to the last byte.

    The start of the processes counts, as it does in use.

    Args:
        plan: what to render.
        workers: numbers to measure.
        make: a runner of that many workers.
        folder: where the views go, in a folder for each measurement.

    Yields:
        What was found, in order.
    """
    first = None
    for number in workers:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        counts = RunProgress(number)
        size = 0
        for report in render_dataset(replace(plan, out=folder / str(number)), make(number)):
            counts.take(report)
            if report.done:
                size += sum(path.stat().st_size for path in report.folder.iterdir())
        first = first or counts.views_per_hour
        yield Throughput(counts, counts.views_per_hour / first, size / max(counts.done, 1), load)
