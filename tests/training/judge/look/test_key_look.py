from __future__ import annotations

import cv2
import numpy as np

from training.judge.look import key_look

SIDE = 64
FACE = np.ones((SIDE, SIDE), np.bool_)


def key() -> tuple[np.ndarray, np.ndarray]:
    """A photograph under one lamp, with a cast shadow and a highlight, and Lambert's light."""
    rng = np.random.default_rng(0)
    lambert = (0.3 + 0.05 * rng.random((SIDE, SIDE))).astype(np.float32)
    seen = lambert.copy()
    seen[:16] *= 0.05
    seen[40:50, 40:50] += 0.4
    return seen, lambert


def test_the_photograph_itself_is_perfect() -> None:
    seen, lambert = key()
    found = key_look.key_figures(seen, seen, lambert, FACE, FACE)
    assert set(found) == set(key_look.NAMES)
    for name in (key_look.SSIM, key_look.HIGHLIGHT, key_look.DETAIL, key_look.CORRELATION):
        assert abs(found[name] - 1) < 1e-4
    assert found[key_look.SHADOW] < 0.06


def test_lambert_fills_shadows_and_has_no_highlights() -> None:
    seen, lambert = key()
    found = key_look.key_figures(lambert, seen, lambert, FACE, FACE)
    assert abs(found[key_look.SHADOW] - 1) < 1e-5
    assert abs(found[key_look.HIGHLIGHT]) < 1e-5
    assert found[key_look.SSIM] < 0.95


def test_a_blur_loses_detail() -> None:
    seen, lambert = key()
    blurred = cv2.GaussianBlur(seen, (0, 0), 5)
    assert key_look.key_figures(blurred, seen, lambert, FACE, FACE)[key_look.DETAIL] < 0.5


def test_a_key_without_shadow_tells_nothing_of_shadows() -> None:
    _, lambert = key()
    found = key_look.key_figures(lambert, lambert, lambert, FACE, FACE)
    assert key_look.SHADOW not in found
    assert key_look.HIGHLIGHT not in found
