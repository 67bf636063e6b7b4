# SPDX-License-Identifier: Apache-2.0
"""Odd names, links, full disks, dead pipes: one clear line, and no half-written file."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import KEY, PYTHON, Run, check_failed
from conftest import ASTRONAUT

from relight import PhotoError, load_photo, save_photo

# -- Names and folders ----------------------------------------------------------------------------


def test_odd_names(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "ein Ordner — 写真\n[red]"
    folder.mkdir()
    photos = {"a b.png", "Ünï-肖像 😀.png", "new\nline.png", "[bold]x[red].png", "-dash.png"}
    for name in photos:
        shutil.copy(ASTRONAUT, folder / name)
    (folder / "not\na.jpg").write_text("photo")
    result = run(folder, "--json", "--jobs", "1")
    assert result.exit_code == 1
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    done = {r["photo"] for r in reports if r["status"] != "failed"}
    assert done == {str(folder / name) for name in photos}
    for name in photos:
        assert (folder / name).with_suffix(".relit.png").exists()
    summary = result.stderr[result.stderr.index("6 photos:") :].splitlines()
    assert len(summary) == 2, "a line end in a name broke the line"
    assert "写真\\n[red]" in summary[1]
    assert "not\\na.jpg is not a photo" in summary[1]


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_a_name_that_is_no_text(run: Run, tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.png")
    shutil.copy(ASTRONAUT, name)
    result = run(name, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["photo"] == name
    assert os.path.exists(name.removesuffix(".png") + ".relit.png")


def test_links_in_circles(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    shutil.copy(ASTRONAUT, folder / "sub" / "a.png")
    (folder / "sub" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "self").symlink_to("self")
    (folder / "self.png").symlink_to("self.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    result = run(folder, "-o", tmp_path / "out", "--jobs", "1")
    assert result.exit_code == 1
    assert "3 photos: 1 relit, 2 failed" in result.stderr
    assert [p.name for p in (tmp_path / "out").rglob("*.png")] == ["a.png"]


@pytest.mark.parametrize("link", ["direct", "symbolic", "hard"])
def test_the_output_is_the_input(run: Run, portrait: Path, link: str) -> None:
    target = portrait if link == "direct" else portrait.with_name("link.png")
    if link == "symbolic":
        target.symlink_to(portrait)
    if link == "hard":
        target.hardlink_to(portrait)
    before = portrait.read_bytes()
    result = run(portrait, "-o", target, "--overwrite")
    assert result.exit_code in (1, 2)
    assert "photo itself" in result.stderr or "input" in result.stderr
    assert portrait.read_bytes() == before
    with pytest.raises(PhotoError, match="photo itself"):
        save_photo(load_photo(portrait), target, overwrite=True)


# -- Places that cannot be written ----------------------------------------------------------------


@pytest.mark.parametrize("extra", ["--compare", "--explain", "--json"])
def test_a_full_disk(run: Run, portrait: Path, monkeypatch, extra: str) -> None:
    replace = os.replace
    calls = []

    def fail_at_last(source: object, target: object) -> None:
        calls.append(target)
        if str(target).endswith(".relit.png"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", fail_at_last)
    result = run(portrait, extra, env={"COLUMNS": "400"})
    assert calls
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "No space left on device" in result.stderr
    assert list(portrait.parent.iterdir()) == [portrait], "something unfinished was left"


@pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs")
def test_a_disk_that_is_really_full(run: Run, portrait: Path) -> None:
    disk = portrait.with_name("disk")
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("may not mount a small disk")
    try:
        for extra in ((), ("--compare",), ("--explain",)):
            result = run(portrait, "-o", disk / "out.png", *extra)
            check_failed(result, "out.", "No space left on device")
            assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_behind_a_pipe(portrait: Path) -> None:
    with open("/dev/full", "wb") as full:
        result = subprocess.run([*PYTHON, portrait, "-o", "-"], stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 1
    assert result.stderr.count(b"\n") == 1
    assert b"No space left on device" in result.stderr


def test_a_folder_that_may_not_be_written(run: Run, portrait: Path) -> None:
    folder = Path("/sys/kernel")  # not even root may
    if os.geteuid() != 0:
        folder = portrait.with_name("closed")
        folder.mkdir(mode=0o500)
    elif not folder.is_dir():
        pytest.skip("runs as root, who may write everywhere")
    check_failed(run(portrait, "-o", folder), folder, "cannot write", "ermission denied")


def test_an_output_folder_below_a_file(run: Run, portrait: Path) -> None:
    (portrait.parent / "in").mkdir()
    shutil.copy(portrait, portrait.parent / "in")
    result = run(portrait.parent / "in", "-o", portrait.with_name("portrait.png") / "out")
    assert result.exit_code == 1
    assert "Not a directory" in result.stderr


def test_nobody_reads_the_output(portrait: Path) -> None:
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    for arguments in (["-o", "-"], ["--json"]):
        command = [*PYTHON, portrait, *arguments]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffered
        )
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        errors = process.stderr.read().decode()
        process.stderr.close()
        assert process.wait(60) == 1
        assert "rror" not in errors
        assert "Traceback" not in errors


def test_killed_in_the_middle_and_run_again(run: Run, tmp_path: Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    count = 10
    for index in range(count):
        shutil.copy(ASTRONAUT, folder / f"{index:02}.png")
    command = [*PYTHON, folder, "-o", output, *KEY, "--jobs", "2"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while not any(output.glob("[!.]*")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    first = {path: path.read_bytes() for path in output.glob("[!.]*")}
    assert 0 < len(first) < count
    result = run(folder, "-o", output, *KEY, "--jobs", "1")
    assert result.exit_code == 0, result.stderr
    assert f"{count - len(first)} relit, {len(first)} already done" in result.stderr
    relit = {path: path.read_bytes() for path in output.glob("[!.]*")}
    assert len(relit) == count
    assert len(set(relit.values())) == 1, "some photo was half-written"
