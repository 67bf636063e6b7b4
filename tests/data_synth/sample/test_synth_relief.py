# SPDX-License-Identifier: Apache-2.0
"""Another relief: normals, and what they change of pictures, belong together."""

from __future__ import annotations

import numpy as np
import pytest

from data_synth.sample.relief import FLOOR, MOST, ReliefMaker, ReliefRanges
from relight.environment import directions
from relight.geometry import normalize

SIZE = 48
LIGHTS = directions(12).reshape(-1, 3).astype(np.float32)
BOX = np.array([12.0, 10.0, 36.0, 40.0], np.float32)


def sphere() -> np.ndarray:
    x, y = np.meshgrid(*[(np.arange(SIZE) + 0.5) / SIZE * 2.4 - 1.2] * 2)
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0))
    inside = (x**2 + y**2 < 0.98)[..., None]
    return normalize(np.stack([x, -y, z], -1)) * inside


def maker(normals: np.ndarray, bare: float = 1.0, **ranges: float) -> ReliefMaker:
    everywhere = np.full((SIZE, SIZE, 1), bare, np.float32)
    return ReliefMaker(normals, everywhere, LIGHTS, BOX, ReliefRanges(**ranges))


def one_lamp(towards: list[float]) -> np.ndarray:
    weights = np.zeros((len(LIGHTS), 1), np.float32)
    weights[int(np.argmax(LIGHTS @ normalize(np.array(towards))))] = 1
    return weights


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_factors_are_what_lambert_makes_of_the_normals(rng: np.random.Generator) -> None:
    normals, weights = sphere(), one_lamp([0.5, 0.4, 0.8])
    light = LIGHTS[int(weights.argmax())]
    bent, factors = maker(normals).draw(weights, rng)
    before, after = normals @ light, bent @ light
    lit = (before > 0.5) & (after > 0.5)
    assert lit.sum() > 300
    expected = (after + FLOOR) / (before + FLOOR)
    np.testing.assert_allclose(factors[..., 0][lit], expected[lit], atol=0.02)
    assert np.abs(expected[lit] - 1).max() > 0.1


def test_even_light_tells_nothing_of_relief(rng: np.random.Generator) -> None:
    even = np.full((len(LIGHTS), 3), 1e-3, np.float32)
    even *= (np.hypot(LIGHTS[:, 0], LIGHTS[:, 2]) / 0.6)[:, None]  # rows near the poles are crowded
    bent, factors = maker(sphere()).draw(even, rng)
    assert np.abs(bent - sphere()).max() > 0.1
    np.testing.assert_allclose(factors, 1, atol=0.12)


def test_normals_stay_unit_on_the_person_and_zero_elsewhere(rng: np.random.Generator) -> None:
    normals = sphere()
    bent, factors = maker(normals, slope=1.0, depth=0.5).draw(one_lamp([1, 0, 0.2]), rng)
    inside = np.abs(normals).max(-1) > 0
    np.testing.assert_allclose(np.linalg.norm(bent[inside], axis=-1), 1, atol=1e-5)
    assert not bent[~inside].any()
    assert factors.min() >= 1 / MOST
    assert factors.max() <= MOST


def test_depth_bends_all_normals_alike(rng: np.random.Generator) -> None:
    bent, _ = maker(sphere(), slope=0.0, depth=0.3).draw(one_lamp([0, 0, 1]), rng)
    inside = sphere()[..., 2] > 0.2
    slopes, was = (n[inside, :2] / n[inside, 2:] for n in (bent, sphere()))
    ratio = slopes[np.abs(was) > 0.1] / was[np.abs(was) > 0.1]
    assert np.ptp(ratio) < 1e-3
    assert abs(ratio.mean() - 1) > 0.01


def test_hair_keeps_its_normals(rng: np.random.Generator) -> None:
    bent, factors = maker(sphere(), bare=0.0).draw(one_lamp([0.5, 0.4, 0.8]), rng)
    np.testing.assert_allclose(bent, sphere(), atol=1e-6)
    np.testing.assert_allclose(factors, 1, atol=1e-5)


def test_bumps_are_as_steep_as_asked(rng: np.random.Generator) -> None:
    flat = np.zeros((SIZE, SIZE, 3), np.float32)
    flat[..., 2] = 1
    steep = []
    for _ in range(200):
        bent, _ = maker(flat, slope=0.4, depth=0.0).draw(one_lamp([0, 0, 1]), rng)
        steep.append(np.sqrt(((bent[..., :2] / bent[..., 2:]) ** 2).sum(-1).mean()))
    assert max(steep) == pytest.approx(0.4, abs=0.01)
    assert np.mean(steep) == pytest.approx(0.2, abs=0.03)
