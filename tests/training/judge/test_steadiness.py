# SPDX-License-Identifier: Apache-2.0
"""What flickers and what lags, on runs of values whose delay is known."""

from __future__ import annotations

import numpy as np
import pytest

from training.judge.steadiness import LONGEST_LAG, lag


def wave(delay: float) -> np.ndarray:
    """A hundred values that rise one after another over forty steps."""
    step = np.arange(40)[:, None] - delay
    return 1 / (1 + np.exp(-(step - np.linspace(10, 30, 100)) / 2))


@pytest.mark.parametrize("delay", [0.0, 1.0, 2.5, 4.0])
def test_a_delay_is_found(delay: float) -> None:
    assert lag(wave(delay), wave(0)) == pytest.approx(delay, abs=0.3)


def test_a_delay_beyond_the_longest_is_the_longest() -> None:
    assert lag(wave(12), wave(0)) == LONGEST_LAG


def test_strength_and_noise_are_no_delay() -> None:
    rng = np.random.default_rng(0)
    assert lag(3 * wave(0) + 0.1 * rng.normal(size=(40, 100)), wave(0)) == pytest.approx(0, abs=0.3)
