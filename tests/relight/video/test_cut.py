# SPDX-License-Identifier: Apache-2.0
"""Where a take ends."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from relight.video.cut import Change, CutFinder


def room(seed: int) -> np.ndarray:
    """Some picture with shapes in it, ``(90, 160, 3)``."""
    rng = np.random.default_rng(seed)
    picture = np.full((90, 160, 3), rng.integers(40, 200, 3), np.uint8)
    for _ in range(12):
        x, y = (int(v) for v in rng.integers(0, (160, 90)))
        color = [int(v) for v in rng.integers(0, 255, 3)]
        cv2.circle(picture, (x, y), int(rng.integers(8, 40)), color, -1)
    return picture


def changes(pictures: list[np.ndarray], kind: Change) -> list[int]:
    found = CutFinder()
    return [n for n, picture in enumerate(pictures) if found(picture) is kind]


def cuts(pictures: list[np.ndarray]) -> list[int]:
    assert changes(pictures, Change.DISSOLVE) == []
    return changes(pictures, Change.CUT)


def dissolve(one: list[np.ndarray], other: list[np.ndarray]) -> list[np.ndarray]:
    """From one take to another, as long as both."""
    count = len(one)
    shares = [(n + 1) / (count + 1) for n in range(count)]
    mixed = [a * (1 - s) + b * s for a, b, s in zip(one, other, shares, strict=True)]
    return [np.rint(picture).astype(np.uint8) for picture in mixed]


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


@pytest.mark.parametrize("length", [8, 15, 30, 60, 90])
def test_a_dissolve_is_found_once_while_it_lasts(length: int) -> None:
    rng = np.random.default_rng(length)
    for seed in range(5):
        one, other = [room(seed)] * (40 + length), [room(seed + 20)] * (40 + length)
        for n, (a, b) in enumerate(zip(one, other, strict=True)):
            one[n], other[n] = a.copy(), b.copy()
            cv2.circle(one[n], (20 + n, 50), 14, (200, 150, 120), -1)  # and things go on in both
            cv2.circle(other[n], (90, 20 + n // 2), 14, (120, 150, 200), -1)
        film = one[:40] + dissolve(one[40:], other[:length]) + other[length:]
        film = [np.clip(p + rng.normal(0, 3, p.shape), 0, 255).astype(np.uint8) for p in film]
        (at,) = changes(film, Change.DISSOLVE)
        assert 40 + length / 3 < at <= 40 + length + 8
        assert changes(film, Change.CUT) == [0]


def test_a_fade_a_slow_pan_and_a_zoom_are_no_dissolves() -> None:
    picture = room(6)
    fade = [(picture * (1 - n / 20)).astype(np.uint8) for n in range(21)]
    assert changes(fade, Change.DISSOLVE) == []
    wide = np.hstack([room(seed) for seed in range(4)])
    assert cuts([wide[:, x : x + 160] for x in range(0, 480, 2)]) == [0]
    near = cv2.resize(room(7), (1600, 900), interpolation=cv2.INTER_CUBIC)
    zoom = [near[450 - 2 * n : 450 + 2 * n, 800 - 4 * n : 800 + 4 * n] for n in range(30, 200, 2)]
    assert cuts([cv2.resize(p, (160, 90), interpolation=cv2.INTER_AREA) for p in zoom]) == [0]
