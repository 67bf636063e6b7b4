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
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

pytest.importorskip("keras")

SAMPLE = ROOT / "examples" / "light-stage"
TOLERANCE = 1e-3
"""Relative: sums over threads may differ in their order."""
STEPS, EPOCH_STEPS = 6, 2


def start(backend: str, data: Path, out: Path) -> subprocess.Popen[str]:
    words = ["lighting", "--data", data, "--out", out, "--batch", "4", "--steps", STEPS]
    return subprocess.Popen(
        [sys.executable, "-m", "training.train", *map(str, words), f"--epoch-steps={EPOCH_STEPS}"],
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate()
    assert process.returncode == 0, errors


def epochs_done(out: Path) -> int:
    state = out / "state.json"
    return int(json.loads(state.read_text())["epoch"]) if state.exists() else 0


def history(out: Path) -> list[list[float]]:
    with (out / "history.csv").open(newline="") as file:
        return [[float(value) for value in row] for row in list(csv.reader(file))[1:]]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_run_that_was_killed_goes_on_as_if_nothing_had_been(backend: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    data = Path(shutil.copytree(SAMPLE, tmp_path / "stage"))
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    finish(start(backend, data, whole))
    assert json.loads((whole / "config.json").read_text())["backend"] == backend
    killed = start(backend, data, cut)
    while epochs_done(cut) < 2 and killed.poll() is None:
        time.sleep(0.1)
    killed.kill()
    killed.communicate()
    assert epochs_done(cut) == 2
    finish(start(backend, data, cut))
    assert epochs_done(cut) == STEPS // EPOCH_STEPS
    np.testing.assert_allclose(history(cut), history(whole), rtol=TOLERANCE)
