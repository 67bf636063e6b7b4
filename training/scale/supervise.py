# SPDX-License-Identifier: Apache-2.0
"""Train on several workers: ``python -m training.scale.supervise --workers 2 -- ...``.

After ``--`` come the arguments of ``python -m training.train``. A worker that dies takes the others
with it; all are then started again and continue from the last checkpoint. On a cluster every
machine runs this command with the same ``--cluster`` and its own ``--task``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from relight.error import RelightError, plain_errors

PARENT = "PORTRAIT_RELIGHT_PARENT"
"""Environment variable with the process that a worker must not outlive."""
FINAL = (1, 2)
"""Exit statuses after which a training is not started again: it would fail for the same reason."""
GRACE_S = 10
"""Time a worker has to exit before it is killed."""
POLL_S = 0.2


class SuperviseError(RelightError):
    """The workers cannot be started, or keep failing."""


@dataclass(frozen=True)
class Crew:
    """The workers that are run here.

    Attributes:
        addresses: ``host:port`` of all workers of the training; empty ports are chosen when only
            this machine takes part.
        tasks: places in ``addresses`` of those to run here.
        cores: processor cores of each worker, or 0 to let all use all.
    """

    addresses: tuple[str, ...]
    tasks: tuple[int, ...]
    cores: int = 0

    @classmethod
    def local(cls, workers: int, cores: int = 0) -> Crew:
        """All workers on this machine.

        Raises:
            SuperviseError: if it has too few cores.
        """
        usable = len(os.sched_getaffinity(0))
        if cores * workers > usable:
            raise SuperviseError(
                f"{workers} workers of {cores} cores need more than the {usable} there are; "
                "give fewer --workers or --cores"
            )
        return cls(("127.0.0.1:0",) * workers, tuple(range(workers)), cores)

    def bound(self) -> list[str]:
        """The addresses, with free ports where none is given."""
        with ExitStack() as stack:
            result = []
            for address in self.addresses:
                host, _, port = address.rpartition(":")
                if port == "0":
                    listener = stack.enter_context(socket.socket())
                    listener.bind((host, 0))
                    port = str(listener.getsockname()[1])
                result.append(f"{host}:{port}")
            return result


def supervise(
    command: Sequence[str], crew: Crew, restarts: int, out: Path, console: Console
) -> None:
    """Run a command once per worker, and all again when one is lost, until all succeed.

    Args:
        command: program and words; each process is given ``TF_CONFIG``.
        crew: the workers.
        restarts: how often to start again without a new checkpoint in between.
        out: the training's folder.
        console: where restarts are reported.

    Raises:
        SuperviseError: if the command fails for good.
    """
    left = restarts
    while True:
        before = _progress(out)
        ended = run_once(command, crew)
        if not ended:
            return
        told = ", ".join(f"worker {task} {_how(code)}" for task, code in ended.items())
        killed = any(code < 0 for code in ended.values())
        if not killed and any(code in FINAL for code in ended.values()):
            raise SuperviseError(f"{told}; see its message above")
        if _progress(out) != before:
            left = restarts
        if left == 0:
            raise SuperviseError(
                f"{out}: {told}, {restarts + 1} times without a new checkpoint; "
                "see the workers' messages above"
            )
        left -= 1
        console.print(f"{told}; all workers start again from the last checkpoint")


def run_once(command: Sequence[str], crew: Crew) -> dict[int, int]:
    """Run all workers of a crew until they end.

    Returns:
        Exit statuses by task of those that failed by themselves, empty if all succeeded; the
        others are stopped then. A signal counts as its negative number.
    """
    addresses = crew.bound()
    usable = sorted(os.sched_getaffinity(0))
    workers: dict[int, subprocess.Popen[bytes]] = {}
    try:
        for place, task in enumerate(crew.tasks):
            cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": task}}
            told = {"TF_CONFIG": json.dumps(cluster), PARENT: str(os.getpid())}
            environment = {"TF_CPP_MIN_LOG_LEVEL": "3"} | dict(os.environ) | told
            workers[task] = subprocess.Popen(list(command), env=environment)  # noqa: S603
            if crew.cores:
                mine = usable[place * crew.cores : (place + 1) * crew.cores]
                os.sched_setaffinity(workers[task].pid, mine)
        while any(worker.poll() is None for worker in workers.values()):
            if any(worker.poll() for worker in workers.values()):
                break
            time.sleep(POLL_S)
        return {task: worker.returncode for task, worker in workers.items() if worker.returncode}
    finally:
        _end(list(workers.values()))


def _end(workers: list[subprocess.Popen[bytes]]) -> None:
    """Stop what still runs, at the latest after :data:`GRACE_S`."""
    for worker in workers:
        if worker.poll() is None:
            worker.terminate()
    end = time.monotonic() + GRACE_S
    for worker in workers:
        try:
            worker.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _progress(out: Path) -> bytes:
    """A value that changes with every checkpoint."""
    state = out / "state.json"
    return state.read_bytes() if state.exists() else b""


def _how(code: int) -> str:
    if code < 0:
        return f"was killed by signal {-code}"
    return f"ended with status {code}"


def folder(words: Sequence[str]) -> Path:
    """The ``--out`` among a training's arguments.

    Raises:
        SuperviseError: if there is none.
    """
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--out" and following:
            return Path(following)
        if word.startswith("--out="):
            return Path(word.removeprefix("--out="))
    raise SuperviseError("no --out among the training's arguments; give the run's folder after --")


def training_command(words: Sequence[str]) -> list[str]:
    """A worker's command."""
    program = (sys.executable, "-m", "training.train")
    return [*program, *words, "--distribute", "multiworker"]


def _leave(number: int, frame: Any) -> None:
    raise SystemExit(128 + number)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__.split("\n", 1)[0] if __doc__ else None)
def main(
    words: Annotated[list[str], typer.Argument(help="-- and the arguments of training.train.")],
    workers: Annotated[int, typer.Option(min=1, help="Workers, all on this machine.")] = 2,
    cores: Annotated[int, typer.Option(min=0, help="Cores of each; 0: no limit.")] = 0,
    cluster: Annotated[
        str, typer.Option(help="host:port,host:port,... of all workers, on several machines.")
    ] = "",
    task: Annotated[int, typer.Option(min=0, help="This machine's place in --cluster.")] = 0,
    restarts: Annotated[
        int, typer.Option(min=0, help="Restarts without a new checkpoint in between.")
    ] = 3,
) -> None:
    """Run and restart the workers of a training."""
    signal.signal(signal.SIGTERM, _leave)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with plain_errors():
        crew = Crew.local(workers, cores)
        if cluster:
            addresses = tuple(cluster.split(","))
            if task >= len(addresses) or not all(":" in address for address in addresses):
                raise SuperviseError(
                    f"--cluster {cluster}: give host:port of every worker, and a --task among them"
                )
            crew = Crew(addresses, (task,))
        supervise(training_command(words), crew, restarts, folder(words), console)


if __name__ == "__main__":
    app()
