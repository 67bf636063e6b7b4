# SPDX-License-Identifier: Apache-2.0
"""The key gain: what a key light adds, as a fraction of what is there; and applying it.

``Y = X (1 - (1 - f) w + sum_i k_i c_i G_i)`` in linear light, f the share of the existing light
that stays on the person and w the person's mask. Y / X is Google's quotient image; written this
way, strength 0 is the photo bit for bit, intensity, colour and fill are free once G is known, and
several lights add up as light does.

Reference: Google, "Portrait Light" (2020), section on the quotient image.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.color import curved_from, curved_part, either_part, encoded_gain, to_integer
from relight.gain.cell import Cells, Desk, split
from relight.gain.grain import Grain, calmed
from relight.photo.color.gamut import Gamut

Float = NDArray[np.float32]

KNEE = 0.86
"""Encoded value above which highlights are compressed instead of clipped."""
CEILING = 0.955
"""Encoded value that added light approaches: short of what looks burnt."""
TINY = 1e-6
"""Share of white that quotients are kept finite by: far below one level of a 16-bit photo."""
FAINT = 0.02
"""Share of noise that need not be taken back: less than a level of any."""
BLOCK = (64, 2304)
"""Rows and columns of a photo worked on at a time: fewer are little to do beside the work, and
threads that share it wait for the interpreter; more do not stay in the cache."""
SHARE = 1_000_000
"""Pixels for each thread at least: with fewer it takes longer to wake it than what it does."""


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

    No pixel grows more than :data:`relight.gain.cell.LIFT` times, and highlights above :data:`KNEE`
    get a shoulder: they approach :data:`CEILING` and never reach it. A pixel of which nothing is
    taken and to which nothing is added keeps its value.

    Args:
        rgb: ``(H, W, 3)`` uint8 or uint16 sRGB; not changed.
        added: ``sum_i k_i c_i G_i``.
        strength: factor on what is taken and added, >= 0; more than all cannot be taken.
        taken: share ``(h, w)`` in [0, 1) of the existing light that is taken away, on the cells of
            ``added``; ``None`` takes nothing.
        threads: rows of a large photo are shared between so many threads.
        gamut: the photo's colours and those of ``added``, if not sRGB.
        grain: the photo's noise, on the cells of ``added``: in colour it is not lifted with the
            rest. ``None`` where there is none.

    Returns:
        ``(H, W, 3)`` of the same dtype.
    """
    if taken is not None and not taken.any():
        taken = None
    if strength == 0 or (taken is None and not added.gain.any()):
        return rgb.copy()
    result = np.empty(rgb.shape, rgb.dtype)
    factor, (rows, columns) = added.factor, added.gain.shape[:2]
    high, wide = (max(1, side // factor) for side in BLOCK)
    bottom = min(added.top + rows * factor, len(rgb))
    edges = sorted({0, *range(added.top, bottom, high * factor), bottom, len(rgb)})

    def work(bands: Iterator[tuple[int, int]]) -> None:
        desk = Desk()
        for top, end in bands:
            band, row, done = slice(top, end), (top - added.top) // factor, 0
            for column in range(0, columns if 0 <= row < rows else 0, wide):
                cells = Cells.within(
                    added.gain, factor, (row, column), (high, wide), strength, taken, grain
                )
                if cells is not None:
                    left = added.left + cells.column * factor
                    part = band, slice(left, left + cells.columns * factor)
                    _relight(rgb[part], cells, gamut, result[part], desk)
                    result[band, done:left] = rgb[band, done:left]
                    done = part[1].stop
            result[band, done:] = rgb[band, done:]

    bands = iter(list(itertools.pairwise(edges)))
    threads = min(threads, rows * columns * factor**2 // SHARE)
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, [bands] * threads))  # each takes the next one
    else:
        work(bands)
    return result


def _relight(
    rgb: NDArray[Any], cells: Cells, gamut: Gamut | None, into: NDArray[Any], desk: Desk
) -> None:
    """What becomes of pixels by a gain; they may have colours of their own."""
    if not rgb.size:
        return
    if gamut is None:
        _relit(rgb, cells, into, desk)
        return
    encoded = gamut.encode(rgb)
    changed = _relit(encoded, cells, np.empty_like(encoded), desk)
    into[:] = gamut.decode(changed, encoded, rgb)


def _relit(rgb: NDArray[Any], cells: Cells, into: NDArray[Any], desk: Desk) -> NDArray[Any]:
    """Encoded pixels times a linear gain, with a highlight shoulder, in their own dtype.

    Args:
        rgb: ``(H, W, 3)`` uint8 or uint16 sRGB.
        cells: the gain; they may reach past the pixels.
        into: what the result is written to, like ``rgb``.
        desk: memory to work on.
    """
    import cv2

    def grown(name: str, values: Float) -> Float:
        return cells.on_pixels(values, shape[1:], functools.partial(desk.take, name))

    white, shape = int(np.iinfo(rgb.dtype).max), (3, rgb.shape[0], rgb.shape[1])
    source = rgb if cells.grain is None else _calmed(rgb, cells, cells.grain)
    whole = desk.take("whole", rgb.shape, source.dtype)
    np.copyto(whole, source)  # its rows lie apart
    planes = split(whole, desk.take("planes", shape, source.dtype))
    photo = desk.take("photo", shape)
    np.copyto(photo, planes)
    after = curved_part(photo, grown("lift", cells.lift), white, desk.take("after", shape))
    # That is all but for highlights and for dark pixels, on the transfer function's straight part.
    most, least = float(cells.gain.max()), float(cells.gain.min())
    fewest = least if cells.kept is None else float(cells.kept.min())
    is_dark = float(photo.min()) < curved_from(fewest) * white
    if is_dark:
        gain = grown("gain", cells.gain)
        straight = np.multiply(photo, gain, out=desk.take("straight", shape))
        after = either_part(after, straight, gain, least, most)
    if float(after.max()) > KNEE * white:
        before = photo
        if cells.kept is not None:
            lift = grown("kept lift", encoded_gain(cells.kept))
            before = curved_part(photo, lift, white, desk.take("before", shape))
            if is_dark:  # the right one of both
                left = np.multiply(photo, grown("kept", cells.kept), out=desk.take("left", shape))
                np.maximum(before, left, out=before)
        after = shoulder(before, after, white)
    return cv2.merge([*to_integer(after, rgb.dtype)], into)


def _calmed(photo: NDArray[Any], cells: Cells, grain: Grain) -> NDArray[Any]:
    """Pixels whose noise in colour will not show when a gain has lifted it."""
    share = grain.share(np.moveaxis(cells.lift, 0, -1))
    if share.max() < FAINT:
        return photo
    white, size = int(np.iinfo(photo.dtype).max), photo.shape[:2]
    around, part = (
        cells.on_pixels(planes, size)
        for planes in (split(grain.colors * np.float32(white)), share[None])
    )
    return calmed(photo, np.moveaxis(around, 0, -1), part[0], grain.most * white, white)


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
