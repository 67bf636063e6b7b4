# SPDX-License-Identifier: Apache-2.0
"""What relighting a clip costs, against decoding and encoding it alone."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from export.measure.figure_table import FigureTable
from export.model.sample import EXAMPLE
from relight import Light, Relighter
from relight.video.clip import Clip, Picture, load_av
from relight.video.film import relight_clip
from relight.video.writer import clip_writer

SIZE = (1280, 720)
RATE = 30
SWAY = 24
"""Pixels to each side that the example's face sways by, once in two seconds."""
NOISE = 2.0
"""Deviation of the camera's noise in levels of 255: a phone's indoors."""
LIGHT = Light(45, 30, 0.8)


def pace_table(clip: Path | None, pictures: int, rounds: int, threads: int) -> FigureTable:
    """Processor time of relighting a clip and of copying it picture by picture, in turns.

    Args:
        clip: a video file; the example's face as a clip without it.
        pictures: of the example.
        rounds: timed ones, after one to warm up.
        threads: of the full-resolution work.

    Raises:
        ClipError: if the clip cannot be read.
    """
    spent: dict[str, list[tuple[float, float]]] = {"copied": [], "relit": []}
    with tempfile.TemporaryDirectory() as folder, Relighter(threads) as relighter:
        source = clip or write_example(Path(folder) / "example.mp4", pictures)
        target = Path(folder) / f"out{source.suffix}"
        with Clip(source) as opened:
            size = f"{opened.width} x {opened.height}"
        count = copied(source, target)
        work: dict[str, Callable[[], object]] = {
            "copied": lambda: copied(source, target),
            "relit": lambda: relit(source, target, relighter),
        }
        for turn in range(rounds + 1):
            for name, run in work.items():
                wall, own = time.perf_counter(), time.process_time()
                run()
                if turn:  # the first round warms up
                    spent[name].append((time.process_time() - own, time.perf_counter() - wall))
    rows = []
    per_picture = {
        name: [statistics.median(k) / count for k in zip(*found, strict=True)]
        for name, found in spent.items()
    }
    for name, (own, wall) in per_picture.items():
        over = own / per_picture["copied"][0]
        rows.append(
            (name, f"{own * 1e3:.0f}", f"{over:.1f}", f"{threads / own:.1f}", f"{1 / wall:.1f}")
        )
    columns = ("", "processor ms a picture", "over copied", "pictures/s by it", "pictures/s here")
    title = f"A clip of {count} pictures, {size}, {threads} threads, median of {rounds}"
    note = "By it: if the threads had a core each to themselves. Here: whatever else ran."
    return FigureTable("pace", title, columns, rows, note)


def copied(source: Path, target: Path) -> int:
    """Decode and encode a clip, nothing else; the number of its pictures."""
    count = 0
    target.unlink(missing_ok=True)
    with Clip(source) as clip, clip_writer(target, clip) as write:
        for part in clip.parts():
            count += isinstance(part, Picture)
            write(part)
    return count


def relit(source: Path, target: Path, relighter: Relighter) -> None:
    """Relight a clip."""
    target.unlink(missing_ok=True)
    with Clip(source) as clip:
        relight_clip(clip, relighter.video(clip, LIGHT), target)


def write_example(path: Path, pictures: int) -> Path:
    """The example portrait's face as it sways, filmed with noise."""
    av = load_av()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "17"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for picture in _swaying(pictures):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return path


def _swaying(count: int) -> Iterator[NDArray[np.uint8]]:
    width, height = SIZE
    with Image.open(EXAMPLE) as image:
        face = image.convert("RGB").resize((height, height), Image.Resampling.BICUBIC)
    rng = np.random.default_rng(0)
    for number in range(count):
        canvas = Image.new("RGB", SIZE, (118, 110, 104))
        sway = SWAY * np.sin(np.pi * number / RATE)
        canvas.paste(face, (round((width - height) / 2 + sway), 0))
        noisy = np.asarray(canvas) + NOISE * rng.standard_normal((height, width, 1), np.float32)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
