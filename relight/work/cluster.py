# SPDX-License-Identifier: Apache-2.0
"""Work on a Ray cluster, or on one that is started on this machine for this work."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import pickle
import secrets
from collections import deque
from collections.abc import Generator, Sequence
from typing import Any

from relight.work.pool import ONE_THREAD
from relight.work.runner import Lost, RunnerError, Work, describe_failure

CURE = "pip install 'portrait-relight[scale]'"
QUEUED_PER_WORKER = 2
"""Items handed to the cluster per worker; all of a million would overload its scheduler."""
OBJECT_STORE = 128 << 20
"""Bytes; Ray would take a third of the memory, but results are small."""

_work: dict[str, Work] = {}
"""In a process of the cluster: its work, kept from item to item with all it has loaded."""


class Cluster:
    """Processes of a Ray cluster. This package must be installed on its nodes, or sent there.

    Args:
        address: ``host:port``, ``auto`` or ``ray://host:port``; None takes ``RAY_ADDRESS``, or
            starts Ray on this machine.
        workers: items at a time; None is one per CPU of the cluster.
        retries: how often an item is started again after its process or node died.

    Raises:
        RunnerError: Ray is not installed, or the cluster cannot be reached.
    """

    def __init__(self, address: str | None, workers: int | None, retries: int = 3) -> None:
        self.retries, self.retried, self._most = retries, 0, workers
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        for name, value in ONE_THREAD.items():
            os.environ.setdefault(name, value)
        try:
            self._ray: Any = importlib.import_module("ray")
        except ImportError as error:
            raise RunnerError(f"--runner ray needs Ray: {CURE}") from error
        wanted = address or os.environ.get("RAY_ADDRESS")
        common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        try:
            if wanted:
                self._ray.init(wanted, **common)
            else:
                self._ray.init(
                    "local",
                    num_cpus=workers,
                    include_dashboard=False,
                    object_store_memory=OBJECT_STORE,
                    **common,
                )
        except Exception as error:  # Ray raises plain ones when it starts too slowly
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            place = f"at {wanted}" if wanted else "on this machine"
            cure = "check the address" if wanted else "try again when it is less busy"
            raise RunnerError(
                f"--runner ray: Ray {place} does not answer ({reason}); {cure}"
            ) from error
        self.workers = max(1, min(self._cpus, workers or self._cpus))

    def run(self, items: Sequence[Any], work: Work) -> Generator[Any, None, None]:
        """See :class:`relight.work.runner.Runner`. Disconnects from the cluster at the end."""
        ray = self._ray
        # Ray's own retries are off: we count them, and limit them per item.
        task = ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")(_do)
        try:
            token, stored = secrets.token_hex(8), ray.put((pickle.dumps(work), os.getcwd()))
            waiting = deque((item, self.retries) for item in items)
            running: dict[Any, tuple[Any, int]] = {}
            while waiting or running:
                limit = self._limit
                while waiting and len(running) < limit:
                    item, retries = waiting.popleft()
                    running[task.remote(token, [stored], item)] = item, retries
                done, _ = ray.wait(list(running), num_returns=1)
                for reference in done:
                    item, retries = running.pop(reference)
                    try:
                        yield from ray.get(reference)
                    except ray.exceptions.RayTaskError as error:
                        yield Lost(item, _describe(error.cause or error))
                    except ray.exceptions.RayError as error:
                        if retries:
                            self.retried += 1
                            waiting.append((item, retries - 1))
                        else:
                            yield Lost(item, f"died ({type(error).__name__}), each time")
        finally:
            ray.shutdown()

    @property
    def _limit(self) -> int:
        """How many items are handed over at a time; grows with the cluster."""
        exact = self._most is not None and self._most < self._cpus
        return self.workers if exact else self._cpus * QUEUED_PER_WORKER

    @property
    def _cpus(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 1))


def _do(token: str, stored: list[Any], item: Any) -> list[Any]:
    """In a process of the cluster: all results of one item."""
    import ray

    if token not in _work:
        data, folder = ray.get(stored[0])
        with contextlib.suppress(OSError):  # so that relative paths mean the same there as here
            os.chdir(folder)
        _work.clear()
        _work[token] = pickle.loads(data)  # noqa: S301
    return list(_work[token](item))


def _describe(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return (
            f"lacks {error.name}; run from the checkout or send it: ray job submit --working-dir ."
        )
    return describe_failure(error)
