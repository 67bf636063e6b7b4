# SPDX-License-Identifier: Apache-2.0
"""How long each of Chromium's threads was at work, told by its own trace.

Counted in processor time: on a machine that does something else, too, a task lasts as long as the
others let it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Tasks = dict[str, dict[tuple[int, int], list[float]]]

TASK = "RunTask"
PAGE, WORKER = "CrRendererMain", "DedicatedWorker thread"
SCREEN = (PAGE, "Compositor", "CompositorTileWorker1", "VizCompositorThread")
"""Threads that bring a change of the page to the screen."""


class Trace:
    """Tasks by thread, milliseconds of processor time each.

    Attributes:
        tasks: by the thread's name, then by its own number.
    """

    def __init__(self) -> None:
        self.tasks: Tasks = {}

    def read(self, content: bytes) -> None:
        """Take in what the browser has written."""
        events = json.loads(content)["traceEvents"]
        names = {
            (event["pid"], event["tid"]): event["args"]["name"]
            for event in events
            if event["name"] == "thread_name"
        }
        found: dict[str, dict[tuple[int, int], list[float]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for event in events:
            if event.get("ph") == "X" and TASK in event["name"] and "tdur" in event:
                thread = event["pid"], event["tid"]
                found[names.get(thread, "")][thread].append(event["tdur"] / 1000)
        self.tasks = found

    def longest(self, name: str) -> float:
        """The longest task of all threads of a name; 0 without any."""
        return max((time for one in self.tasks.get(name, {}).values() for time in one), default=0)

    def busiest(self, name: str) -> float:
        """What the busiest thread of a name did in all."""
        return max(map(sum, self.tasks.get(name, {}).values()), default=0)


@contextmanager
def traced(page: Any) -> Iterator[Trace]:
    """A trace of everything that happens meanwhile; to be read afterwards."""
    browser, trace = page.context.browser, Trace()
    browser.start_tracing(page=page, categories=["toplevel"])
    try:
        yield trace
    finally:
        trace.read(browser.stop_tracing())
