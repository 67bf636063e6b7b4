# SPDX-License-Identifier: Apache-2.0
"""One pair's figures at values known by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from relight.environment import Environment, directions
from relight.geometry import angle_between, direction
from training.judge import score

SIDE = 24
ALL = np.ones((SIDE, SIDE), bool)
LEFT = np.broadcast_to(np.arange(SIDE) < 12, ALL.shape)
NOWHERE = np.zeros_like(ALL)
RNG = np.random.default_rng(3)


def lamp(azimuth: float, elevation: float, power: float = 40.0, base: float = 0.2) -> Environment:
    towards = direction(np.radians(azimuth), np.radians(elevation))
    shape = np.exp((directions(16) @ towards - 1) / 0.02)
    return Environment(base + power * shape[..., None] * np.ones(3, np.float32))


def test_normals_on_face_and_person() -> None:
    truth = np.zeros((SIDE, SIDE, 3), np.float32)
    truth[..., 2] = 1
    estimate = truth.copy()
    estimate[:, 12:] = direction(np.radians(40), 0)
    found = score.normals(estimate, truth, LEFT, ALL)
    assert found["normals_face_deg"] == pytest.approx(0, abs=1e-4)
    assert found["normals_person_deg"] == pytest.approx(20, rel=1e-4)
    assert math.isnan(score.normals(estimate, truth, NOWHERE, ALL)["normals_face_deg"])


def test_true_light_has_no_error() -> None:
    truth = lamp(30, 20)
    found = score.lighting(truth, truth)
    assert set(found.values()) == {0.0}


def test_brighter_light_is_wrong_but_for_its_scale() -> None:
    truth = Environment.uniform(0.5)
    found = score.lighting(Environment.uniform(0.75), truth)
    for name in ("spheres", "diffuse", "matte_silver", "mirror"):
        assert found[name] == pytest.approx(0.5, rel=1e-3)
    assert found["spheres_scale_free"] == pytest.approx(0, abs=1e-5)
    assert math.isnan(found["peak_deg"])  # even light has none


def test_colour_counts_even_at_the_best_scale() -> None:
    truth = Environment.uniform([0.5, 0.5, 0.5])
    assert score.lighting(Environment.uniform([0.8, 0.5, 0.2]), truth)["spheres_scale_free"] > 0.3


def test_light_from_another_side() -> None:
    truth, estimate = lamp(30, 20), lamp(-30, 20)
    found = score.lighting(estimate, truth)
    expected = np.degrees(
        angle_between(direction(np.pi / 6, np.radians(20)), direction(-np.pi / 6, np.radians(20)))
    )
    assert found["peak_deg"] == pytest.approx(expected, abs=8)  # maps have pixels of 11 degrees
    assert found["dominant_deg"] == pytest.approx(expected, abs=3)
    assert found["mirror"] > found["diffuse"] > 0.2


def test_gain_of_the_truth() -> None:
    gain = RNG.uniform(0.1, 2, (SIDE, SIDE, 3))
    linear = RNG.uniform(0.05, 0.3, gain.shape)
    found = score.gain(gain, gain, linear, LEFT, ALL)
    assert found["log_gain_face"] == found["log_gain_person"] == 0
    assert found["residual_face"] == pytest.approx(0, abs=1e-9)
    assert found["psnr_db"] == math.inf
    assert found["ssim"] == pytest.approx(1, abs=1e-5)


def test_gain_wrong_outside_the_face() -> None:
    truth = np.full((SIDE, SIDE, 3), 1.0)
    estimate = truth.copy()
    estimate[:, 12:] = 0
    found = score.gain(estimate, truth, truth * 0.2, LEFT, ALL)
    assert found["log_gain_face"] == 0
    assert found["log_gain_person"] == pytest.approx(math.log(2) / 2)
    assert found["residual_person"] == pytest.approx(0.5)
    assert found["psnr_db"] < 25
    assert found["ssim"] < 0.99


def test_a_key_that_does_not_reach_has_no_residual() -> None:
    truth = np.full((SIDE, SIDE, 3), 0.01)
    found = score.gain(truth * 3, truth, truth, LEFT, ALL)
    assert math.isnan(found["residual_face"])
    assert found["log_gain_face"] > 0
    nobody = score.gain(truth, truth, truth, NOWHERE, NOWHERE)
    assert all(math.isnan(value) for value in nobody.values())
