# SPDX-License-Identifier: Apache-2.0
"""What the models cost, as ratios to MediaPipe's face_landmark.tflite in the same process.

All models take turns, round by round, so that a busy machine slows them alike. One thread is timed
by processor time, which other programs hardly change; several threads by wall-clock time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from export.measure.figure_table import FigureTable
from export.measure.memory import peak_megabytes, reset_peak
from export.model.description import DESCRIPTIONS
from export.model.graph import Graph, inspect
from export.model.manifest import adopted
from relight.models.interpreter import CURE, ModelError, load_interpreter
from relight.models.library import Models, read_manifest

REFERENCE = "face_landmark"
"""MediaPipe's first Face Mesh of 192 x 192 pixels, 0.035 GMAC: a yardstick that stays the same."""
REFERENCE_FILE = Path(__file__).with_name("face_landmark.tflite")
DRAG = "light drag (key)"
PIPELINE = "all four"
BARS = {DRAG: 2.0, PIPELINE: 6.0}
"""Largest ratio to the reference, one thread."""


@dataclass(frozen=True)
class Timing:
    """Times of one model in seconds.

    Attributes:
        first: of loading and the first run.
        later: of the runs after it, one per round, fastest first.
    """

    first: float
    later: list[float]

    @property
    def minimum(self) -> float:
        """Seconds of the fastest run."""
        return self.later[0]

    @property
    def median(self) -> float:
        """Seconds of the middle run."""
        return statistics.median(self.later)


def read_models(folder: Path | None = None) -> dict[str, bytes]:
    """Content of our own networks that a manifest lists, by name.

    Args:
        folder: of the manifest; ``None`` for the package's.

    Raises:
        ModelError: if the manifest or a file cannot be read.
    """
    place = Models(folder).folder
    _, entries = read_manifest(place)
    try:
        return {
            name: (place / entry.file).read_bytes()
            for name, entry in entries.items()
            if name in DESCRIPTIONS
        }
    except OSError as error:
        raise ModelError(f"{error.filename}: cannot be read ({error.strerror}); {CURE}") from error


def time_models(models: Mapping[str, bytes], rounds: int, threads: int) -> dict[str, Timing]:
    """Run all models in turns; :data:`PIPELINE` is their sum, fastest with fastest and so on.

    Args:
        models: content by name; :data:`REFERENCE` must be among them, and is no part of the sum.
        rounds: counted runs of each.
        threads: of each model.
    """
    clock = time.thread_time if threads == 1 else time.perf_counter
    interpreters, first = {}, {}
    for name, content in models.items():
        start = clock()
        interpreters[name] = _filled(content, threads)
        interpreters[name].invoke()
        first[name] = clock() - start
    later: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds):
        for name, interpreter in interpreters.items():
            start = clock()
            interpreter.invoke()
            later[name].append(clock() - start)
    timings = {name: Timing(first[name], sorted(later[name])) for name in models}
    own = [timing for name, timing in timings.items() if name != REFERENCE]
    together = [sum(ranked) for ranked in zip(*(t.later for t in own), strict=True)]
    timings[PIPELINE] = Timing(sum(t.first for t in own), together)
    return timings


def _filled(content: bytes, threads: int) -> Any:
    """An interpreter whose inputs hold noise in [0, 1]."""
    interpreter = load_interpreter(content, threads)
    rng = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        noise = rng.random(tuple(detail["shape"]), np.float32)
        interpreter.set_tensor(detail["index"], noise.astype(detail["dtype"]))
    return interpreter


def footprint(content: bytes) -> float:
    """Megabytes that a fresh process grows by, at its peak, to load a model and run it once."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_growth, content).result()


def _growth(content: bytes) -> float:
    load_interpreter(REFERENCE_FILE.read_bytes())  # so that the runtime's library does not count
    reset_peak()
    before = peak_megabytes()
    _filled(content, 1).invoke()
    return peak_megabytes() - before


def latency_table(models: Mapping[str, bytes], rounds: int, threads: int) -> FigureTable:
    """Time per model over the reference's.

    Args:
        models: own models' content by name.
        rounds: see :func:`time_models`.
        threads: see :func:`time_models`.
    """
    contents = {REFERENCE: REFERENCE_FILE.read_bytes(), **models}
    timings = time_models(contents, rounds, threads)
    if "key" in timings:
        timings[DRAG] = timings["key"]
    unit = timings[REFERENCE]
    rows, verdicts = [], []
    for name, timing in timings.items():
        low, _, high = statistics.quantiles(timing.later, n=4)
        ratio = timing.minimum / unit.minimum
        rows.append(
            (
                name,
                f"{timing.first * 1e3:.1f}",
                f"{timing.median * 1e3:.2f}",
                f"{(high - low) * 1e3:.2f}",
                f"{timing.minimum * 1e3:.2f}",
                f"{timing.median / unit.median:.2f}",
                f"{ratio:.2f}",
            )
        )
        if threads == 1 and name in BARS:
            verdict = "met" if ratio <= BARS[name] else "missed"
            verdicts.append(f"{name} <= {BARS[name]:g}: {verdict} ({ratio:.2f})")
    return FigureTable(
        f"latency-{threads}",
        f"{threads} thread{'s' * (threads > 1)}, {rounds} rounds in turns, milliseconds"
        f" ({'of the processor' if threads == 1 else 'on the wall'}) and ratios to {REFERENCE}",
        ("model", "load + first", "median", "IQR", "least", "ratio of medians", "of least"),
        rows,
        "; ".join(verdicts),
    )


def size_table(models: Mapping[str, bytes]) -> FigureTable:
    """Size, work and memory per model."""
    contents = {**models, REFERENCE: REFERENCE_FILE.read_bytes()}
    rows = []
    for name, content in contents.items():
        graph = inspect(content)
        rows.append(
            (
                name,
                f"{len(content) / 1e6:.2f}",
                f"{graph.parameters / 1e6:.3f}",
                f"{graph.macs / 1e9:.4f}",
                f"{footprint(content):.1f}",
                str(graph.delegated.total()),
                _listed(graph),
            )
        )
    own = sum(map(len, models.values())) / 1e6
    whole = own + sum(map(len, adopted()[0].values())) / 1e6
    return FigureTable(
        "size",
        "The models as shipped",
        ("model", "MB", "M parameters", "GMAC", "peak MB", "nodes on XNNPACK", "elsewhere"),
        rows,
        f"Own models together: {own:.2f} MB, with MediaPipe's that ship beside them {whole:.2f} MB."
        " Peak: growth of a fresh process at load and first run.",
    )


def _listed(graph: Graph) -> str:
    if not graph.others:
        return "0"
    names = ", ".join(
        f"{name} {count}" if count > 1 else name for name, count in sorted(graph.others.items())
    )
    return f"{graph.others.total()} ({names})"
