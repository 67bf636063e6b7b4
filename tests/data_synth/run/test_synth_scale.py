# SPDX-License-Identifier: Apache-2.0
"""Rendering by many workers, of which some are killed: each view once, and whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import RAY

pytest.importorskip("embreex")

from data_synth.error import SynthError
from data_synth.run.audit import audit
from data_synth.run.cost import UnitCost, estimate
from data_synth.run.dataset import Dataset, render_dataset
from data_synth.run.field import Field, find_views
from data_synth.run.plan import Plan, is_whole, split_tasks
from data_synth.run.worker import Rendered, RenderWork
from data_synth.stage.render import RenderSettings
from data_synth.stage.rig import Rig
from relight.work.runner import Lost

ROOT = Path(__file__).parents[3]
SETTINGS = RenderSettings(size=32)
ARGUMENTS = ["--subjects", "4", "--cameras", "4", "--size", "32", "--lights", "12", "--jobs", "2"]


def plan_of(out: Path, subjects: int = 4, cameras: int = 4) -> Plan:
    return Plan(out, subjects, cameras, lights=12, settings=SETTINGS)


def descendants(parent: int) -> Iterator[tuple[int, str]]:
    """Process ids and command lines of all processes below one."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.name))
        except (OSError, ValueError, IndexError):
            continue
    waiting = [parent]
    while waiting:
        for child in children.get(waiting.pop(), []):
            waiting.append(child)
            try:
                line = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            yield child, line


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("runner", "mark"),
    [
        pytest.param("local", "spawn_main", id="local"),
        pytest.param("ray", "ray::_do", id="ray", marks=RAY),
    ],
)
def test_a_worker_killed_in_the_middle_costs_no_view(
    tmp_path: Path, runner: str, mark: str
) -> None:
    out, monitor = tmp_path / "set", tmp_path / "counters.json"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "data_synth", "render", *ARGUMENTS),
            *("--out", out, "--counters", monitor, "--runner", runner),
        ],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 600
    victims: list[int] = []
    while not victims and process.poll() is None and time.monotonic() < deadline:
        if out.exists() and find_views(out):
            victims = [number for number, line in descendants(process.pid) if mark in line][:1]
        time.sleep(0.1)
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert victims, "nothing was left to kill"
    counts = json.loads(monitor.read_text())
    assert counts["done"] == counts["total"] == 16
    assert counts["retried"] >= 1
    assert "started again" in err
    assert "Traceback" not in err
    rig, plan = Rig.make(12), plan_of(out)
    wanted = {plan.folder(i, c) for i in range(4) for c in plan.camera_order(rig, i)}
    assert set(find_views(out)) == wanted
    assert not list(out.rglob(".part-*"))
    assert audit(Dataset(out)).broken == []
    # Killed or not, the views are those of one process.
    fresh = plan_of(tmp_path / "fresh", subjects=1)
    list(render_dataset(fresh))
    for view in find_views(fresh.out):
        same = out / view.relative_to(fresh.out)
        for file in view.iterdir():
            assert file.read_bytes() == (same / file.name).read_bytes(), file.name


class Scripted:
    """A runner that gives results prepared beforehand."""

    workers, retried = 2, 1

    def __init__(self, results):
        self.results = results

    def run(self, items, work):
        yield from self.results


def test_a_view_told_twice_is_counted_once(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    told = [Rendered(first, 1, 1), Rendered(first, 0, 0), Rendered(second, 1, 1)]
    reports = list(render_dataset(plan_of(tmp_path / "set", 1, 2), Scripted(told)))
    assert [r.done for r in reports] == [0, 1, 2]
    assert reports[-1].retried == 1


def test_views_that_are_given_up_are_told_at_the_end(tmp_path: Path) -> None:
    told = [Lost((0, [1]), "was killed"), Rendered(tmp_path / "a", 1, 1)]
    reports = render_dataset(plan_of(tmp_path / "set", 1, 2), Scripted(told))
    assert next(reports).total == 2
    assert next(reports).done == 1
    with pytest.raises(SynthError, match=r"1 of 2 views are missing, the process was killed; run"):
        next(reports)


def test_two_processes_may_store_the_same_view(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "set", 1, 1)
    list(render_dataset(plan))
    (view,) = find_views(plan.out)
    before = {p.name: p.stat().st_mtime_ns for p in view.iterdir()}
    field = Field.load(view)
    pixels = np.rint(field.alpha * 255)
    assert pixels.max() == 255
    (view / "hair.npy").unlink()
    assert not is_whole(view)
    (again,) = RenderWork(plan)((0, plan.camera_order(Rig.make(12), 0)))
    assert again.folder == view
    assert is_whole(view)
    (there,) = RenderWork(plan)((0, plan.camera_order(Rig.make(12), 0)))
    assert there.seconds == 0
    assert before.keys() == {p.name for p in view.iterdir()}


def test_tasks_are_split_so_that_all_workers_stay_busy() -> None:
    tasks = [(i, list(range(64))) for i in range(70)]
    few = split_tasks(tasks, 2)
    assert few == tasks, "no person is made twice without need"
    many = split_tasks(tasks, 100)
    assert len(many) >= 400
    assert sorted((i, c) for i, part in many for c in part) == [
        (i, c) for i in range(70) for c in range(64)
    ]
    assert min(len(part) for _, part in split_tasks(tasks, 10_000)) >= 4


def test_costs_add_up() -> None:
    unit = UnitCost(person_s=10, view_s=5, view_bytes=2e6, pair_s=0.02, pairs_per_read=10)
    one = estimate(2, 4, 100, workers=1, unit=unit)
    assert one.render_core_s == 2 * 10 + 8 * 5 == one.render_s
    assert one.view_bytes == 16e6
    assert one.read_bytes == 20e6
    assert one.pair_s == pytest.approx(2)
    two = estimate(2, 4, 100, workers=2, unit=unit)
    assert two.render_s == one.render_s / 2
    assert estimate(2, 4, 100, workers=50, unit=unit).render_s == two.render_s, "four stay together"
