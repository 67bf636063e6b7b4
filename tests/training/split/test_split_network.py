from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from relight.environment import Environment
from relight.face.mesh import template
from relight.face.mirror import mirror, reflect
from relight.geometry import direction, normalize
from relight.stage import key
from relight.stage.shading import belief, existing_shading, shading
from relight.stage.view import FINE, SIDE
from training.networks.weight_file import WeightsError
from training.split.joint_network import joint_network
from training.split.split_network import key_network, shading_network
from training.split.split_stages import load_split


def scene() -> dict[str, np.ndarray]:
    """Inputs of both networks for a drawn face, and what the formula needs besides."""
    rng = np.random.default_rng(0)
    fine = rng.uniform(0.1, 0.9, (FINE * SIDE, FINE * SIDE, 3)).astype(np.float32)
    photo = fine.reshape(SIDE, FINE, SIDE, FINE, 3).mean((1, 3))
    points = template().vertices_cm * np.array([1, -1, -1], np.float32) * 3
    points += np.array([SIDE / 2, SIDE / 2, 0], np.float32)
    images = mirror(points, SIDE)
    face = images.trust > 0.3
    normals = normalize(rng.normal((0, 0, 1), 0.3, (SIDE, SIDE, 3))) * face[..., None]
    radiance = rng.uniform(0.1, 2, (16, 32, 3)).astype(np.float32)
    lit = shading(Environment(radiance), normals, face)
    seen = np.concatenate([photo, lit.mean(-1, keepdims=True)], -1)
    return {
        "photo": fine,
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
    photo = given["photo"].reshape(SIDE, FINE, SIDE, FINE, 3).mean((1, 3))
    points = template().vertices_cm * np.array([1, -1, -1], np.float32) * 3
    points += np.array([SIDE / 2, SIDE / 2, 0], np.float32)
    images, face = mirror(points, SIDE), given["face"][..., 0] > 0.5
    log_shading = existing_shading(given["shading"], photo, images, float(given["belief"][0]), face)
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
    joint = run(joint_network(), given)
    np.testing.assert_allclose(joint["log_shading"], found["log_shading"], atol=1e-5)
    np.testing.assert_allclose(joint["key"], found["key"], atol=1e-5)


def test_a_key_needs_no_photo() -> None:
    names = {tensor.name for tensor in key_network().inputs}
    assert names == {"normals", "unshadowed", "face", "light"}


def test_weights_of_a_run_are_read_back(tmp_path: Path) -> None:
    network = key_network()
    network.trainable_variables[0].assign_add(np.ones(network.trainable_variables[0].shape))
    path = tmp_path / "weights.npz"
    np.savez(path, **{f"key/{v.path}": np.asarray(v) for v in network.trainable_variables})
    given = scene()
    again = load_split(path)["key"]
    np.testing.assert_allclose(run(again, given)["key"], run(network, given)["key"], atol=1e-5)


def test_damaged_weights_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="not weights of the split networks"):
        load_split(path)
    with pytest.raises(WeightsError, match=r"missing\.npz"):
        load_split(tmp_path / "missing.npz")
