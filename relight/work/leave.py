# SPDX-License-Identifier: Apache-2.0
"""Ending on a signal by an exception, so that unfinished files are removed, wherever it arrives."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Any

AGAIN_S = 0.01
"""After which an exception that was lost is raised again."""


def leave_by_exception() -> None:
    """Let SIGTERM raise SystemExit in the main thread.

    Python drops exceptions that are raised in callbacks of weak references and in finalisers, where
    signals arrive as well. Such a SystemExit or KeyboardInterrupt is raised again a moment later.

    Raises:
        ValueError: if this is not the main thread.
    """
    signal.signal(signal.SIGTERM, _leave)
    sys.unraisablehook = _raise_again


def leave_at_once() -> None:
    """Let SIGTERM end the process at once: nothing is unfinished any more.

    An exception that is raised while the interpreter shuts down would be told as a traceback.

    Raises:
        ValueError: if this is not the main thread.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _raise_again(lost: Any) -> None:
    """What Python calls for exceptions that it drops."""
    leaving = issubclass(lost.exc_type, (SystemExit, KeyboardInterrupt))
    in_main = threading.current_thread() is threading.main_thread()
    if not (leaving and in_main and hasattr(signal, "setitimer")):
        sys.__unraisablehook__(lost)
        return
    error = lost.exc_value or lost.exc_type()

    def again(number: int, frame: FrameType | None) -> None:
        raise error

    signal.signal(signal.SIGALRM, again)
    signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
