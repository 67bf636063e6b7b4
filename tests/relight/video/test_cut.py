# SPDX-License-Identifier: Apache-2.0
"""Where a take ends."""

from __future__ import annotations

import cv2
import numpy as np

from relight.video.cut import CutFinder


def room(seed: int) -> np.ndarray:
    """Some picture with shapes in it, ``(90, 160, 3)``."""
    rng = np.random.default_rng(seed)
    picture = np.full((90, 160, 3), rng.integers(40, 200, 3), np.uint8)
    for _ in range(12):
        x, y = (int(v) for v in rng.integers(0, (160, 90)))
        color = [int(v) for v in rng.integers(0, 255, 3)]
        cv2.circle(picture, (x, y), int(rng.integers(8, 40)), color, -1)
    return picture


def cuts(pictures: list[np.ndarray]) -> list[int]:
    found = CutFinder()
    return [n for n, picture in enumerate(pictures) if found(picture)]


def test_a_take_begins_with_the_first_picture_and_after_a_cut() -> None:
    pictures = [room(seed) for seed in (1, 1, 1, 2, 2, 3)]
    assert cuts(pictures) == [0, 3, 5]


def test_noise_a_pan_and_a_walk_through_the_picture_are_no_cuts() -> None:
    rng = np.random.default_rng(0)
    wide = np.hstack([room(4), room(5)])
    pan = [wide[:, x : x + 160] for x in range(0, 160, 4)]
    noisy = [np.clip(p + rng.normal(0, 8, p.shape), 0, 255).astype(np.uint8) for p in pan]
    for n, picture in enumerate(noisy):
        cv2.circle(picture, (4 * n, 50), 30, (200, 150, 120), -1)
    assert cuts(noisy) == [0]


def test_a_flash_and_a_lamp_switched_off_are_no_cuts() -> None:
    picture = room(6)
    flash = np.clip(picture * 1.8 + 20.0, 0, 255).astype(np.uint8)
    dark = (picture * 0.15).astype(np.uint8)
    assert cuts([picture, flash, picture, dark, dark]) == [0]


def test_blank_pictures_are_no_failure() -> None:
    blank = np.zeros((2, 2, 3), np.uint8)
    assert cuts([blank, blank]) in ([0], [0, 1])
