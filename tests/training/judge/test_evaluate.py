# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_capture import ASTRONAUT, draw_capture
from PIL import Image
from typer.testing import CliRunner

from relight import Relighter
from relight.face.perception import Perception
from training import evaluate
from training.analytic.analytic_stages import AnalyticStages
from training.judge import captured_person as subject
from training.judge import yaleb
from training.judge.contact_sheet import CAPTION, CELL, contact_sheet
from training.judge.look import key_look
from training.judge.look.light_figure import MOST_HOT, NOTICED, summary

LAMPS = [
    (a, e)
    for a in (-85, -60, -50, -35, -20, 0, 20, 35, 50, 60, 85)
    for e in (-20, 10, 40)
    if (a, e) != (0, 10)
] + [(10, 65)]


@pytest.fixture(scope="module")
def cropped_yale(tmp_path_factory: pytest.TempPathFactory, relighter: Relighter) -> Path:
    """One subject in CroppedYale's layout: the example's face, shaded by its own mesh."""
    root = tmp_path_factory.mktemp("yale") / "CroppedYale"
    draw_capture(root / "yaleB01", relighter, LAMPS)
    return root


@pytest.mark.slow
def test_the_analytic_stages_beat_their_yardsticks_on_a_shaded_face(
    cropped_yale: Path, relighter: Relighter, detector: Perception
) -> None:
    capture = yaleb.load(cropped_yale / "yaleB01")
    assert len(capture.images) >= 25
    analytic = Relighter(detector=detector, models=AnalyticStages())
    methods = {subject.STAGES: analytic, subject.ANALYTIC: analytic}
    figures = subject.judge_subject(methods, capture)
    assert figures.faces_found > 0.8
    assert figures.normals_deg < 15
    assert figures.light_deg < 20
    assert figures.analytic == {
        "normals_deg": figures.normals_deg,
        "light_deg": figures.light_deg,
    }
    assert tuple(figures.residual) == yaleb.MIXED_KINDS
    assert tuple(figures.hard) == yaleb.HARD_KINDS
    for kind in ("left", "right"):
        rows = figures.residual[kind]
        assert rows["true normals and albedo"] < rows["stages"] < rows["no light"]
        assert rows["stages"] < rows["Lambert, photo as albedo"]
        assert rows["stages"] == rows["analytic stages"]
        # The mesh shades this face, so its normals are as good as those that are told.
        assert rows["stages told true normals"] == pytest.approx(rows["stages"], rel=0.2)
        assert rows["stages told true normals"] != rows["stages"]
    assert tuple(figures.heights) == ("-25 to 25", "above 25")  # no lower lamp was drawn
    for by_row in figures.heights.values():
        assert by_row["true normals and albedo"] < by_row["stages"] < by_row["no light"]
    assert figures.rmse["stages"] < figures.rmse["no light"]
    assert subject.judge_subject({subject.STAGES: relighter}, capture).analytic == {}


def figures(value: float, *rows: str) -> subject.SubjectFigures:
    """Made up; a figure in a hard photo is ten times the others."""
    by_row = dict.fromkeys(("no light", *rows), value)
    return subject.SubjectFigures(
        "x",
        value,
        dict.fromkeys(yaleb.MIXED_KINDS, by_row),
        by_row,
        by_row,
        value,
        value,
        dict.fromkeys(yaleb.HARD_KINDS, dict.fromkeys(by_row, 10 * value)),
        {"normals_deg": 3 * value, "light_deg": 4 * value} if "analytic stages" in rows else {},
    )


def test_the_mean_counts_every_subject_alike() -> None:
    rows = ("stages", "analytic stages")
    mean = subject.mean_figures([figures(1.0, *rows), figures(3.0, *rows)])
    assert mean == dataclasses.replace(figures(2.0, *rows), subject="mean")
    alone = subject.mean_figures([figures(1.0, "stages"), figures(3.0, "stages")])
    assert alone.analytic == {}


def test_the_tables_show_the_stages_beside_the_analytic_ones() -> None:
    made = figures(1.0, "analytic stages", "stages")
    made = dataclasses.replace(made, heights={"above 25": made.rmse})
    subjects, rows, heights, key = evaluate.tables([made] * 2)
    assert subjects.row_count == 3
    cells = {column.header: list(column.cells) for column in subjects.columns}
    assert cells["residual"] == ["1.000"] * 3  # hard photos do not count
    assert cells["hard side"] == cells["hard top"] == ["10.000"] * 3
    cells = {column.header: list(column.cells) for column in rows.columns}
    assert cells[""] == ["no light", "analytic stages", "stages"]
    assert cells["normals deg"] == ["", "3.0", "1.0"]
    assert cells["light deg"] == ["", "4.0", "1.0"]
    assert cells["residual"] == ["1.000"] * 3
    assert list(heights.columns[1].cells) == ["1.000"] * 3
    assert [column.header for column in key.columns] == ["", *key_look.NAMES]


def test_figures_survive_their_file() -> None:
    made = figures(0.5, "stages", "analytic stages")
    assert subject.SubjectFigures(**json.loads(json.dumps(dataclasses.asdict(made)))) == made


@pytest.mark.parametrize("command", ["yaleb --root x", "photos --photos x"])
@pytest.mark.parametrize("choice", ["--weights a --models b", "--baseline --models b"])
def test_only_one_kind_of_stages_is_judged(command: str, choice: str) -> None:
    done = CliRunner().invoke(evaluate.app, [*command.split(), *choice.split()])
    assert done.exit_code == 2
    assert "--baseline" in done.stderr


@pytest.mark.parametrize("option", ["--models", "--weights"])
def test_models_that_are_not_there_cost_one_line(option: str, tmp_path: Path) -> None:
    if option == "--weights":
        pytest.importorskip("keras")
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(ASTRONAUT, photos)
    arguments = ["photos", "--photos", str(photos), option, str(tmp_path), "--out", str(tmp_path)]
    done = CliRunner().invoke(evaluate.app, arguments)
    assert done.exit_code == 1
    assert str(tmp_path) in "".join(done.stderr.split())
    assert "Traceback" not in done.output


def test_a_sheet_shows_every_photo_and_says_what_is_wrong(
    tmp_path: Path, relighter: Relighter
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(ASTRONAUT, photos / "a.png")
    Image.new("RGB", (200, 100), (90, 120, 150)).save(photos / "sky.jpg")
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a photo")
    (photos / "notes.txt").write_text("no photo")
    deep = np.asarray(Image.open(ASTRONAUT).convert("RGB")).astype(np.uint16) * 257
    cv2.imwrite(str(photos / "deep.png"), deep[..., ::-1])
    pages, figures = contact_sheet(relighter, photos, tmp_path)
    assert len(figures) == 2
    assert all(figure.change >= NOTICED and figure.hot < MOST_HOT for figure in figures)
    assert summary(figures).startswith("2 photos: noticed 1.00, lit but not seen 0.00")
    assert [page.name for page in pages] == ["photos-1.jpg"]
    sheet = np.asarray(Image.open(pages[0]))
    assert sheet.shape[0] == 4 * (CELL + CAPTION)
    first = sheet[:CELL].astype(int)
    assert np.abs(first[:, :CELL] - first[:, 3 * CELL :]).max() > 40  # before and lit from right
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos", "photos-1.jpg"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["yaleb", "--root", "nowhere"], "no yaleB01"),
        (["photos", "--photos", "nowhere"], "nowhere"),
        (["photos", "--photos", "."], "no photos here"),
    ],
)
def test_a_wrong_folder_costs_one_line(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(evaluate.app, [*arguments, "--out", "out"])
    assert done.exit_code == 1
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.output


@pytest.mark.slow
@pytest.mark.skipif("RELIGHT_YALEB" not in os.environ, reason="RELIGHT_YALEB names no CroppedYale")
def test_the_figures_on_real_people(tmp_path: Path) -> None:
    root = os.environ["RELIGHT_YALEB"]
    done = CliRunner().invoke(evaluate.app, ["yaleb", "--root", root, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    saved = json.loads((tmp_path / "yaleb.json").read_text())
    mean = subject.mean_figures([subject.SubjectFigures(**item) for item in saved])
    assert mean.analytic["normals_deg"] <= 15
    assert mean.analytic["light_deg"] <= 11
    assert np.mean([kind["analytic stages"] for kind in mean.residual.values()]) <= 0.085
