# SPDX-License-Identifier: Apache-2.0
"""The networks: names, shapes, what they are before training, and that they can be stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from keras import ops  # noqa: E402

from relight.stage.view import FINE, SIDE  # noqa: E402
from training.networks.inset import InsetConfig  # noqa: E402
from training.networks.lighting_network import LightingConfig, lighting_network  # noqa: E402
from training.networks.network import NETWORKS  # noqa: E402
from training.networks.normals_network import normals_network  # noqa: E402
from training.networks.physical_head import SEAM, SOFTNESS, AlbedoDeviation  # noqa: E402
from training.networks.quotient_network import QuotientConfig, quotient_network  # noqa: E402
from training.split.split_network import (  # noqa: E402
    KeyConfig,
    ShadingConfig,
    key_network,
    shading_network,
)

SMALL = InsetConfig(face_widths=(4, 6, 6, 8), crop_widths=(4, 6), head_width=4)
QUOTIENT = QuotientConfig(face_widths=(4, 6, 6, 8), crop_widths=(4, 6), head_width=4, light_width=8)
SMALL_LIGHTING = LightingConfig(widths=(4, 4))
BUILDERS: dict[str, Callable[[], Any]] = {
    "normals": lambda: normals_network(SMALL),
    "lighting": lambda: lighting_network(SMALL_LIGHTING),
    "shading": lambda: shading_network(ShadingConfig(widths=(4, 6, 6, 8), head_width=4)),
    "key": lambda: key_network(KeyConfig(widths=(4, 6, 6, 8), head_width=4, light_width=8)),
    "quotient": lambda: quotient_network(QUOTIENT),
}
OUTPUTS = {
    "normals": {"normals": (SIDE, SIDE, 3), "confidence": (SIDE, SIDE, 1)},
    "lighting": {"log_environment": (16, 32, 3)},
    "shading": {"log_shading": (SIDE, SIDE, 3)},
    "key": {"key": (SIDE, SIDE, 2)},
    "quotient": {"gain": (SIDE, SIDE, 3)},
}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def inputs(network: Any, rng: np.random.Generator, count: int = 2) -> dict[str, np.ndarray]:
    """Random inputs of a network, unit vectors where it wants such."""
    made = {
        name: rng.random((count, *tensor.shape[1:]), np.float32)
        for name, tensor in network.input.items()
    }
    for name in {"normals", "light", "mesh"} & set(made):
        vectors = rng.normal(size=(*made[name].shape[:-1], 3))
        made[name][..., :3] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return made


@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_shapes_are_as_documented(name: str, rng: np.random.Generator) -> None:
    network = BUILDERS[name]()
    result = network.predict_on_batch(inputs(network, rng))
    assert {key: value.shape[1:] for key, value in result.items()} == OUTPUTS[name]
    assert all(np.isfinite(value).all() for value in result.values())


@pytest.mark.parametrize("name", NETWORKS)
def test_config_round_trip(name: str, rng: np.random.Generator) -> None:
    network = BUILDERS[name]()
    again = keras.Model.from_config(network.get_config())
    for weight in network.weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    again.set_weights(network.get_weights())
    given = inputs(network, rng)
    expected, got = network.predict_on_batch(given), again.predict_on_batch(given)
    for key, value in expected.items():
        np.testing.assert_allclose(got[key], value, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_has_a_name_of_its_own(name: str) -> None:
    weighted = [layer.name for layer in BUILDERS[name]().layers if layer.weights]
    assert not [n for n in weighted if n.startswith(("conv2d", "dense"))]


def test_untrained_normals_are_the_meshs(rng: np.random.Generator) -> None:
    network = normals_network(SMALL)
    given = inputs(network, rng)
    given["mesh"][..., 3] = 0
    given["mesh"][:, 30:90, 30:90, 3] = 1
    given["mesh"][..., :3] *= given["mesh"][..., 3:]
    normals = network.predict_on_batch(given)["normals"]
    inside = given["mesh"][..., 3] > 0
    np.testing.assert_allclose(normals[inside], given["mesh"][inside][:, :3], atol=1e-3)
    np.testing.assert_allclose(normals[~inside], [[0, 0, 1]] * (~inside).sum(), atol=1e-3)


def test_untrained_gain_is_lamberts(rng: np.random.Generator) -> None:
    """Over the existing light, half of the albedo's departure from the face's mean taken back."""
    network = quotient_network(QUOTIENT)
    given = inputs(network, rng)
    quarter = SIDE // 4
    near = {}
    for name in ("photo", "normals", "shading"):
        rim = given[name].shape[1] // 4
        near[name] = given[name][:, rim:-rim, rim:-rim]
    near["photo"] = ops.convert_to_numpy(ops.average_pool(near["photo"], FINE, FINE))
    known = list(near.values())
    deviation = ops.convert_to_numpy(AlbedoDeviation()(known, known)[0])
    gain = network.predict_on_batch(given)["gain"][:, quarter:-quarter, quarter:-quarter]
    gain = gain * np.exp(near["shading"] + deviation / 2)
    cosine = np.einsum("nyxc,nc->nyx", near["normals"], given["light"][:, :3])
    inside = (slice(None), slice(SEAM, -SEAM), slice(SEAM, -SEAM))
    gain, cosine = gain[inside], cosine[inside]
    np.testing.assert_allclose(gain[..., 1], np.maximum(cosine, 0), atol=SOFTNESS / 2 + 1e-3)
    lit = cosine > 0.5
    np.testing.assert_allclose(gain[lit][:, 0], cosine[lit], rtol=0.02)


def test_the_face_and_what_lies_around_it_meet_without_a_seam() -> None:
    x, y = np.meshgrid(*[(np.arange(SIDE) + 0.5) / SIDE * 2 - 1] * 2)
    normals = np.stack([x, -y, np.full_like(x, 2)], -1).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    light = np.array([0.5, 0.5, 0.5**0.5, 0.1], np.float32)
    network = quotient_network(QUOTIENT)
    given = {
        "photo": np.full((1, FINE * SIDE, FINE * SIDE, 3), 0.5, np.float32),
        "normals": normals[None],
        "visibility": np.maximum(normals @ light[:3], 0)[None, ..., None],
        "shading": 0.3 * normals[None],
        "light": light[None],
    }
    gain = network.predict_on_batch(given)["gain"][0, ..., 0]
    assert gain.min() > 0.1
    steps = np.abs(np.diff(gain, axis=1))
    assert steps.max() < 3 * np.median(steps)


def test_albedo_departs_where_the_light_does_not_explain_the_photo() -> None:
    photo = np.full((1, 64, 64, 3), 0.5, np.float32)
    photo[:, :, 32:] = 0.25
    normals = np.zeros((1, 64, 64, 3), np.float32)
    normals[..., 2] = 1
    dark = 2.4 * np.log((0.5 + 0.055) / (0.25 + 0.055))
    even = np.zeros_like(photo)

    def deviation(shading: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        face = [photo, normals, shading]
        bright = [np.full_like(photo, 0.5), normals, even]
        inside, around = AlbedoDeviation()(face, bright)
        return tuple(ops.convert_to_numpy(x)[0, ..., 0] for x in (inside, around))

    flat, around = deviation(even)
    assert flat[32, 28] - flat[32, 36] == pytest.approx(dark, rel=1e-3)
    np.testing.assert_allclose(around, flat[32, 28], atol=1e-5)  # over the same mean
    explained = even.copy()
    explained[:, :, 32:] = -dark
    np.testing.assert_allclose(deviation(explained)[0], 0, atol=1e-3)


def test_gain_is_never_negative(rng: np.random.Generator) -> None:
    network = quotient_network(QUOTIENT)
    for weight in network.weights:
        weight.assign(rng.normal(0, 1, weight.shape))
    gain = network.predict_on_batch(inputs(network, rng))["gain"]
    assert np.isfinite(gain).all()
    assert (gain >= 0).all()


def test_those_that_ship_fit_the_size_budget() -> None:
    shipped = NETWORKS.keys() - {"quotient"}
    total = sum(NETWORKS[name]().count_params() for name in shipped)
    assert 2 * total < 6e6  # float16 bytes
