# SPDX-License-Identifier: Apache-2.0
"""Many photos in parallel processes, none of which can take the others down with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from types import FrameType

from app.plan import Job
from app.task import Outcome

Work = Callable[[Job], Outcome]

MEMORY_PER_WORKER = 1 << 30
"""Bytes of main memory that a process needs for photos of some 50 megapixels."""
GRACE_S = 5.0
"""Time a stopped process has to remove its unfinished file."""


def default_workers(photos: int) -> int:
    """One process for one photo; else one per core, as far as photos and memory go."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits = [photos, cores or 1]
    with contextlib.suppress(AttributeError, OSError, ValueError):  # Windows lacks sysconf
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        limits.append(memory // MEMORY_PER_WORKER)
    return max(1, min(limits))


def run(jobs: Sequence[Job], work: Work, workers: int) -> Generator[Outcome, None, None]:
    """Do jobs and yield their outcomes as they come.

    A single job is done in this process, several always in others: one that crashes or is killed
    fails its photo only, and is replaced. At most one photo per process is in memory.

    Args:
        jobs: what to do.
        work: does one; sent to every process once.
        workers: number of processes.
    """
    if len(jobs) == 1:
        yield work(jobs[0])
        return
    waiting = deque(jobs)
    busy: dict[Connection, _Worker] = {}
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                worker = _Worker(work)
                busy[worker.connection] = worker
                worker.give(waiting.popleft())
            for connection in wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]
                outcome = worker.take()
                if waiting and worker.is_alive:
                    worker.give(waiting.popleft())
                else:
                    del busy[worker.connection]
                    worker.finish()
                yield outcome
    finally:
        for worker in busy.values():
            worker.stop()


class _Worker:
    """A process that does one job at a time."""

    def __init__(self, work: Work) -> None:
        # A process forked from one with threads can hang, so each starts afresh.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        with _interrupts_ignored():
            self._process.start()
        theirs.close()
        self._job: Job | None = None
        self.is_alive = True

    def give(self, job: Job) -> None:
        self._job = job
        with contextlib.suppress(OSError):  # it died meanwhile: take() will tell
            self.connection.send(job)

    def take(self) -> Outcome:
        assert self._job is not None  # noqa: S101
        try:
            return self.connection.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            self.is_alive = False
            self._process.join(GRACE_S)
            return Outcome(self._job.name, "failed", _describe_death(self._job, self._process))

    def finish(self) -> None:
        """Let it end by itself; what it holds is freed without waiting."""
        self.connection.close()

    def stop(self) -> None:
        self._process.terminate()
        self._process.join(GRACE_S)
        if self._process.is_alive():
            self._process.kill()
        self.connection.close()


def _describe_death(job: Job, process: multiprocessing.process.BaseProcess) -> str:
    code = process.exitcode or 0
    if code == -getattr(signal, "SIGKILL", 9):
        cause = "was killed; if memory is short, use fewer --jobs"
    elif code < 0:
        cause = f"crashed ({signal.Signals(-code).name}); please report it"
    else:
        cause = f"ended early (status {code}); please report it"
    return f"{job.name}: the process working on it {cause}"


def _serve(connection: Connection, work: Work) -> None:
    """The other process: jobs in, outcomes out, until the connection ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process decides
    signal.signal(signal.SIGTERM, _leave)
    try:
        while True:
            connection.send(work(connection.recv()))
    except (EOFError, OSError):
        return


def _leave(number: int, frame: FrameType | None) -> None:
    """End by an exception, so that unfinished files are removed on the way."""
    sys.exit(128 + number)


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """A process started now ignores Ctrl-C from its first moment."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
