# SPDX-License-Identifier: Apache-2.0
"""Rendering people's views: what one process does, wherever it runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.registry import find_source
from data_synth.run.field import TEMPORARY, Field
from data_synth.run.plan import Plan, Task, is_whole, stray
from data_synth.stage.render import Stage
from data_synth.stage.rig import Camera, Rig
from data_synth.subject import Subject
from relight.error import RelightError


@dataclass(frozen=True)
class Rendered:
    """A view that is there.

    Attributes:
        folder: of the view.
        seconds: it took, its share of the subject's preparation included; 0 if it was there.
        cpu_seconds: of the process that rendered it, in the same time.
    """

    folder: Path
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Failure:
    """Why rendering stopped; one line."""

    message: str


def render_subject(plan: Plan, rig: Rig, task: Task) -> Iterator[Rendered]:
    """Render and store views of one person, those that are not there; yields all of them."""
    index, cameras = task
    there = [plan.folder(index, n) for n in cameras if is_whole(plan.folder(index, n))]
    yield from (Rendered(folder, 0.0, 0.0) for folder in there)
    left = [n for n in cameras if plan.folder(index, n) not in there]
    if not left:
        return
    watch = _Watch()
    source = find_source(plan.source)
    seed = plan.subject_seed(index) if source.count(plan.assets) is None else index
    subject = source.make_subject(seed, assets=plan.assets)
    stage = Stage(subject, rig.lights, plan.settings)
    stage.bounce()
    shared = [part / len(left) for part in watch.lap()]
    for number in left:
        rng = np.random.default_rng([plan.seed, index, number, 2])
        camera = stray(rig.cameras[number], plan.jitter, stage.body.face_points, rng)
        view = stage.render(camera, rng)
        folder = plan.folder(index, number)
        Field.encode(view, _metadata(plan, rig, subject, index, number, camera)).save(folder)
        own = watch.lap()
        yield Rendered(folder, own[0] + shared[0], own[1] + shared[1])


class RenderWork:
    """What a process of a runner does: one task after the other. Failures are results, too.

    Args:
        plan: what to render.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._rig: Rig | None = None

    def __call__(self, task: Task) -> Iterator[Rendered | Failure]:
        """The views of a task, as they are stored."""
        out = self.plan.out
        try:
            if self._rig is None:
                import cv2

                cv2.setNumThreads(1)
                self._rig = Rig.make(self.plan.lights)
            yield from render_subject(self.plan, self._rig, task)
        except RelightError as error:
            yield Failure(str(error))
        except MemoryError:
            yield Failure(f"{out}: out of memory; run again with a smaller --size or --jobs")
        except Exception as error:
            line = str(error).splitlines()[0] if str(error) else ""
            yield Failure(f"{out}: rendering failed: {type(error).__name__}: {line}")


class _Watch:
    """Time since the last look, by the clock and of this process."""

    def __init__(self) -> None:
        self._last = time.perf_counter(), time.process_time()

    def lap(self) -> tuple[float, float]:
        now = time.perf_counter(), time.process_time()
        wall, cpu = now[0] - self._last[0], now[1] - self._last[1]
        self._last = now
        return wall, cpu


def clean(root: Path) -> None:
    """Remove folders that an interrupted run left half-written."""
    for path in root.glob(f"*/{TEMPORARY}*"):
        shutil.rmtree(path, ignore_errors=True)


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
