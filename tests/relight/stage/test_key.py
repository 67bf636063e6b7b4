from __future__ import annotations

import numpy as np

from relight.geometry import direction
from relight.stage import key

AHEAD = np.array([[[0, 0, 1]]], np.float32)
SEEN, HIDDEN = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)


def test_a_surface_facing_the_key_has_shading_one() -> None:
    assert abs(float(key.diffuse(AHEAD, SEEN, direction(0, 0))[0, 0]) - 1) < 1e-3


def test_the_terminator_is_soft_and_the_back_dark() -> None:
    side = key.diffuse(AHEAD, SEEN, direction(np.pi / 2, 0))[0, 0]
    back = key.diffuse(AHEAD, SEEN, direction(np.radians(150), 0))[0, 0]
    assert 0.05 < side < 0.12
    assert back < 1e-3


def test_cast_shadows_keep_little_light_and_no_gloss() -> None:
    lit, dark = (key.diffuse(AHEAD, u, direction(0.5, 0))[0, 0] for u in (SEEN, HIDDEN))
    assert abs(dark / lit - key.IN_SHADOW) < 1e-5
    assert key.gloss(AHEAD, HIDDEN, direction(0.5, 0))[0, 0] == 0


def test_gloss_peaks_at_the_half_vector() -> None:
    towards = direction(np.radians(40), 0)
    between = direction(np.radians(20), 0).reshape(1, 1, 3)
    peak = key.gloss(between, SEEN, towards)[0, 0]
    assert abs(peak - key.GLOSS) < 1e-5
    assert key.gloss(AHEAD, SEEN, towards)[0, 0] < peak
    assert key.gloss(AHEAD, SEEN, direction(np.radians(150), 0))[0, 0] == 0
