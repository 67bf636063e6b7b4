# SPDX-License-Identifier: Apache-2.0
"""What does much work of the same kind: processes of this machine, or a cluster.

All runners take the same work: a callable that is sent to every process once and called with one
item at a time. If a process dies, the others go on: its item is tried again in another process, a
few times, and then given up. So doing an item twice must be the same as doing it once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from relight.error import RelightError

Work = Callable[[Any], Iterable[Any]]
"""Gives the results of one item and raises nothing. Can be pickled before its first use."""


class RunnerError(RelightError):
    """A runner does not exist or cannot start."""


@dataclass(frozen=True)
class Lost:
    """An item that was given up: each process that worked on it died, or its work failed.

    Attributes:
        item: what was to be done.
        cause: how the last process ended, with the cure; continues a sentence that begins "the
            process".
    """

    item: Any
    cause: str


def describe_failure(error: BaseException) -> str:
    """The cause of a :class:`Lost` item whose work raised an error, which it should not."""
    words = (str(error).strip() or "no message").splitlines()[0]
    return f"failed ({type(error).__name__}: {words}); please report it"


class Runner(Protocol):
    """Does work in several processes.

    Attributes:
        workers: how many items are worked on at the same time.
        retried: how many items were started again after a process died.
    """

    workers: int
    retried: int

    def run(self, items: Sequence[Any], work: Work) -> Generator[Any, None, None]:
        """Do work on all items; yields results as they come, and :class:`Lost` items.

        Results of an item that was started again may come twice.
        """
