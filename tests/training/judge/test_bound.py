# SPDX-License-Identifier: Apache-2.0
"""What of the light can be known, on light that is known."""

from __future__ import annotations

import numpy as np

from relight import Environment
from relight.environment import directions
from training.judge import bound


def test_bounds_are_small_for_even_light_and_large_for_a_lamp_behind() -> None:
    even = bound.bounds([Environment.uniform(0.5)])
    assert max(even[bound.HARMONICS], even[bound.FRONT]) < 0.01
    assert even[bound.PROBE] < 0.12  # the sphere shows nothing of what is behind it
    data = np.full((16, 32, 3), 0.1, np.float32)
    data[directions(16) @ np.float32([0.3, 0, -0.95]) > 0.97] = 50
    lamp = bound.bounds([Environment(data)])
    assert lamp[bound.FRONT] > 0.3
    assert bound.bounds([]) == {}
