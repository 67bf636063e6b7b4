from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relight import Light
from relight.environment import Environment
from relight.face.mesh import Surface, template
from relight.face.mirror import mirror, reflect
from relight.geometry import direction, normalize
from relight.stage import key
from relight.stage.quotient import SHINE
from relight.stage.shading import belief, existing_shading, shading
from relight.stage.view import FINE, SIDE, View
from training.analytic.analytic_stages import AnalyticStages
from training.analytic.formula import FormulaStages
from training.networks.weight_file import WeightsError
from training.split.split_network import key_network, shading_network
from training.split.split_stages import SplitStages, split_stages


def scene() -> dict[str, np.ndarray]:
    """Inputs of both networks for a drawn face, and what the formula needs besides."""
    rng = np.random.default_rng(0)
    photo = rng.uniform(0.1, 0.9, (SIDE, SIDE, 3)).astype(np.float32)
    points = template().vertices_cm * np.array([1, -1, -1], np.float32) * 3
    points += np.array([SIDE / 2, SIDE / 2, 0], np.float32)
    images = mirror(points, SIDE)
    face = images.trust > 0.3
    normals = normalize(rng.normal((0, 0, 1), 0.3, (SIDE, SIDE, 3))) * face[..., None]
    radiance = rng.uniform(0.1, 2, (16, 32, 3)).astype(np.float32)
    lit = shading(Environment(radiance), normals, face)
    seen = np.concatenate([photo, lit.mean(-1, keepdims=True)], -1)
    return {
        "photo": photo,
        "mirrored": np.concatenate([reflect(seen, images), images.trust[..., None]], -1),
        "normals": normals.astype(np.float32),
        "shading": lit,
        "face": face[..., None].astype(np.float32),
        "belief": np.array([belief(lit, face)], np.float32),
        "unshadowed": rng.uniform(0, 1, (SIDE, SIDE, 1)).astype(np.float32),
        "light": np.array([*direction(0.6, 0.4), 0.2], np.float32),
    }


def run(network, given):
    inputs = {tensor.name: given[tensor.name][None] for tensor in network.inputs}
    return {name: np.asarray(x)[0] for name, x in network(inputs, training=False).items()}


def expected(given: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The formula's shading and key."""
    points = template().vertices_cm * np.array([1, -1, -1], np.float32) * 3
    points += np.array([SIDE / 2, SIDE / 2, 0], np.float32)
    images, face = mirror(points, SIDE), given["face"][..., 0] > 0.5
    log_shading = existing_shading(
        given["shading"], given["photo"], images, float(given["belief"][0]), face
    )
    parts = [
        part(given["normals"], given["unshadowed"][..., 0], given["light"][:3])
        for part in (key.diffuse, key.gloss)
    ]
    return log_shading, np.stack(parts, -1)


def test_untrained_networks_are_the_formula() -> None:
    given = scene()
    log_shading, own = expected(given)
    found = run(shading_network(), given) | run(key_network(), given)
    face = given["face"][..., 0] > 0.5
    np.testing.assert_allclose(found["log_shading"][face], log_shading[face], atol=1e-3)
    np.testing.assert_allclose(found["key"], own, atol=1e-4)


def test_a_key_needs_no_photo() -> None:
    names = {tensor.name for tensor in key_network().inputs}
    assert names == {"normals", "unshadowed", "face", "light"}


def view() -> View:
    """A ball before the camera that is all face."""
    x, y = np.meshgrid(*[(np.arange(SIDE) + 0.5) / SIDE * 2 - 1] * 2)
    ball = np.hypot(x, y) < 0.9
    normals = np.stack([x, -y, np.sqrt(np.maximum(1 - x**2 - y**2, 0))], -1).astype(np.float32)
    plane = ball.astype(np.float32)
    return View(
        pixels=np.full((FINE * SIDE, FINE * SIDE, 3), 128, np.uint8),
        mesh=Surface(normals * ball[..., None], 40 * normals[..., 2] * ball, ball),
        inner_face=plane,
        skin=plane,
        outline=plane.repeat(FINE, 0).repeat(FINE, 1),
    )


def test_weights_of_a_run_are_judged_with_other_stages_estimates(tmp_path: Path) -> None:
    networks = {"shading": shading_network(), "key": key_network()}
    rng = np.random.default_rng(0)
    for name, network in networks.items():
        network.set_weights([rng.normal(0, 0.1, w.shape) for w in network.get_weights()])
        network.save_weights(tmp_path / f"{name}.weights.h5")
    seen, light = view(), Light(40, 20)
    base = AnalyticStages()
    normals, _ = base.normals(seen)
    environment = Environment.uniform()
    found = split_stages(base, tmp_path).gain(seen, normals, environment, light)
    own = SplitStages(base, networks).gain(seen, normals, environment, light)
    np.testing.assert_allclose(found, own, rtol=1e-4)
    plain = FormulaStages(base).gain(seen, normals, environment, replace(light, gloss=SHINE))
    assert np.abs(own - plain)[seen.face].mean() > 0.01


def test_missing_weights_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"shading\.weights\.h5.*training\.split\.run"):
        split_stages(AnalyticStages(), tmp_path)
