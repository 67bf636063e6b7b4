# SPDX-License-Identifier: Apache-2.0
"""Noise in the colours of dark places: light that is added does not lift it.

Light multiplies noise with the picture. In brightness that looks like film; in colour it makes
blotches of dark skin and hair. Where a pixel's colour strays from those around by no more than
noise does, part of the stray is taken back, the more the more light is added; brightness keeps all
of its detail.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight.gain.edge import LUMA
from relight.geometry import smoothstep
from relight.photo.color.gamut import Gamut

Float = NDArray[np.float32]

APART = 4
"""Columns between pixels whose colours are compared to measure noise: neighbours share it, since a
JPEG keeps colours at half the size."""
ROWS = 64
"""So many rows of a photo are measured: enough for a quantile."""
DIM = (0.45, 0.6)
"""Brightness, sRGB, between which colours cease to be calmed: brighter ones hide their noise."""
QUIETEST = 0.25
"""Noise is told by this share of the dark pixels, the quietest: texture strays too, further."""
DEVIATIONS = 0.3186 * 6**0.5
"""Limit of that share of ``|2 b - a - c|`` over the deviation of a, b and c."""
CLEAN = 1.0
"""Noise, 8-bit levels of a difference of two colours, that is none: rounding and JPEG make it."""
STRAY = 2.0
"""A stray of up to so many times what noise is above that is noise; of twice that it is detail."""
AROUND = 6
"""Pixels to each side that a colour is compared with: wider than a blotch."""


@dataclass(frozen=True, eq=False)
class Grain:
    """A photo's noise, on the cells of a gain.

    Attributes:
        colors: ``(h, w, 3)`` float32 sRGB in [0, 1], averaged over more than a blotch.
        dim: ``(h, w)`` float32 in [0, 1], how far a cell is dark enough to be calmed.
        most: how far a colour strays by noise, sRGB.
    """

    colors: Float
    dim: Float
    most: float

    def share(self, lift: Float) -> Float:
        """Part of a stray that is taken back, ``(h, w)``, under encoded gains ``(h, w, 3)``.

        Light multiplies a stray by h; what is taken back is as much as that adds, and as much
        again, since noise shows more on what is bright.
        """
        taken: Float = self.dim * np.maximum(1 - 1 / np.square(lift.mean(-1)), 0)
        return taken

    def seen_in(self, gamut: Gamut) -> Grain:
        """The same of a photo with colours of its own."""
        return Grain(gamut.from_srgb(self.colors), self.dim, self.most)

    def part(self, box: tuple[slice, slice]) -> Grain:
        """The same on some of the cells."""
        return Grain(self.colors[box], self.dim[box], self.most)


def grain_of(deviation: float, colors: Float, step: int) -> Grain | None:
    """The noise of a photo; ``None`` for a clean one.

    Args:
        deviation: what :func:`noise` finds in it.
        colors: ``(h, w, 3)`` in [0, 1], the photo on the cells, as its pixels are encoded.
        step: photo pixels per cell.
    """
    import cv2

    most = STRAY * max(0.0, deviation - CLEAN) / 255
    if most == 0:
        return None
    side = 2 * max(1, round(AROUND / step)) + 1
    smooth = cv2.blur(colors, (side, side))
    dim = 1 - smoothstep(cv2.cvtColor(smooth, cv2.COLOR_RGB2GRAY), *DIM)
    return Grain(smooth, dim, most)


def noise(rgb: NDArray[np.uint8]) -> float:
    """Deviation of the differences between red, blue and green by noise, 8-bit levels.

    Args:
        rgb: ``(H, W, 3)`` uint8; a narrow picture, or one without dark pixels, has none.
    """
    if rgb.shape[1] <= 2 * APART:
        return 0.0
    every = max(1, len(rgb) // ROWS)
    red, green, blue = np.moveaxis(rgb[every // 2 :: every].astype(np.int16), -1, 0)
    is_dark = (red + 2 * green + blue)[:, APART:-APART] < int(4 * 255 * DIM[0])
    counts = np.zeros(4 * 256 * 2, np.int64)
    for other in (red, blue):
        difference = other - green
        stray = 2 * difference[:, APART:-APART]
        stray = np.abs(stray - difference[:, 2 * APART :] - difference[:, : -2 * APART])
        counts += np.bincount(stray[is_dark], minlength=len(counts))
    wanted = counts.sum() * QUIETEST
    if wanted == 0:
        return 0.0
    below = np.cumsum(counts)
    last = int(np.searchsorted(below, wanted))
    # Whole numbers stand for what was rounded to them.
    part = (wanted - (below[last] - counts[last])) / counts[last]
    limit = 0.5 * part if last == 0 else last - 0.5 + part
    return float(limit) / DEVIATIONS


def calmed(
    photo: NDArray[np.generic], colors: Float, share: Float, most: float, white: int
) -> Float:
    """Pixels whose colours stray less.

    Args:
        photo: ``(H, W, 3)`` encoded, of any dtype.
        colors: ``(H, W, 3)`` those around.
        share: ``(H, W)`` in [0, 1], part of the stray that is taken back.
        most: how far noise strays, in the photo's units.
        white: the encoded value of white; nothing gets beyond it or below black.

    Returns:
        ``(H, W, 3)`` float32; where the share is 0, the photo.
    """
    import cv2

    stray = np.subtract(photo, colors, dtype=np.float32)
    stray -= cv2.merge([cv2.transform(stray, np.array([LUMA], np.float32))] * 3)
    level = np.float32(most)
    small = np.clip(stray, -level, level)
    stray -= small
    small -= np.clip(stray, -level, level, out=stray)
    small *= cv2.merge([share] * 3)
    np.subtract(photo, small, out=small)
    return np.clip(small, 0, np.float32(white), out=small)
