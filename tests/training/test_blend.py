# SPDX-License-Identifier: Apache-2.0
"""Weights between two states of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from export_network import BUILDERS, network
from typer.testing import CliRunner

import training.blend as blend_module
from training.blend import app

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blend_module, "NETWORKS", BUILDERS)


def state(folder: Path, name: str, seed: int) -> tuple[Path, list[np.ndarray]]:
    """A file of random weights, and what it holds."""
    made = network(name, seed=seed)
    path = folder / f"{seed}.weights.h5"
    made.save_weights(path)
    return path, made.get_weights()


def test_the_weights_lie_between_both(tmp_path: Path) -> None:
    early, first = state(tmp_path, "key", 1)
    late, second = state(tmp_path, "key", 2)
    out = tmp_path / "new" / "folder"
    given = ["key", str(early), str(late), "--share", "0.7", "--out", str(out)]
    result = RUNNER.invoke(app, given)
    assert result.exit_code == 0, result.output
    blended = BUILDERS["key"]()
    blended.load_weights(out / "key.weights.h5")
    for a, b, found in zip(first, second, blended.get_weights(), strict=True):
        np.testing.assert_allclose(found, 0.3 * a + 0.7 * b, atol=1e-6)
    assert [path.name for path in out.iterdir()] == ["key.weights.h5"]


@pytest.mark.parametrize("fault", ["missing", "another network"])
def test_bad_weights_cost_one_line_and_leave_nothing(fault: str, tmp_path: Path) -> None:
    early, _ = state(tmp_path, "key", 1)
    late = tmp_path / "none.weights.h5"
    if fault == "another network":
        late, _ = state(tmp_path, "normals", 2)
    out = tmp_path / "out"
    result = RUNNER.invoke(app, ["key", str(early), str(late), "--out", str(out)])
    assert result.exit_code == 1
    assert late.name in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not out.exists()
