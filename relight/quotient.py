# SPDX-License-Identifier: Apache-2.0
"""The key gain: what a key light adds, as a fraction of what is there; and applying it.

``Y = X (1 + sum_i k_i c_i G_i)`` in linear light. Y / X is Google's quotient image; written this
way, strength 0 is the photo bit for bit, intensity and colour are free once G is known, and
several lights add up as light does.

References:
    Google, "Portrait Light" (2020), section on the quotient image. He et al. 2013, "Guided Image
    Filtering"; He & Sun 2015, "Fast Guided Filter".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.color import encoded_gain, luminance, scale_encoded
from relight.geometry import Crop, Grid

Float = NDArray[np.float32]

GAIN_SIDE = 128
"""Side of the gain as predicted."""
DARKEST = 0.2
"""Least irradiance divided by, over the face's mean: bounds the gain in deep shadow."""
CHROMA = 0.5
"""How far the gain follows the colour of the light divided by; its estimate is uncertain."""
WORK_SIDE = 1024
"""The gain is fitted to the photo's edges at this size at most, then enlarged."""
OUTLINE_SIDE = 20
"""The person's outline may move by the crop's side over this to meet an edge of the photo."""
KNEE = 0.80
"""Encoded value above which highlights are compressed instead of clipped."""
PALING = 0.5
"""How far highlights lose their colour at the end of the shoulder."""
FADE = 0.22
"""Share of the crop, at its border, over which the light dies away."""
STRIP = 32
"""Rows of a photo worked on at a time: they stay in a core's cache."""


def visibility(normals: Float, direction: NDArray[Any]) -> Float:
    """Light visibility map ``max(0, n.l)`` of Lambert's law, ``(R, R)``."""
    return np.maximum(normals @ np.asarray(direction, np.float32), 0)


def predict(visible: Float, irradiance: Float, mean_irradiance: float) -> Float:
    """Key gain of a Lambert surface under a white key of unit intensity.

    Args:
        visible: ``(R, R)`` light visibility map.
        irradiance: ``(R, R, 3)`` of the existing light.
        mean_irradiance: its luminance, mean over the visible face.

    Returns:
        ``(R, R, 3)`` float32 >= 0.
    """
    grey = luminance(irradiance)[..., None] + np.float32(1e-6)
    floor = np.float32(DARKEST * mean_irradiance)
    tint = np.maximum(irradiance / grey, np.float32(0.1)) ** np.float32(CHROMA)
    existing = np.sqrt(grey**2 + floor**2) * tint
    return (visible[..., None] * np.float32(mean_irradiance) / existing).astype(np.float32)


@dataclass(frozen=True)
class Part:
    """What one face contributes to the photo's gain, on its crop.

    Attributes:
        crop: the square of the photo.
        gain: ``(S, S, 3)`` float32 >= 0, low resolution.
        person: ``(R, R)`` probability in [0, 1] that a pixel is part of a person.
        face: ``(R, R)`` in [0, 1], 1 where it is so for certain: inside the face.
        confidence: ``(R, R)`` trust in the gain, [0, 1].
    """

    crop: Crop
    gain: Float
    person: Float
    face: Float
    confidence: Float


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


def upsample(rgb: NDArray[np.uint8], parts: Sequence[Part]) -> GainMap:
    """Fit the faces' gains to the photo's edges and join them.

    The person's outline and the gain are filtered with the photo as guide, so that both end where
    hair, jaw and shoulder do. The gain fades towards the crop's border and where the photo is
    clipped or too dark to be multiplied.

    Args:
        rgb: ``(H, W, 3)`` uint8 sRGB.
        parts: one per face, at least one.
    """
    import cv2

    boxes = [part.crop.visible(rgb.shape) for part in parts]
    top, bottom = min(b[0].start for b in boxes), max(b[0].stop for b in boxes)
    left, right = min(b[1].start for b in boxes), max(b[1].stop for b in boxes)
    factor = max(1, math.ceil(max(bottom - top, right - left) / WORK_SIDE))
    rows, columns = math.ceil((bottom - top) / factor), math.ceil((right - left) / factor)
    region = rgb[top:bottom, left:right]
    pad = (rows * factor - region.shape[0], columns * factor - region.shape[1])
    if any(pad):
        region = cv2.copyMakeBorder(region, 0, pad[0], 0, pad[1], cv2.BORDER_REPLICATE)
    guide = cv2.resize(region, (columns, rows), interpolation=cv2.INTER_AREA)
    guide = guide.astype(np.float32) / 255
    brightness = cv2.cvtColor(guide, cv2.COLOR_RGB2GRAY)
    trust = _photo_trust(guide, brightness)
    grid = Grid(left, top, factor, rows, columns)
    layers = []
    for part in parts:
        cell = part.crop.size / factor  # the crop's side on the grid
        gain = part.crop.onto_grid(part.gain, grid)
        gain = _guided(brightness, gain, cell / GAIN_SIDE, 1e-3, 0.5)
        person = part.crop.onto_grid(part.person, grid)
        person = _guided(guide, person, cell / OUTLINE_SIDE, 1e-4, 0.25)
        face = part.crop.onto_grid(part.face, grid)
        weight = np.maximum(_smoothstep(person, 0.45, 0.95), face) * trust
        weight *= part.crop.onto_grid(part.confidence, grid)
        window = _window(part.crop, grid, rgb.shape)
        gain *= weight[..., None]
        layers.append((gain, window))
    gain = _joined(layers)
    # Also drops the filter's overshoot below zero.
    return GainMap(left, top, factor, cv2.threshold(gain, 1e-3, 0, cv2.THRESH_TOZERO)[1])


def _joined(layers: Sequence[tuple[Float, Float]]) -> Float:
    """Join gains ``(h, w, 3)`` by their windows ``(h, w)``: each pixel is its nearest face's."""
    if len(layers) == 1:
        gain, window = layers[0]
        return gain * window[..., None]
    total = sum(gain * (window**2)[..., None] for gain, window in layers)
    weight = sum(window**2 for _, window in layers) + np.float32(1e-6)
    reach = np.maximum.reduce([window for _, window in layers])
    return np.asarray(total * (reach / weight)[..., None], np.float32)


def apply(
    rgb: NDArray[Any], added: GainMap, *, strength: float = 1.0, threads: int = 1
) -> NDArray[Any]:
    """Multiply a photo by ``1 + strength * added`` in linear light.

    Highlights above :data:`KNEE` get a shoulder: before rounding they approach white and never
    reach it. A pixel whose gain is 0 keeps its value exactly.

    Args:
        rgb: ``(H, W, 3)`` uint8 or uint16 sRGB; not changed.
        added: ``sum_i k_i c_i G_i``.
        strength: factor on the added light, >= 0.
        threads: rows are shared between so many threads.

    Returns:
        ``(H, W, 3)`` of the same dtype.
    """
    result = rgb.copy()
    if strength == 0 or not added.gain.any():
        return result
    linear_gain = 1 + np.float32(strength) * added.gain
    factor = encoded_gain(linear_gain)
    step = max(1, STRIP // added.factor)
    starts = range(0, len(factor), step)

    def work(start: int) -> None:
        stop = min(start + step, len(factor))
        if not added.gain[start:stop].any():
            return
        top = added.top + start * added.factor
        strip = result[top : top + (stop - start) * added.factor, added.left :]
        gains = (enlarge(grid, start, stop, added.factor) for grid in (linear_gain, factor))
        rows, columns = len(strip), min(strip.shape[1], factor.shape[1] * added.factor)
        strip[:, :columns] = relit(strip[:, :columns], *(g[:rows, :columns] for g in gains))

    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, starts))
    else:
        for start in starts:
            work(start)
    return result


def relit(rgb: NDArray[Any], gain: Float, factor: Float) -> NDArray[Any]:
    """Encoded pixels times a linear gain, with a highlight shoulder, in their own dtype.

    The shoulder bends the brightest channel and takes the others along, so that skin keeps its
    hue and pales, as on film; bent one by one, the channels would turn it yellow.

    Args:
        rgb: ``(..., 3)`` uint8 or uint16 sRGB.
        gain: linear gain >= 1 of the same shape.
        factor: ``color.encoded_gain(gain)``.
    """
    white = np.float32(np.iinfo(rgb.dtype).max)
    before = rgb.astype(np.float32)
    before /= white
    after = scale_encoded(before, gain, factor)
    bright = _brightest(after) > KNEE
    if bright.any():
        after[bright] = _shoulder(before[bright], after[bright])
    after *= white
    after += np.float32(0.5)
    return after.astype(rgb.dtype)


def _shoulder(before: Float, after: Float) -> Float:
    """Compress pixels ``(N, 3)`` that were ``before`` and would be ``after``, above the knee."""
    knee = np.maximum(_brightest(before), np.float32(KNEE))
    peak = _brightest(after)
    over = np.maximum(peak - knee, 0)
    room = 1 - knee
    pressed = over / (over + room + np.float32(1e-6))  # 0 at the knee, towards 1 far above it
    bent = np.minimum(peak, knee) + room * pressed
    after = after * (bent / peak)[:, None]
    after += (bent[:, None] - after) * (pressed * np.float32(PALING))[:, None]
    return np.maximum(after, before, out=after)  # light never darkens


def _brightest(pixels: Float) -> Float:
    """Largest channel, ``(..., 3) -> (...)``."""
    return np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])


def _guided(guide: Float, values: Float, radius: float, smoothness: float, fast: float) -> Float:
    """Filter ``values`` so that they change where the guide does.

    Args:
        guide: ``(h, w)`` or ``(h, w, 3)`` in [0, 1].
        values: ``(h, w[, C])``.
        radius: half the window's side, in grid cells.
        smoothness: variance of the guide that counts as an edge.
        fast: scale at which the filter's coefficients are found (He & Sun 2015).
    """
    import cv2

    if min(guide.shape[:2]) * fast < 2:
        fast = 1.0
    reach = max(1, round(radius * fast))
    return cv2.ximgproc.guidedFilter(guide, values, reach, smoothness, scale=fast)


def _window(crop: Crop, grid: Grid, shape: tuple[int, ...]) -> Float:
    """1 inside a crop, falling smoothly to 0 at those of its borders that lie in the photo."""
    sides: list[Float] = []
    for start, count, low, limit in (
        (grid.top, grid.rows, crop.top, shape[0]),
        (grid.left, grid.columns, crop.left, shape[1]),
    ):
        position = (start + (np.arange(count) + 0.5) * grid.step - low) / crop.size
        ramp: Float = np.ones(count, np.float32)
        if low > 0:
            ramp *= _smoothstep(position, 0, FADE)
        if low + crop.size < limit:
            ramp *= _smoothstep(1 - position, 0, FADE)
        sides.append(ramp)
    window: Float = np.multiply.outer(sides[0], sides[1])
    return window


def _photo_trust(guide: Float, brightness: Float) -> Float:
    """Where the photo can be multiplied: neither clipped nor lost in noise, ``(h, w)``."""
    import cv2

    brightest = cv2.blur(cv2.max(cv2.max(guide[..., 0], guide[..., 1]), guide[..., 2]), (3, 3))
    clipped = _smoothstep(brightest, 0.97, 1.0)
    dark = 1 - _smoothstep(cv2.blur(brightness, (5, 5)), 0.02, 0.12)
    trust: Float = 1 - 0.7 * np.maximum(clipped, dark)
    return trust


def _smoothstep(x: NDArray[Any], low: float, high: float) -> Float:
    t = (np.asarray(x, np.float32) - np.float32(low)) / np.float32(high - low)
    t = np.clip(t, 0, 1, out=t)
    smooth: Float = t * t * (3 - 2 * t)
    return smooth
