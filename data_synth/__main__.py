# SPDX-License-Identifier: Apache-2.0
"""The Light Stage's command line: ``python -m data_synth render | preview | capture ...``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated, NoReturn

import numpy as np
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from data_synth.registry import choose_source, parse_assets
from data_synth.rival import rival_command
from data_synth.run.audit import audit
from data_synth.run.capture import photograph
from data_synth.run.cost import estimate, rows
from data_synth.run.dataset import Dataset, render_dataset
from data_synth.run.field import Field
from data_synth.run.plan import CameraJitter, Plan
from data_synth.run.run_progress import RunProgress
from data_synth.run.scaling import measure
from data_synth.sample.illumination import EnvironmentBank
from data_synth.sample.pair import PairMaker
from data_synth.sample.pair_ranges import PairRanges
from data_synth.share import share_command
from data_synth.source_option import AssetsOption, SourceOption
from data_synth.stage.render import RenderSettings
from data_synth.stage.rig import FIELD_CM
from relight.error import RelightError
from relight.storage import whole_file
from relight.work.factory import make_runner

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A virtual Light Stage: people rendered one light at a time, to put into any lighting.",
)
app.command()(share_command.export)
app.command()(share_command.pairs)
app.command()(rival_command.compare)
app.command()(rival_command.growth)
console = Console(stderr=True, highlight=False)

INTERRUPTED = 130
RETRIES = 3
"""Times that a task is started again after its process died."""


@app.command()
def render(
    out: Annotated[Path, typer.Option(help="Folder of the dataset.")],
    subjects: Annotated[int, typer.Option(min=1, help="Number of people.")] = 2,
    cameras: Annotated[int, typer.Option(min=1, max=64, help="Views of each person.")] = 1,
    size: Annotated[int, typer.Option(min=16, max=2048, help="Pixels along each side.")] = 256,
    lights: Annotated[int, typer.Option(min=4, max=4000, help="Lights of the rig.")] = 331,
    samples: Annotated[int, typer.Option(min=1, max=16, help="Shaded points a pixel.")] = 4,
    field: Annotated[
        float,
        typer.Option(min=10, max=200, help="Width of the picture in cm; 42 is a face's crop."),
    ] = FIELD_CM,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all randomness.")] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes; 2, or with --address one per CPU of the cluster."),
    ] = None,
    runner: Annotated[
        str, typer.Option(help="local: processes here; ray: a Ray cluster (extra 'scale').")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(help="The Ray cluster: HOST:PORT or auto; without it one is started here."),
    ] = None,
    counters: Annotated[
        Path | None, typer.Option(help="JSON file to write progress to, for monitoring.")
    ] = None,
    source: SourceOption = None,
    assets: AssetsOption = None,
) -> None:
    """Render people in the rig. Run it again to continue after a stop, or to add more."""
    chosen, folder = choose_source(source, parse_assets(assets or []))
    plan = Plan(
        out=out,
        subjects=subjects,
        cameras=cameras,
        source=chosen.name,
        assets=folder,
        lights=lights,
        seed=seed,
        settings=RenderSettings(size=size, samples=samples),
        jitter=CameraJitter(field_cm=field),
    )
    engine = make_runner(runner, jobs or (None if address else 2), address, RETRIES)
    count = RunProgress(workers=engine.workers)
    with _bar("Rendering") as bar:
        task = bar.add_task("views", total=None)
        for report in render_dataset(plan, engine):
            count.take(report)
            bar.update(task, total=max(report.total, 1), completed=report.done)
            if counters:
                count.save(counters)
        if not count.total:
            bar.update(task, total=1, completed=1)
    console.print(f"{out}: {count.sentence()}", soft_wrap=True, markup=False)


@app.command()
def capture(
    out: Annotated[Path, typer.Option(help="Folder of the captures.")],
    subjects: Annotated[int, typer.Option(min=1, max=99, help="Number of people.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all randomness.")] = 1_000_000,
    source: SourceOption = None,
    assets: AssetsOption = None,
) -> None:
    """Photograph people as Extended Yale B did, with true normals, to judge methods by."""
    chosen, folder = choose_source(source, parse_assets(assets or []), training=False)
    with _bar("Photographing") as bar:
        count = min(subjects, chosen.count(folder) or subjects)
        task = bar.add_task("people", total=count)
        for index in range(count):
            person = chosen.make_subject(seed + index, assets=folder)
            photograph(person, out / f"yaleB{index + 1:02d}")
            bar.update(task, completed=index + 1)
    console.print(f"{out}: {count} people", soft_wrap=True, markup=False)


@app.command()
def scaling(
    workers: Annotated[list[int] | None, typer.Option(min=1, help="Numbers to measure.")] = None,
    subjects: Annotated[int, typer.Option(min=1, help="Number of people.")] = 4,
    cameras: Annotated[int, typer.Option(min=1, max=64, help="Views of each person.")] = 2,
    size: Annotated[int, typer.Option(min=16, max=2048, help="Pixels along each side.")] = 192,
    lights: Annotated[int, typer.Option(min=4, max=4000, help="Lights of the rig.")] = 331,
    source: SourceOption = None,
    assets: AssetsOption = None,
    runner: Annotated[str, typer.Option(help="local or ray.")] = "local",
    address: Annotated[str | None, typer.Option(help="The Ray cluster.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where to render, visible to all workers; else temporary.")
    ] = None,
) -> None:
    """Measure the throughput of 1, 2 ... workers, and the costs of a view."""
    chosen, files = choose_source(source, parse_assets(assets or []))
    plan = Plan(
        out=Path(),
        subjects=subjects,
        cameras=cameras,
        source=chosen.name,
        assets=files,
        lights=lights,
        settings=RenderSettings(size=size),
    )
    table = Table("workers", "views", "s", "views/h", "ratio", "CPU s/view", "MB/view", "load")
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for found in measure(
            plan,
            workers or [1, 2],
            lambda number: make_runner(runner, number, address, RETRIES),
            Path(place),
        ):
            counts = found.counts
            table.add_row(
                str(counts.workers),
                str(counts.done),
                f"{counts.seconds:.1f}",
                f"{counts.views_per_hour:.0f}",
                f"{found.ratio:.2f}",
                f"{counts.cpu_seconds / max(counts.done, 1):.2f}",
                f"{found.view_bytes / 1e6:.1f}",
                f"{found.load:.1f}",
            )
    Console(highlight=False).print(table)


@app.command()
def cost(
    subjects: Annotated[int, typer.Option(min=1, help="Number of people.")] = 70,
    cameras: Annotated[int, typer.Option(min=1, max=64, help="Views of each person.")] = 64,
    pairs: Annotated[int, typer.Option(min=0, help="Training samples.")] = 1_000_000,
    workers: Annotated[int, typer.Option(min=1, help="Processes, a quiet core each.")] = 100,
) -> None:
    """Estimate what a dataset costs, from measured costs of its parts (192 pixels, 331 lights)."""
    table = Table("what", "estimate")
    for name, text in rows(estimate(subjects, cameras, pairs, workers)):
        table.add_row(name, text)
    Console(highlight=False).print(table)


@app.command()
def preview(
    folder: Annotated[Path, typer.Argument(help="A dataset.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the sheets; the dataset's by default.")
    ] = None,
    environments: Annotated[
        Path | None, typer.Option(help="Folder of .hdr or .exr maps; else made here.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, max=64, help="People a sheet.")] = 6,
    resolution: Annotated[int, typer.Option(min=32, max=512, help="Pixels of a pair.")] = 128,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Draw contact sheets: environments, single lights, surfaces, training pairs."""
    from data_synth.sample import preview as sheets

    dataset = Dataset(folder)
    rng = np.random.default_rng(seed)
    bank = _bank(environments, rng)
    people = list(dataset.by_subject().values())
    chosen = [people[i] for i in rng.permutation(len(people))[:rows]]
    fields = [Field.load(views[int(rng.integers(len(views)))]) for views in chosen]
    target = out or folder
    pairs = [PairMaker(f, bank, PairRanges(resolution=resolution)).make(2, rng) for f in fields]
    for name, image in (
        ("environments", sheets.environment_sheet(fields, bank, 5, rng)),
        ("lights", sheets.light_sheet(fields)),
        ("surfaces", sheets.surface_sheet(fields)),
        ("pairs", sheets.pair_sheet(pairs)),
    ):
        path = target / f"preview-{name}.png"
        _save_png(path, image)
        typer.echo(path)


@app.command()
def inspect(folder: Annotated[Path, typer.Argument(help="A dataset.")]) -> None:
    """Check the checksums of every view, and show what the dataset holds."""
    dataset = Dataset(folder)
    with _bar("Checking") as bar:
        task = bar.add_task("views", total=len(dataset))
        found = audit(dataset, lambda n: bar.update(task, completed=n))
    table = Table("what", "median (range) or shares", title=str(folder))
    for name, text in found.rows():
        table.add_row(name, text)
    output = Console(highlight=False)
    output.print(table)
    output.print(
        f"{found.views} whole views of {found.subjects} people,"
        f" {found.bytes / 1e6 / max(found.views, 1):.1f} MB each; {len(found.broken)} broken."
    )
    for line in found.broken:
        console.print(line, style="red", soft_wrap=True, markup=False)
    if found.broken:
        raise typer.Exit(1)


def main() -> None:
    """Run the command; every failure is one line on stderr and a non-zero exit code."""
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:  # what newer typers return on Ctrl-C; older ones raise Abort
            raise KeyboardInterrupt
    except (typer.Abort, KeyboardInterrupt):
        _fail("stopped; run the same command again to continue", INTERRUPTED)
    except RelightError as error:
        _fail(str(error))
    except BrokenPipeError:
        sys.exit(1)
    except MemoryError:
        _fail("out of memory; use a smaller --size, or fewer --lights or --jobs")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror or error}")
    except Exception as error:
        show = getattr(error, "format_message", None)
        if show is None:
            raise
        _fail(f"{show()} (see python -m data_synth --help)", 2)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int = 1) -> NoReturn:
    console.print(f"error: {message}", soft_wrap=True, markup=False)
    sys.exit(code)


def _bank(folder: Path | None, rng: np.random.Generator) -> EnvironmentBank:
    return EnvironmentBank.load(folder) if folder else EnvironmentBank.make(40, rng)


def _save_png(path: Path, image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    import cv2

    _, data = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        temporary.write_bytes(data.tobytes())


def _bar(title: str) -> Progress:
    return Progress(
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )


if __name__ == "__main__":
    main()
