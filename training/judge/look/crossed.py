# SPDX-License-Identifier: Apache-2.0
"""How far other training data could bring the shading and key networks: a bound.

``python -m training.evaluate crossed --root DIR`` trains the shipped networks further on
photographs of half of the people of Extended Yale B and judges them on the other half, and the
other way round. So they are judged having learned from the very rig, of other people: rendered data
cannot come closer to what is judged, but for the number of people. What separates these figures
from those of what ships is thus a bound for what data can bring to these networks; what is left is
their own, or that of the normals and the light that they are told. Such weights are never kept and
never ship: the set is for judging.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from relight import Relighter
from relight.error import plain_errors
from relight.face.perception import Perception
from relight.stage.stages import NetworkStages, Stages
from relight.stage.tflite import TfliteStages
from training.judge import metric, yaleb
from training.judge.look.captured_face import captured_faces
from training.judge.report import wide_console

if TYPE_CHECKING:
    import keras

    from training.judge.look.further import LampFace

STEPS = 800
"""Steps of training for each half: of five people, it sees each photograph under each lamp some
nine times."""
ROWS = {
    "as they ship": (False, False),
    "shading trained on others": (True, False),
    "key trained on others": (False, True),
    "both": (True, True),
}
"""Rows of the table, and whether their shading and their key network were trained further. They
were trained as one: alone, each works beside the other as it ships."""


def judge_faces(
    faces: list[LampFace], stages: tuple[NetworkStages, NetworkStages]
) -> dict[str, dict[str, float]]:
    """Mean residual of one person by row of :data:`ROWS` and kind of photo.

    The gain is that of the crop's cells, brought to the captures' pixels without the photo's help.

    Args:
        faces: the person's photos.
        stages: as they ship, and trained further.
    """
    found: dict[str, dict[str, float]] = {row: {} for row in ROWS}
    for face in faces:
        captured, seen = face.face, face.face.analysis
        told = seen.view, seen.crop_normals, seen.crop_environment
        there = [each.existing(*told) for each in stages]
        residuals: dict[str, list[float]] = {row: [] for row in ROWS}
        for key in face.keys:
            keys = [each.ask("key", key.inputs, key.mirrored)["key"] for each in stages]
            for row, (shading, own) in ROWS.items():
                gain = there[shading].gain(keys[own], key.gloss)[..., 0]
                added = captured.linear * captured.from_crop(gain)
                usable = captured.usable(key.lamp)
                residuals[row].append(metric.added_light_residual(added, key.lamp, usable))
        for row, values in residuals.items():
            found[row][captured.kind] = float(np.mean(values))
    return found


def judge_crossed(
    base: Stages, relighter: Relighter, folders: list[Path], steps: int = STEPS, seed: int = 0
) -> list[dict[str, dict[str, float]]]:
    """Figures of :func:`judge_faces` for each person, after training on the other half.

    Args:
        base: estimates normals and the light already there.
        relighter: finds and analyses faces, by these stages.
        folders: the subjects', two or more.
        steps: of training, for each half.
        seed: of the choice of photographs.

    Raises:
        yaleb.DatasetError: if there are fewer subjects, or one cannot be judged.
    """
    if len(folders) < 2:
        raise yaleb.DatasetError(f"{folders[0]}: one person alone; give two or more to cross")
    from training.judge.look.further import (  # Keras takes seconds
        FurtherConfig,
        LampFace,
        train_further,
    )
    from training.networks.weight_file import SHIPPED, load_network
    from training.split.split_stages import SplitStages

    def load() -> dict[str, keras.Model]:
        return {name: load_network(name, SHIPPED) for name in ("shading", "key")}

    shipped, errors = SplitStages(base, load()), Console(stderr=True)
    people = []
    for folder in track(folders, "Looking at faces", console=errors, transient=True):
        capture = yaleb.load(folder)
        faces = captured_faces(relighter, capture)
        people.append([LampFace.of(face, shipped, capture) for face in faces])
    found = []
    for half in (0, 1):
        networks = load()
        others = [face for person in people[1 - half :: 2] for face in person]
        train_further(networks, others, FurtherConfig(steps, seed))
        stages = shipped, SplitStages(base, networks)
        for person in track(people[half::2], "Judging", console=errors, transient=True):
            found.append(judge_faces(person, stages))
    return found


def crossed_command(
    root: Annotated[Path, typer.Option(help="CroppedYale, in its own layout.")],
    subjects: Annotated[
        int | None, typer.Option(min=1, help="So many subjects, evenly chosen; else all.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of training, for each half.")] = STEPS,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of photographs.")] = 0,
) -> None:
    """What data could bring: the residual after training on the same rig, of other people."""
    with plain_errors(), closing(Perception()) as detector, closing(TfliteStages()) as base:
        relighter = Relighter(2, detector=detector, models=base)
        found = judge_crossed(base, relighter, yaleb.subjects(root, subjects), steps, seed)
    table = Table(
        "", title="Residual of the added light, networks trained on other people, per photo"
    )
    kinds = (*yaleb.MIXED_KINDS, *yaleb.HARD_KINDS)
    for kind in kinds:
        table.add_column(kind, justify="right")
    for row in ROWS:
        means = (np.mean([one[row][kind] for one in found]) for kind in kinds)
        table.add_row(row, *(f"{value:.4f}" for value in means))
    wide_console().print(table)
