# SPDX-License-Identifier: Apache-2.0
"""Fibres finer than pixels, as the camera sees them: tufts with a mean direction, colour and depth.

Shaded one by one the few fibres that a pixel keeps would sparkle like salt and pepper. Photographed
hair is smooth, since a pixel takes in dozens of them.

Reference:
    Olano and Baker 2010, "LEAN Mapping" (what a mean direction leaves out widens the lobes).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_synth.stage.fibre import Ribbons
from relight.geometry import normalize

Float = NDArray[np.float32]

REACH_CM = 2.0
"""Fibres further in front of or behind a point count as this far for its depth: of a wisp before
a distant background the middle would lie within the head. Chosen by the noise of hair at 2 samples:
0.13 of its light at 0.5 cm, 0.10 at 2 cm."""
MAX_SPREAD = 0.35
"""Largest variance of direction, radians squared: fibres that point anywhere."""


class Tufts(NamedTuple):
    """What ``N`` points on fibres stand for.

    Attributes:
        tangent: ``(N, 3)`` float32 unit, root to tip.
        spread: ``(N,)`` float32 variance of the direction, radians squared.
        albedo: ``(N, 3)`` float32.
        distance: ``(N,)`` float32 along the ray.
    """

    tangent: Float
    spread: Float
    albedo: Float
    distance: Float


def choose_hits(
    hits: NDArray[Any], fibre: NDArray[np.bool_], number: int, samples: int, offset: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Float, Float]:
    """Keep some of the hits of each pixel for shading, evenly in the order in which they come.

    Fibres and what lies behind are each kept and weighted by their own number of hits: few samples
    would else round the cover of thin hair, of brows say, up and down from pixel to pixel.

    Args:
        hits: ``(M,)`` numbers of rays, ``number`` for each pixel; sorted by pixel, fibres last.
        fibre: ``(M,)`` whether fibres are hit.
        number: rays of a pixel.
        samples: hits to keep of each pixel at most.
        offset: in [0, 1): where in its stratum a hit is taken.

    Returns:
        of the ``N`` kept, sorted likewise: ray, pixel, share of the pixel that it stands for, and
        stratum in [0, 1).
    """
    split = samples > 1
    group = hits // number * 2 + (fibre if split else 0)
    groups, first, count = np.unique(group, return_index=True, return_counts=True)
    pixels = groups // 2
    start = np.flatnonzero(np.append(True, pixels[1:] != pixels[:-1]))
    mixed = start[np.diff(np.append(start, len(groups))) == 2]
    kept = np.minimum(count, samples)
    share = np.rint(samples * count[mixed] / (count[mixed] + count[mixed + 1])).astype(np.int64)
    share = np.clip(share, 1, max(samples - 1, 1))
    kept[mixed] = np.minimum(share, count[mixed])
    kept[mixed + 1] = np.minimum(samples - share, count[mixed + 1])
    chosen, owner, weight, stratum = [], [], [], []
    for i in range(samples):
        use = np.flatnonzero(i < kept)
        pick = ((i + offset) * count[use] / kept[use]).astype(np.int64)
        chosen.append(hits[first[use] + pick])
        owner.append(groups[use])
        weight.append(count[use] / kept[use] / number)
        stratum.append((i + offset) / kept[use])
    owners = np.concatenate(owner)
    order = np.argsort(owners, kind="stable")
    return (
        np.concatenate(chosen)[order],
        owners[order] // 2,
        np.concatenate(weight)[order].astype(np.float32),
        np.concatenate(stratum)[order].astype(np.float32),
    )


def gather_tufts(
    ribbons: Ribbons,
    piece: NDArray[Any],
    distance: Float,
    pixel: NDArray[Any],
    kept_pixel: NDArray[Any],
    kept_distance: Float,
) -> Tufts:
    """Share the fibres that a pixel meets among the points that are kept of it, by depth.

    Args:
        ribbons: the fibres.
        piece: ``(M,)`` pieces met, sorted by pixel and within it by distance.
        distance: ``(M,)`` along the ray.
        pixel: ``(M,)`` in which they are met.
        kept_pixel: ``(N,)`` of the points to shade, sorted as the hits, of which they are a part.
        kept_distance: ``(N,)`` likewise.
    """
    first, count = _runs(pixel, kept_pixel)
    own, points = _runs(kept_pixel, kept_pixel)
    rank = np.arange(len(kept_pixel)) - own
    start, end = first + rank * count // points, first + (rank + 1) * count // points
    size = end - start
    begin = np.cumsum(size) - size

    def mean(values: NDArray[Any]) -> Float:
        bounds = np.stack([start, end], 1).ravel()
        padded = np.concatenate([values, values[:1]])  # the last end lies behind the last hit
        total = np.add.reduceat(padded, bounds, axis=0)[::2].T / size
        return np.asarray(total.T, np.float32)

    tangent = mean(ribbons.tangent[piece])
    # The variances across a mean of unit vectors add up to what it lacks in length.
    spread = np.clip((1 - (tangent**2).sum(1)) / 2, 0, MAX_SPREAD).astype(np.float32)
    albedo = np.clip(mean(ribbons.albedo[piece]), 0, 1)
    member = np.repeat(start - begin, size)
    apart = distance[member + np.arange(len(member))] - np.repeat(kept_distance, size)
    apart = np.clip(apart, -REACH_CM, REACH_CM)
    shift = np.add.reduceat(apart, begin) / size
    depth = (kept_distance + shift).astype(np.float32)
    return Tufts(normalize(tangent), spread, albedo, depth)


def _runs(values: NDArray[Any], wanted: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Where each of ``wanted`` begins in the sorted ``values``, and how often it is there."""
    first = np.searchsorted(values, wanted, "left")
    return first, np.searchsorted(values, wanted, "right") - first
