# SPDX-License-Identifier: Apache-2.0
"""Where much work of the same kind is done: processes of this machine, or a cluster.

All runners take the same work: a callable that is sent to every process once and called with one
item at a time. A process that dies takes nobody with it: its item is done again elsewhere, a few
times, and is then given up. So work must be idempotent.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from relight.error import RelightError

Work = Callable[[Any], Iterable[Any]]
"""Gives the results of one item; raises nothing. Can be pickled before its first use."""


class RunnerError(RelightError):
    """A runner cannot be had."""


@dataclass(frozen=True)
class Lost:
    """An item that was given up: each process that worked on it died, or its work failed.

    Attributes:
        item: what was to be done.
        cause: how the last process ended, with the cure, to be read after "the process".
    """

    item: Any
    cause: str


def describe_failure(error: BaseException) -> str:
    """The cause of a :class:`Lost` item whose work raised an error against the rules."""
    words = (str(error).strip() or "no message").splitlines()[0]
    return f"failed ({type(error).__name__}: {words}); please report it"


class Runner(Protocol):
    """Does work in several processes.

    Attributes:
        workers: items that are worked on at a time.
        retried: items that were begun again after a process died.
    """

    workers: int
    retried: int

    def run(self, items: Sequence[Any], work: Work) -> Generator[Any, None, None]:
        """Do work on all items; yields results as they come, and :class:`Lost` items.

        Results of an item that is done again may come twice.
        """
