# SPDX-License-Identifier: Apache-2.0
"""Fitting low-resolution key gains to a photo's edges, with the photo as the guide.

What depends on the photo and the faces alone is worked out once; each further light costs only the
gain's own filtering.

References:
    He et al. 2013, "Guided Image Filtering"; He & Sun 2015, "Fast Guided Filter".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from relight.gain.apply import GainMap
from relight.geometry import Crop, Grid, smoothstep

Float = NDArray[np.float32]

GAIN_SIDE = 128
"""Side of the gain as predicted; light and shadow may move by one of its pixels to meet an edge."""
WORK_SIDE = 1024
"""The gain is fitted to the photo's edges at this size at most, then enlarged."""
OUTLINE_SIDE = 20
"""The person's outline may move by the crop's side over this to meet an edge of the photo."""
COARSEST = 4
"""The filter's coefficients are found at no less than the grid's resolution over this."""
EDGE = 1e-3
"""Variance of the photo's brightness, sRGB, that counts as an edge for the gain."""
OUTLINE_EDGE = 1e-4
"""Variance of its colours that counts as one for the person's outline."""
SURE = (0.45, 0.95)
"""Probability of a person between which light grows from nothing to all."""
FADE = 0.22
"""Share of the crop, at its border, over which the light dies away,"""
OPEN = 0.05
"""but not at a side that lies beyond the photo's border by more than this share of the crop."""
LEAST = 1e-3
"""Gains below this, invisible, are dropped; so is the filter's overshoot below zero."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness: ITU-R BT.601, as OpenCV turns colours to grey."""
OUTLINE_SCALE = 0.25
"""The coefficients of the outline's filter are found on the grid at this scale, a sixteenth of its
cells: finding them on all takes longest of all that is done once a photo,"""
OUTLINE_LEAST = 8
"""but at full size on a grid with a side of fewer cells: a sixteenth of those is too few."""
NOWHERE = 1e-6
"""Keeps a face's share finite where no face's window reaches; the share there is nothing."""
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
_UNITS = 16
"""OpenCV's guided filter sees brightness from 0 to this."""


@dataclass(frozen=True, eq=False)
class Outline:
    """Where one face's light may fall, on its crop.

    Attributes:
        crop: the square of the photo.
        person: ``(R, R)`` probability in [0, 1] that a pixel is part of a person.
        face: ``(R, R)`` in [0, 1], 1 where it is so for certain: inside the face.
        confidence: ``(R, R)`` trust in the gain, [0, 1].
    """

    crop: Crop
    person: Float
    face: Float
    confidence: Float


class Canvas:
    """A photo around its faces, on the cells that gains are fitted to: all but who is where."""

    def __init__(self, rgb: NDArray[np.uint8], crops: Sequence[Crop]) -> None:
        """Shrink the photo and find its edges.

        Args:
            rgb: ``(H, W, 3)`` uint8 sRGB.
            crops: one per face, at least one.
        """
        import cv2

        self.grid = grid = _grid(rgb.shape, crops)
        self.colors = _on_grid(rgb, grid)
        brightness = cv2.cvtColor(self.colors, cv2.COLOR_RGB2GRAY)
        self.trust = _photo_trust(brightness)
        self.shares = _shares([_window(crop, grid, rgb.shape) for crop in crops])
        self.filters = [
            _EdgeFilter(brightness, grid, crop.size / grid.step / GAIN_SIDE) for crop in crops
        ]


class Guide:
    """A photo's edges and the outlines of its people: made once, used for every light.

    Attributes:
        person: ``(h, w)`` float32 in [0, 1], the people whose outlines they are, fading towards
            their crops' borders.
    """

    def __init__(self, canvas: Canvas, outlines: Sequence[Outline]) -> None:
        """Fit the outlines to the photo.

        The gain fades towards the crop's border and where the photo is too dark to be multiplied.

        Args:
            canvas: of the photo, for the outlines' crops.
            outlines: one per face, in the order of those crops.
        """
        import cv2

        self._grid = grid = canvas.grid
        self._layers: list[tuple[Crop, _EdgeFilter, Float]] = []
        self.person = np.zeros((grid.rows, grid.columns), np.float32)
        for outline, fitted, share in zip(outlines, canvas.filters, canvas.shares, strict=True):
            crop = outline.crop
            reach = crop.size / grid.step / OUTLINE_SIDE
            person = crop.onto_grid(outline.person, grid)
            person = smoothstep(_outline_on_edges(canvas.colors, person, reach), *SURE)
            weight = np.maximum(person, crop.onto_grid(outline.face, grid), out=person)
            weight *= share
            self.person += weight
            weight *= crop.onto_grid(outline.confidence, grid)
            weight *= canvas.trust
            self._layers.append((crop, fitted, cv2.merge([weight] * 3)))
        cv2.threshold(self.person, LEAST, 0, cv2.THRESH_TOZERO, dst=self.person)
        np.minimum(self.person, 1, out=self.person)

    def fit(self, gains: Sequence[Float]) -> Float:
        """Fit the faces' gains to the photo and join them; linear in the gains.

        Args:
            gains: ``(S, S, 3)`` float32 >= 0 on each face's crop, in the outlines' order.

        Returns:
            ``(h, w, 3)`` float32 on the grid; the filter may overshoot below zero.
        """
        import cv2

        total: Float | None = None
        for (crop, fitted, weight), gain in zip(self._layers, gains, strict=True):
            layer = fitted.filter(crop.onto_grid(gain, fitted.coarse))
            cv2.multiply(layer, weight, dst=layer)
            total = layer if total is None else cv2.add(total, layer, dst=total)
        assert total is not None  # noqa: S101
        return total

    def join(self, fits: Sequence[Float], weights: Sequence[ArrayLike]) -> GainMap:
        """The gain of several lights together.

        Args:
            fits: what :meth:`fit` gave for each light.
            weights: factor on each light's red, green and blue.
        """
        import cv2

        total = np.zeros((self._grid.rows, self._grid.columns, 3), np.float32)
        for fitted, weight in zip(fits, weights, strict=True):
            colors = np.asarray(weight, float).tolist()
            cv2.add(total, cv2.multiply(fitted, (*colors, 0.0)), dst=total)
        cv2.threshold(total, LEAST, 0, cv2.THRESH_TOZERO, dst=total)
        return GainMap(self._grid.left, self._grid.top, self._grid.step, total)


class _EdgeFilter:
    """Lets values change where a picture's brightness does (fast guided filter)."""

    def __init__(self, brightness: Float, grid: Grid, radius: float) -> None:
        """Prepare.

        Args:
            brightness: ``(h, w)`` in [0, 1] on ``grid``.
            grid: of the result; its sides are multiples of :data:`COARSEST`.
            radius: half the window's side, in cells.
        """
        import cv2

        scale = next(s for s in (COARSEST, COARSEST // 2, 1) if s <= max(1.0, radius))
        self.coarse = Grid(
            grid.left, grid.top, grid.step * scale, grid.rows // scale, grid.columns // scale
        )
        self._window = (2 * max(1, round(radius / scale)) + 1,) * 2
        size = (self.coarse.columns, self.coarse.rows)
        small = cv2.resize(brightness, size, interpolation=cv2.INTER_AREA)
        mean = cv2.blur(small, self._window)
        variance = np.maximum(cv2.blur(small * small, self._window) - mean * mean, 0)
        self._guide, self._small, self._mean, self._sharpness = (
            cv2.merge([plane] * 3) for plane in (brightness, small, mean, 1 / (variance + EDGE))
        )

    def filter(self, values: Float) -> Float:
        """Values ``(h', w', 3)`` on the coarse grid, given back ``(h, w, 3)`` on the fine one."""
        import cv2

        mean = cv2.blur(values, self._window)
        slope = cv2.blur(values * self._small, self._window) - mean * self._mean
        slope *= self._sharpness
        offset = mean - slope * self._mean
        size = self._guide.shape[1::-1]
        slope, offset = (
            cv2.resize(cv2.blur(x, self._window), size, interpolation=cv2.INTER_LINEAR)
            for x in (slope, offset)
        )
        cv2.multiply(slope, self._guide, dst=slope)
        result: Float = cv2.add(slope, offset, dst=slope)
        return result


def upsample(
    rgb: NDArray[np.uint8], outlines: Sequence[Outline], gains: Sequence[Float]
) -> GainMap:
    """Fit faces' gains to a photo's edges, once; see :class:`Guide`."""
    guide = Guide(Canvas(rgb, [outline.crop for outline in outlines]), outlines)
    return guide.join([guide.fit(gains)], [(1, 1, 1)])


def _grid(shape: tuple[int, ...], crops: Sequence[Crop]) -> Grid:
    """Cells over all crops' visible parts; rows and columns are multiples of :data:`COARSEST`."""
    boxes = [crop.visible(shape) for crop in crops]
    top, bottom = min(b[0].start for b in boxes), max(b[0].stop for b in boxes)
    left, right = min(b[1].start for b in boxes), max(b[1].stop for b in boxes)
    factor = max(1, math.ceil(max(bottom - top, right - left) / WORK_SIDE))
    rows, columns = (
        math.ceil(side / factor / COARSEST) * COARSEST for side in (bottom - top, right - left)
    )
    return Grid(left, top, factor, rows, columns)


def _on_grid(rgb: NDArray[np.uint8], grid: Grid) -> Float:
    """The photo on a grid, ``(rows, columns, 3)`` in [0, 1]; past its border its edge repeats."""
    import cv2

    height, width = grid.rows * grid.step, grid.columns * grid.step
    region = rgb[grid.top : grid.top + height, grid.left : grid.left + width]
    pad = (height - region.shape[0], width - region.shape[1])
    if any(pad):
        region = cv2.copyMakeBorder(region, 0, pad[0], 0, pad[1], cv2.BORDER_REPLICATE)
    guide = cv2.resize(region, (grid.columns, grid.rows), interpolation=cv2.INTER_AREA)
    result: Float = guide.astype(np.float32) / 255
    return result


def _shares(windows: Sequence[Float]) -> list[Float]:
    """Weights ``(h, w)`` that give each pixel to its nearest face, by the faces' windows."""
    if len(windows) == 1:
        return list(windows)
    total = sum(window**2 for window in windows) + np.float32(NOWHERE)
    reach = np.maximum.reduce(windows)
    return [np.asarray(window**2 * (reach / total), np.float32) for window in windows]


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


def _outline_on_edges(guide: Float, person: Float, radius: float) -> Float:
    """Let a person's outline ``(h, w)`` end where the photo's colours change.

    Args:
        guide: ``(h, w, 3)`` in [0, 1].
        person: probability in [0, 1].
        radius: half the window's side, in cells.
    """
    fast = OUTLINE_SCALE if min(guide.shape[:2]) >= OUTLINE_LEAST else 1.0
    return follow_colors(guide, person, max(1, round(radius * fast)), OUTLINE_EDGE, fast)


def _window(crop: Crop, grid: Grid, shape: tuple[int, ...]) -> Float:
    """1 inside a crop, falling smoothly to 0 at those of its sides that lie in the photo.

    Args:
        crop: the square, which may be turned.
        grid: the result's cells.
        shape: the photo's (H, W, ...).
    """
    along = (np.arange(GAIN_SIDE) + 0.5) / GAIN_SIDE
    window = np.ones((GAIN_SIDE, GAIN_SIDE), np.float32)
    for across in (along, 1 - along):
        near = smoothstep(across, 0, FADE)
        side = np.full(GAIN_SIDE, float(across is not along))
        # Rows of the crop end at its left or right side, columns at its upper or lower one.
        window *= _ramps(near, _closed(crop, np.stack([side, along], 1), shape))
        window *= _ramps(near, _closed(crop, np.stack([along, side], 1), shape)).T
    return crop.onto_grid(window, grid, outside=0.0)


def _ramps(near: Float, closed: Float) -> Float:
    """Rows that rise as ``near`` does, each the less the more its side is ``closed``."""
    return near + np.multiply.outer(closed, 1 - near)


def _closed(crop: Crop, points: NDArray[np.float64], shape: tuple[int, ...]) -> Float:
    """How far points ``(N, 2)`` of a crop, in shares of its side, lie beyond a photo: 0 to 1."""
    at = crop.to_photo(points)
    beyond = np.maximum(-at, at - (shape[1], shape[0])).max(1)
    return smoothstep(beyond / crop.size, 0, OPEN)


def _photo_trust(brightness: Float) -> Float:
    """Where the photo can be multiplied: lost neither in noise nor in a veil, ``(h, w)``.

    Where black was lifted, by haze or by taste, light would make a fog of it. What is clipped gets
    all of the light: the shoulder takes care of it, and skin of which one channel is clipped must
    not stay behind the skin around it.
    """
    import cv2

    mean = cv2.blur(brightness, (CALM, CALM))
    sample = np.sort(mean[::SAMPLED_EVERY, ::SAMPLED_EVERY], axis=None)
    least, black, dark = (
        float(sample[len(sample) // part]) for part in (LEAST_OF, BLACK_OF, DARK_OF)
    )
    floor = max(0.0, 1 - (dark - least) / PILED)
    veil = floor * min(VEIL * max(black - BLACK, 0), THICKEST)
    bright = smoothstep(mean, *(veil + level for level in DARK))
    trust: Float = IN_BLACK + (1 - IN_BLACK) * bright
    # Where dark hair meets a bright wall, cells mix both: trusted by their own brightness, they
    # would shine as a rim around the head.
    least_near: Float = cv2.erode(trust, np.ones((DARKEST_OF, DARKEST_OF), np.uint8))
    return cv2.blur(least_near, (SOFTENED, SOFTENED))
