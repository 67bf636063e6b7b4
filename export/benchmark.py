# SPDX-License-Identifier: Apache-2.0
"""What relighting costs, as ratios that hold on any machine.

``python -m export.benchmark models`` runs the models in turns with MediaPipe's face_landmark.tflite
and prints their times as ratios to it, and their sizes, work and memory.

``python -m export.benchmark preview`` changes the light on a preview of a 12-megapixel photo.

``python -m export.benchmark runtime`` relights a 12-megapixel photo in turns with Pillow decoding
and re-encoding the same JPEG, and prints each stage's median time over Pillow's and its peak
memory; then the cold start of the whole command with its largest imports. It is the time one waits:
of two threads by default, where Pillow's round trip has one. Two cores must be free.

``python -m export.benchmark jvm`` compares each stage of the Kotlin library with Python's.

``python -m export.benchmark clip`` relights a clip of 720 lines in turns with only decoding and
encoding it.

``python -m export.benchmark memory`` prints the command's peak for a photo of 100 megapixels.
"""

from __future__ import annotations

import io
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from export.measure.cold_start import cold_start_table
from export.measure.figure_table import document
from export.measure.jvm import jvm_table
from export.measure.latency import latency_table, read_models, size_table
from export.measure.memory import memory_table, peak_megabytes, reset_peak
from export.model.sample import EXAMPLE
from relight import Light, Relighter, Setup, load_photo, save_photo
from relight.error import plain_errors
from relight.face.perception import Perception
from relight.models.library import Models
from relight.portrait import PREVIEW_SIDE, Portrait
from relight.stage.tflite import TfliteStages

SIZE = (4000, 3000)
JVM_SIZE = (4128, 3096)
"""12.8 megapixels."""
QUALITY = 92
GRAIN = 4.0
"""Deviation of the example's noise in 8-bit levels. It makes a file of 3 MB, 2 bits a pixel, as a
phone's camera does; without it, the enlarged example has 1 MB and is decoded too quickly."""
BUDGETS = {"in all": 2.2, "all but model inference": 1.5}
"""Loading, relighting and saving should cost at most this many times Pillow's round trip."""
FRAME_RATE = 60.0
"""Frames a second that a preview whose light changes should reach on two cores."""

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.callback()
def _root() -> None:
    """Measure what relighting costs."""


@app.command()
def runtime(
    photo: Annotated[
        Path | None, typer.Option(help="A JPEG; default: the example at 12 MP.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=3, help="Timed rounds, after one to warm up.")] = 9,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the full-resolution work.")] = 2,
    grain: Annotated[
        float, typer.Option(min=0, max=20, help="Noise of the example, in 8-bit levels.")
    ] = GRAIN,
) -> None:
    """Time and memory per stage for one photo, warm, and the command's cold start."""
    console = Console()
    with plain_errors():
        encoded = photo.read_bytes() if photo else example(SIZE, grain)
        load_photo(encoded)
    console.print(stage_table(encoded, rounds, threads))
    console.print(cold_start_table(example((1155, 866))))  # 1 megapixel


@app.command("memory")
def memory_command(
    megapixels: Annotated[float, typer.Option(min=0.1, max=200, help="Of the photo, 3:2.")] = 100,
) -> None:
    """Peak memory of the whole command for the example as a photo of many megapixels."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    with plain_errors():
        Console().print(memory_table(example((height * 3 // 2, height))))


@app.command("models")
def models_command(
    folder: Annotated[
        Path | None, typer.Option(help="Folder of models.json; default: those of the package.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=3, help="Timed runs of each model.")] = 200,
    write_tables: Annotated[
        Path | None, typer.Option("--document", help="Markdown file to update the tables in.")
    ] = None,
) -> None:
    """Time of each model as a ratio to MediaPipe's face_landmark; size, work and memory."""
    with plain_errors():
        contents = read_models(folder)
        tables = [size_table(contents), *(latency_table(contents, rounds, n) for n in (1, 2))]
        for table in tables:
            Console().print(table.as_rich())
        if write_tables is not None:
            document(write_tables, tables)


@app.command("preview")
def preview_command(
    photo: Annotated[Path | None, typer.Option(help="A portrait; default: the example.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder of models.json; default: those of the package.")
    ] = None,
    frames: Annotated[int, typer.Option(min=3, help="Timed positions of the light.")] = 60,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Time from a change of the light to the relit preview, 1024 pixels."""
    with plain_errors():
        pixels = load_photo(photo.read_bytes() if photo else example(SIZE))
        with Relighter(threads, models=TfliteStages(Models(folder, threads=threads))) as relighter:
            portrait = relighter.look(pixels)
            seconds = {
                "moved": preview_seconds(portrait, (_moved(n / frames) for n in range(frames + 1))),
                "dimmed": preview_seconds(
                    portrait, (_dimmed(n / frames) for n in range(frames + 1))
                ),
            }
    for change, times in seconds.items():
        low, middle, high = (1e3 * value for value in statistics.quantiles(times, n=4))
        verdict = "met" if 1e3 / middle >= FRAME_RATE else "missed"
        Console().print(
            f"light {change}: {1e3 / middle:.1f} frames/s (median {middle:.1f} ms, quartiles"
            f" {low:.1f}-{high:.1f}, least {min(times) * 1e3:.1f}); >= {FRAME_RATE:g}: {verdict}",
            highlight=False,
            soft_wrap=True,
        )


@app.command("jvm")
def jvm_command(
    photo: Annotated[Path | None, typer.Option(help="A portrait; default: the example.")] = None,
    rounds: Annotated[int, typer.Option(min=3, help="Timed rounds, after those to warm up.")] = 9,
    write_tables: Annotated[
        Path | None, typer.Option("--document", help="Markdown file to update the table in.")
    ] = None,
) -> None:
    """Processor time of each stage of the Kotlin library over Python's."""
    with plain_errors():
        pixels = load_photo(photo.read_bytes() if photo else example(JVM_SIZE))
        table = jvm_table(pixels, rounds)
        Console().print(table.as_rich())
        if write_tables is not None:
            document(write_tables, [table])


@app.command("clip")
def clip_command(
    clip: Annotated[
        Path | None, typer.Option(help="A video file; default: the example's face, 1280 x 720.")
    ] = None,
    pictures: Annotated[int, typer.Option(min=4, help="Of the example.")] = 90,
    rounds: Annotated[int, typer.Option(min=1, help="Timed rounds, after one to warm up.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the full-resolution work.")] = 2,
) -> None:
    """Processor time of relighting a clip over that of decoding and encoding it alone."""
    from export.measure.pace import pace_table

    with plain_errors():
        Console().print(pace_table(clip, pictures, rounds, threads).as_rich())


def _moved(part: float) -> Setup:
    """A light on its way around the head."""
    return Setup((Light(180 * math.sin(part), 30 * math.cos(part)),))


def _dimmed(part: float) -> Setup:
    """A light whose intensity and colour change while less of the existing light is left."""
    return Setup((Light(50, 30, 1 - part / 2, (1, 1 - part / 2, 1 - part)),), 1 - part / 2)


def preview_seconds(portrait: Portrait, setups: Iterable[Setup]) -> list[float]:
    """Seconds to draw the preview with each of the setups, after the first to warm up."""
    seconds = []
    for setup in setups:
        start = time.perf_counter()
        portrait.render(setup, side=PREVIEW_SIDE)
        seconds.append(time.perf_counter() - start)
    return seconds[1:]


def example(size: tuple[int, int], grain: float = GRAIN) -> bytes:
    """The example portrait pasted large into a photo of the given size, as JPEG."""
    width, height = size
    with Image.open(EXAMPLE) as image:
        face = image.convert("RGB").resize((height, height), Image.Resampling.BICUBIC)
    canvas = Image.new("RGB", size, (118, 110, 104))
    canvas.paste(face, ((width - height) // 2, 0))
    noise = np.random.default_rng(0).standard_normal((height, width, 1), np.float32)
    noisy = np.clip(np.asarray(canvas) + np.float32(grain) * noise + 0.5, 0, 255)
    stream = io.BytesIO()
    Image.fromarray(noisy.astype(np.uint8)).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def stage_table(encoded: bytes, rounds: int, threads: int) -> Table:
    """Median seconds of each stage over Pillow's decode and encode, and its peak memory."""
    seconds: dict[str, list[float]] = defaultdict(list)
    memory: dict[str, float] = defaultdict(float)
    clock = _InferenceClock()
    detector, stages = Perception(clock), TfliteStages(clock)
    with Relighter(threads=threads, detector=detector, models=stages) as relighter:
        for turn in range(rounds + 1):
            times, peaks = _one_round(encoded, relighter, clock)
            for name, value in peaks.items():
                memory[name] = max(memory[name], value)
            if turn:  # the first round warms up
                for name, value in times.items():
                    seconds[name].append(value)
    unit = statistics.median(seconds["Pillow: decode and encode"])
    photo = load_photo(encoded)
    megapixels = photo.width * photo.height / 1e6
    table = Table(title=f"{megapixels:.1f} megapixels, {threads} threads, median of {rounds}")
    for column in ("stage", "ms", "quartiles", "over Pillow", "peak MB"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    order = ["Pillow: decode and encode", "load", "relight"]
    order += [name for name in seconds if name.startswith("relight: ")]
    order += ["save", *BUDGETS]
    for name in order:
        low, middle, high = statistics.quantiles(seconds[name], n=4)
        table.add_row(
            name.replace("relight: ", "  "),
            f"{middle * 1e3:.0f}",
            f"{low * 1e3:.0f}-{high * 1e3:.0f}",
            f"{middle / unit:.2f}",
            f"{memory[name]:.0f}" if name in memory else "",
        )
    verdicts = []
    for name, most in BUDGETS.items():
        ratio = statistics.median(seconds[name]) / unit
        verdicts.append(f"{name} <= {most}: {'met' if ratio <= most else 'missed'} ({ratio:.2f})")
    bits = 8e-6 * len(encoded) / megapixels
    table.caption = f"{bits:.1f} bits a pixel; over Pillow, {'; '.join(verdicts)}"
    return table


def _one_round(
    encoded: bytes, relighter: Relighter, clock: _InferenceClock
) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds and peak megabytes per stage, once through."""
    times: dict[str, float] = {}
    peaks: dict[str, float] = {}

    def stage(name: str, work: Callable[[], Any]) -> Any:
        reset_peak()
        start = time.perf_counter()
        result = work()
        times[name] = time.perf_counter() - start
        peaks[name] = peak_megabytes()
        return result

    stage("Pillow: decode and encode", lambda: _pillow_round_trip(encoded))
    clock.seconds = 0.0
    photo = stage("load", lambda: load_photo(encoded))
    result = stage("relight", lambda: relighter.relight(photo, Light(50, 30, 1.0)))
    stage("save", lambda: save_photo(photo.with_rgb(result.image), io.BytesIO()))
    times["relight: model inference"] = clock.seconds
    times.update({f"relight: {name}": value for name, value in result.timings.items()})
    times["in all"] = times["load"] + times["relight"] + times["save"]
    times["all but model inference"] = times["in all"] - clock.seconds
    return times, peaks


class _InferenceClock(Models):
    """The package's models, counting the seconds spent in them."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run and count."""
        start = time.perf_counter()
        try:
            return super().run(name, inputs)
        finally:
            self.seconds += time.perf_counter() - start


def _pillow_round_trip(encoded: bytes) -> None:
    with Image.open(io.BytesIO(encoded)) as image:
        image.load()
        image.save(io.BytesIO(), "JPEG", quality="keep")


if __name__ == "__main__":
    app()
