# SPDX-License-Identifier: Apache-2.0
"""Clips on the command line: what is written where, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("av")

from reel_file import write_clip

from relight.video.clip import Clip


@pytest.fixture
def clip(tmp_path: Path, astronaut: np.ndarray) -> Path:
    small = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    return write_clip(tmp_path / "clip.mp4", [small] * 6, sound="aac")


def test_a_clip_is_relit_beside_itself(clip: Path, run: Callable[..., Any]) -> None:
    result = run(clip, "--pattern", "loop", "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    output = clip.with_name("clip.relit.mp4")
    assert said["status"] == "relit"
    assert said["output"] == str(output)
    with Clip(output) as relit:
        assert len(list(relit.pictures())) == 6
    again = run(clip)
    assert again.exit_code == 1
    assert "exists" in again.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-o", "out.jpg"], "use .mp4"),
        (["-o", "-"], "clip needs a file; name it with -o"),
        (["--compare"], "for photos"),
        (["--explain"], "for photos"),
        (["--save-lighting", "light.hdr"], "for photos"),
    ],
)
def test_what_a_clip_cannot_have_is_refused_at_once(
    clip: Path, run: Callable[..., Any], options: list[str], words: str
) -> None:
    result = run(clip, *options)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert [p.name for p in clip.parent.iterdir()] == ["clip.mp4"]


def test_a_broken_clip_costs_only_itself(
    clip: Path, portrait: Path, run: Callable[..., Any]
) -> None:
    broken = clip.with_name("broken.mov")
    broken.write_bytes(b"nothing")
    result = run(broken, portrait, "-o", clip.parent / "out", "--jobs", "1")
    assert result.exit_code == 1
    assert "broken.mov: cannot be read" in result.stderr
    assert (clip.parent / "out" / portrait.name).exists()
    assert not (clip.parent / "out" / "broken.mov").exists()


def test_a_photo_does_not_become_a_clip(portrait: Path, run: Callable[..., Any]) -> None:
    result = run(portrait, "-o", portrait.with_name("out.mp4"))
    assert result.exit_code == 2
    assert ".jpg" in result.stderr
