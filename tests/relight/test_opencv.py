# SPDX-License-Identifier: Apache-2.0
"""OpenCV missing, broken or another: one sentence that names the cure, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import relight
from relight.opencv import check_opencv

ROOT = Path(relight.__file__).parents[1]


def missing(folder: Path) -> str:
    (folder / "cv2.py").write_text("raise ModuleNotFoundError(\"No module named 'cv2'\")\n")
    return "No module named 'cv2'"


def broken(folder: Path) -> str:
    (folder / "cv2.py").write_text('raise ImportError("libGL.so.1: cannot open shared object")\n')
    return "libGL.so.1"


def foreign(folder: Path) -> str:
    """A wheel without the contributed modules."""
    (folder / "cv2").mkdir()
    (folder / "cv2" / "__init__.py").write_text("def warpAffine(): pass\n")
    return str(folder / "cv2")


def remains(folder: Path) -> str:
    """What another wheel's removal leaves: a folder, which imports as an empty package."""
    (folder / "cv2").mkdir()
    (folder / "cv2" / "__init__.py").write_text("")
    return str(folder / "cv2")


@pytest.mark.parametrize("wrong", [missing, broken, foreign, remains])
def test_another_opencv_is_one_sentence(wrong: object, tmp_path: Path, portrait: Path) -> None:
    folder = tmp_path / "packages"
    folder.mkdir()
    said = wrong(folder)  # type: ignore[operator]
    paths = [str(folder), str(ROOT), str(ROOT / "app")]
    done = subprocess.run(
        [sys.executable, "-m", "relight_app", str(portrait)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert done.returncode != 0
    line = done.stderr.strip()
    assert "\n" not in line
    assert said in line
    assert "pip install 'opencv-contrib-python-headless" in line
    assert list(tmp_path.glob("*relit*")) == []


def test_the_opencv_here_is_whole() -> None:
    check_opencv()
