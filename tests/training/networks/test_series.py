# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")

from training.networks.series import linear_light, logarithm, softplus


def test_powers_and_logarithms_are_those_of_numpy() -> None:
    photo = np.linspace(0, 1, 4001, dtype=np.float32)
    power = ((photo.astype(float) + 0.055) / 1.055) ** 2.4
    np.testing.assert_allclose(np.asarray(linear_light(photo)), power, atol=2e-6, rtol=2e-6)
    x = np.geomspace(0.01, 2, 4001).astype(np.float32)
    np.testing.assert_allclose(np.asarray(logarithm(x)), np.log(x.astype(float)), atol=5e-6)
    y = np.linspace(-30, 30, 4001).astype(np.float32)
    np.testing.assert_allclose(np.asarray(softplus(y)), np.logaddexp(0, y.astype(float)), atol=3e-6)
