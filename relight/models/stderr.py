# SPDX-License-Identifier: Apache-2.0
"""Keeping other libraries' log lines from the user's terminal."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator

from relight.storage import kept_aside

_lock = threading.Lock()


@contextlib.contextmanager
def muffled(noise: re.Pattern[bytes]) -> Iterator[None]:
    """Drop lines that C and C++ code writes to stderr; others arrive when the block ends.

    The process's own file descriptor is turned aside, so keep the block short. Where there is no
    stderr, or nowhere to keep what is written to it meanwhile, nothing is turned aside.

    Args:
        noise: what a line to drop starts with.
    """
    with _lock, contextlib.ExitStack() as stack:
        _flush()
        try:
            log = stack.enter_context(kept_aside())
            original = os.dup(2)
        except OSError:
            yield
            return
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(original, 2)
            log.seek(0)
            for line in log:
                if not noise.match(line):
                    os.write(original, line)
            os.close(original)


def _flush() -> None:
    if sys.stderr is not None:  # as it is under pythonw, or with stderr closed
        sys.stderr.flush()


def _unlock() -> None:
    """A forked child's copy of the lock may be held by a thread that is not there."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)
