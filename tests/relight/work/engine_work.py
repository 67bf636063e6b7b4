# SPDX-License-Identifier: Apache-2.0
"""Small work for the runners' tests; other processes import it by name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Note:
    """Writes one line per item and tells it; dies over some items, a number of times.

    Attributes:
        folder: where lines and the marks of deaths go.
        deadly: items, and how often each kills the process that works on it.
        pause_s: time that an item takes.
    """

    folder: Path
    deadly: dict[int, int]
    pause_s: float = 0.0

    def __call__(self, item: int) -> Iterator[tuple[int, int]]:
        time.sleep(self.pause_s)
        yield item, os.getpid()
        deaths = len(list(self.folder.glob(f"death-{item}-*")))
        if deaths < self.deadly.get(item, 0):
            (self.folder / f"death-{item}-{deaths}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        (self.folder / f"done-{item}").touch(exist_ok=False)
