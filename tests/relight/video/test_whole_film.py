# SPDX-License-Identifier: Apache-2.0
"""A film of two takes from file to file: two people, a cut, and a head that turns.

Here it lasts two seconds; with ``RELIGHT_LONG_TESTS=1`` a minute at 640 x 360.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("av")

from conftest import ASTRONAUT, ROOT
from reel_file import write_clip

from data_synth.registry import find_source
from data_synth.sample.take import film
from relight import Light, Relighter
from relight.color import linear_to_srgb
from relight.video.clip import Clip, Picture
from relight.video.film import relight_clip

LONG = bool(os.environ.get("RELIGHT_LONG_TESTS"))
HEIGHT, WIDTH = (360, 640) if LONG else (240, 480)
YAWS_DEG = tuple(np.linspace(-25, 25, 31 if LONG else 7))
COUNTS = (900, 900) if LONG else (26, 26)
"""Pictures of each take, 30 a second."""
NOISE = 2.0
SEEN = 6.0
"""Levels that the light adds to a face at least, so that one sees it."""
STEADY = 0.8
"""Levels by which a still face's light changes from picture to picture at most: half a level, and
what the encoder does to each."""
GROWTH_MB = 60


def people() -> np.ndarray:
    """Two people beside each other, ``(HEIGHT, WIDTH, 3)`` float32."""
    scene = np.full((HEIGHT, WIDTH, 3), 96, np.float32)
    for path, left in ((ASTRONAUT, 0), (ROOT / "examples" / "portrait.jpg", WIDTH // 2)):
        side = WIDTH // 2
        with Image.open(path) as image:
            scene[:side, left : left + side] = np.array(
                image.convert("RGB").resize((side, side)), np.float32
            )[:HEIGHT]
    return scene


def turning() -> list[np.ndarray]:
    """A synthetic person, each picture turned further, ``(HEIGHT, WIDTH, 3)`` float32."""
    subject = find_source("builtin").make_subject(1, texture_size=256 if LONG else 128)
    scenes = []
    for shot in film(subject, YAWS_DEG, Light(45, 30), HEIGHT):
        scene = np.full((HEIGHT, WIDTH, 3), 140, np.float32)
        left = (WIDTH - HEIGHT) // 2
        scene[:, left : left + HEIGHT] = 255 * linear_to_srgb(np.clip(shot.photo, 0, 1))
        scenes.append(scene)
    return scenes


def pictures() -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    both, turn = people(), turning()
    there_and_back = turn + turn[-2:0:-1]
    for number in range(sum(COUNTS)):
        after = number - COUNTS[0]
        scene = both if after < 0 else there_and_back[after // 2 % len(there_and_back)]
        noisy = scene + NOISE * rng.standard_normal(scene.shape, np.float32)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def read(path: Path) -> list[Picture]:
    with Clip(path) as clip:
        assert [s.type for s in clip.container.streams] == ["video", "audio"]
        return list(clip.pictures())


def test_two_people_a_cut_and_a_turn(relighter: Relighter, tmp_path: Path) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_clip(source, list(pictures()), sound="aac", options={"crf": "14"})
    faces: list[list[tuple[int, ...]]] = []
    memory: list[float] = []

    def progress(done: int) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        memory.append(pages * resource.getpagesize() / 2**20)

    with Clip(source) as clip:
        whole = relighter.video(clip)
        parts, whole_parts = whole.parts, []

        def watched() -> Iterator[object]:
            for part in parts():
                if hasattr(part, "faces"):
                    faces.append([tuple(round(v) for v in face.box) for face in part.faces])
                    whole_parts.append(part.take)
                yield part

        whole.parts = watched  # type: ignore[method-assign,assignment]
        setups = relight_clip(clip, whole, target, progress)
    assert [p.name for p in tmp_path.iterdir() if p not in (source, target)] == []
    assert whole_parts == [0] * COUNTS[0] + [1] * COUNTS[1]
    assert len(setups) == 2
    assert [len(found) for found in faces] == [2] * COUNTS[0] + [1] * COUNTS[1]
    before, after = read(source), read(target)
    assert [p.seconds for p in after] == pytest.approx([p.seconds for p in before], abs=1e-3)
    added = [
        cv2.blur((b.rgb.astype(np.float32) - a.rgb).mean(-1), (5, 5))
        for a, b in zip(before, after, strict=True)
    ]
    for light, boxes in zip(added, faces, strict=True):
        for x, y, wide, high in boxes:
            assert np.abs(light[y : y + high, x : x + wide]).mean() > SEEN
    settled = np.array(added[12 : COUNTS[0]])[: 60 if LONG else None]
    for x, y, wide, high in faces[12]:
        inner = settled[:, y + high // 4 : y + high * 3 // 4, x + wide // 4 : x + wide * 3 // 4]
        assert np.abs(np.diff(inner, axis=0)).mean() < STEADY
    if LONG:  # a short one ends before all that is ever needed has been used
        assert memory[-1] - memory[len(memory) // 3] < GROWTH_MB


@pytest.fixture(scope="module")
def relighter() -> Iterator[Relighter]:
    with Relighter(2) as made:
        yield made


def command(source: Path, target: Path, **options: object) -> subprocess.Popen[str]:
    words = [
        sys.executable,
        "-m",
        "relight_app",
        str(source),
        "-o",
        str(target),
        "--light",
        "45,30",
    ]
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]


def test_a_process_killed_while_it_writes_loses_nothing(tmp_path: Path) -> None:
    scene = people().astype(np.uint8)
    source, folder = write_clip(tmp_path / "in.mp4", [scene] * 40), tmp_path / "out"
    folder.mkdir()
    target, content = folder / "in.mp4", source.read_bytes()
    process = command(source, target)
    deadline = time.monotonic() + 300
    while not any(p.name.endswith(".part.mp4") and p.stat().st_size for p in folder.iterdir()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert source.read_bytes() == content
    assert not target.exists()
    again = command(source, target)
    again.communicate()
    assert again.returncode == 0
    with Clip(target) as clip:
        assert len(list(clip.pictures())) == 40


def test_a_disk_that_fills_up_is_told_and_leaves_no_file(tmp_path: Path) -> None:
    scene = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    scene[:, : WIDTH // 2] = people()[:, : WIDTH // 2]
    source, folder = write_clip(tmp_path / "in.mp4", [scene] * 12), tmp_path / "out"
    folder.mkdir()

    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    process = command(source, folder / "in.mp4", preexec_fn=small_disk)
    _, words = process.communicate()
    assert process.returncode == 1
    assert "in.mp4: cannot be written" in " ".join(words.split())
    assert list(folder.iterdir()) == []
