# SPDX-License-Identifier: Apache-2.0
"""Where a face's light reaches: a square around the head and a wider one around the body.

Both, and those of several faces, share the photo without a seam.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight.geometry import CROP_SCALE, Crop, Grid, smoothstep

Float = NDArray[np.float32]
Box = tuple[slice, slice]
"""Rows and columns of a grid."""

WINDOW_SIDE = 128
"""Side of the square on which windows are drawn, cells."""
WORK_SIDE = 1024
"""The gain is fitted to the photo's edges at this size at most, then enlarged."""
COARSEST = 4
"""The filter's coefficients are found at no less than the grid's resolution over this."""
FADE = 0.22
"""Share of a square, at its border, over which light dies away, or the head's gives way to the
body's,"""
OPEN = 0.05
"""but not at a side that lies beyond the photo's border by more than this share of the square."""
NOWHERE = 1e-6
"""Keeps a face's share finite where no face's window reaches; the share there is nothing."""
AWAY = 0.1
"""A point counts as nearest to the face whose middle is fewest of that face's heights away; the
square root of this many heights makes half the difference."""
BODY_ABOVE = 0.6
"""The body's square begins so many sides of the head's crop above the middle of the face,"""
BODY_BELOW = 2.4
"""ends so many below it: at a standing person's knees,"""
BODY_BESIDE = 1.5
"""and reaches so many to each side: arms held out are in it."""

BEYOND = 2 * OPEN * BODY_BESIDE
"""So many of those sides it reaches past the photo's border, so as not to fade there."""


class Reach(NamedTuple):
    """The squares of a photo that a face's light falls on.

    Attributes:
        head: the face's crop.
        body: a wider square around the body, turned alike; ``None`` where the photo shows no more
            than the head's crop.
    """

    head: Crop
    body: Crop | None = None

    @classmethod
    def of(cls, head: Crop, shape: tuple[int, ...]) -> Reach:
        """The squares for a face's crop in a photo of ``shape`` (H, W, ...)."""
        return cls(head, _body_crop(head, shape))

    def scaled(self, factor: float) -> Reach:
        """The squares on the photo scaled by a factor."""
        return Reach(self.head.scaled(factor), self.body and self.body.scaled(factor))

    @property
    def widest(self) -> Crop:
        """The square that all of the light lies in."""
        return self.body or self.head


def _body_crop(head: Crop, shape: tuple[int, ...]) -> Crop | None:
    """The smallest square around what the photo shows of the body, or ``None``."""
    corners = np.array(list(itertools.product((0, shape[1]), (0, shape[0]))), float)
    seen = head.shares(corners) - 0.5
    low, high = seen.min(0), seen.max(0)
    if max(-low.min(), high.max()) <= 0.5 - OPEN:
        return None
    low = np.maximum(low - BEYOND, (-BODY_BESIDE, -BODY_ABOVE))
    high = np.minimum(high + BEYOND, (BODY_BESIDE, BODY_BELOW))
    if (low >= high).any():
        return None
    middle = (low + high) / 2
    x, y = head.to_photo((middle + 0.5)[None])[0]
    return Crop(float(x), float(y), float((high - low).max()) * head.size, head.roll)


def grid_over(shape: tuple[int, ...], reaches: Sequence[Reach]) -> Grid:
    """Cells over all that light reaches; rows and columns are multiples of :data:`COARSEST`."""
    return cells_over(hull([crop.visible(shape) for reach in reaches for crop in reach if crop]))


def cells_over(box: Box) -> Grid:
    """Cells over rows and columns of a photo, in steps of :data:`COARSEST`."""
    sides = [part.stop - part.start for part in box]
    factor = max(1, math.ceil(max(sides) / WORK_SIDE))
    rows, columns = (math.ceil(side / factor / COARSEST) * COARSEST for side in sides)
    return Grid(box[1].start, box[0].start, factor, rows, columns)


def part_of(grid: Grid, box: Box, scale: int = 1) -> Grid:
    """The cells of a grid in a box, or cells of ``scale`` times their side over it."""
    rows, columns = box
    return Grid(
        grid.left + columns.start * grid.step,
        grid.top + rows.start * grid.step,
        grid.step * scale,
        (rows.stop - rows.start) // scale,
        (columns.stop - columns.start) // scale,
    )


def inner(box: Box, outer: Box) -> Box:
    """A box counted from the corner of another one around it."""
    rows, columns = (
        slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, outer, strict=True)
    )
    return rows, columns


def hull(boxes: Sequence[Box]) -> Box:
    """The smallest box around some."""
    rows, columns = (
        slice(min(part.start for part in parts), max(part.stop for part in parts))
        for parts in zip(*boxes, strict=True)
    )
    return rows, columns


def around(mask: NDArray[np.bool_], box: Box | None = None) -> Box:
    """The smallest box around a mask with a margin of cells, in steps of :data:`COARSEST`.

    Args:
        mask: ``(h, w)``, sides in such steps; where it is empty, one step of it is taken.
        box: that the mask lies in; ``None`` counts from the mask's own corner.
    """
    spans = []
    for axis in range(2):
        start = 0 if box is None else box[axis].start
        hit = np.flatnonzero(mask.any(1 - axis))
        first, last = (int(hit[0]), int(hit[-1])) if hit.size else (0, 0)
        low = max(0, first // COARSEST - 1) * COARSEST
        high = min(mask.shape[axis], (last // COARSEST + 2) * COARSEST)
        spans.append(slice(start + low, start + high))
    return spans[0], spans[1]


def box_of(extent: Box, grid: Grid) -> Box:
    """What of a grid some rows and columns of the photo lie on, in steps of :data:`COARSEST`."""
    firsts, counts, unit = (grid.top, grid.left), (grid.rows, grid.columns), grid.step * COARSEST
    rows, columns = (
        slice(
            max(0, (part.start - first) // unit * COARSEST),
            min(count, math.ceil((part.stop - first) / unit) * COARSEST),
        )
        for part, first, count in zip(extent, firsts, counts, strict=True)
    )
    return rows, columns


def window(crop: Crop, grid: Grid, shape: tuple[int, ...]) -> Float:
    """1 inside a square, falling smoothly to 0 at those of its sides that lie in the photo.

    Args:
        crop: the square, which may be turned.
        grid: the result's cells.
        shape: the photo's (H, W, ...).
    """
    along = (np.arange(WINDOW_SIDE) + 0.5) / WINDOW_SIDE
    drawn = np.ones((WINDOW_SIDE, WINDOW_SIDE), np.float32)
    for across in (along, 1 - along):
        near = smoothstep(across, 0, FADE)
        side = np.full(WINDOW_SIDE, float(across is not along))
        # Rows of the crop end at its left or right side, columns at its upper or lower one.
        drawn *= _ramps(near, _closed(crop, np.stack([side, along], 1), shape))
        drawn *= _ramps(near, _closed(crop, np.stack([along, side], 1), shape)).T
    return crop.onto_grid(drawn, grid, outside=0.0)


def _ramps(near: Float, closed: Float) -> Float:
    """Rows that rise as ``near`` does, each the less the more its side is ``closed``."""
    return near + np.multiply.outer(closed, 1 - near)


def _closed(crop: Crop, points: NDArray[np.float64], shape: tuple[int, ...]) -> Float:
    """How far points ``(N, 2)`` of a crop, in shares of its side, lie beyond a photo: 0 to 1."""
    at = crop.to_photo(points)
    beyond = np.maximum(-at, at - (shape[1], shape[0])).max(1)
    return smoothstep(beyond / crop.size, 0, OPEN)


@dataclass(frozen=True, eq=False)
class Place:
    """One face's cells.

    Attributes:
        box: what of the grid its light lies in.
        head_box: what of it the head's square lies in.
        head: ``(h', w')`` in [0, 1], how far the head's square counts there, not the body's.
        share: ``(h, w)`` in [0, 1], how far light reaches that is this face's.
    """

    box: Box
    head_box: Box
    head: Float
    share: Float

    @property
    def inner(self) -> Box:
        """The head's cells counted from the corner of all."""
        return inner(self.head_box, self.box)

    def joined(self, near: Float, wide: Float) -> Float:
        """Values on the head's cells, where they count, within those on all; changes both."""
        part = wide[self.inner]
        near -= part
        near *= self.head
        part += near
        return wide


def place(reach: Reach, seen: Box | None, grid: Grid, shape: tuple[int, ...]) -> Place:
    """One face's cells, as if it were the only one.

    Args:
        reach: its squares.
        seen: rows and columns of the photo that the body is seen in.
        grid: over all light.
        shape: the photo's (H, W, ...).
    """
    head_box = box_of(reach.head.visible(shape), grid)
    head = window(reach.head, part_of(grid, head_box), shape)
    if reach.body is None or seen is None:
        return Place(head_box, head_box, head, head.copy())
    box = hull([head_box, box_of(seen, grid)])
    share = enlarged(
        lambda coarse: window(reach.widest, coarse, shape), reach.widest, part_of(grid, box)
    )
    found = Place(box, head_box, head, share)
    share[found.inner] += head * (1 - share[found.inner])
    return found


def enlarged(draw: Callable[[Grid], Float], crop: Crop, cells: Grid) -> Float:
    """Values of a wide square, drawn on coarse cells and enlarged to ``(rows, columns)``."""
    import cv2

    scale = scale_for(crop.size / cells.step / WINDOW_SIDE)
    coarse = cells._replace(
        step=cells.step * scale, rows=cells.rows // scale, columns=cells.columns // scale
    )
    size = (cells.columns, cells.rows)
    grown: Float = cv2.resize(draw(coarse), size, interpolation=cv2.INTER_LINEAR)
    return grown


def scale_for(radius: float) -> int:
    """Side of coarse cells, in cells, that a detail of a radius in cells is drawn well on."""
    return next(s for s in (COARSEST, COARSEST // 2, 1) if s <= max(1.0, radius))


def share_out(places: Sequence[Place], heads: Sequence[Crop], grid: Grid) -> None:
    """Where several faces' light reaches, give the nearest most of it; changes their shares."""
    if len(places) < 2:
        return
    total, widest = (np.zeros((grid.rows, grid.columns), np.float32) for _ in range(2))
    for head, one in zip(heads, places, strict=True):
        np.maximum(widest[one.box], one.share, out=widest[one.box])
        np.square(one.share * _nearness(head, part_of(grid, one.box)), out=one.share)
        total[one.box] += one.share
    widest /= total + np.float32(NOWHERE)
    for one in places:
        np.multiply(one.share, widest[one.box], out=one.share)


def _nearness(head: Crop, cells: Grid) -> Float:
    """How near cells are to a face, in its own heights: large at its middle, never 0."""
    height = head.size / CROP_SCALE
    x = ((np.arange(cells.columns) + 0.5) * cells.step + cells.left - head.x) / height
    y = ((np.arange(cells.rows) + 0.5) * cells.step + cells.top - head.y) / height
    near: Float = (1 / (AWAY + x**2 + y[:, None] ** 2)).astype(np.float32)
    return near
