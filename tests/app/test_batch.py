# SPDX-License-Identifier: Apache-2.0
"""A library of photos, killed in the middle and run again.

The large one takes many minutes: ``RELIGHT_PHOTOS=DIR pytest -s tests/app/test_batch.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import ASTRONAUT

DAMAGES = ("empty", "text", "header", "cut")


def damaged(data: bytes, kind: str) -> bytes:
    """Bytes of a photo that cannot be read any more."""
    return {
        "empty": b"",
        "text": b"these are holiday notes\n" * 40,
        "header": b"\0" * 64 + data[64:],
        "cut": data[:100],
    }[kind]


def make_library(folder: Path, originals: list[Path], good: int, bad: int) -> None:
    """Copies and corruptions of photos, in subfolders."""
    for i in range(good):
        source = originals[i % len(originals)]
        place = folder / f"{i % 7}" / f"good-{i:04d}{source.suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)
    for i in range(bad):
        source = originals[i % len(originals)]
        place = folder / f"{i % 7}" / f"bad-{i:04d}{source.suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(damaged(source.read_bytes(), DAMAGES[i % len(DAMAGES)]))


def written(folder: Path) -> dict[str, int]:
    """Files of a folder with the time of their last change."""
    return {
        str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()
    }


@dataclass
class Run:
    """The batch command on a library, in a process group of its own."""

    source: Path
    out: Path
    report: Path
    memory: list[float] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "relight_app", self.source, "-o", self.out, "--json"]
        # A pipe that nobody reads while it runs would fill and stop it.
        with self.report.open("wb") as file, self.report.with_suffix(".err").open("wb") as errors:
            return subprocess.Popen(
                [str(word) for word in command] + ["--jobs", "2"],
                stdout=file,
                stderr=errors,
                start_new_session=True,
            )

    def watch(self, process: subprocess.Popen[bytes], limit_s: float) -> Iterator[int]:
        """Numbers of outputs, while it runs; notes the memory of all its processes, in MB."""
        deadline = time.monotonic() + limit_s
        while process.poll() is None:
            assert time.monotonic() < deadline
            self.memory.append(group_memory(process.pid))
            yield sum(1 for _ in self.out.rglob("[!.]*.*"))
            time.sleep(0.1)

    def outcomes(self) -> dict[str, dict]:
        lines = self.report.read_text().splitlines()
        return {Path(r["photo"]).name: r for r in map(json.loads, lines)}


def group_memory(group: int) -> float:
    """Resident memory of a process group in MB; 0 where there is no /proc."""
    total = 0.0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int((entry / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                total += int((entry / "statm").read_text().split()[1]) * 4096 / 1e6
        except (OSError, ValueError, IndexError):
            continue
    return total


def kill_and_run_again(tmp_path: Path, kill_after: int, limit_s: float) -> Run:
    """Kill a run with all its processes when it has done some photos, and repeat it."""
    first = Run(tmp_path / "in", tmp_path / "out", tmp_path / "first.json")
    process = first.start()
    for count in first.watch(process, limit_s):
        if count >= kill_after:
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, "it was done before it could be killed"
    # A process killed while it writes leaves a hidden file: here for certain.
    unfinished = tmp_path / "out" / "0" / ".good-0000.0123abcd.part.png"
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.write_bytes(b"half")
    os.utime(unfinished, (0, 0))
    before = written(first.out)
    second = Run(first.source, first.out, tmp_path / "second.json")
    process = second.start()
    for _ in second.watch(process, limit_s):
        pass
    process.wait(timeout=60)
    errors = second.report.with_suffix(".err").read_text()
    assert process.returncode == 1, errors
    assert "Traceback" not in errors
    after = written(first.out)
    photos = {name: t for name, t in before.items() if not Path(name).name.startswith(".")}
    assert photos.items() <= after.items(), "a photo was done twice"
    outcomes = second.outcomes()
    skipped = {name for name, r in outcomes.items() if r["status"] == "skipped"}
    assert {Path(name).stem for name in photos} == {Path(name).stem for name in skipped}
    done = {Path(n).stem for n, r in outcomes.items() if r["status"] in ("relit", "unchanged")}
    assert {Path(name).stem for name in after} == done | {Path(name).stem for name in skipped}
    assert not [name for name in after if Path(name).name.startswith(".")]
    failed = {name for name, r in outcomes.items() if r["status"] == "failed"}
    assert {p.name for p in first.source.rglob("bad-*")} <= failed
    for name in failed:
        assert errors.count(name) >= 1, "every bad photo is listed"
    assert {p.name for p in first.source.rglob("*.*")} == outcomes.keys()
    return second


def check_pictures(folder: Path) -> int:
    from PIL import Image

    count = 0
    for path in folder.rglob("*.*"):
        with Image.open(path) as image:
            image.load()
        count += 1
    return count


def test_a_library_killed_in_the_middle_is_completed(tmp_path: Path) -> None:
    make_library(tmp_path / "in", [ASTRONAUT], good=10, bad=4)
    run = kill_and_run_again(tmp_path, kill_after=3, limit_s=300)
    assert check_pictures(run.out) == 10


@pytest.mark.slow
def test_500_photos_killed_in_the_middle(tmp_path: Path, real_photos: Path, capsys) -> None:
    originals = [p for p in sorted(real_photos.iterdir()) if p.suffix in (".jpg", ".jpeg", ".png")]
    make_library(tmp_path / "in", originals, good=440, bad=60)
    run = kill_and_run_again(tmp_path, kill_after=150, limit_s=3 * 3600)
    # Whether a photo shows a face does not depend on which copy it is.
    outcomes = run.outcomes()
    by_original: dict[int, set[bool]] = {}
    for name, report in outcomes.items():
        if name.startswith("good-"):
            number = int(name[5:9]) % len(originals)
            by_original.setdefault(number, set()).add(report["status"] == "failed")
    assert all(len(fates) == 1 for fates in by_original.values())
    good = sum(name.startswith("good-") and r["status"] != "failed" for name, r in outcomes.items())
    assert check_pictures(run.out) == good
    settled = run.memory[len(run.memory) // 5 :]
    half = len(settled) // 2
    early, late = max(settled[:half]), max(settled[half:])
    with capsys.disabled():
        line = f"{good} relit, {500 - good} failed; MB of all processes: {early:.0f}, {late:.0f}\n"
        sys.stdout.write(line)
    assert late < 1.15 * early, "memory grows"
