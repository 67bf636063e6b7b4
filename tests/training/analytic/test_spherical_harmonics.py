# SPDX-License-Identifier: Apache-2.0
"""Spherical harmonics against integrals over the sphere and Lambert's law."""

from __future__ import annotations

import numpy as np
import pytest

from relight.environment import directions, solid_angles
from relight.geometry import angle_between, normalize
from training.analytic import spherical_harmonics
from training.analytic.spherical_harmonics import environment, fit, harmonics, irradiance

RNG = np.random.default_rng(5)


def sphere(count: int = 4000) -> np.ndarray:
    return normalize(RNG.standard_normal((count, 3)))


def test_harmonics_are_orthonormal() -> None:
    towards = directions(128)
    values = harmonics(towards)
    gram = np.einsum("hwi,hwj,hk->ij", values, values, solid_angles(128))
    np.testing.assert_allclose(gram, np.eye(9), atol=2e-3)


def test_light_of_nine_harmonics_is_found_again() -> None:
    truth = np.concatenate([[[4.0, 3.0, 2.0]], RNG.normal(0, 0.4, (8, 3))])
    normals = sphere()
    seen = irradiance(truth, normals)
    found = fit(seen, normals, np.ones(len(normals)), ridge=0)
    np.testing.assert_allclose(found, truth, atol=1e-6)


def test_irradiance_is_that_of_the_map() -> None:
    """The transfer coefficients against Lambert's integral over the map itself."""
    coefficients = np.zeros((9, 3))
    coefficients[0] = 6.0
    coefficients[1:] = RNG.normal(0, 0.5, (8, 1))
    normals = sphere(200)
    light = environment(coefficients, 64)
    assert light.data.min() > 0  # nothing was cut
    np.testing.assert_allclose(
        light.irradiance(normals), irradiance(coefficients, normals), rtol=5e-3
    )


def test_a_single_lamp_is_found_on_half_a_sphere() -> None:
    lamp = normalize(np.array([0.6, 0.4, 0.7]))
    normals = sphere()
    normals = normals[normals[:, 2] > 0.1]
    shading = np.maximum(normals @ lamp, 0)[:, None].repeat(3, 1)
    light = environment(fit(shading, normals, np.ones(len(normals))))
    assert np.degrees(angle_between(light.dominant_direction(), lamp)) < 15
    assert (light.data >= 0).all()


def test_pixels_without_weight_do_not_count() -> None:
    normals = sphere(500)
    shading = np.full((500, 1), 0.7)
    weights = np.ones(500)
    shading[:100], weights[:100] = 50.0, 0
    np.testing.assert_allclose(irradiance(fit(shading, normals, weights), normals), 0.7, rtol=1e-6)
    with pytest.raises(ValueError, match="no pixel"):
        fit(shading, normals, np.zeros(500))


def test_a_strong_ridge_leaves_the_mean_light() -> None:
    normals = sphere(2000)
    shading = 1 + 0.8 * normals[:, :1]
    found = fit(shading, normals, np.ones(2000), ridge=1e6)
    np.testing.assert_allclose(irradiance(found, normals), shading.mean(), rtol=1e-3)


def test_ridge_spares_only_the_mean() -> None:
    assert spherical_harmonics.SLOPES.tolist() == [0] + [1] * 8
