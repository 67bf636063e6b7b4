# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's face detectors: single shots over a grid of anchors, overlapping ones averaged.

Reference: Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection on Mobile
GPUs"; the constants are those of MediaPipe's graphs.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight.face.region import Pyramid, Region
from relight.face.tone import Tones
from relight.models.library import Models

Float = NDArray[np.float32]

CONFIDENCE = 0.5
"""Score below which a face is ignored."""
SAME_FACE = 0.5
"""Detections that overlap by more than this, intersection over union, are one face."""
KEY_POINTS = 6
"""The subject's right eye, left eye, nose tip, mouth, right and left ear."""


@dataclass(frozen=True)
class Layout:
    """How a detector's outputs lie on its input.

    Attributes:
        model: its name in the manifest.
        input: name of its input.
        boxes: name of its output of boxes and key points.
        scores: name of its output of scores.
        side: of its input, pixels.
        grids: cells a side, and anchors a cell, of each grid.
    """

    model: str
    input: str
    boxes: str
    scores: str
    side: int
    grids: tuple[tuple[int, int], ...]


FULL = Layout("face_full", "input_1", "Identity", "Identity_1", 192, ((48, 1),))
"""Full range: faces down to 7 % of the frame's width."""
SHORT = Layout("face_short", "input", "regressors", "classificators", 128, ((16, 2), (8, 6)))
"""Short range: faces that fill the frame."""


@dataclass(frozen=True)
class Detection:
    """A face as a detector sees it.

    Attributes:
        x: middle of its box, pixels from the photo's left edge.
        y: middle of its box, pixels from the photo's upper edge.
        width: of its box, a square but for rounding, pixels of the photo.
        height: likewise.
        points: ``(6, 2)`` key points in pixels of the photo; see :data:`KEY_POINTS`.
        score: certainty in [0, 1].
    """

    x: float
    y: float
    width: float
    height: float
    points: NDArray[np.float64]
    score: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width, height in pixels of the photo."""
        return (self.x - self.width / 2, self.y - self.height / 2, self.width, self.height)


def detect(
    models: Models,
    layout: Layout,
    photo: Pyramid,
    region: Region,
    tones: Tones | None = None,
    *,
    repeat: bool = False,
) -> list[Detection]:
    """Faces in a region of a photo, the most certain first.

    Args:
        models: what runs the network.
        layout: which detector.
        photo: the photo.
        region: where to look.
        tones: changes what the network sees, values from 0 to 255.
        repeat: whether the photo's edge repeats outside it; else it is black there.
    """
    seen = photo.sample(region, layout.side, repeat=repeat)
    if seen is None:
        return []
    if tones is not None:
        seen = tones(seen)
    found = models.run(layout.model, {layout.input: seen / np.float32(127.5) - 1})
    scores = 1 / (1 + np.exp(-np.clip(found[layout.scores][:, 0].astype(float), -100, 100)))
    likely = scores >= CONFIDENCE
    raw = found[layout.boxes][likely].astype(float) / layout.side
    values = raw.reshape(-1, 2 + KEY_POINTS, 2)  # middle, size, then the key points
    values[:, 0] += anchors(layout)[likely]
    values[:, 2:] += anchors(layout)[likely][:, None]
    return [_in_photo(region, *one) for one in merged(values, scores[likely])]


@functools.cache
def anchors(layout: Layout) -> NDArray[np.float64]:
    """Middles ``(N, 2)`` of a detector's cells in [0, 1], as often as each has anchors."""
    found = []
    for count, repeated in layout.grids:
        rows, columns = np.divmod(np.arange(count * count).repeat(repeated), count)
        found.append((np.stack([columns, rows], 1) + 0.5) / count)
    return np.concatenate(found)


def merged(
    values: NDArray[np.float64], scores: NDArray[np.float64]
) -> list[tuple[NDArray[np.float64], float]]:
    """Detections of one face averaged by their scores, the most certain first.

    Args:
        values: ``(N, 2 + K, 2)`` middle, size and key points.
        scores: ``(N,)``.

    Returns:
        Means like ``values``, each with its largest score.
    """
    order = np.argsort(-scores, kind="stable")
    low, high = values[:, 0] - values[:, 1] / 2, values[:, 0] + values[:, 1] / 2
    result = []
    while order.size:
        best = order[0]
        wide = np.minimum(high[best], high[order]) - np.maximum(low[best], low[order])
        shared = np.maximum(wide, 0).prod(1)
        areas = values[order, 1].prod(1)
        same = shared > SAME_FACE * (areas[0] + areas - shared)
        same[0] = True
        weights = scores[order[same]]
        mean = np.einsum("n,n...->...", weights / weights.sum(), values[order[same]])
        result.append((mean, float(scores[best])))
        order = order[~same]
    return result


def _in_photo(region: Region, values: NDArray[np.float64], score: float) -> Detection:
    x, y = region.to_photo(values[:1])[0]
    width, height = values[1] * region.side
    return Detection(
        float(x), float(y), float(width), float(height), region.to_photo(values[2:]), score
    )
