# SPDX-License-Identifier: Apache-2.0
"""What a dataset costs, from measured costs of its parts: time, storage, traffic."""

from __future__ import annotations

import math
from dataclasses import dataclass

from data_synth.run.plan import task_size


@dataclass(frozen=True)
class UnitCost:
    """Measured costs; the defaults are ICT-FaceKit people at 192 pixels under 331 lights.

    CPU seconds are of one core of a shared x86 server with AVX-512 (docs/light-stage.md).

    Attributes:
        person_s: CPU seconds to make a person ready, once for each task.
        view_s: CPU seconds of a view.
        view_bytes: a view's files.
        landmark_s: CPU seconds to find a view's face under three lightings.
        pair_s: CPU seconds of a training sample of 128 x 128, its share of reading a view and
            of packing included.
        pair_bytes: a sample, packed.
        pairs_per_read: samples made each time that a view is read.
    """

    person_s: float = 6.5
    view_s: float = 6.2
    view_bytes: float = 15.3e6
    landmark_s: float = 0.25
    pair_s: float = 0.023
    pair_bytes: float = 0.19e6
    pairs_per_read: int = 32


@dataclass(frozen=True)
class Estimate:
    """What a dataset will take.

    Attributes:
        tasks: number of tasks that the views are split into.
        render_core_s: CPU seconds of rendering.
        landmark_s: CPU seconds of finding faces, in one process.
        pair_core_s: CPU seconds of making samples.
        view_bytes: storage of views, written once.
        pair_bytes: storage of samples, written once.
        read_bytes: of views, while samples are made.
        render_s: by the clock, of rendering on that many workers.
        pair_s: by the clock, of making samples on them.
    """

    tasks: int
    render_core_s: float
    landmark_s: float
    pair_core_s: float
    view_bytes: float
    pair_bytes: float
    read_bytes: float
    render_s: float
    pair_s: float

    @property
    def write_rate(self) -> float:
        """Bytes a second that storage must take while rendering."""
        return self.view_bytes / self.render_s

    @property
    def read_rate(self) -> float:
        """Bytes a second that storage must give while samples are made."""
        return self.read_bytes / self.pair_s if self.pair_s else 0.0


def estimate(
    subjects: int, cameras: int, pairs: int, workers: int, unit: UnitCost | None = None
) -> Estimate:
    """What a dataset costs on quiet cores, one for each worker; starting up is left out.

    Args:
        subjects: people.
        cameras: views of each.
        pairs: training samples.
        workers: processes at a time.
        unit: measured costs.
    """
    unit = unit or UnitCost()
    views = subjects * cameras
    size = min(cameras, task_size(views, workers))
    per_person = math.ceil(cameras / size)
    tasks = subjects * per_person
    core = tasks * unit.person_s + views * unit.view_s
    # Tasks are not divided: in the last round some workers may have none.
    longest = unit.person_s + size * unit.view_s
    wall = math.ceil(tasks / workers) * longest
    pair_core = pairs * unit.pair_s
    return Estimate(
        tasks,
        core,
        views * unit.landmark_s,
        pair_core,
        views * unit.view_bytes,
        pairs * unit.pair_bytes,
        pairs / unit.pairs_per_read * unit.view_bytes,
        wall,
        pair_core / workers,
    )


def rows(found: Estimate) -> list[tuple[str, str]]:
    """An estimate as lines of name and text."""
    return [
        ("render: tasks", f"{found.tasks}"),
        ("render: core hours", f"{found.render_core_s / 3600:.1f}"),
        ("render: minutes on these workers", f"{found.render_s / 60:.1f}"),
        ("render: written, GB", f"{found.view_bytes / 1e9:.0f}"),
        ("render: written, MB/s", f"{found.write_rate / 1e6:.0f}"),
        ("landmarks: minutes in one process", f"{found.landmark_s / 60:.1f}"),
        ("samples: core hours", f"{found.pair_core_s / 3600:.1f}"),
        ("samples: minutes on these workers", f"{found.pair_s / 60:.1f}"),
        ("samples: written, GB", f"{found.pair_bytes / 1e9:.0f}"),
        ("samples: views read, GB", f"{found.read_bytes / 1e9:.0f}"),
        ("samples: views read, MB/s", f"{found.read_rate / 1e6:.0f}"),
    ]
