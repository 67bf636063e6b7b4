# SPDX-License-Identifier: Apache-2.0
"""The losses: zero for the truth, larger the further from it, and equal to the plain formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from relight.environment import Environment, sphere_normals  # noqa: E402
from relight.geometry import angle_between, normalize  # noqa: E402
from training import losses  # noqa: E402
from training.judge import metric  # noqa: E402

SIDE = 24


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def number(value: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(value)


def normals_target(rng: np.random.Generator) -> np.ndarray:
    normals = normalize(rng.normal(size=(2, SIDE, SIDE, 3)) + np.array([0, 0, 2]))
    mask = np.ones((2, SIDE, SIDE, 2), np.float32)
    mask[:, :8, :, 1] = 0
    return np.concatenate([normals, mask], -1).astype(np.float32)


def quotient_target(rng: np.random.Generator) -> np.ndarray:
    gain = rng.uniform(0, 3, (2, SIDE, SIDE, 3))
    photo = rng.uniform(0.01, 0.5, (2, SIDE, SIDE, 3))
    return np.concatenate([gain, photo, np.ones((2, SIDE, SIDE, 2))], -1).astype(np.float32)


def test_normals_loss_grows_with_the_angle(rng: np.random.Generator) -> None:
    target = normals_target(rng)
    sure = np.ones((2, SIDE, SIDE, 1), np.float32)
    found = [
        number(losses.normals_loss(target, np.concatenate([n, sure], -1))).mean()
        for n in (
            target[..., :3],
            normalize(target[..., :3] + np.array([0.2, 0, 0])),
            normalize(target[..., :3] + np.array([0.6, 0, 0])),
        )
    ]
    assert found[0] < 0.02 < found[1] < found[2]


def test_normal_deg_is_the_metric(rng: np.random.Generator) -> None:
    target = normals_target(rng)
    other = normalize(target[..., :3] + rng.normal(0, 0.3, (2, SIDE, SIDE, 3)))
    expected = metric.normal_error_deg(other[0], target[0, ..., :3], target[0, ..., 4] > 0)
    got = number(losses.normal_deg(target, np.concatenate([other, other[..., :1]], -1)))
    assert got[0] == pytest.approx(expected, rel=0.01)


def test_sphere_matrices_render_the_spheres(rng: np.random.Generator) -> None:
    light = Environment(rng.random((16, 32, 3), np.float32))
    inside = sphere_normals(losses.SPHERE_SIDE)[1].reshape(-1) > 0.5
    for matrix, sphere in zip(
        losses.sphere_matrices(), light.spheres(losses.SPHERE_SIDE), strict=True
    ):
        rendered = matrix @ light.data.reshape(-1, 3)
        np.testing.assert_allclose(rendered, sphere.reshape(-1, 3)[inside], atol=1e-5)


def test_lighting_loss_is_least_for_the_truth(rng: np.random.Generator) -> None:
    target = rng.lognormal(0, 1, (2, 16, 32, 3)).astype(np.float32)
    true = np.log(target + losses.DARKEST)
    values = [
        number(losses.lighting_loss(target, p)).mean()
        for p in (true, true + 0.3, np.roll(true, 8, 2))
    ]
    assert values[0] < 0.01 < values[1]
    assert values[0] < 0.01 < values[2]


def test_light_deg_is_the_angle_of_the_dominant_directions(rng: np.random.Generator) -> None:
    a, b = rng.lognormal(0, 2, (2, 1, 16, 32, 3)).astype(np.float32)
    true, seen = (Environment(x[0]).dominant_direction() for x in (a, b))
    expected = np.degrees(angle_between(true, seen))
    assert number(losses.light_deg(a, np.log(b)))[0] == pytest.approx(expected, abs=0.05)


def test_quotient_loss_is_zero_for_the_truth_only(rng: np.random.Generator) -> None:
    target = quotient_target(rng)
    assert number(losses.quotient_loss(target, target[..., :3])).max() < 1e-4
    assert number(losses.quotient_loss(target, 1.3 * target[..., :3])).min() > 0.05
    assert number(losses.quotient_loss(target, target[:, ::-1, :, :3])).min() > 0.3


def test_residual_is_the_metric_and_scale_free(rng: np.random.Generator) -> None:
    target = quotient_target(rng)
    other = target[..., :3] * rng.uniform(0.5, 1.5, (2, SIDE, SIDE, 3)).astype(np.float32)
    photo = target[..., 3:6]
    everywhere = np.ones((SIDE, SIDE), bool)
    expected = metric.added_light_residual(
        photo[0] * other[0], photo[0] * target[0, ..., :3], everywhere
    )
    for scale in (1.0, 3.0):
        got = number(losses.added_light_residual(target, scale * other))
        assert got[0] == pytest.approx(expected, rel=1e-3)


def test_pixels_without_weight_do_not_count(rng: np.random.Generator) -> None:
    target = quotient_target(rng)
    target[:, 10:, :, 6:] = 0
    predicted = target[..., :3].copy()
    predicted[:, 11:] += 5  # beyond the edge term's reach
    assert number(losses.quotient_loss(target, predicted)).max() < 1e-4
