# SPDX-License-Identifier: Apache-2.0
"""One Relighter in several threads, in forked processes, and without a place for temporary files.

Each test runs in a process of its own: what goes wrong here kills processes or stops them for good.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import relight

ROOT = Path(relight.__file__).parents[1]
START = f"""
import multiprocessing, sys, tempfile, threading
import numpy as np
from PIL import Image
from relight import Relighter
with Image.open({str(ROOT / "examples" / "astronaut.png")!r}) as image:
    pixels = np.asarray(image.convert("RGB").resize((256, 256)))
"""


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", START + script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_threads_may_share_one() -> None:
    script = (
        "shared = Relighter()\n"
        "expected = Relighter().relight(pixels).image\n"
        "equal = []\n"
        "def work():\n"
        "    for _ in range(3):\n"
        "        equal.append(np.array_equal(shared.relight(pixels).image, expected))\n"
        "workers = [threading.Thread(target=work) for _ in range(4)]\n"
        "for worker in workers: worker.start()\n"
        "for worker in workers: worker.join()\n"
        "print(len(equal), all(equal))"
    )
    assert run(script) == "12 True"


def test_a_thread_may_close_what_another_uses() -> None:
    script = (
        "shared = Relighter()\n"
        "done = threading.Event()\n"
        "def close():\n"
        "    while not done.wait(0.01): shared.close()\n"
        "closer = threading.Thread(target=close)\n"
        "closer.start()\n"
        "results = [shared.relight(pixels).image for _ in range(3)]\n"
        "done.set()\n"
        "closer.join()\n"
        "print(all(np.array_equal(one, results[0]) for one in results))"
    )
    assert run(script) == "True"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_process_may_be_forked_after_use() -> None:
    """With the parent's own Relighter, while a thread of the parent uses it, and with a new one."""
    script = (
        "shared = Relighter()\n"
        "expected = shared.relight(pixels).image\n"
        "def inherited(_): return np.array_equal(shared.relight(pixels).image, expected)\n"
        "def own(_): return np.array_equal(Relighter().relight(pixels).image, expected)\n"
        "done = threading.Event()\n"
        "def use():\n"
        "    while not done.is_set(): shared.relight(pixels)\n"
        "user = threading.Thread(target=use)\n"
        "user.start()\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "    print(pool.map_async(inherited, range(2)).get(60))\n"
        "    print(pool.map_async(own, range(2)).get(60))\n"
        "done.set()\n"
        "user.join()\n"
    )
    assert run(script).split() == ["[True,", "True]"] * 2


def test_it_needs_no_place_for_temporary_files() -> None:
    """As on a disk that can only be read."""
    script = (
        "def nowhere(*arguments, **options):\n"
        "    raise FileNotFoundError('No usable temporary directory found')\n"
        "tempfile._get_default_tempdir = tempfile.gettempdir = nowhere\n"
        "print(Relighter().relight(pixels).image.shape)"
    )
    assert run(script) == "(256, 256, 3)"
