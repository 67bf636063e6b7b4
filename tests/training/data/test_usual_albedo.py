# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from relight.face import mesh
from relight.face.mirror import partners
from training.data import usual_albedo
from training.data.usual_albedo import log_albedo

EXAMPLE = Path(__file__).parents[3] / "examples"


def landmarks() -> np.ndarray:
    """The mean face in a crop of 128 pixels."""
    flat = mesh.template().vertices_cm[:, :2] * np.array([4, -4], np.float32)
    return (flat + 64).astype(np.float32)


def test_light_is_taken_off_and_halves_are_joined() -> None:
    points = landmarks()
    light = np.repeat(np.linspace(-1, 1, 128, dtype=np.float32)[None, :, None], 128, 0)
    albedo = np.full((128, 128, 1), 0.4, np.float32)
    mouth = points[mesh.template().loops["lips"]].mean(0).astype(int)
    albedo[mouth[1] - 4 : mouth[1] + 5, mouth[0] - 8 : mouth[0] + 9] = 0.2
    linear = np.repeat(albedo * np.exp(light), 3, -1)
    found = log_albedo(linear, np.repeat(light, 3, -1), points)
    np.testing.assert_allclose(found, found[partners()], atol=1e-6)
    lips = mesh.template().loops["mouth"]
    assert np.median(found[lips]) == pytest.approx(-np.log(2), abs=0.02)
    assert abs(np.median(found)) < 1e-6


def test_the_template_knows_brows_and_lips() -> None:
    template = mesh.template()
    usual, loops = template.log_albedo, template.loops
    skin = usual[loops["left_cheek"]].mean()
    assert usual.shape == (468,)
    np.testing.assert_allclose(usual, usual[partners()], atol=2e-3)
    assert usual[loops["left_eyebrow"]].mean() < skin - 0.2
    assert usual[loops["mouth"]].mean() < skin - 0.2


def test_too_few_faces_leave_the_template_as_it_was(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "broken.jpg").write_bytes(b"no photo")
    shutil.copy(next(EXAMPLE.glob("*.jpg")), photos)
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"log_albedo": [0.0]}))
    app = usual_albedo.typer.Typer()
    app.command()(usual_albedo.main)
    result = CliRunner().invoke(app, ["--photos", str(photos), "--template", str(template)])
    assert result.exit_code == 1
    assert "at least 20 are needed" in result.stderr
    assert json.loads(template.read_text()) == {"log_albedo": [0.0]}
    result = CliRunner().invoke(app, ["--photos", "nowhere", "--template", str(template)])
    assert result.exit_code == 1
    assert "nowhere: no such folder" in result.stderr
