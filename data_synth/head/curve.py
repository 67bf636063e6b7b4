# SPDX-License-Identifier: Apache-2.0
"""Curves of the face in canonical x and y (cm), where skin, brows and beard take their bearings.

Measured on the mean head of ICT-FaceKit (Li et al. 2020) at its 68 landmarks; the right half is the
mirror image of the left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BROW = np.array([[1.05, 5.72], [2.41, 6.19], [3.79, 6.26], [4.93, 5.98], [5.82, 5.2]])
"""From the root of the nose outwards, left."""
EYE = np.array(
    [
        [1.84, 3.25],
        [2.3, 3.72],
        [2.78, 3.94],
        [3.87, 3.87],
        [4.46, 3.43],
        [3.86, 3.07],
        [2.73, 3.08],
    ]
)
"""Opening of the left eye, from the inner corner over the upper lid."""
UPPER_LID, LOWER_LID = EYE[:5], EYE[[4, 5, 6, 0]]
LIPS = np.array(
    [[0, -2.48], [0.73, -2.42], [1.7, -2.78], [2.53, -3.52], [1.8, -4.06], [1.03, -4.3], [0, -4.38]]
)
"""Rim of the lips, left half, from the cupid's bow to the middle below."""
MOUTH_LINE = np.array([[0, -3.36], [1.0, -3.33], [2.25, -3.49], [2.53, -3.52]])
"""Where closed lips meet, left half."""
NOSE_TIP = np.array([0.0, 0.41, 13.07])
CHIN = np.array([0.0, -7.57, 10.43])

LANDMARKS = np.fromstring(
    """
    -7.36 3.68 3.66 -7.28 1.49 3.93 -6.94 -0.46 4.53 -6.56 -2.36 5.17 -5.72 -4.49 6.13 -4.3
    -6.21 7.35 -3.05 -6.91 8.77 -1.54 -7.26 10.27 0 -7.57 10.43 1.54 -7.26 10.27 3.05 -6.91
    8.77 4.3 -6.21 7.35 5.72 -4.49 6.13 6.56 -2.36 5.17 6.94 -0.46 4.53 7.28 1.49 3.93 7.36
    3.68 3.66 -5.82 5.2 7.91 -4.93 5.98 8.99 -3.79 6.26 9.83 -2.41 6.19 10.48 -1.17 5.91
    10.73 1.17 5.91 10.73 2.41 6.19 10.48 3.79 6.26 9.83 4.93 5.98 8.99 5.82 5.2 7.91 0 3.74
    10.73 0 2.63 11.52 0 1.61 12.31 0 0.41 13.07 -1.25 -1.14 10.87 -0.6 -1.14 11.42 0 -1.2
    11.57 0.6 -1.14 11.42 1.25 -1.14 10.87 -4.46 3.43 8.6 -3.87 3.87 9.36 -2.78 3.94 9.53
    -1.84 3.25 9.2 -2.73 3.08 9.41 -3.86 3.07 9.23 1.84 3.25 9.2 2.78 3.94 9.53 3.87 3.87
    9.36 4.46 3.43 8.6 3.86 3.07 9.23 2.73 3.08 9.41 -2.53 -3.52 10.19 -1.7 -2.78 11.22
    -0.73 -2.42 11.73 0 -2.48 11.84 0.73 -2.42 11.73 1.7 -2.78 11.22 2.53 -3.52 10.19 1.8
    -4.06 10.9 1.03 -4.3 11.39 0 -4.38 11.55 -1.03 -4.3 11.39 -1.8 -4.06 10.9 -2.21 -3.49
    10.13 -1 -3.3 11.09 0 -3.32 11.28 1 -3.3 11.09 2.21 -3.49 10.13 1.07 -3.38 11.04 0 -3.4
    11.25 -1.07 -3.38 11.04
    """,
    sep=" ",
).reshape(68, 3)
"""All 68 points in canonical space."""


def mirrored(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same curve on the other side."""
    return curve * [-1.0, 1.0]


def closed_lips() -> NDArray[np.float64]:
    """Whole rim of the lips as a polygon ``(12, 2)``."""
    return np.concatenate([LIPS, mirrored(LIPS)[-2:0:-1]])


def smooth(curve: NDArray[np.float64], points: int) -> NDArray[np.float64]:
    """The curve resampled through a spline, ``(points, 2)``."""
    from scipy.interpolate import CubicSpline

    at = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    spline = CubicSpline(at, curve)
    return np.asarray(spline(np.linspace(0, at[-1], points)))
