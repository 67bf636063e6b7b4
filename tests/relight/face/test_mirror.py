from __future__ import annotations

import numpy as np

from relight.face.mesh import template
from relight.face.mirror import (
    IRISES,
    brighter_left,
    mirror,
    mirrored_landmarks,
    partners,
    reflect,
)

SIDE = 64


def frontal() -> np.ndarray:
    """The mean face seen from the front, around the middle of a square."""
    flat = template().vertices_cm * np.array([1, -1, -1], np.float32)
    flat[:, :2] -= (flat[:, :2].max(0) + flat[:, :2].min(0)) / 2
    return flat * np.float32(SIDE / 24) + np.array([SIDE / 2, SIDE / 2, 0], np.float32)


def test_partners_are_each_others() -> None:
    found = partners()
    assert (found[found] == np.arange(len(found))).mean() > 0.98
    away = template().vertices_cm * np.array([-1, 1, 1], np.float32) - template().vertices_cm[found]
    assert np.linalg.norm(away, axis=1).max() < 0.2


def test_mirror_image_of_a_frontal_face_is_the_other_half() -> None:
    found = mirror(frontal(), SIDE)
    ramp = np.tile(np.arange(SIDE, dtype=np.float32), (SIDE, 1))
    sure = found.trust > 0.99
    assert sure.sum() > 500
    away = np.abs(reflect(ramp, found)[sure] - ramp[:, ::-1][sure])
    # Triangles are not mirror images of each other, so between landmarks a little is lost.
    assert away.mean() < 0.3
    assert away.max() < 1.5
    assert not found.trust[0].any()


def test_far_half_of_a_turned_face_is_not_trusted() -> None:
    c, s = np.cos(np.radians(60)), np.sin(np.radians(60))
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], np.float32)
    middle = np.array([SIDE / 2, SIDE / 2, 0], np.float32)
    turned = (frontal() - middle) @ turn.T + middle
    assert mirror(turned, SIDE).trust.sum() < 0.5 * mirror(frontal(), SIDE).trust.sum()


def test_colours_keep_their_shape() -> None:
    found = mirror(frontal(), SIDE)
    assert reflect(np.ones((SIDE, SIDE, 3), np.float32), found).shape == (SIDE, SIDE, 3)
    assert reflect(np.ones((SIDE, SIDE, 1), np.float32), found).shape == (SIDE, SIDE, 1)


def test_the_brighter_half_of_a_picture_is_told() -> None:
    ramp = np.tile(np.arange(61, dtype=np.uint8)[None, :, None], (20, 1, 3))
    assert not brighter_left(ramp)
    assert brighter_left(ramp[:, ::-1])
    assert not brighter_left(np.full_like(ramp, 7))


def test_landmarks_mirrored_twice_are_themselves() -> None:
    points = np.random.default_rng(1).normal(size=(478, 3)).astype(np.float32)
    once = mirrored_landmarks(points, 640)
    np.testing.assert_allclose(mirrored_landmarks(once, 640), points, atol=1e-4)
    np.testing.assert_allclose(once[IRISES[0]], [640 - points[468, 0], *points[468, 1:]])
