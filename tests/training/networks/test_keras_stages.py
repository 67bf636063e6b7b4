# SPDX-License-Identifier: Apache-2.0
"""Weights under training, run through the runtime's own interface."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relight import Environment, Light
from relight.face.mesh import Surface
from relight.stage.quotient import SHINE
from relight.stage.view import FINE, SIDE, View
from training.analytic.formula import FormulaStages

keras = pytest.importorskip("keras")

from training.networks.keras_stages import KerasModels  # noqa: E402
from training.networks.network import NETWORKS  # noqa: E402
from training.networks.weight_file import WeightsError  # noqa: E402


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    for name, build in NETWORKS.items():
        build().save_weights(folder / f"{name}.weights.h5")
    return folder


@pytest.fixture(scope="module")
def view() -> View:
    """A ball before the camera that is all face."""
    x = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    x, y = np.meshgrid(x, -x)
    ball = np.hypot(x, y) < 0.9
    normals = np.stack([x, y, np.sqrt(np.maximum(1 - x**2 - y**2, 0))], -1).astype(np.float32)
    plane = ball.astype(np.float32)
    return View(
        pixels=np.full((FINE * SIDE, FINE * SIDE, 3), 128, np.uint8),
        mesh=Surface(normals * ball[..., None], 40 * normals[..., 2] * ball, ball),
        inner_face=plane,
        skin=plane,
        outline=plane.repeat(2, 0).repeat(2, 1),
    )


def test_the_networks_see_what_the_runtime_shows_them() -> None:
    inputs = {name: build().input for name, build in NETWORKS.items()}
    for name in ("normals", "lighting", "shading"):
        assert inputs[name]["photo"].shape == (None, SIDE, SIDE, 3)
    assert inputs["quotient"]["photo"].shape == (None, FINE * SIDE, FINE * SIDE, 3)


def test_untrained_networks_are_the_meshs_normals_and_the_formula(
    weights: Path, view: View
) -> None:
    stages = KerasModels(weights)
    normals, trust = stages.normals(view)
    np.testing.assert_allclose(normals[view.face], view.mesh.normals[view.face], atol=2e-3)
    np.testing.assert_array_equal(trust[~view.face], 0)
    assert stages.lighting(view, normals).data.shape == (16, 32, 3)
    environment, light = Environment.uniform(), Light(30, 20)
    gain = stages.gain(view, normals, environment, light)
    formula = FormulaStages(stages)
    shiny = replace(light, gloss=SHINE)
    np.testing.assert_allclose(gain, formula.gain(view, normals, environment, shiny), atol=1e-3)
    matte = stages.gain(view, normals, environment, replace(light, gloss=0))
    assert (gain - matte).max() > 0.1
    lambert = np.maximum(view.mesh.normals @ light.direction, 0)
    lit = lambert > 0.5
    np.testing.assert_allclose(matte[lit], lambert[lit][:, None].repeat(3, 1), atol=0.02)
    stages.close()
    np.testing.assert_array_equal(stages.gain(view, normals, environment, light), gain)


def test_weights_that_are_missing_or_foreign_are_named(
    weights: Path, view: View, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match=r"normals\.weights\.h5.*training\.train normals"):
        KerasModels(tmp_path).normals(view)
    (tmp_path / "normals.weights.h5").write_bytes((weights / "lighting.weights.h5").read_bytes())
    with pytest.raises(WeightsError, match=r"normals\.weights\.h5.*again") as caught:
        KerasModels(tmp_path).normals(view)
    assert "\n" not in str(caught.value)
