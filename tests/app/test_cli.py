# SPDX-License-Identifier: Apache-2.0
"""The command line: what it writes, says and returns."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import ASTRONAUT, FACE
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from relight_app import batch
from relight_app import comparison as sheet
from relight_app import destination as plan
from relight_app.destination import Job
from relight_app.light_option import NAMED_K, LightChoice, parse_color, parse_light
from relight_app.task import Outcome, Task
from relight_app.terminal import Report, printable
from typer.testing import Result

import relight
from relight import Environment, Light, Relighter
from relight.color import luminance

Run = Callable[..., Result]
KEY = ("--azimuth", "45", "--elevation", "30")
PYTHON = [sys.executable, "-m", "relight_app"]


def pixels(source: Path | bytes) -> np.ndarray:
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        return np.array(image)


def names(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def tree(folder: Path, *places: str) -> Path:
    """A folder with copies of the portrait."""
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ASTRONAUT, folder / place)
    return folder


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
    assert change[:, :60].max() == 0, "the flag"
    assert change[:, 400:].max() == 0, "the shuttle"


def test_a_chosen_light_brightens_its_side(run: Run, portrait: Path) -> None:
    assert run(portrait, *KEY, "-o", portrait.with_name("right.png")).exit_code == 0
    before, after = pixels(portrait)[FACE], pixels(portrait.with_name("right.png"))[FACE]
    gain = after.astype(int) - before
    middle = gain.shape[1] // 2
    assert gain[:, middle:].mean() > 1.5 * gain[:, :middle].mean() > 0


def test_strength_0_keeps_every_pixel(run: Run, portrait: Path) -> None:
    assert run(portrait, "--strength", "0", "-o", portrait.with_name("o.png")).exit_code == 0
    np.testing.assert_array_equal(pixels(portrait.with_name("o.png")), pixels(portrait))


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
    result = run(portrait, "--json", "--intensity", "0.5", "--strength", "0.8")
    report = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert report["photo"] == str(portrait)
    assert report["status"] == "relit"
    assert report["output"] == str(portrait.with_name("portrait.relit.png"))
    assert (report["width"], report["height"], report["strength"]) == (512, 512, 0.8)
    (light,) = report["lights"]
    assert light["intensity"] == 0.5
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
    gap = sheet.GAP
    before = halves[gap : gap + 512, gap : gap + 512].astype(int)
    after = halves[gap : gap + 512, 2 * gap + 512 : 2 * gap + 1024].astype(int)
    assert np.abs(before - pixels(portrait)).mean() < 4
    assert np.abs(after - pixels(output)).mean() < 4
    captions = halves[gap + 512 + 4 :]
    assert captions[:, : gap + 512].max() > 200
    assert captions[:, gap + 512 :].max() > 200
    panels = pixels(portrait.with_name("out.explain.png"))
    side = sheet.PANEL
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
    assert "1 relit, 2 done before" in again.stderr
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
    todo = plan.Plan(jobs=[Job(name, Path(name)) for name in work])
    report = Report(todo, quiet=True)
    report.follow(_fragile, 2)
    killed, left = sorted(report.failures)
    assert killed.startswith("killed: the process working on it was killed")
    assert left.startswith("left: the process working on it ended early (status 3)")
    assert report._counts == {"relit": 4, "failed": 2}


def test_an_unexpected_error_is_one_line(run: Run, portrait: Path, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("boom\nand more")

    monkeypatch.setattr(Relighter, "relight", fail)
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
        assert last == "relight: interrupted; the photos written so far are whole"
    assert b"Traceback" not in errors
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


# -- Usage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument"),
        (["p.png", "--jobs", "0"], "--jobs"),
        (["p.png", "--light", "45"], "AZ,EL"),
        (["p.png", "--light", "45,30,1,red,2,3"], "AZ,EL"),
        (["p.png", "--light", "45,up"], "EL is a number"),
        (["p.png", "--light", "0,0", "--intensity", "1"], "--light says all"),
        (["p.png", "--color", "mauvve"], "no colour"),
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
        (["p.png", "-"], "goes alone"),
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


def test_the_same_photo_named_twice_is_done_once(tmp_path: Path) -> None:
    folder = tree(tmp_path, "a.png", "sub/b.png")
    found = plan.make([str(folder), str(folder / "sub/b.png")], plan.Request(output="elsewhere"))
    assert [str(job.output) for job in found.jobs] == ["elsewhere/a.png", "elsewhere/sub/b.png"]


def test_an_output_folder_inside_the_searched_one_is_left_out(tmp_path: Path) -> None:
    folder = tree(tmp_path, "a.png", "out/a.png", "out/sub/a.png")
    found = plan.make([str(folder)], plan.Request(output=str(folder / "out"), overwrite=True))
    assert [job.name for job in found.jobs] == [str(folder / "a.png")]


def test_plan_knows_the_types_that_can_be_written(tmp_path: Path) -> None:
    photo = relight.load_photo(np.zeros((4, 4, 3), np.uint8))
    for suffix in sorted(plan.WRITABLE - {".heic", ".heif", ".hif"}):  # those need an extra
        assert relight.save_photo(photo, tmp_path / f"a{suffix}")
    for suffix in sorted(plan.READABLE - plan.WRITABLE):
        with pytest.raises(relight.PhotoError):
            relight.save_photo(photo, tmp_path / f"a{suffix}")


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


# -- Lights in words ------------------------------------------------------------------------------


def test_colors() -> None:
    assert parse_color("#ffffff") == pytest.approx((1, 1, 1))
    assert parse_color("#ff0000") == pytest.approx((1, 0, 0))
    assert parse_color("#808080")[0] == pytest.approx(0.21586, abs=1e-4)  # sRGB's middle grey
    assert parse_color("white") == pytest.approx((1, 1, 1), abs=1e-6)
    assert parse_color("orange") == parse_color("#ffa500")
    red, green, blue = parse_color("3200K")
    assert red > green > blue > 0
    red, green, blue = parse_color("9000k")
    assert blue > green > red
    assert parse_color("warm") == parse_color("3200 K")
    for name in NAMED_K:
        assert float(luminance(np.array(parse_color(name)))) == pytest.approx(1, abs=1e-5)


def test_lights() -> None:
    assert parse_light("-45,30") == Light(-45, 30)
    assert parse_light(" 10 , -5 , 0.5 , #ff0000 ") == Light(10, -5, 0.5, (1, 0, 0))
    assert parse_light("200,0").azimuth_deg == -160
    assert parse_light("10,20,,,25") == Light(10, 20, softness_deg=25)


@given(st.text(max_size=30) | st.from_regex(r"[-+0-9.einfa]*(,[-+0-9.einfaK#]*){1,4}"))
def test_any_text_is_a_light_or_a_clear_error(text: str) -> None:
    try:
        light = parse_light(text)
    except ValueError as error:
        message, numbers = str(error), [0.0]
    else:
        message = "a light needs no message"
        numbers = [light.azimuth_deg, light.elevation_deg, light.intensity, *light.color]
        assert 0 <= light.intensity <= 100
    assert np.isfinite(numbers).all()
    assert len(message.split()) > 3


def test_what_is_not_chosen_stays_automatic() -> None:
    automatic = Light(-45, 30, 0.2, reason="automatic")
    assert LightChoice().complete(None) is None
    for choice, expected in (
        (LightChoice(intensity=0.7), Light(-45, 30, 0.7)),
        (LightChoice(color=(1, 0, 0)), Light(-45, 30, 0.2, (1, 0, 0))),
        (LightChoice(azimuth_deg=60), Light(60, 30, 1)),
        (LightChoice(elevation_deg=10, intensity=0.4), Light(-45, 10, 0.4)),
    ):
        assert choice.needs_automatic
        assert choice.complete(automatic) == [expected]
    whole = LightChoice(azimuth_deg=5, elevation_deg=6)
    assert not whole.needs_automatic
    assert whole.complete(None) == [Light(5, 6, 1)]
    two = (Light(1, 2), Light(3, 4))
    assert LightChoice(lights=two).complete(None) == list(two)


def test_automatic_light_of_the_command_line_is_the_librarys(
    run: Run, portrait: Path, relighter: Relighter, astronaut: np.ndarray
) -> None:
    expected = relighter.relight(astronaut).lights[0]
    (light,) = json.loads(run(portrait, "--json").stdout)["lights"]
    assert light["azimuth_deg"] == pytest.approx(expected.azimuth_deg, abs=0.01)
    assert light["intensity"] == pytest.approx(expected.intensity, abs=1e-3)


@given(st.text(max_size=40))
def test_printable_text_is_one_line(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
    if text.isprintable():
        assert shown == text


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
