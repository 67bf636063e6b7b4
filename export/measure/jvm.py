# SPDX-License-Identifier: Apache-2.0
"""What each stage of the Kotlin library costs on a JVM, against Python's.

Both take the same photo through the same stages on one thread, are timed by that thread's processor
time, and get the networks' answers from memory.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.error import ExportError
from export.measure.figure_table import FigureTable
from relight import Light, Photo, Setup
from relight.face import search
from relight.face.perception import Perception
from relight.gain.canvas import Canvas
from relight.gain.guide import Guide
from relight.models.library import Models
from relight.portrait import PREVIEW_SIDE, Portrait
from relight.stage.analysis import analyze, key_gain
from relight.stage.cast_shadow import unshadowed
from relight.stage.tflite import TfliteStages

ANDROID = Path(__file__).parents[2] / "app" / "android"
MOST = 1.5
"""A stage on the JVM should cost at most this many times Python's."""

Clock = Callable[[str, Callable[[], Any]], Any]


class Remembered(Models):
    """The package's models; after :meth:`again`, each gives its earlier answer once more."""

    def __init__(self) -> None:
        """Prepare."""
        super().__init__()
        self._answers: list[dict[str, NDArray[np.float32]]] = []
        self._next: int | None = None

    def again(self) -> None:
        """Begin the next round."""
        self._next = 0

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run, or remember."""
        if self._next is None:
            self._answers.append(super().run(name, inputs))
            return self._answers[-1]
        answer = self._answers[self._next % len(self._answers)]
        self._next += 1
        return answer


def python_times(photo: Photo, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of the processor of each stage and round, after one round to warm up."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    times: dict[str, list[float]] = defaultdict(list)

    def clock(name: str, work: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = work()
        times[name].append(1e3 * (time.process_time() - start))
        return result

    models = Remembered()
    try:
        for _ in range(rounds + 1):
            _round(photo, models, clock)
            models.again()
    finally:
        cv2.setNumThreads(threads)
    return {name: found[1:] for name, found in times.items()}


def _round(photo: Photo, models: Remembered, clock: Clock) -> None:
    """The stages in the order and by the names of Kotlin's SpeedTest."""
    perception, stages = Perception(models), TfliteStages(models)
    face = clock("faces found", lambda: search.find(perception, photo.rgb8))[0]
    clock("crop to 256", lambda: face.crop.extract(photo.rgb8, 256))
    analysis = clock("analysis", lambda: analyze(perception, stages, photo.rgb8, face))
    light = Light(50, 30)
    clock("shadows cast", lambda: unshadowed(analysis.view.mesh, light.direction, 0.1))
    clock("key gain, first", lambda: key_gain(stages, analysis, light))
    gain = clock("key gain, moved", lambda: key_gain(stages, analysis, light))
    outline = analysis.outline
    guide = clock("guide", lambda: Guide(Canvas(photo.rgb8, [outline.reach]), [outline]))
    clock("guided fit", lambda: guide.fit([gain]))
    portrait = Portrait(photo, [analysis], stages)
    bright = Setup((light,))
    dim = Setup((Light(50, 30, 0.5),), 0.7)
    clock("first render", lambda: portrait.render(bright))
    clock("dimmed render", lambda: portrait.render(dim))
    clock("first preview", lambda: portrait.render(bright, side=PREVIEW_SIDE))
    clock("dimmed preview", lambda: portrait.render(dim, side=PREVIEW_SIDE))


def jvm_times(photo: Photo, rounds: int) -> dict[str, list[float]]:
    """The same of the Kotlin library.

    Raises:
        ExportError: if Maven is missing or the library does not build.
    """
    maven = shutil.which("mvn")
    if not ANDROID.is_dir():
        raise ExportError(f"{ANDROID}: not found; run this in a checkout of the repository")
    if maven is None:
        raise ExportError("mvn: not found; install Maven and a JDK 17 (apt install maven)")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "photo.rgb").write_bytes(photo.rgb8.tobytes())
        asked = {"size": [photo.height, photo.width], "rounds": rounds}
        (folder / "speed.json").write_text(json.dumps(asked))
        command = [maven, "-q", "-B", "-f", str(ANDROID / "pom.xml"), "test", "-pl", "core"]
        command += ["-Dtest=SpeedTest", f"-Dspeed.folder={folder}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            last = (done.stdout + done.stderr).strip().splitlines()[-1:]
            raise ExportError(f"{ANDROID}: does not build; run {' '.join(command)} ({last})")
        found: dict[str, list[float]] = json.loads((folder / "times.json").read_text())
        return found


def jvm_table(photo: Photo, rounds: int) -> FigureTable:
    """Least processor time of each stage on the JVM and in Python, and their ratio.

    What else runs on a machine takes caches away, and so can only add to the times.
    """
    ours, theirs = python_times(photo, rounds), jvm_times(photo, rounds)
    rows, missed = [], []
    for name, found in ours.items():
        python, jvm = min(found), min(theirs[name])
        ratio = jvm / python if python else math.inf
        rows.append((name, f"{python:.1f}", f"{jvm:.1f}", f"{ratio:.2f}"))
        if ratio > MOST:
            missed.append(name)
    megapixels = photo.width * photo.height / 1e6
    return FigureTable(
        "jvm",
        f"{megapixels:.1f} megapixels, one thread, least of {rounds} rounds, milliseconds of the"
        " processor without the networks",
        ("stage", "Python", "JVM", "ratio"),
        rows,
        f"each <= {MOST:g}: {'missed by ' + ', '.join(missed) if missed else 'met'}.",
    )
