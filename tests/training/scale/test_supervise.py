# SPDX-License-Identifier: Apache-2.0
"""Workers are started, restarted and ended; programs of one line stand for trainings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from training.scale.supervise import (
    Crew,
    SuperviseError,
    folder,
    run_once,
    supervise,
    training_command,
)

QUIET = Console(quiet=True)
INDEX = "import json, os; i = json.loads(os.environ['TF_CONFIG'])['task']['index']; "


def program(*lines: str) -> list[str]:
    return [sys.executable, "-S", "-c", INDEX + "\n".join(lines)]


def test_every_worker_is_told_of_all(tmp_path: Path) -> None:
    write = f"open('{tmp_path}/' + str(i), 'w').write(os.environ['TF_CONFIG'])"
    assert run_once(program(write), Crew.local(3)) == {}
    told = [json.loads((tmp_path / str(i)).read_text()) for i in range(3)]
    addresses = told[0]["cluster"]["worker"]
    assert len(set(addresses)) == 3
    assert not any(address.endswith(":0") for address in addresses)
    assert [t["task"] for t in told] == [{"type": "worker", "index": i} for i in range(3)]
    assert all(t["cluster"] == told[0]["cluster"] for t in told)


def test_a_machine_of_a_cluster_runs_its_own_worker(tmp_path: Path) -> None:
    write = f"open('{tmp_path}/' + str(i), 'w').write(os.environ['TF_CONFIG'])"
    run_once(program(write), Crew(("a:1", "b:2"), (1,)))
    assert [path.name for path in tmp_path.iterdir()] == ["1"]
    assert json.loads((tmp_path / "1").read_text())["cluster"]["worker"] == ["a:1", "b:2"]


def test_a_killed_worker_takes_all_down_and_all_start_again(tmp_path: Path) -> None:
    """The first time worker 1 is killed while worker 0 would wait for ever."""
    lines = (
        "import signal, time",
        f"first = not os.path.exists('{tmp_path}/state.json')",
        f"log = open('{tmp_path}/log', 'a'); log.write(str(i)); log.close()",
        "time.sleep(1000 if first and i == 0 else 0.5)",
        f"open('{tmp_path}/state.json', 'w').write('{{}}')",
        "first and os.kill(os.getpid(), signal.SIGKILL)",
    )
    supervise(program(*lines), Crew.local(2), 1, tmp_path, QUIET)
    assert sorted((tmp_path / "log").read_text()) == ["0", "0", "1", "1"]


def test_an_error_that_was_told_is_not_tried_again(tmp_path: Path) -> None:
    count = f"open('{tmp_path}/log', 'a').write('x'); raise SystemExit(1)"
    with pytest.raises(SuperviseError, match="worker 0 ended with status 1"):
        supervise(program(count), Crew.local(1), 5, tmp_path, QUIET)
    assert (tmp_path / "log").read_text() == "x"


def test_workers_that_get_nowhere_are_given_up(tmp_path: Path) -> None:
    count = f"open('{tmp_path}/log', 'a').write('x'); os.kill(os.getpid(), 9)"
    with pytest.raises(SuperviseError, match=r"killed by signal 9, 3 times without a new checkp"):
        supervise(program(count), Crew.local(1), 2, tmp_path, QUIET)
    assert (tmp_path / "log").read_text() == "xxx"


def test_a_checkpoint_in_between_counts_as_getting_on(tmp_path: Path) -> None:
    lines = (
        f"state = '{tmp_path}/state.json'",
        "n = int(open(state).read()) if os.path.exists(state) else 0",
        "open(state, 'w').write(str(n + 1))",
        "n < 4 and os.kill(os.getpid(), 9)",
    )
    supervise(program(*lines), Crew.local(1), 1, tmp_path, QUIET)
    assert (tmp_path / "state.json").read_text() == "5"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system pins no cores")
def test_workers_are_pinned_to_cores_of_their_own(tmp_path: Path) -> None:
    lines = ("import time; time.sleep(1)", f"open('{tmp_path}/' + str(i), 'w').write(cores())")
    cores = "cores = lambda: ','.join(map(str, sorted(os.sched_getaffinity(0))))\n"
    workers = min(2, len(os.sched_getaffinity(0)))
    run_once([*program()[:-1], INDEX + cores + "\n".join(lines)], Crew.local(workers, 1))
    seen = [(tmp_path / str(i)).read_text() for i in range(workers)]
    assert len(set(seen)) == workers
    with pytest.raises(SuperviseError, match="give fewer --workers or --cores"):
        Crew.local(2, len(os.sched_getaffinity(0)))


def test_the_words_of_a_training() -> None:
    assert folder(["quotient", "--out", "runs/a"]) == Path("runs/a")
    assert folder(["--out=runs/a"]) == Path("runs/a")
    with pytest.raises(SuperviseError, match="--out"):
        folder(["quotient", "--out"])
    assert training_command(["quotient"])[-3:] == ["quotient", "--distribute", "multiworker"]


def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    """SIGTERM ends the workers; bad words get one line."""
    words = ["-m", "training.scale.supervise", "--workers", "1", "--", "quotient"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no --out" in done.stderr
    assert "Traceback" not in done.stderr
    sleeper = program(f"open('{tmp_path}/pid', 'w').write(str(os.getpid()))", "import time")
    sleeper[-1] += "\ntime.sleep(1000)"
    script = (
        "import signal; from training.scale.supervise import Crew, _leave, run_once; "
        f"signal.signal(signal.SIGTERM, _leave); run_once({sleeper!r}, Crew.local(1))"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as supervisor:
        end = time.monotonic() + 60
        pid = tmp_path / "pid"
        while not (pid.exists() and pid.read_text()) and time.monotonic() < end:
            time.sleep(0.05)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(60) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
