# SPDX-License-Identifier: Apache-2.0
"""Makes the runner that a command line names."""

from __future__ import annotations

from relight.work.cluster import Cluster
from relight.work.pool import Pool
from relight.work.runner import Runner, RunnerError

NAMES = ("local", "ray")
"""What ``--runner`` takes."""


def make_runner(name: str, workers: int | None, address: str | None, retries: int) -> Runner:
    """A runner by its name.

    Args:
        name: one of :data:`NAMES`.
        workers: processes; None is one on this machine, and all CPUs of a cluster.
        address: of a Ray cluster; None starts one on this machine.
        retries: how often an item is started again after its process died.

    Raises:
        RunnerError: unknown name, an address for the local runner, or no such cluster.
    """
    if name == "ray":
        return Cluster(address, workers, retries)
    if name != "local":
        raise RunnerError(f"--runner {name}: unknown, give one of {', '.join(NAMES)}")
    if address is not None:
        raise RunnerError("--address names a Ray cluster: add --runner ray")
    return Pool(workers or 1, retries)
