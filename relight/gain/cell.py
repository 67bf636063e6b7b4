# SPDX-License-Identifier: Apache-2.0
"""A block of a photo while light is applied to it: its cells, and the memory it is worked on in."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight.color import encoded_gain
from relight.gain.grain import Grain

Float = NDArray[np.float32]

LIFT = 3.0
"""Most that the light of a pixel grows by: beyond, noise and wrong hues grow with it."""

LINE = 64
"""Bytes of a line of the cache. Memory begins at a multiple of them, as does that of each channel
of a block: into others, OpenCV splits a picture five times as slowly."""


class Desk:
    """Memory that a thread works on, used again for each block.

    New memory would be filled with zeros by the system each time, page by page, which takes as long
    as the work.
    """

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[Any]] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: Any = np.float32) -> NDArray[Any]:
        """An array, not cleared; what was taken by the same name before lies in its place."""
        size, kept = math.prod(shape), self._kept.get(name)
        if kept is None or kept.size < size or kept.dtype != dtype:
            length = size * np.dtype(dtype).itemsize
            room = np.empty(length + LINE, np.uint8)
            start = -room.ctypes.data % LINE
            kept = self._kept[name] = room[start : start + length].view(dtype)
        return kept[:size].reshape(shape)


class Cells(NamedTuple):
    """How light changes on a block of cells: on them and on those around them.

    Attributes:
        gain: ``(3, h, w)`` linear gain, >= what is kept: red, green and blue.
        lift: the same, encoded.
        kept: ``(1, h, w)`` share of the existing light that is left; ``None`` for all.
        column: of the block's first cell.
        rows: how many the block has.
        columns: how many the block has.
        before: how many of the cells lie above the block and left of it; where they are enlarged,
            at least one lies above, and one below.
        factor: pixels per cell.
        grain: the noise of their pixels; ``None`` for none.
    """

    gain: Float
    lift: Float
    kept: Float | None
    column: int
    rows: int
    columns: int
    before: tuple[int, int]
    factor: int
    grain: Grain | None

    @classmethod
    def within(
        cls,
        added: Float,
        factor: int,
        corner: tuple[int, int],
        size: tuple[int, int],
        strength: float,
        taken: Float | None,
        grain: Grain | None,
    ) -> Cells | None:
        """The cells of a block that change or have a neighbour that does; ``None`` for none.

        Args:
            added: ``(h, w, 3)`` gain that is added.
            factor: pixels per cell.
            corner: row and column of the block's first cell.
            size: rows and columns of it at most.
            strength: factor on what is added and taken.
            taken: ``(h, w)`` share of the existing light that is taken away; ``None`` for nothing.
            grain: the photo's noise on the cells; ``None`` where there is none.
        """
        import cv2

        shape = added.shape
        row, column = corner
        rows, columns = min(size[0], shape[0] - row), min(size[1], shape[1] - column)
        # Bilinear enlargement needs one cell more on every side.
        top, left = max(0, row - 1), max(0, column - 1)
        near = slice(top, row + rows + 1), slice(left, column + columns + 1)
        changed = added[near].max(0).any(-1)
        if taken is not None:
            changed |= taken[near].any(0)
        if not changed.any():
            return None
        first = max(column, left + int(changed.argmax()) - 1)
        last = min(column + columns, left + len(changed) - int(changed[::-1].argmax()) + 1)
        left = max(0, first - 1)
        near = near[0], slice(left, last + 1)

        # Enlarged, a row more is needed above and below where the cells end, too.
        above, below = (int(factor > 1 and end) for end in (row == 0, row + rows == shape[0]))

        def with_margin(values: Float) -> Float:
            if not above + below:
                return values[near]
            return cv2.copyMakeBorder(values[near], above, below, 0, 0, cv2.BORDER_REPLICATE)

        gain, kept = split(with_margin(added)), None
        if strength != 1:
            gain *= np.float32(strength)
        if taken is None:
            gain += 1
        else:
            kept = 1 - np.float32(min(strength, 1)) * with_margin(taken)
            gain += kept
            kept = kept[None]
        np.minimum(gain, np.float32(LIFT), out=gain)
        there = None
        if grain is not None:
            there = Grain(with_margin(grain.colors), with_margin(grain.dim), grain.most)
        return cls(
            gain=gain,
            lift=encoded_gain(gain),
            kept=kept,
            column=first,
            rows=rows,
            columns=last - first,
            before=(row - top + above, first - left),
            factor=factor,
            grain=there,
        )

    def on_pixels(
        self,
        planes: Float,
        size: tuple[int, int],
        into: Callable[[tuple[int, ...]], Float] | None = None,
    ) -> Float:
        """Values on the cells at the block's pixels, bilinear.

        Args:
            planes: ``(C, h, w)``.
            size: rows and columns of the block's pixels, H and W.
            into: gives memory of a shape; ``None`` takes new memory.

        Returns:
            ``(C, H, W)``.
        """
        import cv2

        (above, beside), factor, (height, width) = self.before, self.factor, size
        if factor == 1:
            return planes[:, above : above + height, beside : beside + width]
        near = planes[:, above - 1 : above + self.rows + 1, : beside + self.columns + 1]
        count, rows, columns = near.shape
        # All at once, one below another: between two of them lie rows that nobody asks for.
        shape = count * rows * factor, columns * factor
        grown = np.empty(shape, np.float32) if into is None else into(shape)
        tall = np.ascontiguousarray(near).reshape(-1, columns)
        cv2.resize(tall, shape[::-1], dst=grown, interpolation=cv2.INTER_LINEAR)
        part = grown.reshape(count, rows * factor, -1)[:, factor:, beside * factor :]
        return part[:, :height, :width]


def split(pixels: NDArray[Any], into: NDArray[Any] | None = None) -> NDArray[Any]:
    """Red, green and blue one after another, ``(H, W, 3)`` to ``(3, H, W)``."""
    import cv2

    planes = np.empty((3, *pixels.shape[:2]), pixels.dtype) if into is None else into
    cv2.split(pixels, [*planes])
    return planes
