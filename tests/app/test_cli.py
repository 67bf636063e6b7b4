# SPDX-License-Identifier: Apache-2.0
"""The command line: what it writes, says and returns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import KEY, PYTHON, Run
from conftest import FACE
from photo_folder import names, pixels, tree
from PIL import Image
from relight_app import batch, comparison, destination
from relight_app.destination import Job
from relight_app.task import Outcome, Task
from relight_app.terminal import Report

import relight
from relight import Environment, Relighter

# -- One photo ------------------------------------------------------------------------------------


def test_one_photo_is_relit_beside_the_original(run: Run, portrait: Path) -> None:
    before = portrait.read_bytes()
    result = run(portrait)
    assert result.exit_code == 0
    assert names(portrait.parent) == {"portrait.png", "portrait.relit.png"}
    assert portrait.read_bytes() == before
    assert result.stdout_bytes == b""
    assert result.stderr.count("\n") == 1
    assert "°" in result.stderr
    change = np.abs(pixels(portrait.with_name("portrait.relit.png")).astype(int) - pixels(portrait))
    assert change[FACE].mean() > 1
    assert change[:100, :60].max() == 0, "the flag"
    assert change[:100, 440:].max() == 0, "the shuttle"


def test_a_chosen_light_brightens_its_side(run: Run, portrait: Path) -> None:
    assert run(portrait, *KEY, "-o", portrait.with_name("right.png")).exit_code == 0
    before, after = pixels(portrait)[FACE], pixels(portrait.with_name("right.png"))[FACE]
    gain = after.astype(int) - before
    middle = gain.shape[1] // 2
    assert gain[:, middle:].mean() > 1.5 * gain[:, :middle].mean() > 0


def test_strength_0_keeps_every_pixel(run: Run, portrait: Path) -> None:
    assert run(portrait, "--strength", "0", "-o", portrait.with_name("o.png")).exit_code == 0
    np.testing.assert_array_equal(pixels(portrait.with_name("o.png")), pixels(portrait))


def test_a_photo_that_stays_as_it_is_is_copied_byte_for_byte(run: Run, portrait: Path) -> None:
    photo, out = portrait.with_suffix(".jpg"), portrait.with_name("copy.jpg")
    Image.open(portrait).convert("RGB").save(photo, quality=71)
    result = run(photo, "--pattern", "balance", "-o", out)  # she is lit evenly
    assert "evenly" in result.stderr
    assert out.read_bytes() == photo.read_bytes()
    piped = run(photo, "--strength", "0", "-o", "-")
    assert piped.stdout_bytes == photo.read_bytes()
    assert run(photo, "--strength", "0", "-o", portrait.with_name("copy.webp")).exit_code == 0
    assert portrait.with_name("copy.webp").read_bytes()[8:12] == b"WEBP"


def test_a_pattern_and_light_like_anothers(run: Run, portrait: Path) -> None:
    report = json.loads(run(portrait, "--pattern", "split", "--json").stdout)
    assert abs(report["lights"][0]["azimuth_deg"]) > 70
    assert report["fill"] < 1
    assert "half of the face" in report["reason"]
    out = portrait.with_name("like.png")
    report = json.loads(run(portrait, "--like", portrait, "-o", out, "--json").stdout)
    assert report["reason"].startswith("Soft key")
    assert run(portrait, "--pattern", "disco").exit_code == 2
    assert run(portrait, "--pattern", "loop", "--light", "40,30").exit_code == 2


def test_fill_takes_stops_of_the_light_on_the_person(run: Run, portrait: Path) -> None:
    out = portrait.with_name("filled.png")
    result = run(portrait, "--fill", "-1", "--light", "0,0,0", "--json", "-o", out)
    report = json.loads(result.stdout)
    assert (report["fill"], report["status"]) == (0.5, "relit")
    change = pixels(out).astype(int) - pixels(portrait)
    assert change[FACE].mean() < -20
    assert change.max() == 0
    assert change[:100, :60].min() == 0, "the flag"


@pytest.mark.parametrize("stops", ["0.5", "-20", "nan"])
def test_fill_out_of_range_is_a_wrong_command_line(run: Run, portrait: Path, stops: str) -> None:
    result = run(portrait, "--fill", stops)
    assert result.exit_code == 2
    assert "fill is between -10 and 0 stops" in result.stderr
    assert names(portrait.parent) == {"portrait.png"}


def test_quiet_says_nothing(run: Run, portrait: Path) -> None:
    assert run(portrait, "--quiet").output == ""


@pytest.mark.parametrize("mode", ["pipe", "file", "to_stdout"])
def test_streams(run: Run, portrait: Path, mode: str) -> None:
    assert run(portrait, *KEY).exit_code == 0
    expected = pixels(portrait.with_name("portrait.relit.png"))
    if mode == "to_stdout":
        result = run(portrait, *KEY, "-o", "-")
    else:
        target = portrait.with_name("out.png")
        ends = ["-o", target] if mode == "file" else []
        result = run("-", *KEY, *ends, input=portrait.read_bytes())
    assert result.exit_code == 0
    if mode == "file":
        assert result.stdout_bytes == b""
        np.testing.assert_array_equal(pixels(target), expected)
    else:
        np.testing.assert_array_equal(pixels(result.stdout_bytes), expected)
        assert "<std" in result.stderr


def test_the_report_of_one_photo(run: Run, portrait: Path) -> None:
    result = run(portrait, "--json", "--intensity", "0.5", "--strength", "0.8", "--gloss", "0.5")
    report = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert report["photo"] == str(portrait)
    assert report["status"] == "relit"
    assert report["output"] == str(portrait.with_name("portrait.relit.png"))
    assert (report["width"], report["height"], report["strength"]) == (512, 512, 0.8)
    (light,) = report["lights"]
    assert light["intensity"] == 0.5
    assert light["gloss"] == 0.5
    assert light["reason"]
    (face,) = report["faces"]
    left, top, width, height = face["box"]
    assert left < 227 < left + width
    assert top < 120 < top + height
    assert face["key_to_fill_before"] >= 1
    assert face["key_to_fill_after"] != face["key_to_fill_before"]
    assert set(report["timings_s"]) >= {"faces", "analysis", "gain", "apply"}


def test_all_that_can_be_written_besides(run: Run, portrait: Path) -> None:
    probe = portrait.with_name("probe.hdr")
    output = portrait.with_name("out.jpg")
    result = run(portrait, *KEY, "-o", output, "--compare", "--explain", "--save-lighting", probe)
    assert result.exit_code == 0
    others = {"out.compare.jpg", "out.explain.png", "probe.hdr"}
    assert names(portrait.parent) == {"portrait.png", "out.jpg", *others}
    environment = Environment.load(probe)
    assert environment.data.shape == (16, 32, 3)
    assert environment.data.max() > 0
    halves = pixels(portrait.with_name("out.compare.jpg"))
    gap = comparison.GAP
    before = halves[gap : gap + 512, gap : gap + 512].astype(int)
    after = halves[gap : gap + 512, 2 * gap + 512 : 2 * gap + 1024].astype(int)
    assert np.abs(before - pixels(portrait)).mean() < 4
    assert np.abs(after - pixels(output)).mean() < 4
    captions = halves[gap + 512 + 4 :]
    assert captions[:, : gap + 512].max() > 200
    assert captions[:, gap + 512 :].max() > 200
    panels = pixels(portrait.with_name("out.explain.png"))
    side = comparison.PANEL
    assert panels.shape[1] == 4 * side + 5 * gap
    for column in range(4):
        panel = panels[gap : gap + side, gap + column * (side + gap) :][:, :side]
        assert panel.std() > 10, f"picture {column + 1} of the first row is empty"


def test_an_existing_output_is_kept(run: Run, portrait: Path, monkeypatch) -> None:
    taken = portrait.with_name("portrait.relit.png")
    taken.write_bytes(b"precious")
    with monkeypatch.context() as patch:
        patch.setattr(Relighter, "relight", lambda *_, **__: pytest.fail("worked in vain"))
        result = run(portrait)
    assert result.exit_code == 1
    assert "--overwrite" in result.stderr
    assert taken.read_bytes() == b"precious"
    assert run(portrait, "--overwrite").exit_code == 0
    assert pixels(taken).shape == (512, 512, 3)


def test_a_type_that_cannot_be_written_becomes_png(run: Run, portrait: Path) -> None:
    Image.open(portrait).save(portrait.with_name("old.bmp"))
    assert run(portrait.with_name("old.bmp")).exit_code == 0
    assert pixels(portrait.with_name("old.relit.png")).shape == (512, 512, 3)


# -- Several photos -------------------------------------------------------------------------------


def test_a_folder_is_mirrored_and_resumed(run: Run, tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.png", "sub/b.png", "sub/deep/c.PNG", "a.relit.png", ".x.png")
    (folder / "notes.txt").write_text("not a photo")
    output = tmp_path / "out"
    report = run(folder, "-o", output, *KEY, "--json", "--jobs", "2", "--save-lighting", "p.exr")
    assert report.exit_code == 0, report.stderr
    photos = {"a.png", "sub/b.png", "sub/deep/c.PNG"}
    probes = {"a.p.exr", "sub/b.p.exr", "sub/deep/c.p.exr"}
    assert names(output) == photos | probes
    lines = [json.loads(line) for line in report.stdout.splitlines()]
    assert {line["photo"] for line in lines} == {str(folder / name) for name in photos}
    assert {line["lighting"] for line in lines} == {str(output / name) for name in probes}
    reference = pixels(output / "a.png")
    assert np.abs(reference[FACE].astype(int) - pixels(folder / "a.png")[FACE]).mean() > 5
    for name in photos:
        np.testing.assert_array_equal(pixels(output / name), reference)
    # A second run does only what is missing.
    (output / "sub/b.png").unlink()
    kept = (output / "a.png").stat().st_mtime_ns
    again = run(folder, "-o", output, *KEY)
    assert again.exit_code == 0
    assert "1 relit, 2 already done" in again.stderr
    np.testing.assert_array_equal(pixels(output / "sub/b.png"), reference)
    assert (output / "a.png").stat().st_mtime_ns == kept


def test_a_batch_goes_on_and_sums_up(run: Run, portrait: Path) -> None:
    bad = portrait.with_name("bad.jpg")
    bad.write_text("no photo at all")
    empty = portrait.with_name("empty.png")
    Image.new("RGB", (200, 200), (90, 120, 90)).save(empty)
    result = run(portrait.with_name("gone.jpg"), bad, portrait, empty, "--json")
    assert result.exit_code == 1
    assert portrait.with_name("portrait.relit.png").exists()
    assert not empty.with_name("empty.relit.png").exists()
    status = {Path(r["photo"]).name: r for r in map(json.loads, result.stdout.splitlines())}
    assert {name: r["status"] for name, r in status.items()} == {
        "gone.jpg": "failed",
        "bad.jpg": "failed",
        "portrait.png": "relit",
        "empty.png": "failed",
    }
    summary = result.stderr[result.stderr.index("4 photos: 1 relit, 3 failed") :].splitlines()
    assert len(summary) == 4
    assert all(status[name]["error"] in result.stderr for name in ("gone.jpg", "bad.jpg"))
    assert f"{empty}: no face found in this photo; " in result.stderr


def _fragile(job: Job) -> Outcome:
    """Work whose process dies over some jobs, in two ways."""
    if job.name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if job.name == "left":
        os._exit(3)
    return Outcome(job.name, "relit")


def test_a_dying_process_fails_only_its_photo() -> None:
    work = ["a", "killed", "b", "left", "c", "d"]
    todo = destination.Plan(jobs=[Job(name, Path(name)) for name in work])
    report = Report(todo, quiet=True)
    report.follow(_fragile, 2)
    killed, left = sorted(report.failures)
    assert killed.startswith("killed: the process working on it was killed")
    assert left.startswith("left: the process working on it ended early (status 3)")
    assert report._counts == {"relit": 4, "failed": 2}


def test_an_unexpected_error_is_one_line(run: Run, portrait: Path, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("boom\nand more")

    monkeypatch.setattr(Relighter, "look", fail)
    result = run(portrait)
    assert result.exit_code == 1
    assert "unexpected ZeroDivisionError (boom)" in result.stderr
    assert "report it" in result.stderr
    assert result.stderr.count("\n") == 1
    assert names(portrait.parent) == {"portrait.png"}
    result = run(portrait, env={"RELIGHT_DEBUG": "1"})
    assert "Traceback" in result.stderr
    assert "and more" in result.stderr


def test_warnings_reach_the_user_and_the_report(run: Run, portrait: Path) -> None:
    photo = portrait.with_name("profile.png")
    Image.open(portrait).save(photo, icc_profile=b"nonsense" * 20)
    result = run(photo, "--json")
    assert result.exit_code == 0
    (warning,) = json.loads(result.stdout)["warnings"]
    assert "profile" in warning
    assert f"relight: {warning}" in result.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped(tmp_path: Path, number: int, status: int) -> None:
    folder = tree(tmp_path / "in", *(f"{i:02}.png" for i in range(40)))
    output = tmp_path / "out"
    command = [*PYTHON, folder, "-o", output, "--jobs", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    wait_for_output(process, output)
    # Ctrl-C in a terminal reaches every process, a termination the first one only.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == status, errors
    if number == signal.SIGINT:
        last = errors.decode().splitlines()[-1]
        assert last == "relight: interrupted; the photos written so far are complete"
    assert b"Traceback" not in errors, errors.decode()
    written = names(output)
    assert 0 < len(written) < 40
    assert not any(name.startswith(".") for name in written), "an unfinished file was left"
    assert all(pixels(output / name).shape == (512, 512, 3) for name in written)


def wait_for_output(process: subprocess.Popen[bytes], output: Path) -> None:
    """Until the first photo is there."""
    deadline = time.monotonic() + 60
    while not any(output.glob("[!.]*")):
        assert process.poll() is None, "it ended early"
        assert time.monotonic() < deadline
        time.sleep(0.01)


# -- What it says of itself ----------------------------------------------------------------------


def test_help_shows_examples(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "relight portrait.jpg" in result.stdout
    for option in ("--azimuth", "--light", "--compare", "--json", "--overwrite", "--jobs"):
        assert option in result.stdout


def test_version_is_quick_and_light() -> None:
    code = (
        "import sys\n"
        "from relight_app.cli import main\n"
        "try:\n"
        "    main(['--version'])\n"
        "finally:\n"
        "    heavy = {'tensorflow', 'mediapipe', 'cv2', 'jax', 'rich'} & set(sys.modules)\n"
        "    print(sorted(heavy), file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0
    assert result.stdout == f"relight {relight.__version__}\n"
    assert result.stderr.strip() == "[]"


def test_automatic_light_of_the_command_line_is_the_librarys(
    run: Run, portrait: Path, relighter: Relighter, astronaut: np.ndarray
) -> None:
    expected = relighter.relight(astronaut).lights[0]
    (light,) = json.loads(run(portrait, "--json").stdout)["lights"]
    assert light["azimuth_deg"] == pytest.approx(expected.azimuth_deg, abs=0.01)
    assert light["intensity"] == pytest.approx(expected.intensity, abs=1e-3)


def test_a_task_survives_a_bad_photo(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    task = Task()
    good = tree(tmp_path, "good.png") / "good.png"
    statuses = [
        task(Job(str(name), tmp_path / f"o{i}.png")).status
        for i, name in enumerate((tmp_path / "bad.png", good))
    ]
    assert statuses == ["failed", "relit"]


def test_workers_by_default() -> None:
    assert batch.default_workers(1) == 1
    assert 1 <= batch.default_workers(10_000) <= (os.cpu_count() or 1)
