# SPDX-License-Identifier: Apache-2.0
"""A photo's edges: filters that let values change where the photo does, and how dark it is.

References:
    He et al. 2013, "Guided Image Filtering"; He & Sun 2015, "Fast Guided Filter".
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance, srgb_to_linear
from relight.geometry import Grid, smoothstep

Float = NDArray[np.float32]

EDGE = 1e-3
"""Variance of the photo's brightness, sRGB, that counts as an edge for the gain."""
OUTLINE_EDGE = 4e-4
"""Variance of its colours that counts as one for the person's outline: with a quarter of it, grain
speckles the outline of hair before grass; with thrice it, fine strands are lost."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness: ITU-R BT.601, as OpenCV turns colours to grey."""
OUTLINE_SCALE = 0.25
"""The coefficients of the outline's filter are found on the grid at this scale, a sixteenth of its
cells: finding them on all takes longest of all that is done once a photo,"""
OUTLINE_LEAST = 8
"""but at full size on a grid with a side of fewer cells: a sixteenth of those is too few."""
CALM = 5
"""Side of the square of cells over which brightness is averaged before it is judged: wide enough
that a single noisy cell is neither lost nor trusted by itself."""
IN_BLACK = 0.3
"""Share of the light that black still gets: with none, hair would stay behind as a hole."""
DARK = (0.02, 0.12)
"""Brightness, sRGB, over a veil's between which that share grows to all of the light: below them
lifted noise would show."""
SAMPLED_EVERY = 4
"""Of so many cells along each axis one tells how dark the photo is: enough for a quantile."""
LEAST_OF = 1000
"""The photo's least brightness is what one cell in so many stays below: noise is no floor;"""
BLACK_OF = 200
"""its black is what one in so many does;"""
DARK_OF = 50
"""its dark parts end where one in so many does."""
BLACK = 0.05
"""Brightness, sRGB, that a photo's black has at most; what it is above lies like a veil over it."""
VEIL = 1.5
"""By so much more than its excess is light held back: noise lifts it further,"""
THICKEST = 0.2
"""but by no more than this,"""
PILED = 0.03
"""and only where the darkest 2 % of the cells lie closer together: a veil is a floor."""
DARKEST_OF = 9
"""Side of the square of cells whose darkest says how far a cell can be multiplied: wider than the
seam where dark hair and a bright wall mix."""
SOFTENED = 3
"""Side of the square over which that is averaged again, so that no corner of the first shows."""
MURKY = (0.08, 0.2)
"""Brightness, sRGB, between which dark parts come to be lit in their own colours: what colour black
hair has is haze, light from its surroundings or noise,"""
COLD = (0.0, 0.25)
"""where green or blue outdoes red, by as much as this as a share of the larger: the colours of skin
and of brown hair are left."""
PLAIN = 0.85
"""Share of the light there that is made as white as the lamp,"""
PLAINEST = 3.0
"""each channel raised or lowered by this at most,"""
TINTED = 4
"""on squares of so many cells a side."""
DARKEST = 1e-4
"""Linear value that a channel counts as having at least."""
_UNITS = 16
"""OpenCV's guided filter sees brightness from 0 to this."""


def on_grid(rgb: NDArray[np.uint8], grid: Grid) -> Float:
    """The photo on a grid, ``(rows, columns, 3)`` in [0, 1]; past its border its edge repeats."""
    import cv2

    step = grid.step
    region = rgb[grid.top :, grid.left :][: grid.rows * step, : grid.columns * step]
    rows, columns = region.shape[0] // step, region.shape[1] // step
    drawn = np.empty((grid.rows, grid.columns, 3), np.uint8)
    # Only the cells at the border are padded: a large photo is not copied whole.
    for down, right in itertools.product(
        (slice(0, rows), slice(rows, grid.rows)), (slice(0, columns), slice(columns, grid.columns))
    ):
        size = (right.stop - right.start, down.stop - down.start)
        if min(size) > 0:
            first = (
                min(down.start * step, len(region) - 1),
                min(right.start * step, region.shape[1] - 1),
            )
            part = region[first[0] : down.stop * step, first[1] : right.stop * step]
            pad = size[1] * step - part.shape[0], size[0] * step - part.shape[1]
            if any(pad):
                part = cv2.copyMakeBorder(part, 0, pad[0], 0, pad[1], cv2.BORDER_REPLICATE)
            drawn[down, right] = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    result: Float = drawn.astype(np.float32) / 255
    return result


class EdgeFilter:
    """Lets values change where a picture's brightness does (fast guided filter)."""

    def __init__(self, brightness: Float, grid: Grid, radius: float, scale: int) -> None:
        """Prepare.

        Args:
            brightness: ``(h, w)`` in [0, 1] on ``grid``.
            grid: of the result; its sides are multiples of ``scale``.
            radius: half the window's side, in cells.
            scale: the filter's coefficients are found on cells of so many times the side.
        """
        import cv2

        self.scale = scale
        self.coarse = Grid(
            grid.left, grid.top, grid.step * scale, grid.rows // scale, grid.columns // scale
        )
        self._window = (2 * max(1, round(radius / scale)) + 1,) * 2
        size = (self.coarse.columns, self.coarse.rows)
        small = cv2.resize(brightness, size, interpolation=cv2.INTER_AREA)
        mean = cv2.blur(small, self._window)
        variance = np.maximum(cv2.blur(small * small, self._window) - mean * mean, 0)
        self._small, self._mean, self._sharpness = (
            cv2.merge([plane] * 3) for plane in (small, mean, 1 / (variance + EDGE))
        )

    def coefficients(self, values: Float) -> tuple[Float, Float]:
        """What brightness is multiplied by, and what is added to that, to follow values.

        Args:
            values: ``(h', w', 3)`` on the coarse grid.

        Returns:
            Two arrays like ``values``.
        """
        import cv2

        mean = cv2.blur(values, self._window)
        slope = cv2.blur(values * self._small, self._window) - mean * self._mean
        slope *= self._sharpness
        offset = mean - slope * self._mean
        return cv2.blur(slope, self._window), cv2.blur(offset, self._window)


def follow_colors(guide: Float, values: Float, radius: int, eps: float, scale: float) -> Float:
    """Let values ``(h, w)`` change where the colours of a picture do (guided filter).

    Args:
        guide: ``(h, w, 3)`` in [0, 1].
        values: on the same cells.
        radius: half the window's side, in cells of the picture scaled by ``scale``.
        eps: variance of the guide that counts as an edge.
        scale: at which the filter's coefficients are found, <= 1.
    """
    import cv2

    # OpenCV takes determinants of covariance below 1e-6 for 1 and so blurs wherever colours vary
    # little. A guide in other units, with eps in their square, is the same filter above that limit.
    return cv2.ximgproc.guidedFilter(
        guide * np.float32(_UNITS), values, radius, eps * _UNITS**2, scale=scale
    )


def outline_on_edges(guide: Float, person: Float, radius: float) -> Float:
    """Let a person's outline ``(h, w)`` end where the photo's colours change.

    Args:
        guide: ``(h, w, 3)`` in [0, 1].
        person: probability in [0, 1].
        radius: half the window's side, in cells.
    """
    fast = OUTLINE_SCALE if min(guide.shape[:2]) >= OUTLINE_LEAST else 1.0
    return follow_colors(guide, person, max(1, round(radius * fast)), OUTLINE_EDGE, fast)


def photo_trust(brightness: Float) -> Float:
    """Where the photo can be multiplied: lost neither in noise nor in a veil, ``(h, w)``.

    Where black was lifted, by haze or by taste, light would make a fog of it. What is clipped gets
    all of the light: the shoulder takes care of it, and skin of which one channel is clipped must
    not stay behind the skin around it.
    """
    import cv2

    mean = cv2.blur(brightness, (CALM, CALM))
    trust = _tone_trust(mean, mean[::SAMPLED_EVERY, ::SAMPLED_EVERY])
    # Where dark hair meets a bright wall, cells mix both: trusted by their own brightness, they
    # would shine as a rim around the head.
    least_near: Float = cv2.erode(trust, np.ones((DARKEST_OF, DARKEST_OF), np.uint8))
    return cv2.blur(least_near, (SOFTENED, SOFTENED))


def photo_tint(colors: Float) -> Float:
    """Factors ``(h, w, 3)`` on red, green and blue that whiten the light on dark, cold cells.

    A key is multiplied by what is there; where that is next to black, its green or teal is no
    colour of hair, and light in that colour looks like paint.

    Args:
        colors: ``(h, w, 3)`` sRGB in [0, 1].
    """
    import cv2

    size = colors.shape[1::-1]
    small = (max(1, size[0] // TINTED), max(1, size[1] // TINTED))
    mean = cv2.resize(colors, small, interpolation=cv2.INTER_AREA)
    red, *others = cv2.split(mean)
    most = cv2.max(*others)
    cold = smoothstep((most - red) / np.maximum(most, np.float32(DARKEST)), *COLD)
    dark = 1 - smoothstep(cv2.cvtColor(mean, cv2.COLOR_RGB2GRAY), *MURKY)
    linear = srgb_to_linear(mean)
    white = luminance(linear)[..., None] / np.maximum(linear, np.float32(DARKEST))
    share = np.float32(PLAIN) * (cold * dark)[..., None]
    tint = 1 + share * (np.clip(white, 1 / PLAINEST, PLAINEST) - 1)
    drawn: Float = cv2.resize(tint.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return drawn


def trust_in(photo: Float) -> Float:
    """Where pixels of a crop can be multiplied, ``(R, R, 3)`` sRGB in [0, 1] to ``(R, R)``.

    As on the photo, but pixel by pixel: a crop's pixels are means already.
    """
    import cv2

    brightness = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    return _tone_trust(brightness, brightness)


def _tone_trust(brightness: Float, sample: Float) -> Float:
    """Share of the light that tones get, of a photo that has those of a sample."""
    tones = np.sort(sample, axis=None)
    parts = (LEAST_OF, BLACK_OF, DARK_OF)
    least, black, dark = (float(tones[len(tones) // part]) for part in parts)
    floor = max(0.0, 1 - (dark - least) / PILED)
    veil = floor * min(VEIL * max(black - BLACK, 0), THICKEST)
    return IN_BLACK + (1 - IN_BLACK) * smoothstep(brightness, *(veil + level for level in DARK))
