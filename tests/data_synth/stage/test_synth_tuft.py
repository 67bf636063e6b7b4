# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

pytest.importorskip("scipy")

from data_synth.hair.lock import gather_locks
from data_synth.stage.fibre import Ribbons
from data_synth.stage.tuft import REACH_CM, choose_hits, gather_tufts
from data_synth.subject import Strands

RAYS = 16


@pytest.mark.parametrize("samples", [2, 4])
@pytest.mark.parametrize("hairs", [1, 5, 15])
def test_cover_of_thin_hair_is_kept_exactly(samples, hairs):
    pixels = 50
    hits = np.arange(pixels * RAYS)
    fibre = np.tile(np.arange(RAYS) >= RAYS - hairs, pixels)
    ray, pixel, weight, stratum = choose_hits(hits, fibre, RAYS, samples, 0.3)
    assert (np.bincount(pixel) <= samples).all()
    assert (pixel == ray // RAYS).all()
    np.testing.assert_allclose(np.bincount(pixel, weight), 1, rtol=1e-6)
    np.testing.assert_allclose(np.bincount(pixel, weight * fibre[ray]), hairs / RAYS, rtol=1e-6)
    assert ((stratum >= 0) & (stratum < 1)).all()


def test_one_sample_a_pixel_meets_hair_as_often_as_rays_do():
    hits = np.arange(RAYS)
    fibre = hits >= 12
    offsets = (np.arange(64) + 0.5) / 64
    chosen = np.array([choose_hits(hits, fibre, RAYS, 1, x)[0][0] for x in offsets])
    assert fibre[chosen].mean() == pytest.approx(4 / RAYS)


def ribbons():
    """Two crossing fibres, one dark and one pale."""
    points = np.float32([[[0, 0, 0], [1, 1, 0]], [[0, 1, 0], [1, 0, 0]]])
    color = np.float32([[0.1, 0.1, 0.1], [0.5, 0.5, 0.5]])
    return Ribbons(
        [Strands(points, np.full((2, 2), 0.1, np.float32), color)], np.float32([0, 0, 9])
    )


def test_a_point_stands_for_all_fibres_of_its_pixel():
    piece, distance = np.array([0, 1, 0, 1]), np.float32([9, 9.2, 9, 9.1])
    pixel = np.array([3, 3, 7, 7])
    both = gather_tufts(
        ribbons(), piece, distance, pixel, np.array([3, 7, 7]), np.float32([9, 9, 9.1])
    )
    np.testing.assert_allclose(both.albedo[:, 0], [0.3, 0.1, 0.5], rtol=1e-5)
    np.testing.assert_allclose(both.tangent[0], [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(both.spread, [0.25, 0, 0], atol=1e-6)
    np.testing.assert_allclose(both.distance, [9.1, 9, 9.1], rtol=1e-5)


def test_fibres_far_behind_hardly_move_a_point():
    tufts = gather_tufts(
        ribbons(),
        np.array([0, 1]),
        np.float32([9, 19]),
        np.array([0, 0]),
        np.array([0]),
        np.float32([9]),
    )
    assert 9 < tufts.distance[0] <= 9 + REACH_CM / 2


def test_locks_share_what_their_strands_draw_and_do_not_cross_the_parting():
    rng = np.random.default_rng(1)
    position = rng.uniform(-5, 5, (2000, 3)).astype(np.float32)
    beyond = position[:, 0] > 0.5
    locks = gather_locks(position, rng, beyond)
    assert (beyond[locks.wisp] == beyond).all()
    assert (beyond[locks.lock] == beyond).all()
    drawn = rng.normal(3, 2, 2000)
    shared = locks.spread(drawn, 0.3)
    assert shared.std() == pytest.approx(2, rel=0.25)
    within = shared[~locks.free] - shared[locks.wisp][~locks.free]
    assert within.std() < 1.2
