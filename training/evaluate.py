# SPDX-License-Identifier: Apache-2.0
"""How good the stages are on real people.

``python -m training.evaluate yaleb --root DIR`` prints the figures on Extended Yale B, per subject
and in all, beside those of the analytic stages; ``--photos DIR`` draws a contact sheet of photos
before and after. The networks judged are those of the package, of ``--models DIR`` (TFLite) or of
``--weights DIR`` (Keras); ``--baseline`` judges none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from relight import Light, Relighter
from relight.color import linear_to_srgb
from relight.detector import Detector
from relight.error import plain_errors
from relight.face import Face
from relight.geometry import angle_between, normalize
from relight.models import Models
from relight.stage import Stages
from relight.storage import whole_file
from training import metric, yaleb
from training.baselines import AnalyticModels
from training.contact_sheet import contact_sheet
from training.report import real_tone_table
from training.synthetic import synthetic_command
from training.yaleb import Capture

Float = NDArray[np.float32]

EXPOSURE = 0.18
"""Mean linear value that photos are scaled to before sRGB images are compared."""
FRONTAL = 0.2
"""Single lamps are judged for their direction when the z of their unit vector is above this."""
BRIGHTEST = 0.98
"""Pixels of a capture at or above this are clipped and do not count."""

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@dataclass(frozen=True)
class SubjectFigures:
    """One subject's figures. Rows are the stages judged and what they are compared with.

    Attributes:
        subject: folder name.
        normals_deg: of the stages judged: mean angle to photometric-stereo normals inside the face
            mesh, mean of the softly lit photos.
        residual: energy of the added light's error at the best scale, per kind of softly lit photo
            and row.
        rmse: sRGB error of those photos + key of unit intensity, per row, no scale fitted.
        ssim: its structural similarity.
        light_deg: of the stages judged: angle from the dominant direction to the lamp, mean of
            single-lamp photos.
        faces_found: share of those photos in which the face was found; the others use the
            landmarks of the ambient photo.
        hard: residual per kind of hard-lit photo and row.
        analytic: ``normals_deg`` and ``light_deg`` of the analytic stages, where they are not the
            ones judged.
        albedo: mean true albedo inside the face mesh, comparable between subjects.
        doubt_deg: what true normals are uncertain by, see :func:`yaleb.stereo_doubt_deg`.
        known: where true normals are known, mean angles to them: of the stages judged
            (:data:`STAGES`) and of photometric stereo (:data:`STEREO`); else empty.
    """

    subject: str
    normals_deg: float
    residual: dict[str, dict[str, float]]
    rmse: dict[str, float]
    ssim: dict[str, float]
    light_deg: float
    faces_found: float
    hard: dict[str, dict[str, float]] = field(default_factory=dict)
    analytic: dict[str, float] = field(default_factory=dict)
    albedo: float = 0.0
    doubt_deg: float = 0.0
    known: dict[str, float] = field(default_factory=dict)


STEREO = "photometric stereo"
STAGES = "stages"
"""Row of the stages judged."""
ANALYTIC = "analytic stages"


def judge_subject(methods: Mapping[str, Relighter], capture: Capture) -> SubjectFigures:
    """All figures of one subject; the stages run through the public interface.

    Args:
        methods: :data:`STAGES` and, to compare, :data:`ANALYTIC`.
        capture: the subject.

    Raises:
        yaleb.DatasetError: if no face is found even in the ambient photo.
    """
    truth = yaleb.photometric_stereo(capture)
    residual: dict[str, dict[str, list[float]]] = {}
    rmse: dict[str, list[float]] = {}
    ssim: dict[str, list[float]] = {}
    angles: dict[str, list[float]] = {name: [] for name in methods}
    known: dict[str, list[float]] = {}
    reference: Face | None = None
    for kind, linear in capture.photos().items():
        photo = yaleb.as_photo(linear)
        faces = methods[STAGES].find_faces(photo)
        reference = faces[0] if faces and reference is None else reference
        if reference is None:
            raise yaleb.DatasetError(f"{capture.name}: no face found in the ambient photo")
        face = faces[0] if faces else reference
        drawn, mask = yaleb.drawn_mesh(face, linear.shape)
        analyses = {name: method.analyze(photo, face) for name, method in methods.items()}
        scaled = linear * (EXPOSURE / linear[mask].mean())
        irradiance = float((scaled / np.maximum(truth[1], 0.02))[mask].mean())
        if kind in yaleb.MIXED_KINDS:
            found = {
                name: normalize(yaleb.from_photo(np.nan_to_num(analysis.normals)))
                for name, analysis in analyses.items()
            }
            for name, normals in found.items():
                angles[name].append(metric.normal_error_deg(normals, truth[0], mask))
            if capture.normals is not None:
                person = mask & capture.normals.any(-1)
                for row, normals in ((STAGES, found[STAGES]), (STEREO, truth[0])):
                    angle = metric.normal_error_deg(normals, capture.normals, person)
                    known.setdefault(row, []).append(angle)
        for index in capture.key_indices():
            lamp = capture.images[index]
            light = Light(capture.azimuths_deg[index], capture.elevations_deg[index])
            gains = {
                name: yaleb.from_photo(method.key_gain(analyses[name], light))[..., 0]
                for name, method in methods.items()
            }
            added = {
                "no light": np.zeros_like(scaled),
                "Lambert, photo as albedo": scaled * np.maximum(drawn @ light.direction, 0),
                **{name: scaled * gain for name, gain in reversed(gains.items())},
                "true normals and albedo": truth[1]
                * np.maximum(truth[0] @ light.direction, 0)
                * irradiance,
            }
            usable = mask & (lamp < BRIGHTEST)
            expected = linear_to_srgb(scaled + lamp * irradiance)
            for row, light_added in added.items():
                flat = scaled if row == "no light" else light_added
                by_row = residual.setdefault(kind, {}).setdefault(row, [])
                by_row.append(metric.added_light_residual(flat, lamp, usable))
                if kind in yaleb.MIXED_KINDS:
                    image = linear_to_srgb(scaled + light_added)
                    rmse.setdefault(row, []).append(metric.rmse(image, expected, usable))
                    ssim.setdefault(row, []).append(metric.ssim(image, expected, usable))
    light_deg, faces_found = _judge_lamps(methods, capture, reference)
    means = {kind: _means(rows) for kind, rows in residual.items()}
    normals_deg = _means(angles)
    return SubjectFigures(
        capture.name,
        normals_deg[STAGES],
        {kind: means[kind] for kind in yaleb.MIXED_KINDS},
        _means(rmse),
        _means(ssim),
        light_deg[STAGES],
        faces_found,
        {kind: means[kind] for kind in yaleb.HARD_KINDS},
        {"normals_deg": normals_deg[ANALYTIC], "light_deg": light_deg[ANALYTIC]}
        if ANALYTIC in methods
        else {},
        float(truth[1][mask].mean()),
        yaleb.stereo_doubt_deg(capture, mask),
        _means(known),
    )


def _judge_lamps(
    methods: Mapping[str, Relighter], capture: Capture, reference: Face | None
) -> tuple[dict[str, float], float]:
    """Mean angle of each method's dominant direction to the lamps, and the share of faces found."""
    errors: dict[str, list[float]] = {name: [] for name in methods}
    found = []
    for image, lamp in zip(capture.images, capture.lights, strict=True):
        if lamp[2] <= FRONTAL:
            continue
        photo = yaleb.as_photo(image)
        faces = methods[STAGES].find_faces(photo)
        found.append(bool(faces))
        face = faces[0] if faces else reference
        assert face is not None  # noqa: S101
        for name, method in methods.items():
            seen = method.analyze(photo, face).environment.dominant_direction()
            errors[name].append(float(np.degrees(angle_between(seen, lamp))))
    return _means(errors), float(np.mean(found))


def _means(lists: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: float(np.mean(values)) for name, values in lists.items()}


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
    return [subjects, rows]


def mean_figures(figures: list[SubjectFigures]) -> SubjectFigures:
    """The mean of all subjects, every one counting alike."""

    def mean(values: list[Any]) -> Any:
        if isinstance(values[0], dict):
            shared = [key for key in values[0] if all(key in value for value in values)]
            return {key: mean([value[key] for value in values]) for key in shared}
        return float(np.mean(values))

    columns = [asdict(item) for item in figures]
    return SubjectFigures(
        subject="mean",
        **{
            key: mean([column[key] for column in columns]) for key in columns[0] if key != "subject"
        },
    )


@app.callback()
def _root() -> None:
    """Judge the stages on real people."""


WeightsOption = Annotated[Path | None, typer.Option(help="Folder of Keras weights to judge.")]
ModelsOption = Annotated[
    Path | None, typer.Option(help="Folder of TFLite models to judge; else the package's.")
]
BaselineOption = Annotated[bool, typer.Option("--baseline", help="Judge the analytic stages.")]
OutOption = Annotated[Path, typer.Option(help="Where figures and sheets go.")]
OUT = Path("runs/evaluate")


@app.command("yaleb")
def yaleb_command(
    root: Annotated[Path, typer.Option(help="CroppedYale, in its own layout.")],
    photos: Annotated[Path | None, typer.Option(help="Folder of photos for a sheet.")] = None,
    weights: WeightsOption = None,
    models: ModelsOption = None,
    baseline: BaselineOption = False,
    out: OutOption = OUT,
) -> None:
    """Figures on Extended Yale B: normals, added light, relit photo, light direction."""
    with plain_errors(), closing(Detector()) as detector:
        judged = _stages(weights, models, baseline)
        methods = {STAGES: Relighter(2, detector=detector, models=judged)}
        if not baseline:
            methods[ANALYTIC] = Relighter(2, detector=detector, models=AnalyticModels())
        progress = Console(stderr=True)
        figures = [
            judge_subject(methods, yaleb.load(folder))
            for folder in track(yaleb.subjects(root), "Judging", console=progress, transient=True)
        ]
        for table in [*tables(figures), real_tone_table(figures, STAGES)]:
            _console().print(table)
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(item) for item in figures], indent=1)
        with whole_file(out / "yaleb.json") as path:
            path.write_text(text + "\n")
        if photos is not None:
            _draw_sheets(methods[STAGES], photos, out)


@app.command("photos")
def photos_command(
    photos: Annotated[Path, typer.Option(help="Folder of photos.")],
    weights: WeightsOption = None,
    models: ModelsOption = None,
    baseline: BaselineOption = False,
    out: OutOption = OUT,
) -> None:
    """A contact sheet of photos before and after automatic relighting."""
    with plain_errors(), Relighter(2, models=_stages(weights, models, baseline)) as relighter:
        out.mkdir(parents=True, exist_ok=True)
        _draw_sheets(relighter, photos, out)


def _draw_sheets(relighter: Relighter, photos: Path, out: Path) -> None:
    for page in contact_sheet(relighter, photos, out):
        _console().print(f"Contact sheet: {page}")


def _stages(weights: Path | None, models: Path | None, baseline: bool) -> Stages:
    """What is judged."""
    if sum([weights is not None, models is not None, baseline]) > 1:
        raise typer.BadParameter("give one of --weights, --models and --baseline")
    if weights is not None:
        from training.keras_models import KerasModels

        return KerasModels(weights)
    return AnalyticModels() if baseline else Models(models)


app.command("synthetic")(synthetic_command)


def _console() -> Console:
    """Standard output, wide enough for the tables when it is a file."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


if __name__ == "__main__":
    app()
