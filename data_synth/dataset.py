# SPDX-License-Identifier: Apache-2.0
"""Rendering many views into a folder, in several processes, going on where it stopped.

A dataset is ``dataset.json`` (what was asked for), ``rig.json`` and one folder per view,
``subject-00012/camera-07``. Everything follows from the seed: the same views come out with any
number of processes and after any number of interruptions.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import FieldError, SynthError
from data_synth.field import METADATA, TEMPORARY, VERSION, Field, find_views, read_metadata
from data_synth.render import RenderSettings, Stage
from data_synth.rig import LIGHTS, Camera, Rig
from data_synth.subject import Subject
from relight.storage import whole_file

PLAN_FILE = "dataset.json"
RIG_FILE = "rig.json"
COVERAGE = 0.5
"""Share of a picture that a subject covers, for the estimate of space."""


@dataclass(frozen=True)
class CameraJitter:
    """How each view's camera strays from its pose in the rig.

    Attributes:
        roll_deg: standard deviation.
        distance_cm: range, even in logarithm: from a selfie to a portrait lens.
        target_cm: standard deviation of the point looked at.
        frontal_deg: poses this far from the front are half as likely as the frontal one.
    """

    roll_deg: float = 4.0
    distance_cm: tuple[float, float] = (55.0, 220.0)
    target_cm: float = 1.0
    frontal_deg: float = 35.0


@dataclass(frozen=True)
class Plan:
    """What to render.

    Attributes:
        out: folder of the dataset.
        subjects: number of people.
        cameras: views of each.
        source: ``ict`` or ``builtin``.
        assets: folder that the source reads, if it needs one.
        lights: of the rig.
        seed: everything follows from it.
        settings: of the renderer.
        jitter: of the cameras.
    """

    out: Path
    subjects: int = 2
    cameras: int = 1
    source: str = "builtin"
    assets: Path | None = None
    lights: int = LIGHTS
    seed: int = 0
    settings: RenderSettings = field(default_factory=RenderSettings)
    jitter: CameraJitter = field(default_factory=CameraJitter)

    def fixed(self) -> dict[str, Any]:
        """What all views of a dataset share; number of people and views may grow."""
        return {
            "version": VERSION,
            "source": self.source,
            "lights": self.lights,
            "seed": self.seed,
            "settings": asdict(self.settings),
            "jitter": json.loads(json.dumps(asdict(self.jitter))),
        }

    def subject_seed(self, index: int) -> int:
        """Seed of a person."""
        return int(np.random.SeedSequence([self.seed, index]).generate_state(1)[0])

    def camera_order(self, rig: Rig, index: int) -> list[int]:
        """Poses of a person's views, frontal ones more often first; more views only add."""
        rng = np.random.default_rng([self.seed, index, 1])
        turn = np.array([np.hypot(c.azimuth_deg, c.elevation_deg) for c in rig.cameras])
        chance = -np.log(2) * (turn / self.jitter.frontal_deg) ** 2
        order = np.argsort(-(chance + rng.gumbel(size=len(turn))))
        return [int(i) for i in order[: self.cameras]]

    def folder(self, index: int, camera: int) -> Path:
        """Where a view is kept."""
        return self.out / f"subject-{index:05d}" / f"camera-{camera:02d}"


@dataclass(frozen=True)
class Progress:
    """A view has been rendered.

    Attributes:
        done: views finished in this run.
        total: views to render in this run.
        folder: of this view.
        seconds: it took, its share of the subject's preparation included.
    """

    done: int
    total: int
    folder: Path
    seconds: float


Task = tuple[int, list[int]]
"""A person's number and the poses to render."""


def missing_views(plan: Plan, rig: Rig) -> list[Task]:
    """What is left to render."""
    tasks = []
    for index in range(plan.subjects):
        left = [c for c in plan.camera_order(rig, index) if not _whole(plan.folder(index, c))]
        if left:
            tasks.append((index, left))
    return tasks


def render_dataset(plan: Plan, jobs: int = 0) -> Iterator[Progress]:
    """Render what a dataset lacks.

    Args:
        plan: what it should hold.
        jobs: processes; 0 renders in this one.

    Yields:
        One report per view; the first at once, with ``done`` 0.

    Raises:
        SynthError: if the folder holds another dataset, an asset is missing or the disk is full.
    """
    rig = _prepare(plan)
    tasks = missing_views(plan, rig)
    total = sum(len(cameras) for _, cameras in tasks)
    _check_space(plan, total)
    yield Progress(0, total, plan.out, 0.0)
    reports = _render_inline(plan, tasks) if jobs == 0 else _render_apart(plan, tasks, jobs)
    for done, (folder, seconds) in enumerate(reports, 1):
        yield Progress(done, total, folder, seconds)


def render_subject(plan: Plan, rig: Rig, task: Task) -> Iterator[tuple[Path, float]]:
    """Render and store views of one person; yields each folder and its seconds."""
    index, cameras = task
    start = time.perf_counter()
    subject = _make_subject(plan, index)
    stage = Stage(subject, rig.lights, plan.settings)
    stage.bounced()
    share = (time.perf_counter() - start) / len(cameras)
    for number in cameras:
        start = time.perf_counter()
        rng = np.random.default_rng([plan.seed, index, number, 2])
        camera = stray(rig.cameras[number], plan.jitter, stage.body.face_points, rng)
        view = stage.render(camera, rng)
        folder = plan.folder(index, number)
        Field.encode(view, _metadata(plan, rig, subject, index, number, camera)).save(folder)
        yield folder, time.perf_counter() - start + share


def stray(
    camera: Camera, jitter: CameraJitter, face: NDArray[Any], rng: np.random.Generator
) -> Camera:
    """A rig's camera, moved a little and aimed at the face.

    Args:
        camera: pose of the rig.
        jitter: how far it may stray.
        face: ``(N, 3)`` points that span the face, head frame.
        rng: draws.
    """
    center = (face.min(0) + face.max(0)) / 2 + rng.normal(0, jitter.target_cm, 3)
    near, far = np.log(jitter.distance_cm)
    return replace(
        camera,
        roll_deg=round(float(np.clip(rng.normal(0, jitter.roll_deg), -15, 15)), 3),
        distance_cm=round(float(np.exp(rng.uniform(near, far))), 3),
        target=(
            round(float(center[0]), 3),
            round(float(center[1]), 3),
            round(float(center[2]), 3),
        ),
    )


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


def _whole(folder: Path) -> bool:
    try:
        names = read_metadata(folder)["sha256"]
        return all((folder / name).is_file() for name in names)
    except FieldError:
        return False


def _prepare(plan: Plan) -> Rig:
    """Make or check the dataset's folder."""
    rig = Rig.make(plan.lights)
    if plan.subjects < 1 or not 1 <= plan.cameras <= len(rig.cameras):
        raise SynthError(
            f"a dataset has at least 1 subject and 1 to {len(rig.cameras)} cameras,"
            f" not {plan.subjects} and {plan.cameras}"
        )
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
            f"{plan.out}: was begun with other values of {', '.join(differing)};"
            " give the same ones again or choose another folder"
        )


def _check_space(plan: Plan, views: int) -> None:
    """Refuse at once what cannot fit."""
    needed = int(views * plan.settings.size**2 * COVERAGE * 3 * plan.lights)
    free = shutil.disk_usage(plan.out).free
    if needed > free:
        raise FieldError(
            f"{plan.out}: {views} views need about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are"
            " free; free space, choose another folder or render fewer or smaller views"
        )


def _render_inline(plan: Plan, tasks: list[Task]) -> Iterator[tuple[Path, float]]:
    rig = Rig.make(plan.lights)
    for task in tasks:
        yield from render_subject(plan, rig, task)


def _render_apart(plan: Plan, tasks: list[Task], jobs: int) -> Iterator[tuple[Path, float]]:
    """Render in other processes; each takes the next person when it is free."""
    context = multiprocessing.get_context("spawn")
    waiting: Any = context.Queue()
    reports: Any = context.Queue()
    for task in tasks:
        waiting.put(task)
    count = min(jobs, len(tasks))
    for _ in range(count):
        waiting.put(None)
    workers = [
        context.Process(target=_work, args=(plan, waiting, reports, os.getpid()), daemon=True)
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


def _work(plan: Plan, waiting: Any, reports: Any, parent: int) -> None:
    """A render process: people from ``waiting`` until there are none or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import cv2

        cv2.setNumThreads(1)
        rig = Rig.make(plan.lights)
        while (task := waiting.get()) is not None:
            for folder, seconds in render_subject(plan, rig, task):
                reports.put(("view", str(folder), seconds))
                if os.getppid() != parent:
                    return
        reports.put(("done",))
    except SynthError as error:
        reports.put(("error", str(error)))
    except MemoryError:
        reports.put(
            ("error", f"{plan.out}: out of memory; run again with a smaller --size or --jobs")
        )
    except Exception as error:
        line = str(error).splitlines()[0] if str(error) else ""
        reports.put(("error", f"{plan.out}: rendering failed: {type(error).__name__}: {line}"))


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
