# SPDX-License-Identifier: Apache-2.0
"""What a setup does to photos, in figures a photographer would ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance, srgb_to_linear
from relight.face.mesh import POINTS
from relight.photo.pixel import to_8_bit
from relight.result import Result

NOTICED, UNSEEN = 8.0, 5.0
"""Mean change over the faces, levels of 255, from which it is noticed, and below which it is not
seen."""
HOT = 245
"""Brightest channel from which skin counts as burnt."""
LIFTED, NOISE = 3.0, 0.004
"""Growth of linear light beyond which noise grows with it, above so much."""
MOST_HOT, MOST_LIFTED = 2.0, 1.0
"""Points of a photo's faces beyond which they count as burnt, or lifted too far."""
FEW = 50
"""Pixels from which saturation is told."""
DARKEST = 0.02
"""Saturation that pixels count as having at least."""


@dataclass(frozen=True)
class LightFigure:
    """What was done to one photo's faces.

    Attributes:
        intensity: sum over the lights added.
        change: mean absolute change, levels of 255.
        hot: points by which the share of burnt skin grew.
        lifted: points of skin that grew more than threefold.
        pale: median saturation over what it was, of the pixels that changed visibly; NaN for few.
    """

    intensity: float
    change: float
    hot: float
    lifted: float
    pale: float


def light_figure(result: Result) -> LightFigure:
    """Measure one result."""
    import cv2

    before, after = result.photo.rgb8, to_8_bit(result.image)
    inside = np.zeros(before.shape[:2], np.uint8)
    for face in result.faces:
        hull = cv2.convexHull(face.landmarks[:POINTS, :2].astype(np.float32))
        cv2.fillConvexPoly(inside, hull.astype(np.int32), 1)
    a, b = before[inside > 0].astype(int), after[inside > 0].astype(int)
    change = np.abs(b - a).mean(1)
    burnt = [100 * float((pixels.max(1) >= HOT).mean()) for pixels in (a, b)]
    dark, bright = (luminance(srgb_to_linear(pixels.astype(np.uint8))) for pixels in (a, b))
    lit = change >= NOTICED
    pale = np.nan
    if lit.sum() > FEW:
        pale = float(np.median(_saturation(b[lit]) / np.maximum(_saturation(a[lit]), DARKEST)))
    return LightFigure(
        intensity=sum(light.intensity for light in result.lights),
        change=float(change.mean()),
        hot=burnt[1] - burnt[0],
        lifted=100 * float((bright > LIFTED * dark + NOISE).mean()),
        pale=pale,
    )


def summary(figures: Sequence[LightFigure]) -> str:
    """Shares of photos, in one line."""
    change, lit = (
        np.array([f.change for f in figures]),
        np.array([f.intensity for f in figures]) > 0,
    )
    hot, lifted = (np.array([getattr(f, name) for f in figures]) for name in ("hot", "lifted"))
    pale = np.array([f.pale for f in figures])
    return (
        f"{len(figures)} photos: noticed {(change >= NOTICED).mean():.2f},"
        f" lit but not seen {(lit & (change < UNSEEN)).mean():.2f},"
        f" untouched {(~lit).mean():.2f},"
        f" hot by over 2 points {(hot > MOST_HOT).mean():.2f},"
        f" lifted over 1 point {(lifted > MOST_LIFTED).mean():.2f},"
        f" pale {np.nanmedian(pale) if np.isfinite(pale).any() else np.nan:.2f}"
    )


def _saturation(pixels: NDArray[np.int_]) -> NDArray[np.float64]:
    brightest = pixels.max(1)
    result: NDArray[np.float64] = (brightest - pixels.min(1)) / np.maximum(brightest, 1)
    return result
