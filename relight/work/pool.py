# SPDX-License-Identifier: Apache-2.0
"""Work in processes of this machine: if one dies, the others go on."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from relight.work.leave import leave_at_once, leave_by_exception
from relight.work.runner import Lost, Work, describe_failure

GRACE_S = 5.0
"""How long a stopped process may take to remove its unfinished file."""
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Small matrices gain nothing from more threads, and the processes would slow each other down."""


class Pool:
    """Processes that do one item at a time; one that dies is replaced.

    Args:
        workers: number of processes.
        retries: how often an item is started again after its process died.
    """

    def __init__(self, workers: int, retries: int = 0) -> None:
        self.workers, self.retries, self.retried = workers, retries, 0

    def run(self, items: Sequence[Any], work: Work) -> Generator[Any, None, None]:
        """See :class:`relight.work.runner.Runner`; at most one item per process is in memory."""
        waiting = deque((item, self.retries) for item in items)
        busy: dict[Connection, _Worker] = {}
        try:
            while waiting or busy:
                while waiting and len(busy) < self.workers:
                    worker = _Worker(work)
                    busy[worker.connection] = worker
                    worker.give(*waiting.popleft())
                for connection in wait(list(busy)):
                    worker = busy[connection]  # type: ignore[index]
                    kind, value = worker.take()
                    if kind == "result":
                        yield value
                        continue
                    if kind == "end" and waiting:
                        worker.give(*waiting.popleft())
                        continue
                    del busy[worker.connection]
                    worker.finish()
                    if kind == "dead" and worker.retries:
                        self.retried += 1
                        waiting.append((worker.item, worker.retries - 1))
                    elif kind == "dead":
                        yield Lost(worker.item, value)
        finally:
            for worker in busy.values():
                worker.stop()


class _Worker:
    """A process that does one item at a time."""

    def __init__(self, work: Work) -> None:
        # A process forked from one with threads can hang, so each is started anew.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        with _interrupts_ignored(), _environment(ONE_THREAD):
            self._process.start()
        theirs.close()
        self.item: Any = None
        self.retries = 0

    def give(self, item: Any, retries: int) -> None:
        self.item, self.retries = item, retries
        with contextlib.suppress(OSError):  # it has died: take() will notice
            self.connection.send(item)

    def take(self) -> tuple[str, Any]:
        try:
            return self.connection.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            self._process.join(GRACE_S)
            return "dead", _describe_death(self._process.exitcode or 0)

    def finish(self) -> None:
        """Let it end by itself, without waiting for it."""
        self.connection.close()

    def stop(self) -> None:
        self._process.terminate()
        self._process.join(GRACE_S)
        if self._process.is_alive():
            self._process.kill()
        self.connection.close()


def _describe_death(code: int) -> str:
    if code == -getattr(signal, "SIGKILL", 9):
        return "was killed; if memory is short, use fewer --jobs"
    if code < 0:
        return f"crashed ({signal.Signals(-code).name}); please report it"
    return f"ended early (status {code}); please report it"


def _serve(connection: Connection, work: Work) -> None:
    """In the other process: items in, results out, until the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides
    leave_by_exception()
    try:
        while True:
            for result in _results(work, connection.recv()):
                connection.send(("result", result))
            connection.send(("end", None))
    except (EOFError, OSError):
        return
    finally:
        leave_at_once()


def _results(work: Work, item: Any) -> Iterator[Any]:
    try:
        yield from work(item)
    except Exception as error:
        yield Lost(item, describe_failure(error))


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes started in this block ignore Ctrl-C from the start."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Processes started in this block see these variables, unless they are set already."""
    added = [name for name in values if name not in os.environ]
    os.environ.update({name: values[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
