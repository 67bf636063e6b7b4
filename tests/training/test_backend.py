# SPDX-License-Identifier: Apache-2.0
"""Training on each of Keras's backends: it runs, is checkpointed, and goes on."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

pytest.importorskip("keras")

SAMPLE = ROOT / "examples" / "light-stage"


def train(backend: str, data: Path, out: Path, steps: int) -> None:
    words = ["lighting", "--data", data, "--out", out, "--batch", "4", "--epoch-steps", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "training.train", *map(str, words), "--steps", str(steps)],
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def losses(out: Path) -> list[float]:
    with (out / "history.csv").open(newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_run_is_checkpointed_and_continued(backend: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    data = Path(shutil.copytree(SAMPLE, tmp_path / "stage"))
    train(backend, data, tmp_path / "run", 4)
    assert json.loads((tmp_path / "run" / "state.json").read_text()) == {"epoch": 2}
    about = json.loads((tmp_path / "run" / "config.json").read_text())
    assert about["backend"] == backend
    train(backend, data, tmp_path / "run", 6)
    assert json.loads((tmp_path / "run" / "state.json").read_text()) == {"epoch": 3}
    assert len(losses(tmp_path / "run")) == 3
    assert all(0 < loss < 100 for loss in losses(tmp_path / "run"))
