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
    [[1.84, 3.25], [2.3, 3.72], [2.78, 3.94], [3.87, 3.87], [4.46, 3.43], [3.86, 3.07], [2.73, 3.08]]
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
