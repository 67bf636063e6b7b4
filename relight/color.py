# SPDX-License-Identifier: Apache-2.0
"""The sRGB transfer function, luminance, and multiplying an encoded photo by a linear gain.

Reference: IEC 61966-2-1:1999 (sRGB).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

LINEAR_LIMIT = 0.0031308
"""Linear value below which the transfer function is a straight line."""
ENCODED_LIMIT = 0.04045
SLOPE = 12.92
SCALE = 1.055
OFFSET = 0.055
GAMMA = 2.4

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear sRGB primaries in relative luminance (ITU-R BT.709)."""


def srgb_to_linear(encoded: NDArray[Any]) -> Float:
    """Decode sRGB to linear light.

    Args:
        encoded: array of any shape; uint8 or uint16 (full range) or float in [0, 1].
            Floats above 1 continue the power law, negative floats become 0.

    Returns:
        float32 array of the same shape, 1.0 = white.
    """
    if encoded.dtype == np.uint8:
        return _BYTE_TO_LINEAR[encoded]
    x = encoded.astype(np.float32)
    if encoded.dtype == np.uint16:
        x /= 65535.0
    x = np.maximum(x, 0)
    power = ((x + OFFSET) / SCALE) ** np.float32(GAMMA)
    return np.where(x <= ENCODED_LIMIT, x / SLOPE, power).astype(np.float32)


def linear_to_srgb(linear: NDArray[Any]) -> Float:
    """Encode linear light as sRGB.

    Args:
        linear: float array of any shape, 1.0 = white. Negative values become 0.

    Returns:
        float32 array of the same shape; above 1 where ``linear`` is above 1.
    """
    x = np.maximum(np.asarray(linear, np.float32), 0)
    power = SCALE * x ** np.float32(1 / GAMMA) - OFFSET
    return np.where(x <= LINEAR_LIMIT, x * SLOPE, power).astype(np.float32)


def to_uint8(encoded: NDArray[Any]) -> NDArray[np.uint8]:
    """Round sRGB floats in [0, 1] to bytes, clipping what lies outside."""
    return (np.clip(encoded, 0, 1) * 255 + 0.5).astype(np.uint8)


def to_integer(encoded: Float, dtype: Any) -> NDArray[Any]:
    """Round values >= 0 on the scale of uint8 or uint16, clipping what lies above."""
    if dtype == np.uint8:
        import cv2

        # As one row: of three axes OpenCV takes the last for channels, and drops a single one.
        return cv2.convertScaleAbs(encoded.reshape(1, -1)).reshape(encoded.shape)
    return np.asarray(np.minimum(encoded + np.float32(0.5), np.iinfo(dtype).max), dtype)


def over_channels(operation: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
    """An operation of two arrays over red, green and blue, ``(..., 3) -> (...)``.

    What NumPy's ``values.max(-1)`` and ``sum(-1)`` give; over so few numbers these take ten times
    as long.
    """
    red, green, blue = np.moveaxis(values, -1, 0)
    result: NDArray[Any] = operation(operation(red, green), blue)
    return result


def channel_mean(values: Float) -> Float:
    """Mean of red, green and blue, ``(..., 3) -> (...)``."""
    return over_channels(np.add, values) / np.float32(3)


def luminance(linear: NDArray[Any]) -> Float:
    """Relative luminance of linear sRGB, ``(..., 3) -> (...)`` float32."""
    # No matrix product: OpenBLAS would share it out between threads, which takes longer.
    red, green, blue = np.moveaxis(np.asarray(linear, np.float32), -1, 0)
    result: Float = red * LUMINANCE[0] + green * LUMINANCE[1] + blue * LUMINANCE[2]
    return result


def encoded_gain(gain: NDArray[Any]) -> Float:
    """The factor ``h`` that :func:`change_encoded` needs for a linear gain (any shape)."""
    return np.asarray(gain, np.float32) ** np.float32(1 / GAMMA)


def change_encoded(encoded: Float, gain: Float, factor: Float) -> Float:
    """Multiply linear light by a gain without leaving the encoded domain.

    On the power-law part ``encode(q L) = (s + 0.055) q^(1/2.4) - 0.055``, on the straight part
    ``encode(q L) = q s``; see :func:`either_part`. No power function per pixel is needed, since the
    factor can be computed at low resolution.

    Args:
        encoded: sRGB floats >= 0, any shape, 1.0 = white.
        gain: linear gain q > 0, broadcastable to ``encoded``.
        factor: ``encoded_gain(gain)``.

    Returns:
        float32 sRGB, may exceed 1.
    """
    extremes = float(gain.min(initial=1)), float(gain.max(initial=1))
    return either_part(curved_part(encoded, factor), encoded * gain, gain, *extremes)


def curved_part(
    encoded: NDArray[Any], factor: Float, white: float = 1.0, out: Float | None = None
) -> Float:
    """``(s + 0.055) q^(1/2.4) - 0.055`` of encoded values s: right on the power-law part.

    Args:
        encoded: sRGB >= 0, any shape and dtype.
        factor: ``encoded_gain(q)``, broadcastable to it.
        white: the encoded value of white.
        out: where the result is written to; ``None`` makes an array.
    """
    offset = np.float32(OFFSET * white)
    curved: Float = np.multiply(np.add(encoded, offset, out=out), factor, out=out)
    curved -= offset
    return curved


def either_part(curved: Float, straight: Float, gain: Float, least: float, most: float) -> Float:
    """The right one of both parts' formulas.

    For gains of 1 or more each overestimates outside its own part, so the smaller one is right; for
    those below 1 each underestimates, so the larger one is. Where a pixel crosses from one part to
    the other, from below 11/255, the result is too high by at most 1.2/255 for q <= 3, and too low
    by at most 2.2/255 for q < 1.

    Args:
        curved: by :func:`curved_part` of encoded values s.
        straight: ``q s``; the result is written over it.
        gain: q.
        least: no q is smaller.
        most: none is larger.
    """
    if most <= 1:
        return np.maximum(straight, curved, out=straight)
    upper = np.maximum(straight, curved) if least < 1 else None
    np.minimum(straight, curved, out=straight)
    if upper is not None:  # to choose for each value takes longer than all of the rest
        np.copyto(straight, upper, where=gain < 1)
    return straight


def curved_from(gain: float) -> float:
    """Encoded value, 1.0 = white, from which the power-law part is right for a gain and all above.

    There both parts' formulas meet: for gains of 1 or more at that of 1 at most.
    """
    if gain >= 1:
        return OFFSET / (GAMMA - 1)
    factor = gain ** (1 / GAMMA)
    return OFFSET * (1 - factor) / (factor - gain) if gain > 0 else math.inf


_BYTE_TO_LINEAR: Float = srgb_to_linear(np.arange(256, dtype=np.float32) / 255)
