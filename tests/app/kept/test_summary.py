# SPDX-License-Identifier: Apache-2.0
"""The summary of a batch: a line for every photo, readable at any time."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from command_line import KEY, Run
from photo_folder import names, tree
from PIL import Image
from relight_app.destination import PlanError
from relight_app.summary import COLUMNS, Summary
from relight_app.task import Outcome


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def batch(folder: Path) -> Path:
    """Two portraits, a picture without a face and one that is damaged."""
    tree(folder, "a.png", "b.png")
    Image.new("RGB", (64, 64)).save(folder / "empty.png")
    (folder / 'odd "name", x.jpg').write_bytes(b"text")
    return folder


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_every_photo_has_a_line(run: Run, tmp_path: Path, jobs: str) -> None:
    folder, out = batch(tmp_path / "in"), tmp_path / "out"
    table, lines = tmp_path / "s.csv", tmp_path / "s.jsonl"
    light = ("--light", "45,30,0.8", "--light", "-120,10,0.2,warm", "--fill", "-1")
    for summary in (table, lines):
        result = run(folder, *light, "-o", out, "--overwrite", "--jobs", jobs, "--summary", summary)
        assert result.exit_code == 1
    found = {Path(row["photo"]).name: row for row in rows(table)}
    accounts = [json.loads(line) for line in lines.read_text().splitlines()]
    assert found.keys() == names(folder) == {Path(a["photo"]).name for a in accounts}
    assert [found[name]["status"] for name in ("a.png", "empty.png")] == ["relit", "failed"]
    row = found["b.png"]
    assert row["output"] == str(out / "b.png")
    assert [float(row[name]) for name in ("azimuth_deg", "elevation_deg", "intensity")] == [
        45,
        30,
        0.8,
    ]
    assert (row["color"], row["fill"], row["faces"], row["profile"]) == (
        "1 1 1",
        "0.5",
        "1",
        "sRGB",
    )
    assert json.loads(row["further_lights"])[0]["azimuth_deg"] == -120
    assert float(row["key_to_fill_after"]) != float(row["key_to_fill_before"]) >= 1
    assert "no face" in found["empty.png"]["error"]
    assert "not a photo" in found['odd "name", x.jpg']["error"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_repeated_run_adds_to_it(run: Run, tmp_path: Path, suffix: str) -> None:
    folder, out, summary = (
        tree(tmp_path / "in", "a.png"),
        tmp_path / "out",
        f"{tmp_path}/s.{suffix}",
    )
    options = (*KEY, "-o", out, "--summary", summary, "--jobs", "1")
    assert run(folder, *options).exit_code == 0
    with Path(summary).open("a") as file:
        file.write("half a li")  # as a killed run leaves it
    tree(folder, "b.png")
    assert run(folder, *options).exit_code == 0
    text = Path(summary).read_text().splitlines()
    assert len(text) == (4 if suffix == "csv" else 3)
    assert [name in text[-1] for name in ("a.png", "b.png")] == [False, True]
    assert run(folder, *options, "--overwrite").exit_code == 0
    assert len(Path(summary).read_text().splitlines()) == (3 if suffix == "csv" else 2)


def test_lines_are_there_as_soon_as_photos_are_done(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    summary = Summary(str(path), overwrite=False)
    assert not path.exists()
    for number in range(3):
        summary.add(Outcome(f"{number}\udcff.jpg", "failed", "two\nlines"))
        assert len(rows(path)) == number + 1
    assert rows(path)[0].keys() == set(COLUMNS)
    assert rows(path)[2]["error"] == "two\nlines"


def test_photos_done_before_are_listed_in_a_new_summary(run: Run, tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.png")
    tree(tmp_path / "out", "a.png")
    summary = tmp_path / "s.jsonl"
    assert run(folder, "-o", tmp_path / "out", "--summary", summary).exit_code == 0
    assert json.loads(summary.read_text())["status"] == "skipped"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("s.txt", ".csv or .jsonl"),
        ("s3://bucket/s.csv", "on this machine"),
        ("no/s.csv", "no folder"),
        ("d.csv", "is a folder"),
        ("taken.csv", "exists and is no summary"),
        ("taken.jsonl", "exists and is no summary"),
        ("numbers.jsonl", "exists and is no summary"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_before_any_work(
    run: Run, portrait: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    monkeypatch.chdir(portrait.parent)
    Path("d.csv").mkdir()
    for taken, text in {"csv": "my,accounts\n", "jsonl": "{}\n"}.items():
        Path(f"taken.{taken}").write_text(text)
    Path("numbers.jsonl").write_text("5\n")
    before = names(portrait.parent)
    result = run("portrait.png", "--summary", name, env={"COLUMNS": "300"})
    assert result.exit_code == 2
    assert words in result.stderr
    assert names(portrait.parent) == before


def test_a_summary_that_breaks_off_is_told_of(
    run: Run, portrait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    summary = portrait.with_name("s.csv")
    monkeypatch.setattr("relight_app.summary._row", full)
    result = run(portrait, *KEY, "--summary", summary)
    assert result.exit_code == 1
    assert f"cannot write {summary} (No space left on device)" in result.stderr
    assert portrait.with_name("portrait.relit.png").exists()


def test_an_unreadable_summary_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.csv"
    path.write_text("x")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PlanError, match="cannot be read"):
        Summary(str(path), overwrite=False)
