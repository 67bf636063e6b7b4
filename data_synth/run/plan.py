# SPDX-License-Identifier: Apache-2.0
"""What a dataset of views holds, and where each camera stands: all of it follows from a seed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import FieldError
from data_synth.run.field import VERSION, read_metadata
from data_synth.stage.render import RenderSettings
from data_synth.stage.rig import FIELD_CM, LIGHTS, Camera, Rig


@dataclass(frozen=True)
class CameraJitter:
    """How each view's camera strays from its pose in the rig.

    Attributes:
        roll_deg: standard deviation.
        distance_cm: range, even in logarithm: from a selfie to a portrait lens.
        target_cm: standard deviation of the point looked at.
        frontal_deg: poses this far from the front are half as likely as the frontal one.
        field_cm: width of the square picture at the head. The default leaves a margin around the
            runtime's crop; at 42 cm the crop fills the picture, so that a face is as many pixels
            high as the networks see it at half the cost.
    """

    roll_deg: float = 4.0
    distance_cm: tuple[float, float] = (55.0, 220.0)
    target_cm: float = 1.0
    frontal_deg: float = 30.0
    field_cm: float = FIELD_CM


@dataclass(frozen=True)
class Plan:
    """What to render.

    Attributes:
        out: folder of the dataset.
        subjects: number of people.
        cameras: views of each.
        source: of the people, a name of :data:`data_synth.registry.SOURCES`.
        assets: the folder of files that the source needs, if it needs any.
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


Task = tuple[int, list[int]]
"""A person's number and the poses to render."""
SMALLEST_TASK = 4
"""Views of a person that are not split among workers."""
SHARES = 4
"""Tasks for each worker, if there are enough views, so that the last ones end at about the same
time."""


def missing_views(plan: Plan, rig: Rig) -> list[Task]:
    """What is left to render."""
    tasks = []
    for index in range(plan.subjects):
        left = [c for c in plan.camera_order(rig, index) if not is_whole(plan.folder(index, c))]
        if left:
            tasks.append((index, left))
    return tasks


def split_tasks(tasks: list[Task], workers: int) -> list[Task]:
    """Tasks small enough to keep all workers busy until the end.

    Making a person costs about as much as a view, so at least :data:`SMALLEST_TASK` stay together.
    """
    most = task_size(sum(len(cameras) for _, cameras in tasks), workers)
    return [
        (index, cameras[start : start + most])
        for index, cameras in tasks
        for start in range(0, len(cameras), most)
    ]


def task_size(views: int, workers: int) -> int:
    """Largest number of views in a task."""
    return max(SMALLEST_TASK, -(-views // (SHARES * workers)))


def is_whole(folder: Path) -> bool:
    """Whether a view exists with all its files."""
    try:
        names = read_metadata(folder)["sha256"]
        return all((folder / name).is_file() for name in names)
    except FieldError:
        return False


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
        field_cm=jitter.field_cm,
        target=(
            round(float(center[0]), 3),
            round(float(center[1]), 3),
            round(float(center[2]), 3),
        ),
    )
