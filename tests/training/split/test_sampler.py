from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from relight.face.mesh import Surface
from relight.geometry import direction
from relight.stage import cast_shadow

pytest.importorskip("jax")

import jax
import jax.numpy as jnp

from training.split.batch_picture import Arrays, sampled
from training.split.rig_light import unshadowed
from training.split.run import RunConfig, pool_shapes
from training.split.sampler import sample
from training.split.sampler_config import SamplerConfig
from training.split.split_network import key_network, shading_network


def test_shadows_are_the_runtimes() -> None:
    side = 64
    y, x = np.mgrid[:side, :side] - side / 2
    depth = (12 * np.exp(-(x**2 + y**2) / 30) - 0.02 * (x**2 + y**2)).astype(np.float32)
    mask = np.hypot(x, y) < 26
    surface = Surface(np.zeros((side, side, 3), np.float32), depth * mask, mask)
    keys = [direction(1.1, 0.2), direction(-0.7, 0.9), direction(0, 0)]
    radius = [0.0, 0.3, 0.1]
    found = unshadowed(
        np.stack([depth] * 3), np.stack([mask] * 3), np.stack(keys), np.array(radius)
    )
    for own, key, size in zip(np.asarray(found), keys, radius, strict=True):
        expected = cast_shadow.unshadowed(surface, key, size)
        assert np.abs(own - expected).mean() < 2e-3
    assert np.asarray(found)[0].min() < 0.1


def test_samples_between_pixels() -> None:
    ramp = np.tile(np.arange(8, dtype=np.float32), (8, 1))[None, ..., None]
    place = np.full((1, 8, 8, 2), 3.25, np.float32)
    np.testing.assert_allclose(np.asarray(sampled(ramp, place)), 2.75, atol=1e-5)


def test_a_batch_has_what_the_networks_ask_for() -> None:
    config = RunConfig(capacity=2, sampler=SamplerConfig(views=2, lightings=3))
    tables = {
        "lights": jax.ShapeDtypeStruct((5, config.lights, 3), jnp.float32),
        "skin": jax.ShapeDtypeStruct((4, 96, 96, 3), jnp.int8),
    }

    def draw(pool: Arrays, count: Any, tables: Arrays, key: Any) -> Any:
        return sample(pool, count, tables, key, config.sampler)

    inputs, truth = jax.eval_shape(
        draw, pool_shapes(config), jnp.int32(1), tables, jax.random.key(0)
    )
    for network in (shading_network(), key_network()):
        for given in network.inputs:
            assert inputs[given.name].shape == (6, *given.shape[1:])
    assert truth["key"].shape == (6, 128, 128, 3)
    assert truth["weight"].shape == truth["face"].shape == (6, 128, 128, 1)
