# SPDX-License-Identifier: Apache-2.0
"""How good the stages are on real people.

``python -m training.evaluate yaleb --root DIR`` prints the figures on Extended Yale B, per subject
and in all, beside those of the analytic stages; ``--photos DIR`` draws a contact sheet of photos
before and after. The networks judged are those of the package, of ``--models DIR`` (TFLite) or of
``--weights DIR`` (Keras); ``--baseline`` judges none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from relight import Relighter
from relight.error import plain_errors
from relight.face.perception import Perception
from relight.models.library import Models
from relight.stage.stages import NetworkStages, Stages
from relight.stage.tflite import TfliteStages
from relight.storage import whole_file
from training.analytic.analytic_stages import AnalyticStages
from training.analytic.formula import FormulaStages, MeanStages
from training.judge import yaleb
from training.judge.captured_person import (
    ANALYTIC,
    FORMULA,
    MEAN,
    STAGES,
    STEREO,
    SubjectFigures,
    judge_subject,
    mean_figures,
)
from training.judge.contact_sheet import contact_sheet
from training.judge.look.crossed import crossed_command
from training.judge.look.key_look import NAMES
from training.judge.look.light_figure import summary
from training.judge.look.part_truth import PARTS, judge_parts
from training.judge.look.photo_use import judge_photo_use
from training.judge.report import real_tone_table, wide_console
from training.judge.synthetic import synthetic_command

Float = NDArray[np.float32]

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


def tables(figures: list[SubjectFigures]) -> list[Table]:
    """The figures as two tables: per subject, and the stages against the yardsticks."""
    subjects = Table(title="Extended Yale B, the stages judged, per subject")
    for name in ("subject", "normals deg", "residual", *yaleb.MIXED_KINDS, *yaleb.HARD_KINDS):
        subjects.add_column(name, justify="left" if name == "subject" else "right")
    for name in ("sRGB RMSE", "SSIM", "light deg", "faces found"):
        subjects.add_column(name, justify="right")
    mean = mean_figures(figures)
    for item in [*figures, mean]:
        mixed = [item.residual[kind][STAGES] for kind in yaleb.MIXED_KINDS]
        hard = [item.hard[kind][STAGES] for kind in yaleb.HARD_KINDS]
        subjects.add_row(
            item.subject,
            f"{item.normals_deg:.1f}",
            *(f"{value:.3f}" for value in (np.mean(mixed), *mixed, *hard)),
            f"{item.rmse[STAGES]:.3f}",
            f"{item.ssim[STAGES]:.3f}",
            f"{item.light_deg:.1f}",
            f"{item.faces_found:.0%}",
            end_section=item is figures[-1],
        )
    rows = Table(title="Mean of all subjects")
    for name in ("", "normals deg", "residual", *yaleb.HARD_KINDS, "sRGB RMSE", "SSIM"):
        rows.add_column(name, justify="right" if name else "left")
    rows.add_column("light deg", justify="right")
    own = {"normals_deg": mean.normals_deg, "light_deg": mean.light_deg}
    rows.caption = (
        f"True normals from the lamps on the left and those from the right: {mean.doubt_deg:.1f}"
        " degrees apart."
    )
    if mean.known:
        rows.caption += (
            f" From the known normals the stages are {mean.known[STAGES]:.1f} degrees away,"
            f" photometric stereo {mean.known[STEREO]:.1f}."
        )
    if mean.shadow:
        left = (f"{row} {value:.2f}" for row, value in mean.shadow.items())
        rows.caption += f" Of Lambert's light, in cast shadows is left: {', '.join(left)}."
    for row in mean.rmse:
        degrees = own if row == STAGES else mean.analytic if row == ANALYTIC else {}
        rows.add_row(
            row,
            f"{degrees['normals_deg']:.1f}" if degrees else "",
            f"{np.mean([kind[row] for kind in mean.residual.values()]):.3f}",
            *(f"{mean.hard[kind][row]:.3f}" for kind in yaleb.HARD_KINDS),
            f"{mean.rmse[row]:.3f}",
            f"{mean.ssim[row]:.3f}",
            f"{degrees['light_deg']:.1f}" if degrees else "",
        )
    return [subjects, rows, _height_table(mean), _key_table(mean)]


def _height_table(mean: SubjectFigures) -> Table:
    """How the added light errs by the key's height."""
    table = Table(title="Residual in softly lit photos by the key's elevation, degrees")
    table.add_column("")
    for height in mean.heights:
        table.add_column(height, justify="right")
    for row in mean.rmse:
        table.add_row(row, *(f"{by_row[row]:.3f}" for by_row in mean.heights.values()))
    return table


def _key_table(mean: SubjectFigures) -> Table:
    """How much like light the key alone looks."""
    table = Table(title="The key alone beside the photograph under that lamp, lit softly before")
    table.add_column("")
    for name in NAMES:
        table.add_column(name, justify="right")
    for row, figures in mean.key_look.items():
        known = (f"{figures[name]:.3f}" if name in figures else "" for name in NAMES)
        table.add_row(row, *known)
    return table


@app.callback()
def _root() -> None:
    """Judge the stages on real people."""


WeightsOption = Annotated[Path | None, typer.Option(help="Folder of Keras weights to judge.")]
SplitOption = Annotated[
    Path | None,
    typer.Option(help="Folder of shading and key weights to judge with the others' estimates."),
]
ModelsOption = Annotated[
    Path | None, typer.Option(help="Folder of TFLite models to judge; else the package's.")
]
BaselineOption = Annotated[bool, typer.Option("--baseline", help="Judge the analytic stages.")]
SubjectsOption = Annotated[
    int | None, typer.Option(min=1, help="So many subjects, evenly chosen; else all.")
]
OutOption = Annotated[Path, typer.Option(help="Where figures and sheets go.")]
OUT = Path("runs/evaluate")


@app.command("yaleb")
def yaleb_command(
    root: Annotated[Path, typer.Option(help="CroppedYale, in its own layout.")],
    photos: Annotated[Path | None, typer.Option(help="Folder of photos for a sheet.")] = None,
    weights: WeightsOption = None,
    models: ModelsOption = None,
    baseline: BaselineOption = False,
    split: SplitOption = None,
    subjects: SubjectsOption = None,
    out: OutOption = OUT,
) -> None:
    """Figures on Extended Yale B: normals, added light, relit photo, light direction."""
    with plain_errors(), closing(Perception()) as detector:
        base = judged = _stages(weights, models, baseline)
        if split is not None:
            from training.split.split_stages import split_stages

            judged = split_stages(base, split)
        methods = {STAGES: Relighter(2, detector=detector, models=judged)}
        if not baseline:
            for row, stages in (
                (FORMULA, FormulaStages(base)),
                (MEAN, MeanStages(judged)),
                (ANALYTIC, AnalyticStages()),
            ):
                methods[row] = Relighter(2, detector=detector, models=stages)
        progress = Console(stderr=True)
        figures = [
            judge_subject(methods, yaleb.load(folder))
            for folder in track(
                yaleb.subjects(root, subjects), "Judging", console=progress, transient=True
            )
        ]
        for table in [*tables(figures), real_tone_table(figures, STAGES)]:
            wide_console().print(table)
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(item) for item in figures], indent=1)
        with whole_file(out / "yaleb.json") as path:
            path.write_text(text + "\n")
        if photos is not None:
            _draw_sheets(methods[STAGES], photos, out)


@app.command("photo-use")
def photo_use_command(
    root: Annotated[Path, typer.Option(help="CroppedYale, in its own layout.")],
    weights: WeightsOption = None,
    models: ModelsOption = None,
    baseline: BaselineOption = False,
    subjects: SubjectsOption = None,
) -> None:
    """How much of the photo the normals use: their error as the photo is blurred."""
    with plain_errors(), Relighter(2, models=_stages(weights, models, baseline)) as relighter:
        found: dict[str, list[tuple[float, float]]] = {}
        progress = Console(stderr=True)
        for folder in track(
            yaleb.subjects(root, subjects), "Judging", console=progress, transient=True
        ):
            capture = yaleb.load(folder)
            truth = yaleb.photometric_stereo(capture)[0]
            for name, pair in judge_photo_use(relighter, capture, truth).items():
                found.setdefault(name, []).append(pair)
    table = Table("photo", "normals deg", "turned by", title="Normals of blurred photos")
    for name, pairs in found.items():
        error, turn = np.mean(pairs, 0)
        table.add_row(name, f"{error:.2f}", f"{turn:.2f}")
    wide_console().print(table)


@app.command("video")
def video_command(
    seed: Annotated[
        list[int] | None,
        typer.Option(help="Of a synthetic person and the noise, once for each; default: 0, 1, 2."),
    ] = None,
    size: Annotated[int, typer.Option(min=160, help="Side of the pictures, pixels.")] = 320,
) -> None:
    """How steady relit clips are: flicker on a still face, lag on one that turns."""
    from data_synth.registry import choose_source
    from data_synth.sample.take import film
    from training.judge.steadiness import LIGHT, MOST, YAWS_DEG, judge_steadiness

    table = Table("person", "flicker", "lag", "error", title="Relit synthetic clips")
    table.caption = "Flicker and error in levels of 255, lag in pictures of 30 a second."
    found = []
    with plain_errors():
        source, assets = choose_source("builtin", {})
        stages, perception = TfliteStages(), Perception()
        for number in seed or range(3):
            subject = source.make_subject(number, assets=assets)
            shots = list(
                track(
                    film(subject, YAWS_DEG, LIGHT, size),
                    "Filming",
                    total=len(YAWS_DEG),
                    console=Console(stderr=True),
                    transient=True,
                )
            )
            rng = np.random.default_rng(number)
            figures = judge_steadiness(shots, perception, stages, rng)
            found.append((figures.flicker, figures.lag, figures.error))
            table.add_row(f"{subject.source} {number}", *_figures(found[-1]))
    table.add_section()
    table.add_row("mean", *_figures(np.mean(found, 0)))
    table.add_row("most", *_figures(np.max(found, 0)))
    table.add_row("aim", *(f"{most:.1f}" for most in MOST), "")
    wide_console().print(table)


def _figures(values: Iterable[float]) -> tuple[str, str, str]:
    """Flicker, lag and error, in words."""
    flicker, lag, error = values
    return f"{flicker:.2f}", f"{lag:.1f}", f"{error:.1f}"


@app.command("parts")
def parts_command(
    root: Annotated[Path, typer.Option(help="CroppedYale, in its own layout.")],
    split: SplitOption = None,
    subjects: SubjectsOption = None,
) -> None:
    """Where the added light's error sits: its residual with one part told the truth in turn."""
    with plain_errors(), closing(Perception()) as detector, closing(TfliteStages()) as base:
        stages: NetworkStages = base
        if split is not None:
            from training.split.split_stages import split_stages

            stages = split_stages(base, split)
        relighter, progress = Relighter(2, detector=detector, models=stages), Console(stderr=True)
        found = [
            judge_parts(relighter, stages, yaleb.load(folder))
            for folder in track(
                yaleb.subjects(root, subjects), "Judging", console=progress, transient=True
            )
        ]
    table = Table("", title="Residual of the added light, parts told the truth, per photo")
    for kind in (*yaleb.MIXED_KINDS, *yaleb.HARD_KINDS):
        table.add_column(kind, justify="right")
    for part in PARTS:
        means = {kind: np.mean([one[part][kind] for one in found]) for kind in found[0][part]}
        table.add_row(part, *(f"{value:.4f}" for value in means.values()))
    wide_console().print(table)


@app.command("photos")
def photos_command(
    photos: Annotated[Path, typer.Option(help="Folder of photos.")],
    weights: WeightsOption = None,
    models: ModelsOption = None,
    baseline: BaselineOption = False,
    out: OutOption = OUT,
) -> None:
    """Photos before and after automatic relighting: a contact sheet, and what one notices."""
    with plain_errors(), Relighter(2, models=_stages(weights, models, baseline)) as relighter:
        out.mkdir(parents=True, exist_ok=True)
        _draw_sheets(relighter, photos, out)


def _draw_sheets(relighter: Relighter, photos: Path, out: Path) -> None:
    pages, figures = contact_sheet(relighter, photos, out)
    for page in pages:
        wide_console().print(f"Contact sheet: {page}")
    if figures:
        wide_console().print(f"Automatic light, {summary(figures)}")


def _stages(weights: Path | None, models: Path | None, baseline: bool) -> Stages:
    """What is judged."""
    if sum([weights is not None, models is not None, baseline]) > 1:
        raise typer.BadParameter("give one of --weights, --models and --baseline")
    if weights is not None:
        from training.networks.keras_stages import KerasModels

        return KerasModels(weights)
    return AnalyticStages() if baseline else TfliteStages(Models(models))


app.command("crossed")(crossed_command)
app.command("synthetic")(synthetic_command)


if __name__ == "__main__":
    app()
