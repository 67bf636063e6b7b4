# SPDX-License-Identifier: Apache-2.0
"""How far a run has got, for people and for monitoring."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from data_synth.run.dataset import Progress
from relight.storage import whole_file

SAVED_EVERY_S = 5.0


@dataclass
class RunProgress:
    """Counts and times of a run.

    Attributes:
        workers: processes that render.
        total: views to render in this run.
        done: views rendered so far.
        retried: tasks started again because a process died.
        seconds: by the clock, since the run began.
        view_seconds: by the clock, of all views together, each in its process.
        cpu_seconds: of all views together.
    """

    workers: int
    total: int = 0
    done: int = 0
    retried: int = 0
    seconds: float = 0.0
    view_seconds: float = 0.0
    cpu_seconds: float = 0.0
    _start: float = field(default_factory=time.monotonic, repr=False)
    _saved: float = field(default=-SAVED_EVERY_S, repr=False)

    def take(self, report: Progress) -> None:
        """Count a report."""
        self.total, self.done, self.retried = report.total, report.done, report.retried
        self.seconds = time.monotonic() - self._start
        self.view_seconds += report.seconds
        self.cpu_seconds += report.cpu_seconds

    @property
    def views_per_hour(self) -> float:
        """Throughput of all workers together."""
        return 3600 * self.done / self.seconds if self.seconds else 0.0

    def save(self, path: Path) -> None:
        """Write the counts as JSON, at most every few seconds.

        Raises:
            OSError: if the file cannot be written.
        """
        now = time.monotonic()
        if self.done < self.total and now - self._saved < SAVED_EVERY_S:
            return
        self._saved = now
        public = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        public["views_per_hour"] = self.views_per_hour
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(public, indent=1) + "\n")

    def sentence(self) -> str:
        """The counts in words."""
        if not self.total:
            return "all views are there already."
        begun = f"; {self.retried} tasks started again" if self.retried else ""
        return (
            f"{self.done} views in {self.seconds:.0f} s with {self.workers} workers,"
            f" {self.view_seconds / max(self.done, 1):.1f} s"
            f" ({self.cpu_seconds / max(self.done, 1):.1f} s of CPU) each{begun}."
        )
