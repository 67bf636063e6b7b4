# SPDX-License-Identifier: Apache-2.0
"""How processes end on a signal."""

from __future__ import annotations

import subprocess
import sys

import pytest

ENDED = """
import atexit, os, signal
from multiprocessing import Pipe
from relight.work.pool import _serve

near, far = Pipe()
near.close()
_serve(far, lambda item: iter(()))
atexit.register(lambda: os.kill(os.getpid(), signal.SIGTERM))
"""

CALLED_BACK = """
import os, signal, time, weakref
from relight.work.leave import leave_by_exception

class Thing: pass

leave_by_exception()
thing = Thing()
watch = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.{name}))
try:
    del thing
    time.sleep(20)
finally:
    print("tidied")
"""


@pytest.mark.parametrize(("name", "status"), [("SIGTERM", 143), ("SIGINT", -2)])
def test_a_signal_that_arrives_in_a_callback_is_not_lost(name: str, status: int) -> None:
    command = [sys.executable, "-c", CALLED_BACK.format(name=name)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=15)
    assert ended.stdout == "tidied\n"
    assert ended.returncode == status
    assert "ignored" not in ended.stderr


def test_a_worker_that_is_stopped_as_it_ends_says_nothing() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDED], capture_output=True, text=True)
    assert ended.stderr == ""
    assert ended.returncode == -15
