# SPDX-License-Identifier: Apache-2.0
"""Landmarks over time: still ones calmed, moving ones followed."""

from __future__ import annotations

import numpy as np
import pytest

from relight.video.smoothing import OneEuro, kept, share

STEP_S = 1 / 30
SIZE = 100.0


def run(points: np.ndarray) -> np.ndarray:
    smooth = OneEuro()
    return np.array([smooth(p.astype(np.float32), SIZE, STEP_S) for p in points])


def test_noise_on_a_still_face_is_calmed() -> None:
    rng = np.random.default_rng(0)
    still = 50 + 10 * rng.random((1, 468, 2))
    seen = still + rng.normal(0, 0.3, (60, 468, 2))
    calm = run(seen)[20:]
    assert np.abs(np.diff(calm, axis=0)).mean() < 0.2 * np.abs(np.diff(seen, axis=0)).mean()


def test_a_moving_face_is_followed_within_a_picture() -> None:
    path = np.arange(40)[:, None, None] * 2.0 + np.zeros((40, 468, 2))  # 0.85 faces a second
    late = (path - run(path))[10:]
    assert late.max() < 2.0


def test_the_first_points_are_kept_as_they_are() -> None:
    points = np.random.default_rng(1).random((5, 3)).astype(np.float32)
    np.testing.assert_array_equal(OneEuro()(points, SIZE, STEP_S), points)


def test_a_pause_in_the_pictures_counts_as_time() -> None:
    """After a second the old place says nothing."""
    smooth = OneEuro()
    smooth(np.zeros((1, 2), np.float32), SIZE, STEP_S)
    far = smooth(np.full((1, 2), 10, np.float32), SIZE, 1.0)
    assert far.min() > 8


@pytest.mark.parametrize("cutoff", [0.1, 1.0, 30.0])
def test_shares_lie_between_none_and_all(cutoff: float) -> None:
    assert 0 < share(cutoff, STEP_S) < share(cutoff, 1.0) < 1
    assert 0 < kept(1.0, cutoff) < kept(STEP_S, cutoff) < 1
