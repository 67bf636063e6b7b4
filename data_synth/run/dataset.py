# SPDX-License-Identifier: Apache-2.0
"""A folder of views: rendered where it lacks some, and read.

A dataset is ``dataset.json`` (what was asked for), ``rig.json`` and one folder per view,
``subject-00012/camera-07``. Everything follows from the seed: the same views come out with any
number of processes and after any number of interruptions.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_synth.error import FieldError, SynthError
from data_synth.registry import choose_source
from data_synth.run.field import METADATA, Field, find_views
from data_synth.run.plan import Plan, Task, missing_views, split_tasks
from data_synth.run.worker import Failure, RenderWork, clean, render_subject
from data_synth.stage.rig import Rig
from relight.storage import whole_file
from relight.work.runner import Lost, Runner

PLAN_FILE = "dataset.json"
RIG_FILE = "rig.json"
COVERAGE = 0.5
"""Share of a picture that a subject covers, for the estimate of space."""


@dataclass(frozen=True)
class Progress:
    """A view has been rendered.

    Attributes:
        done: views finished in this run.
        total: views to render in this run.
        folder: of this view.
        seconds: it took, its share of the subject's preparation included.
        cpu_seconds: of its process in the same time.
        retried: tasks started again so far because a process died.
    """

    done: int
    total: int
    folder: Path
    seconds: float
    cpu_seconds: float = 0.0
    retried: int = 0


def render_dataset(plan: Plan, runner: Runner | None = None) -> Iterator[Progress]:
    """Render what a dataset lacks.

    Args:
        plan: what it should hold; its folder is one that all workers see.
        runner: where to render; None renders in this process.

    Yields:
        One report per view; the first at once, with ``done`` 0.

    Raises:
        SynthError: if the folder holds another dataset, an asset is missing, the disk is full, or,
            when all else is done, if views are missing because their processes died.
    """
    rig = _prepare(plan)
    tasks = missing_views(plan, rig)
    total = sum(len(cameras) for _, cameras in tasks)
    _check_space(plan, total)
    yield Progress(0, total, plan.out, 0.0)
    seen: set[Path] = set()
    causes: list[str] = []
    for view in _results(plan, rig, tasks, runner):
        if isinstance(view, Lost):
            causes.append(view.cause)
        elif isinstance(view, Failure):
            raise SynthError(view.message)
        elif view.folder not in seen:  # a task that is run again reports all its views
            seen.add(view.folder)
            retried = 0 if runner is None else runner.retried
            yield Progress(len(seen), total, view.folder, view.seconds, view.cpu_seconds, retried)
    if causes:
        raise SynthError(
            f"{plan.out}: {total - len(seen)} of {total} views are missing, the process"
            f" {causes[0]}; run again to continue"
        )


def _results(plan: Plan, rig: Rig, tasks: list[Task], runner: Runner | None) -> Iterator[Any]:
    if runner is None:
        for task in tasks:
            yield from render_subject(plan, rig, task)
        return
    try:
        with contextlib.closing(
            runner.run(split_tasks(tasks, runner.workers), RenderWork(plan))
        ) as results:
            yield from results
    finally:
        clean(plan.out)


def _prepare(plan: Plan) -> Rig:
    """Make or check the dataset's folder."""
    rig = Rig.make(plan.lights)
    if plan.subjects < 1 or not 1 <= plan.cameras <= len(rig.cameras):
        raise SynthError(
            f"a dataset has at least 1 subject and 1 to {len(rig.cameras)} cameras,"
            f" not {plan.subjects} and {plan.cameras}"
        )
    source, folder = choose_source(plan.source, {plan.source: plan.assets} if plan.assets else {})
    people = source.count(folder)
    if people is not None and plan.subjects > people:
        raise SynthError(f"{folder}: holds {people} heads; give at most --subjects {people}")
    path = plan.out / PLAN_FILE
    try:
        plan.out.mkdir(parents=True, exist_ok=True)
        clean(plan.out)
        if path.exists():
            _check_same(path, plan)
        elif any(plan.out.rglob(METADATA)):
            raise SynthError(f"{plan.out}: holds views but no {PLAN_FILE}; choose another folder")
        else:
            with whole_file(path) as temporary:
                temporary.write_text(json.dumps(plan.fixed(), indent=1) + "\n")
        if not (plan.out / RIG_FILE).exists():
            rig.save(plan.out / RIG_FILE)
    except OSError as error:
        raise FieldError(
            f"{plan.out}: cannot be written ({error.strerror or error}); choose another folder"
        ) from error
    return rig


def _check_same(path: Path, plan: Plan) -> None:
    try:
        stored = json.loads(path.read_text())
    except ValueError as error:
        raise SynthError(f"{path}: corrupt; choose another folder") from error
    wanted = plan.fixed()
    differing = sorted(k for k in wanted if stored.get(k) != wanted[k])
    if differing:
        raise SynthError(
            f"{plan.out}: was started with other values of {', '.join(differing)};"
            " give the same ones again or choose another folder"
        )


def _check_space(plan: Plan, views: int) -> None:
    """Refuse at once what does not fit on the disk."""
    needed = int(views * plan.settings.size**2 * COVERAGE * 3 * plan.lights)
    free = shutil.disk_usage(plan.out).free
    if needed > free:
        raise FieldError(
            f"{plan.out}: {views} views need about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are"
            " free; free space, choose another folder or render fewer or smaller views"
        )


class Dataset:
    """The stored views under a folder.

    Args:
        root: the folder.

    Raises:
        FieldError: if it holds no view.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.views = find_views(root)
        if not self.views:
            raise FieldError(f"{root}: no views there; make some: python -m data_synth render")

    def __len__(self) -> int:
        """Number of views."""
        return len(self.views)

    def by_subject(self) -> dict[str, list[Path]]:
        """Views of each person, by the name of the person's folder."""
        result: dict[str, list[Path]] = {}
        for view in self.views:
            result.setdefault(view.parent.name, []).append(view)
        return result

    def batches(
        self, make: Callable[[Field], Any], rng: np.random.Generator, passes: int = 1
    ) -> Iterator[Any]:
        """Read each view, in a new random order each time, and yield what ``make`` makes of it."""
        for _ in range(passes):
            for i in rng.permutation(len(self.views)):
                yield make(Field.load(self.views[int(i)]))
