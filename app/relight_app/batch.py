# SPDX-License-Identifier: Apache-2.0
"""Many photos in parallel. A photo that crashes its process fails alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from relight.storage import remove_unfinished
from relight.work.runner import Lost, Runner
from relight_app.destination import Job
from relight_app.task import Outcome

Work = Callable[[Any], Outcome]

MEMORY_PER_WORKER = 1 << 30
"""Bytes of main memory that a process needs for photos of about 50 megapixels."""
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux keeps the memory limit of a container: newer kernels, then older ones."""


def default_workers(photos: int) -> int:
    """One process per core, but no more than there are photos and memory for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits = [photos, cores or 1]
    with contextlib.suppress(AttributeError, OSError, ValueError):  # Windows lacks sysconf
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MEMORY_PER_WORKER)
    for path in _LIMITS:
        with contextlib.suppress(OSError, ValueError):  # "max" is not a number
            limits.append(int(Path(path).read_text()) // MEMORY_PER_WORKER)
    return max(1, min(limits))


def run(jobs: Sequence[Any], work: Work, runner: Runner | None) -> Generator[Outcome, None, None]:
    """Do all jobs and yield their outcomes as they come.

    If a process crashes or is killed, only its photo fails, and the process is replaced.

    Args:
        jobs: what to do.
        work: does one job; it is sent to every process once.
        runner: where the work is done; None does it in this process.
    """
    folders = {
        job.output.parent for job in jobs if isinstance(job, Job) and job.from_folder and job.output
    }
    for folder in folders:  # left there by an earlier run that was killed
        remove_unfinished(folder)
    if runner is None:
        for job in jobs:
            yield work(job)
        return
    with contextlib.closing(runner.run(jobs, _Single(work))) as outcomes:
        for outcome in outcomes:
            if isinstance(outcome, Lost):
                name = outcome.item.name
                text = f"{name}: the process working on it {outcome.cause}"
                outcome = Outcome(name, "failed", text)
            yield outcome


class _Single:
    """Work with one outcome, in the form that a runner takes: any number of results."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __call__(self, job: Any) -> Iterator[Outcome]:
        yield self._work(job)
