# SPDX-License-Identifier: Apache-2.0
"""Rendering people's views, in this process or in several others."""

from __future__ import annotations

import multiprocessing
import os
import queue
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import SynthError
from data_synth.field import TEMPORARY, Field
from data_synth.plan import Plan, Task, stray
from data_synth.render import Stage
from data_synth.rig import Camera, Rig
from data_synth.subject import Subject
from relight.error import RelightError


def render_subject(plan: Plan, rig: Rig, task: Task) -> Iterator[tuple[Path, float]]:
    """Render and store views of one person; yields each folder and its seconds."""
    index, cameras = task
    start = time.perf_counter()
    subject = _make_subject(plan, index)
    stage = Stage(subject, rig.lights, plan.settings)
    stage.bounce()
    share = (time.perf_counter() - start) / len(cameras)
    for number in cameras:
        start = time.perf_counter()
        rng = np.random.default_rng([plan.seed, index, number, 2])
        camera = stray(rig.cameras[number], plan.jitter, stage.body.face_points, rng)
        view = stage.render(camera, rng)
        folder = plan.folder(index, number)
        Field.encode(view, _metadata(plan, rig, subject, index, number, camera)).save(folder)
        yield folder, time.perf_counter() - start + share


def render_inline(plan: Plan, tasks: list[Task]) -> Iterator[tuple[Path, float]]:
    """Render in this process; yields each view's folder and seconds."""
    rig = Rig.make(plan.lights)
    for task in tasks:
        yield from render_subject(plan, rig, task)


def render_apart(plan: Plan, tasks: list[Task], jobs: int) -> Iterator[tuple[Path, float]]:
    """Render in other processes; each takes the next person when it is free.

    Raises:
        SynthError: what went wrong in one of them.
    """
    context = multiprocessing.get_context("spawn")
    taken: Any = context.Value("i", 0)
    reports: Any = context.Queue()
    count = min(jobs, len(tasks))
    workers = [
        context.Process(target=_work, args=(plan, tasks, taken, reports, os.getpid()), daemon=True)
        for _ in range(count)
    ]
    # One thread each: small matrices gain nothing from more, and results do not depend on it.
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        for worker in workers:
            worker.start()
        _restore(before)
        finished = 0
        while finished < count:
            try:
                kind, *values = reports.get(timeout=0.5)
            except queue.Empty:
                for worker in workers:
                    if worker.exitcode not in (None, 0):
                        raise SynthError(
                            f"{plan.out}: a render process was killed (code {worker.exitcode}),"
                            " perhaps for memory; run again with fewer --jobs to go on"
                        ) from None
                continue
            if kind == "view":
                yield Path(values[0]), values[1]
            elif kind == "error":
                raise SynthError(values[0])
            else:
                finished += 1
    finally:
        _restore(before)
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
        for worker in workers:
            if worker.pid is not None:
                worker.join()
        clean(plan.out)


def _restore(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _work(plan: Plan, tasks: list[Task], taken: Any, reports: Any, parent: int) -> None:
    """A render process: takes the next of the tasks until there are none or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import cv2

        cv2.setNumThreads(1)
        rig = Rig.make(plan.lights)
        while True:
            with taken.get_lock():
                number = taken.value
                taken.value += 1
            if number >= len(tasks):
                break
            for folder, seconds in render_subject(plan, rig, tasks[number]):
                reports.put(("view", str(folder), seconds))
                if os.getppid() != parent:
                    return
        reports.put(("done",))
    except RelightError as error:
        reports.put(("error", str(error)))
    except MemoryError:
        reports.put(
            ("error", f"{plan.out}: out of memory; run again with a smaller --size or --jobs")
        )
    except Exception as error:
        line = str(error).splitlines()[0] if str(error) else ""
        reports.put(("error", f"{plan.out}: rendering failed: {type(error).__name__}: {line}"))


def clean(root: Path) -> None:
    """Remove folders that an interrupted run left half-written."""
    for path in root.glob(f"*/{TEMPORARY}*"):
        shutil.rmtree(path, ignore_errors=True)


def _make_subject(plan: Plan, index: int) -> Subject:
    from data_synth.person import SubjectRanges, make_subject

    return make_subject(
        plan.source, plan.subject_seed(index), assets=plan.assets, ranges=SubjectRanges()
    )


def _metadata(
    plan: Plan, rig: Rig, subject: Subject, index: int, number: int, camera: Camera
) -> dict[str, Any]:
    return {
        "subject": {
            "index": index,
            "seed": subject.seed,
            "source": subject.source,
            "attributes": subject.attributes,
        },
        "camera": asdict(camera)
        | {
            "number": number,
            "rotation_right_up_back": _listed(camera.rotation),
            "position_cm": _listed(camera.position),
        },
        "lights_camera_frame": _listed(camera.to_camera(rig.lights)),
        "solid_angles_sr": _listed(rig.solid_angles),
        "dataset": plan.fixed(),
    }


def _listed(array: NDArray[Any]) -> Any:
    return np.round(np.asarray(array, float), 6).tolist()
