# SPDX-License-Identifier: Apache-2.0
"""How good the stages are on real people.

``python -m training.evaluate yaleb --root DIR`` prints the figures on Extended Yale B, per subject
and in all; ``--photos DIR`` draws a contact sheet of photos before and after.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from relight import Light, Relighter, mesh
from relight.color import linear_to_srgb
from relight.error import RelightError
from relight.face import Face
from relight.geometry import angle_between, normalize
from relight.storage import whole_file
from training import metric, yaleb
from training.contact_sheet import contact_sheet
from training.yaleb import Capture

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

EXPOSURE = 0.18
"""Mean linear value that photos are scaled to before sRGB images are compared."""
FRONTAL = 0.2
"""Single lamps are judged for their direction when the z of their unit vector is above this."""
BRIGHTEST = 0.98
"""Pixels of a capture at or above this are clipped and do not count."""

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@dataclass(frozen=True)
class SubjectFigures:
    """One subject's figures.

    Attributes:
        subject: folder name.
        normals_deg: mean angle to photometric-stereo normals inside the face mesh, mean of photos.
        residual: energy of the added light's error at the best scale, per kind of photo and row.
        rmse: sRGB error of photo + key of unit intensity, per row, no scale fitted.
        ssim: its structural similarity.
        light_deg: angle from the dominant direction to the lamp, mean of single-lamp photos.
        faces_found: share of those photos in which the face was found; the others use the
            landmarks of the ambient photo.
    """

    subject: str
    normals_deg: float
    residual: dict[str, dict[str, float]]
    rmse: dict[str, float]
    ssim: dict[str, float]
    light_deg: float
    faces_found: float


ROWS = ("no light", "Lambert, photo as albedo", "stages", "true normals and albedo")


def judge_subject(relighter: Relighter, capture: Capture) -> SubjectFigures:
    """All figures of one subject; the stages run through the public interface.

    Raises:
        yaleb.DatasetError: if no face is found even in the ambient photo.
    """
    normals, albedo = yaleb.photometric_stereo(capture)
    residual: dict[str, dict[str, list[float]]] = {}
    rmse: dict[str, list[float]] = {row: [] for row in ROWS}
    ssim: dict[str, list[float]] = {row: [] for row in ROWS}
    errors = []
    reference: Face | None = None
    for kind, linear in capture.photos().items():
        photo = yaleb.as_photo(linear)
        faces = relighter.find_faces(photo)
        reference = faces[0] if faces and reference is None else reference
        if reference is None:
            raise yaleb.DatasetError(f"{capture.name}: no face found in the ambient photo")
        face = faces[0] if faces else reference
        analysis = relighter.analyze(photo, face)
        mask = face_mask(face, linear.shape)
        estimate = normalize(yaleb.from_photo(np.nan_to_num(analysis.normals)))
        errors.append(metric.normal_error_deg(estimate, normals, mask))
        scaled = linear * (EXPOSURE / linear[mask].mean())
        irradiance = float((scaled / np.maximum(albedo, 0.02))[mask].mean())
        by_row = residual.setdefault(kind, {row: [] for row in ROWS})
        for index in capture.key_indices():
            lamp = capture.images[index]
            light = Light(capture.azimuths_deg[index], capture.elevations_deg[index])
            gain = yaleb.from_photo(relighter.key_gain(analysis, light))[..., 0]
            lambert = np.maximum(estimate @ light.direction, 0)
            added = {
                "no light": np.zeros_like(scaled),
                "Lambert, photo as albedo": scaled * lambert,
                "stages": scaled * gain,
                "true normals and albedo": albedo
                * np.maximum(normals @ light.direction, 0)
                * irradiance,
            }
            usable = mask & (lamp < BRIGHTEST)
            truth = linear_to_srgb(scaled + lamp * irradiance)
            for row, light_added in added.items():
                flat = scaled if row == "no light" else light_added
                by_row[row].append(metric.added_light_residual(flat, lamp, usable))
                image = linear_to_srgb(scaled + light_added)
                rmse[row].append(metric.rmse(image, truth, usable))
                ssim[row].append(metric.ssim(image, truth, usable))
    light_deg, found = _judge_lamps(relighter, capture, reference)
    return SubjectFigures(
        capture.name,
        float(np.mean(errors)),
        {k: {row: float(np.mean(v)) for row, v in rows.items()} for k, rows in residual.items()},
        {row: float(np.mean(values)) for row, values in rmse.items()},
        {row: float(np.mean(values)) for row, values in ssim.items()},
        light_deg,
        found,
    )


def face_mask(face: Face, shape: tuple[int, ...]) -> Mask:
    """The face mesh's mask ``(H, W)`` on the tight crop, from a face of its enlarged photo."""
    scale = np.float32(1 / yaleb.ENLARGE)
    shift = np.array([yaleb.PAD, yaleb.PAD, 0], np.float32)
    _, mask = mesh.normals(face.landmarks * scale - shift, face.head_pose, max(shape))
    return mask[: shape[0], : shape[1]]


def _judge_lamps(
    relighter: Relighter, capture: Capture, reference: Face | None
) -> tuple[float, float]:
    errors, found = [], []
    for image, lamp in zip(capture.images, capture.lights, strict=True):
        if lamp[2] <= FRONTAL:
            continue
        photo = yaleb.as_photo(image)
        faces = relighter.find_faces(photo)
        found.append(bool(faces))
        face = faces[0] if faces else reference
        assert face is not None  # noqa: S101
        environment = relighter.analyze(photo, face).environment
        errors.append(np.degrees(angle_between(environment.dominant_direction(), lamp)))
    return float(np.mean(errors)), float(np.mean(found))


def tables(figures: list[SubjectFigures]) -> list[Table]:
    """The figures as two tables: per subject, and the stages against the yardsticks."""
    subjects = Table(title="Extended Yale B, the stages per subject")
    for name in ("subject", "normals deg", "residual", "ambient", "left", "right"):
        subjects.add_column(name, justify="left" if name == "subject" else "right")
    for name in ("sRGB RMSE", "SSIM", "light deg", "faces found"):
        subjects.add_column(name, justify="right")
    for item in [*figures, mean_figures(figures)]:
        kinds = [item.residual[kind]["stages"] for kind in ("ambient", "left", "right")]
        subjects.add_row(
            item.subject,
            f"{item.normals_deg:.1f}",
            f"{np.mean(kinds):.3f}",
            *(f"{value:.3f}" for value in kinds),
            f"{item.rmse['stages']:.3f}",
            f"{item.ssim['stages']:.3f}",
            f"{item.light_deg:.1f}",
            f"{item.faces_found:.0%}",
            end_section=item is figures[-1],
        )
    rows = Table(title="Mean of all subjects")
    for name in ("", "residual", "sRGB RMSE", "SSIM"):
        rows.add_column(name, justify="right" if name else "left")
    mean = mean_figures(figures)
    for row in ROWS:
        residual = np.mean([kind[row] for kind in mean.residual.values()])
        rows.add_row(row, f"{residual:.3f}", f"{mean.rmse[row]:.3f}", f"{mean.ssim[row]:.3f}")
    return [subjects, rows]


def mean_figures(figures: list[SubjectFigures]) -> SubjectFigures:
    """The mean of all subjects, every one counting alike."""

    def mean(values: list[Any]) -> Any:
        if isinstance(values[0], dict):
            return {key: mean([value[key] for value in values]) for key in values[0]}
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


@app.command("yaleb")
def yaleb_command(
    root: Annotated[Path, typer.Option(help="CroppedYale, in its own layout.")],
    photos: Annotated[Path | None, typer.Option(help="Folder of photos for a sheet.")] = None,
    out: Annotated[Path, typer.Option(help="Where the sheet and figures go.")] = Path(
        "runs/evaluate"
    ),
) -> None:
    """Figures on Extended Yale B: normals, added light, relit photo, light direction."""
    console = _console()
    try:
        with Relighter(threads=2) as relighter:
            figures = [
                judge_subject(relighter, yaleb.load(folder))
                for folder in track(
                    yaleb.subjects(root),
                    "Judging",
                    console=Console(stderr=True),
                    transient=True,
                )
            ]
            for table in tables(figures):
                console.print(table)
            out.mkdir(parents=True, exist_ok=True)
            text = json.dumps([asdict(item) for item in figures], indent=1)
            with whole_file(out / "yaleb.json") as path:
                path.write_text(text + "\n")
            if photos is not None:
                for page in contact_sheet(relighter, photos, out):
                    console.print(f"Contact sheet: {page}")
    except (RelightError, OSError) as error:
        Console(stderr=True).print(f"[red]error:[/] {error}", highlight=False)
        raise typer.Exit(1) from None


@app.command("photos")
def photos_command(
    photos: Annotated[Path, typer.Option(help="Folder of photos.")],
    out: Annotated[Path, typer.Option(help="Where the sheets go.")] = Path("runs/evaluate"),
) -> None:
    """A contact sheet of photos before and after automatic relighting."""
    console = _console()
    try:
        out.mkdir(parents=True, exist_ok=True)
        with Relighter(threads=2) as relighter:
            for page in contact_sheet(relighter, photos, out):
                console.print(f"Contact sheet: {page}")
    except (RelightError, OSError) as error:
        Console(stderr=True).print(f"[red]error:[/] {error}", highlight=False)
        raise typer.Exit(1) from None


def _console() -> Console:
    """Standard output, wide enough for the tables when it is a file."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


if __name__ == "__main__":
    app()
