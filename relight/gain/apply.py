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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.color import change_encoded, encoded_gain, scale_encoded
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
STRIP = 1 << 16
"""Pixels of a photo worked on at a time: few stay in the cache, many let threads work apart."""


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

    Returns:
        ``(H, W, 3)`` of the same dtype.
    """
    result = rgb.copy()
    if taken is not None and not taken.any():
        taken = None
    if strength == 0 or (taken is None and not added.gain.any()):
        return result
    step = max(1, STRIP // (added.gain.shape[1] * added.factor**2))
    starts = range(0, len(added.gain), step)

    def work(start: int) -> None:
        stop = min(start + step, len(added.gain))
        # Bilinear enlargement needs one cell more on every side.
        low, high = max(0, start - 1), min(len(added.gain), stop + 1)
        changed = added.gain[low:high].max(0).any(-1)
        if taken is not None:
            changed |= taken[low:high].any(0)
        if not changed.any():
            return
        first, last = (
            max(0, int(changed.argmax()) - 1),
            len(changed) - int(changed[::-1].argmax()) + 1,
        )
        factor = 1 + np.float32(strength) * added.gain[low:high, first:last]
        kept: Float | None = None
        if taken is not None:
            dimmed = np.float32(min(strength, 1)) * taken[low:high, first:last]
            factor -= dimmed[..., None]
            kept = 1 - dimmed
        np.minimum(factor, np.float32(LIFT), out=factor)
        top, left = added.top + start * added.factor, added.left + first * added.factor
        strip = result[top : top + (stop - start) * added.factor, left:]
        rows, columns = len(strip), min(strip.shape[1], factor.shape[1] * added.factor)
        part = strip[:, :columns]

        def pixels(linear: Float) -> tuple[Float, Float]:
            grids = (linear, encoded_gain(linear))
            grown = (enlarge(g, start - low, stop - low, added.factor) for g in grids)
            gain, encoded = (g[:rows, :columns] for g in grown)
            return gain, encoded

        left_over = None if kept is None else functools.partial(pixels, kept)
        if gamut is None:
            part[:] = relit(part, *pixels(factor), left_over)
            return
        encoded = gamut.encode(part)
        part[:] = gamut.decode(relit(encoded, *pixels(factor), left_over), encoded, part)

    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, starts))
    else:
        for start in starts:
            work(start)
    return result


def relit(
    rgb: NDArray[Any],
    gain: Float,
    factor: Float,
    kept: Callable[[], tuple[Float, Float]] | None = None,
) -> NDArray[Any]:
    """Encoded pixels times a linear gain, with a highlight shoulder, in their own dtype.

    Args:
        rgb: ``(H, W, 3)`` uint8 or uint16 sRGB.
        gain: linear gain of the same shape, >= what is kept.
        factor: ``color.encoded_gain(gain)``.
        kept: gives the share ``(H, W)`` of the existing light that is left, and its
            ``color.encoded_gain``; only highlights ask for it. ``None`` keeps all.
    """
    import cv2

    white = float(np.iinfo(rgb.dtype).max)
    before = rgb.astype(np.float32)
    multiply = scale_encoded if kept is None else change_encoded
    after = multiply(before, gain, factor, white)
    if after.max(initial=0) > KNEE * white:
        if kept is not None:
            share, encoded = (cv2.merge([plane] * 3) for plane in kept())
            before = change_encoded(before, share, encoded, white)
        after = shoulder(before, after, white)
    after += np.float32(0.5)
    return after.astype(rgb.dtype)


def shoulder(before: Float, after: Float, white: float = 1.0) -> Float:
    """Compress what lies above the knee of pixels that light was added to.

    The brightest channel is bent and takes the others along, so that skin keeps its hue and its
    saturation; bent one by one, the channels would turn it yellow. Where existing light is taken
    away, the shoulder belongs to what is left of it: the key is added to that.

    Args:
        before: ``(..., 3)`` sRGB without the added light; not changed.
        after: with it; changed.
        white: the encoded value of white.
    """
    import cv2

    # All pixels are worked on: picking out the bright ones takes longer.
    peak = _brightest(after)
    knee = np.maximum(_brightest(before), np.float32(KNEE * white))
    room = np.maximum(np.float32(CEILING * white) - knee, 0)
    over = np.maximum(peak - knee, 0)
    bent = np.minimum(peak, knee)
    bent += room * over / (over + room + np.float32(TINY * white))  # towards all of it far above
    bent /= np.maximum(peak, np.float32(TINY * white))
    after *= cv2.merge([bent] * 3).reshape(after.shape)
    return np.maximum(after, before, out=after)  # light that is added never darkens


def _brightest(pixels: Float) -> Float:
    """Largest channel, ``(..., 3) -> (...)``."""
    import cv2

    columns = pixels.shape[-2] if pixels.ndim > 1 else 1
    red, green, blue = cv2.split(pixels.reshape(-1, columns, 3))
    largest: Float = cv2.max(cv2.max(red, green, dst=red), blue, dst=red)
    return largest.reshape(pixels.shape[:-1])
