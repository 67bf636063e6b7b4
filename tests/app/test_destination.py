# SPDX-License-Identifier: Apache-2.0
"""Which files are written, and what is refused before any work."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import Run
from photo_folder import names, tree
from relight_app import destination
from relight_app.destination import OutputOptions, make_plan

import relight


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument"),
        (["p.png", "--jobs", "0"], "--jobs"),
        (["p.png", "--light", "45"], "AZ,EL"),
        (["p.png", "--light", "45,30,1,red,2,3"], "AZ,EL"),
        (["p.png", "--light", "45,up"], "EL must be a number"),
        (["p.png", "--light", "0,0", "--intensity", "1"], "--light describes"),
        (["p.png", "--color", "mauvve"], "not a colour"),
        (["p.png", "--color", "900K"], "colour temperature"),
        (["p.png", "--save-lighting", "probe.png"], ".hdr or .exr"),
        (["p.png", "--save-lighting", "no/where.hdr"], "no folder"),
        (["p.png", "-o", "out.gif"], "use .jpg"),
        (["p.png", "-o", "no/where.png"], "no folder"),
        (["p.png", "-o", "p.png"], "overwrite the input"),
        (["p.png", "-o", "."], "overwrite the input"),
        (["p.png", "q.png", "-o", "out.jpg"], "not a folder"),
        (["p.png", "q.png", "-o", "q.png"], "not a folder"),
        (["p.png", "d/p.png", "-o", "out"], "both be written to"),
        (["p.png", "p.relit.png", "--overwrite"], "overwrite the input"),
        (["d", "-o", "d", "--overwrite"], "overwrite the input"),
        (["p.png", "-"], "cannot be combined"),
        (["-", "-o", "d"], "must name a file"),
        (["-", "--json"], "--json"),
        (["-", "--compare"], "name it with -o"),
        (["p.png", "q.png", "-o", "-"], "one photo"),
        (["p.png", "q.png", "--save-lighting", "d/probe.hdr"], "without a folder"),
    ],
)
def test_usage_errors_come_before_any_work(
    run: Run, tmp_path: Path, monkeypatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tree(tmp_path, "p.png", "q.png", "d/p.png", "p.relit.png"))
    before = names(tmp_path)
    result = run(*arguments, env={"COLUMNS": "300", "TERMINAL_WIDTH": "300"})
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""
    assert names(tmp_path) == before


def test_exr_without_its_package_is_refused_before_any_work(
    run: Run, portrait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    result = run(portrait, "--save-lighting", portrait.with_name("probe.exr"))
    assert result.exit_code == 2
    assert "portrait-relight[exr]" in result.stderr
    assert names(portrait.parent) == {"portrait.png"}


def test_the_same_photo_named_twice_is_done_once(tmp_path: Path) -> None:
    folder = tree(tmp_path, "a.png", "sub/b.png")
    found = make_plan([str(folder), str(folder / "sub/b.png")], OutputOptions(output="elsewhere"))
    assert [str(job.output) for job in found.jobs] == ["elsewhere/a.png", "elsewhere/sub/b.png"]


def test_an_output_folder_inside_the_searched_one_is_left_out(tmp_path: Path) -> None:
    folder = tree(tmp_path, "a.png", "out/a.png", "out/sub/a.png")
    found = make_plan([str(folder)], OutputOptions(output=str(folder / "out"), overwrite=True))
    assert [job.name for job in found.jobs] == [str(folder / "a.png")]


def test_plan_knows_the_types_that_can_be_written(tmp_path: Path) -> None:
    photo = relight.load_photo(np.zeros((4, 4, 3), np.uint8))
    for suffix in sorted(destination.WRITABLE - {".heic", ".heif", ".hif"}):  # those need an extra
        assert relight.save_photo(photo, tmp_path / f"a{suffix}")
    for suffix in sorted(destination.READABLE - destination.WRITABLE):
        with pytest.raises(relight.PhotoError):
            relight.save_photo(photo, tmp_path / f"a{suffix}")


def outputs(folder: Path, options: OutputOptions) -> dict[str, list[str]]:
    """Names of the files that each photo of a folder gives."""
    plan = make_plan([str(folder)], options)
    assert plan.failures == []
    return {Path(job.name).name: [path.name for path in job.outputs] for job in plan.jobs}


def test_photos_of_one_name_and_several_types_are_kept_apart(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.png", "a.bmp", "b.jpg")
    assert outputs(folder, OutputOptions(output=str(tmp_path / "out"))) == {
        "a.bmp": ["a.bmp.png"],
        "a.png": ["a.png"],
        "b.jpg": ["b.jpg"],
    }
    assert outputs(folder, OutputOptions()) == {
        "a.bmp": ["a.bmp.relit.png"],
        "a.png": ["a.relit.png"],
        "b.jpg": ["b.relit.jpg"],
    }


def test_their_pictures_are_kept_apart_too(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.png", "a.jpg", "b.jpg")
    wanted = OutputOptions(output=str(tmp_path / "out"), compare=True, lighting="probe.hdr")
    assert outputs(folder, wanted) == {
        "a.jpg": ["a.jpg.compare.jpg", "a.jpg.probe.hdr", "a.jpg"],
        "a.png": ["a.png.compare.jpg", "a.png.probe.hdr", "a.png"],
        "b.jpg": ["b.compare.jpg", "b.probe.hdr", "b.jpg"],
    }


def test_a_photo_whose_output_is_taken_fails_alone(tmp_path: Path) -> None:
    folders = [str(tree(tmp_path / name, "a.png", f"{name}.png")) for name in ("b", "c")]
    plan = make_plan(folders, OutputOptions(output=str(tmp_path / "out")))
    assert [Path(job.name).name for job in plan.jobs] == ["a.png", "b.png", "c.png"]
    ((name, text),) = plan.failures
    assert name == str(tmp_path / "c" / "a.png")
    assert "would both be written to" in text
