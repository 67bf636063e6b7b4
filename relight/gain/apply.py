# SPDX-License-Identifier: Apache-2.0
"""The key gain: what a key light adds, as a fraction of what is there; and applying it.

``Y = X (1 - (1 - f) w + sum_i k_i c_i G_i)`` in linear light, f the share of the existing light
that stays on the person and w the person's mask. Y / X is Google's quotient image; written this
way, strength 0 is the photo bit for bit, intensity, colour and fill are free once G is known, and
several lights add up as light does.

Reference: Google, "Portrait Light" (2020), section on the quotient image.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight.color import curved_from, curved_part, either_part, encoded_gain, to_integer
from relight.gain.grain import Grain, calmed
from relight.photo.color.gamut import Gamut

Float = NDArray[np.float32]

KNEE = 0.86
"""Encoded value above which highlights are compressed instead of clipped."""
CEILING = 0.955
"""Encoded value that added light approaches: short of what looks burnt."""
LIFT = 3.0
"""Most that the light of a pixel grows by: beyond, noise and wrong hues grow with it."""
TINY = 1e-6
"""Share of white that quotients are kept finite by: far below one level of a 16-bit photo."""
FAINT = 0.02
"""Share of noise that need not be taken back: less than a level of any."""
BLOCK = (128, 768)
"""Rows and columns of a photo worked on at a time: few stay in the cache, many are little to do
beside the work, and threads that share it wait for the interpreter less often."""


@dataclass(frozen=True)
class GainMap:
    """Gain on a regular grid over part of a photo, zero elsewhere.

    Attributes:
        left: photo column of the grid's left edge.
        top: photo row of its upper edge.
        factor: photo pixels per grid cell, a whole number.
        gain: ``(h, w, 3)`` float32 >= 0; its last row and column may reach past the photo.
    """

    left: int
    top: int
    factor: int
    gain: Float

    def expand(self, shape: tuple[int, ...]) -> Float:
        """The gain at every pixel of a photo of ``shape``: ``(H, W, 3)`` float32."""
        result = np.zeros((*shape[:2], 3), np.float32)
        part = result[self.top :, self.left :][: len(self.gain) * self.factor]
        grown = enlarge(self.gain, 0, len(self.gain), self.factor)[: part.shape[0]]
        part[:, : grown.shape[1]] = grown[:, : part.shape[1]]
        return result


def enlarge(grid: Float, start: int, stop: int, factor: int) -> Float:
    """Rows ``start:stop`` of a grid ``(h, w, C)`` at ``factor`` times its size, bilinear.

    Strips enlarged one by one are the whole enlarged at once.
    """
    import cv2

    if factor == 1:
        return grid[start:stop]
    low, high = max(0, start - 1), min(len(grid), stop + 1)
    size = (grid.shape[1] * factor, (high - low) * factor)
    grown = cv2.resize(grid[low:high], size, interpolation=cv2.INTER_LINEAR)
    offset = (start - low) * factor
    return grown[offset : offset + (stop - start) * factor]


def apply(
    rgb: NDArray[Any],
    added: GainMap,
    *,
    strength: float = 1.0,
    taken: Float | None = None,
    threads: int = 1,
    gamut: Gamut | None = None,
    grain: Grain | None = None,
) -> NDArray[Any]:
    """Multiply a photo by ``1 - min(strength, 1) * taken + strength * added`` in linear light.

    No pixel grows more than :data:`LIFT` times, and highlights above :data:`KNEE` get a shoulder:
    they approach :data:`CEILING` and never reach it. A pixel of which nothing is taken and to which
    nothing is added keeps its value.

    Args:
        rgb: ``(H, W, 3)`` uint8 or uint16 sRGB; not changed.
        added: ``sum_i k_i c_i G_i``.
        strength: factor on what is taken and added, >= 0; more than all cannot be taken.
        taken: share ``(h, w)`` in [0, 1) of the existing light that is taken away, on the cells of
            ``added``; ``None`` takes nothing.
        threads: rows are shared between so many threads.
        gamut: the photo's colours and those of ``added``, if not sRGB.
        grain: the photo's noise, on the cells of ``added``: in colour it is not lifted with the
            rest. ``None`` where there is none.

    Returns:
        ``(H, W, 3)`` of the same dtype.
    """
    result = rgb.copy()
    if taken is not None and not taken.any():
        taken = None
    if strength == 0 or (taken is None and not added.gain.any()):
        return result
    high, wide = (max(1, side // added.factor) for side in BLOCK)
    corners = itertools.product(
        range(0, len(added.gain), high), range(0, added.gain.shape[1], wide)
    )

    def work(corner: tuple[int, int]) -> None:
        cells = _Cells.within(added, corner, (high, wide), strength, taken, grain)
        if cells is None:
            return
        top, left = added.top + cells.row * added.factor, added.left + cells.column * added.factor
        part = result[top:, left:][: cells.rows * added.factor, : cells.columns * added.factor]
        if part.size == 0:
            return
        if gamut is None:
            part[:] = _relit(part, cells)
            return
        encoded = gamut.encode(part)
        part[:] = gamut.decode(_relit(encoded, cells), encoded, part)

    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, corners))
    else:
        for corner in corners:
            work(corner)
    return result


class _Cells(NamedTuple):
    """How light changes on a block of cells: on them and on those around them.

    Attributes:
        gain: ``(h, w, 3)`` linear gain, >= what is kept.
        kept: ``(h, w)`` share of the existing light that is left; ``None`` for all.
        row: of the block's first cell.
        column: of the block's first cell.
        rows: how many the block has.
        columns: how many the block has.
        before: how many of the cells lie above the block and left of it.
        factor: pixels per cell.
        grain: the noise of their pixels; ``None`` for none.
    """

    gain: Float
    kept: Float | None
    row: int
    column: int
    rows: int
    columns: int
    before: tuple[int, int]
    factor: int
    grain: Grain | None

    @classmethod
    def within(
        cls,
        added: GainMap,
        corner: tuple[int, int],
        size: tuple[int, int],
        strength: float,
        taken: Float | None,
        grain: Grain | None,
    ) -> _Cells | None:
        """The cells of a block that change or have a neighbour that does; ``None`` for none."""
        import cv2

        shape = added.gain.shape
        row, column = corner
        rows, columns = min(size[0], shape[0] - row), min(size[1], shape[1] - column)
        # Bilinear enlargement needs one cell more on every side.
        top, left = max(0, row - 1), max(0, column - 1)
        near = slice(top, row + rows + 1), slice(left, column + columns + 1)
        changed = added.gain[near].max(0).any(-1)
        if taken is not None:
            changed |= taken[near].any(0)
        if not changed.any():
            return None
        first = max(column, left + int(changed.argmax()) - 1)
        last = min(column + columns, left + len(changed) - int(changed[::-1].argmax()) + 1)
        left = max(0, first - 1)
        near = near[0], slice(left, last + 1)
        gain, kept = added.gain[near] * np.float32(strength), None
        if taken is None:
            gain += 1
        else:
            kept = 1 - np.float32(min(strength, 1)) * taken[near]
            gain += cv2.merge([kept] * 3)  # faster than to spread it over the channels
        np.minimum(gain, np.float32(LIFT), out=gain)
        before = row - top, first - left
        there = grain and grain.part(near)
        return cls(gain, kept, row, first, rows, last - first, before, added.factor, there)

    def on_pixels(self, values: Float, shape: tuple[int, ...]) -> Float:
        """Values on the cells at the block's pixels, as many as a picture of a shape has."""
        (above, beside), (rows, columns) = self.before, shape[:2]
        grown = enlarge(
            values[:, : beside + self.columns + 1], above, above + self.rows, self.factor
        )
        return grown[:rows, beside * self.factor :][:, :columns]


def _relit(rgb: NDArray[Any], cells: _Cells) -> NDArray[Any]:
    """Encoded pixels times a linear gain, with a highlight shoulder, in their own dtype.

    Args:
        rgb: ``(H, W, 3)`` uint8 or uint16 sRGB.
        cells: the gain; they may reach past the pixels.
    """
    import cv2

    white, shape, photo = int(np.iinfo(rgb.dtype).max), rgb.shape, np.ascontiguousarray(rgb)
    lift = encoded_gain(cells.gain)
    if cells.grain is not None:
        photo = _calmed(photo, cells, cells.grain, lift)
    after = curved_part(photo, cells.on_pixels(lift, shape), white)
    # That is all but for highlights and for dark pixels, on the transfer function's straight part.
    most, least = float(cells.gain.max()), float(cells.gain.min())
    fewest = least if cells.kept is None else float(cells.kept.min())
    is_dark = float(photo.min()) < curved_from(fewest) * white
    if is_dark:
        gain = cells.on_pixels(cells.gain, shape)
        straight = photo.astype(np.float32)
        straight *= gain
        after = either_part(after, straight, gain, least, most)
    if float(after.max()) <= KNEE * white:
        return to_integer(after, rgb.dtype)
    before = _planes(photo)
    if cells.kept is not None:
        kept = cells.on_pixels(cells.kept, shape)
        left = curved_part(before, cells.on_pixels(encoded_gain(cells.kept), shape), white)
        if is_dark:
            np.maximum(left, before * kept, out=left)  # the right one of both
        before = left
    bent = shoulder(before, _planes(after), white)
    return cv2.merge([*to_integer(bent, rgb.dtype)])


def _planes(pixels: NDArray[Any]) -> NDArray[Any]:
    """Red, green and blue one after another, ``(H, W, 3)`` to ``(3, H, W)``."""
    import cv2

    planes = np.empty((3, *pixels.shape[:2]), pixels.dtype)
    cv2.split(pixels, [*planes])
    return planes


def _calmed(photo: NDArray[Any], cells: _Cells, grain: Grain, lift: Float) -> NDArray[Any]:
    """Pixels whose noise in colour will not show when an encoded gain has lifted it."""
    share = grain.share(lift)
    if share.max() < FAINT:
        return photo
    white, shape = int(np.iinfo(photo.dtype).max), photo.shape
    around = cells.on_pixels(grain.colors * np.float32(white), shape)
    return calmed(photo, around, cells.on_pixels(share, shape), grain.most * white, white)


def shoulder(before: NDArray[Any], after: Float, white: float = 1.0) -> Float:
    """Compress what lies above the knee of pixels that light was added to.

    The brightest channel is bent and takes the others along, so that skin keeps its hue and its
    saturation; bent one by one, the channels would turn it yellow. Where existing light is taken
    away, the shoulder belongs to what is left of it: the key is added to that.

    Args:
        before: ``(3, ...)`` red, green and blue, sRGB without the added light.
        after: with it, float32; changed.
        white: the encoded value of white.
    """
    # All pixels are worked on: picking out the bright ones takes longer.
    knee = np.maximum(before.max(0), np.float32(KNEE * white))
    peak = np.maximum(after.max(0), knee)
    room = np.maximum(np.float32(CEILING * white) - knee, 0)
    over = peak - knee
    bent = room * over
    room += over
    room += np.float32(TINY * white)
    bent /= room  # towards all of the room far above
    bent += knee
    bent /= peak
    after *= bent
    return np.maximum(after, before, out=after)  # light that is added never darkens
