# SPDX-License-Identifier: Apache-2.0
"""Figures of merit at values known by hand, and against another implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.judge.metric import (
    added_light_residual,
    best_scale,
    cast_shadow,
    normal_error_deg,
    psnr,
    rmse,
    ssim,
)

RNG = np.random.default_rng(11)
SHAPE = (24, 30)
ALL = np.ones(SHAPE, bool)
HALF = np.broadcast_to(np.arange(30) < 15, SHAPE)


def picture(seed: int) -> np.ndarray:
    """Smooth and textured parts, in [0, 1]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :80]
    wave = 0.5 + 0.3 * np.sin(x / 9 + seed) * np.cos(y / 7)
    return np.clip(wave + rng.normal(0, 0.05, wave.shape), 0, 1).astype(np.float32)


@given(st.floats(1e-3, 1e3))
@settings(deadline=None)
def test_residual_is_nothing_for_scaled_truth(scale: float) -> None:
    truth = RNG.uniform(0, 1, (*SHAPE, 3))
    assert added_light_residual(scale * truth, truth, ALL) == pytest.approx(0, abs=1e-9)
    assert best_scale(scale * truth, truth, ALL) == pytest.approx(1 / scale, rel=1e-6)


def test_residual_is_one_for_light_where_there_is_none() -> None:
    truth, estimate = np.zeros(SHAPE), np.zeros(SHAPE)
    truth[:, :15], estimate[:, 15:] = 1, 1
    assert added_light_residual(estimate, truth, ALL) == pytest.approx(1)
    assert added_light_residual(np.zeros(SHAPE), truth, ALL) == pytest.approx(1)
    assert best_scale(estimate, truth, ALL) == 0


def test_residual_is_the_sine_squared_of_the_angle_between_the_lights() -> None:
    truth, estimate = np.zeros((1, 2)), np.array([[1.0, math.tan(math.radians(30))]])
    truth[0, 0] = 5
    found = added_light_residual(estimate, truth, np.ones((1, 2), bool))
    assert found == pytest.approx(math.sin(math.radians(30)) ** 2)


def test_the_best_scale_is_best() -> None:
    truth, estimate = RNG.uniform(0, 1, SHAPE), RNG.uniform(0, 1, SHAPE)

    def energy(g: float) -> float:
        return float(((g * estimate - truth) ** 2).sum() / (truth**2).sum())

    g = best_scale(estimate, truth, ALL)
    assert energy(g) == pytest.approx(added_light_residual(estimate, truth, ALL))
    assert energy(g) < min(energy(0.99 * g), energy(1.01 * g))


def test_only_the_mask_counts() -> None:
    truth, estimate = RNG.uniform(0, 1, SHAPE), RNG.uniform(0, 1, SHAPE)
    spoilt = np.where(HALF, estimate, 77)
    assert added_light_residual(estimate, truth, HALF) == added_light_residual(spoilt, truth, HALF)
    assert rmse(estimate, truth, HALF) == rmse(spoilt, truth, HALF)


def test_a_residual_against_no_light_is_an_error() -> None:
    with pytest.raises(ValueError, match="zero"):
        added_light_residual(np.ones(SHAPE), np.zeros(SHAPE), ALL)


@pytest.mark.parametrize("angle", [0.0, 1e-3, 10, 90, 180])
def test_normal_error_is_the_angle_turned(angle: float) -> None:
    truth = np.zeros((*SHAPE, 3))
    truth[..., 2] = 1
    a = math.radians(angle)
    turned = np.zeros_like(truth)
    turned[..., 0], turned[..., 2] = math.sin(a), math.cos(a)
    assert normal_error_deg(turned, truth, ALL) == pytest.approx(angle, abs=1e-6)
    mixed = np.where(HALF[..., None], turned, truth)
    assert normal_error_deg(mixed, truth, ALL) == pytest.approx(angle / 2, abs=1e-6)
    assert normal_error_deg(mixed, truth, ~HALF) == pytest.approx(0, abs=1e-6)


def test_rmse_and_psnr_at_known_values() -> None:
    a = np.full(SHAPE, 0.5)
    assert rmse(a, a + 0.1, ALL) == pytest.approx(0.1)
    assert psnr(a, a + 0.1) == pytest.approx(20)
    assert psnr(a, a) == math.inf
    assert psnr(a, np.where(HALF, a, a + 0.1), HALF) == math.inf


def test_ssim_of_equal_pictures_is_one() -> None:
    a = picture(1)
    assert ssim(a, a, np.ones(a.shape, bool)) == pytest.approx(1, abs=1e-6)


def test_ssim_is_symmetric_and_falls_with_the_damage() -> None:
    a = picture(1)
    where = np.ones(a.shape, bool)
    noise = np.random.default_rng(0).normal(size=a.shape).astype(np.float32)
    scores = [ssim(a, a + s * noise, where) for s in (0.01, 0.05, 0.2)]
    assert 1 > scores[0] > scores[1] > scores[2] > 0
    assert ssim(a, picture(2), where) == pytest.approx(ssim(picture(2), a, where), abs=1e-6)
    assert ssim(a, 1 - a, where) < 0


@pytest.mark.parametrize("other", [2, 3])
def test_ssim_agrees_with_scikit_image(other: int) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    a, b = picture(1), picture(other)
    _, full = metrics.structural_similarity(
        a,
        b,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        full=True,
    )
    inner = np.zeros(a.shape, bool)
    inner[8:-8, 8:-8] = True  # the two treat borders differently
    assert ssim(a, b, inner) == pytest.approx(float(full[inner].mean()), abs=2e-3)


# --- Cast shadows


def test_a_surface_turned_to_a_light_that_does_not_reach_it_lies_in_cast_shadow() -> None:
    albedo = np.array([[0.4, 0.4, 0.4, 0.02]], np.float32)
    lambert = albedo * np.array([[0.9, 0.9, 0.1, 0.9]], np.float32)
    seen = lambert * np.array([[1.0, 0.2, 0.2, 0.2]], np.float32)
    found = cast_shadow(seen, lambert, albedo)
    # Lit; hidden; turned away; too dark to tell.
    np.testing.assert_array_equal(found, [[False, True, False, False]])
