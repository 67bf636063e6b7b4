# SPDX-License-Identifier: Apache-2.0
"""Environment maps for tests."""

from __future__ import annotations

import numpy as np

from relight import Environment


def bumpy(seed: int, height: int = 16) -> Environment:
    """A high-contrast map: a few bright spots over a dim, coloured sky."""
    rng = np.random.default_rng(seed)
    data = rng.gamma(0.3, 1, (height, 2 * height, 3)) + 0.01
    data[rng.integers(height), rng.integers(2 * height)] += 50
    return Environment(data.astype(np.float32))


def all_directions(count: int = 200) -> np.ndarray:
    v = np.random.default_rng(1).normal(size=(count, 3))
    return (v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32)
