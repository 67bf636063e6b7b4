# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from flat_mirror import flat_mirror

from relight.face.mirror import Mirror
from relight.stage.fine_shading import EVEN, LIMIT, ODD, fine_shading

SIDE = 64
FACE = np.ones((SIDE, SIDE), np.bool_)
PLAIN = np.zeros((SIDE, SIDE), np.float32)
HALF = SIDE // 2


def from_side() -> np.ndarray:
    """Shading of hard light from image left."""
    return np.repeat(np.linspace(1, -1, SIDE, dtype=np.float32)[None, :, None], SIDE, 0)


def from_above() -> np.ndarray:
    """Shading of hard light from above."""
    return from_side().transpose(1, 0, 2)


def seen(log_light: np.ndarray) -> np.ndarray:
    """A grey face's photo in that light."""
    return np.repeat(0.3 * np.exp(log_light), 3, -1)


def told(shading: np.ndarray, photo: np.ndarray, images: Mirror, other: np.ndarray = PLAIN):
    """The change that a photo makes, ``(64, 64)``, its mean on the face left out."""
    shading = np.repeat(shading, 3, -1)
    change = (fine_shading(shading, photo, images, FACE, other) - shading)[..., 0]
    return change - np.median(change)


def fold(depth: float) -> np.ndarray:
    """A dark line across the lower half."""
    line = np.zeros((SIDE, SIDE, 1), np.float32)
    line[48:50] = -depth
    return line


def test_a_shadow_on_one_half_is_light() -> None:
    shadow = np.zeros((SIDE, SIDE, 1), np.float32)
    shadow[20:40, HALF + 8 : HALF + 20] = -0.2
    change = told(from_side(), seen(from_side() + shadow), flat_mirror(SIDE))
    np.testing.assert_allclose(change[30, HALF + 14], -ODD * 0.1, atol=0.01)
    np.testing.assert_allclose(change[30, HALF - 14], ODD * 0.1, atol=0.01)  # where it is not
    np.testing.assert_allclose(change[55], 0, atol=1e-3)


def test_in_light_from_above_a_fold_is_light_and_in_soft_light_it_is_skin() -> None:
    hard = told(from_above(), seen(from_above() + fold(0.2)), flat_mirror(SIDE))
    assert hard[48, HALF] < -0.7 * EVEN * 0.2
    soft = told(0.1 * from_above(), seen(0.1 * from_above() + fold(0.2)), flat_mirror(SIDE))
    np.testing.assert_allclose(soft, 0, atol=1e-3)


def test_what_is_dark_on_every_face_is_skin() -> None:
    usual = flat_mirror(SIDE, albedo=fold(0.2)[..., 0])
    change = told(from_above(), seen(from_above() + fold(0.2)), usual)
    np.testing.assert_allclose(change, 0, atol=1e-3)


def test_a_beard_an_eye_and_an_unseen_half_are_left() -> None:
    photo = seen(from_above() + fold(1.5))
    assert told(from_above(), photo, flat_mirror(SIDE)).min() > -LIMIT
    openings = (fold(1.5)[..., 0] < 0).astype(np.float32)
    np.testing.assert_allclose(
        told(from_above(), photo, flat_mirror(SIDE, openings=openings))[48], 0, atol=0.05
    )
    np.testing.assert_array_equal(told(from_above(), photo, flat_mirror(SIDE, trust=0)), 0)


def test_hair_of_another_colour_is_dark_by_itself() -> None:
    photo = seen(from_above() + fold(0.2))
    hair = (fold(0.2)[..., 0] < 0).astype(np.float32)
    np.testing.assert_allclose(told(from_above(), photo, flat_mirror(SIDE), hair)[48], 0, atol=0.05)


def test_the_mean_on_the_face_stays() -> None:
    shading = np.repeat(from_above(), 3, -1)
    found = fine_shading(shading, seen(from_above() + fold(0.3)), flat_mirror(SIDE), FACE, PLAIN)
    np.testing.assert_allclose(np.exp(found).mean(), np.exp(shading).mean(), rtol=1e-5)
