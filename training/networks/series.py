# SPDX-License-Identifier: Apache-2.0
"""Powers and logarithms by roots and short series, for networks that run on phones.

XNNPACK, which runs TFLite models on a CPU, has neither; what it lacks runs on the interpreter's own
kernels, five to ten times slower, and splits the model in parts.
"""

from __future__ import annotations

from typing import Any

from keras import ops
from numpy.polynomial import Chebyshev, Polynomial

SRGB_BLACK = (0.055 / 1.055) ** 0.125
"""Eighth root of what :func:`linear_light` raises to a power where a photo is black."""
_FIFTH_ROOT = Chebyshev.interpolate(lambda x: x**0.2, 4, domain=[SRGB_BLACK, 1.0])
FIFTH_ROOT = tuple(float(c) for c in _FIFTH_ROOT.convert(kind=Polynomial).coef)
"""Coefficients, constant first, of ``x ** 0.2`` between that and 1; their error is 1e-6."""


def linear_light(photo: Any) -> Any:
    """``((x + 0.055) / 1.055) ** 2.4`` of sRGB in [0, 1], to 2e-6: its linear light but near black.

    Fourth powers are squares of squares, so ``u ** 19.2`` of the eighth root u needs no power.
    """
    encoded = (photo + 0.055) / 1.055
    root = eighth_root(encoded)
    fifth = root * FIFTH_ROOT[4] + FIFTH_ROOT[3]
    for coefficient in FIFTH_ROOT[2::-1]:
        fifth = fifth * root + coefficient
    return encoded * encoded * (root * root * root) * fifth


def logarithm(x: Any) -> Any:
    """Natural logarithm to 2e-6 for x in [0.01, 2]."""
    root = eighth_root(x)
    s = (root - 1) / (root + 1)
    q = s * s
    return 16 * s * (1 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q / 9))))  # 8 * 2 artanh(s)


def softplus(x: Any) -> Any:
    """``log(1 + exp(x))`` to 1e-6."""
    t = ops.exp(-ops.abs(x))
    s = t / (t + 2)  # log(1 + t) = 2 artanh(s), s <= 1/3
    q = s * s
    return ops.relu(x) + s * (2 + q * (2 / 3 + q * (2 / 5 + q * (2 / 7 + q * (2 / 9)))))


def eighth_root(x: Any) -> Any:
    """``x ** (1 / 8)``."""
    return ops.sqrt(ops.sqrt(ops.sqrt(x)))
