# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

pytest.importorskip("scipy")

from data_synth.stage.reflectance import Hair, hair_lobes, lobes, make_gloss
from data_synth.stage.rig import fibonacci_sphere
from data_synth.stage.texture import Pyramid
from data_synth.subject import Texture

SPHERE = fibonacci_sphere(60_000).astype(np.float32)


def reflected(n_v, alpha, f0, second):
    """Light that returns from a surface of albedo 1 in uniform light: lobes and base."""
    gloss = make_gloss(np.array([n_v]), alpha, np.float32(f0), second)
    view = np.array([np.sqrt(1 - n_v**2), 0, n_v], np.float32)
    light = SPHERE[SPHERE[:, 2] > 1e-3]
    n_l, l_v = light[:, 2], light @ view
    many = [np.full(len(light), x, np.float32) for x in (n_v, alpha, f0, second)]
    weight = 4 * np.pi / len(SPHERE)
    mirror = lobes(n_l, l_v, *many).sum() * weight
    entry = gloss.entry[0, np.minimum((n_l * 32).astype(int), 31)]
    base = (n_l * entry).sum() * weight / np.pi * gloss.exit[0]
    return mirror, base


@pytest.mark.parametrize("n_v", [0.95, 0.6, 0.3])
@pytest.mark.parametrize("alpha", [0.12, 0.3, 0.7])
@pytest.mark.parametrize(("f0", "second"), [(0.028, 0.3), (0.2, 0.0)])
def test_white_surface_returns_all_light_and_no_more(n_v, alpha, f0, second):
    mirror, base = reflected(n_v, alpha, f0, second)
    assert mirror > 0
    assert mirror + base == pytest.approx(1, abs=0.03)
    assert mirror + base < 1.02


def test_surface_without_gloss_is_lambert():
    mirror, base = reflected(0.5, 0.4, 0.0, 0.3)
    assert mirror == pytest.approx(0, abs=1e-6)
    assert base == pytest.approx(1, abs=2e-3)


def test_lobes_are_reciprocal():
    def value(n_l, n_v):
        one = [np.float32([x]) for x in (n_l, 0.4, n_v, 0.3, 0.04, 0.3)]
        return lobes(*one)[0] / n_l

    assert value(0.9, 0.4) == pytest.approx(value(0.4, 0.9), rel=1e-5)


@pytest.mark.parametrize("tint", [0.02, 0.3, 0.95])
@pytest.mark.parametrize("view", [(0, 0, 1), (0.6, 0.5, 0.62)])
def test_fibres_return_less_light_than_they_get(tint, view):
    view = np.array(view, np.float32) / np.linalg.norm(view)
    tangent, normal = np.array([0, 1, 0], np.float32), np.array([0, 0, 1], np.float32)
    count = len(SPHERE)
    hair = Hair(
        np.full(count, view @ tangent, np.float32),
        np.full((count, 3), tint, np.float32),
        np.zeros(count, np.float32),
    )
    white, colored = hair_lobes(
        hair, SPHERE @ tangent, SPHERE @ view, SPHERE @ normal, np.ones(count, np.float32)
    )
    total = (white[:, None] + colored).sum(0) * 4 * np.pi / count
    assert (total > 0.01).all()
    assert (total < 1).all()


def test_shadowed_fibres_are_darker_and_pale_ones_less_so():
    def brightness(tint, left):
        hair = Hair(np.zeros(1, np.float32), np.full((1, 3), tint, np.float32), np.zeros(1))
        one = np.ones(1, np.float32)
        return hair_lobes(hair, 0 * one, 0.5 * one, one, np.float32([left]))[1][0, 0]

    assert brightness(0.05, 0.1) < 0.5 * brightness(0.05, 1.0)
    dark = brightness(0.05, 0.1) / brightness(0.05, 1.0)
    pale = brightness(0.7, 0.1) / brightness(0.7, 1.0)
    assert pale > dark


# --- Textures


def maps(albedo, height):
    flat = np.full(height.shape, 0.5, np.float32)
    return Texture(albedo, flat, flat, height)


def test_texture_rows_run_down_from_v_1():
    albedo = np.zeros((8, 8, 3), np.float32)
    albedo[0, -1] = 1
    pyramid = Pyramid(maps(albedo, np.zeros((8, 8), np.float32)))
    found = pyramid.sample(np.array([[0.99, 0.99], [0.01, 0.99], [0.99, 0.01]]), np.full(3, 0.01))
    np.testing.assert_allclose(found.albedo[:, 0], [1, 0, 0])


def test_slope_of_a_ramp():
    u = (np.arange(64) + 0.5) / 64
    height = (2 * u[None, :] + 3 * (1 - u[:, None])).astype(np.float32)
    pyramid = Pyramid(maps(np.ones((64, 64, 3), np.float32), height))
    for footprint in (0.001, 0.1):
        found = pyramid.sample(np.array([[0.5, 0.5]]), np.array([footprint]))
        np.testing.assert_allclose(found.slope, [[2, 3]], atol=1e-3)
        assert found.variance[0] < 1e-3


def test_bumps_finer_than_the_footprint_become_variance():
    rng = np.random.default_rng(0)
    height = rng.standard_normal((128, 128)).astype(np.float32) * 0.01
    pyramid = Pyramid(maps(np.ones((128, 128, 3), np.float32), height))
    uv = rng.uniform(0.2, 0.8, (200, 2))
    fine = pyramid.sample(uv, np.full(200, 0.5 / 128))
    coarse = pyramid.sample(uv, np.full(200, 16 / 128))
    assert np.abs(coarse.slope).mean() < 0.2 * np.abs(fine.slope).mean()
    total = (fine.slope**2).sum(1).mean()
    assert coarse.variance.mean() > 0.5 * total
