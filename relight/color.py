# SPDX-License-Identifier: Apache-2.0
"""The sRGB transfer function, luminance, and multiplying an encoded photo by a linear gain.

Reference: IEC 61966-2-1:1999 (sRGB).
"""

from __future__ import annotations

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


def luminance(linear: NDArray[Any]) -> Float:
    """Relative luminance of linear sRGB, ``(..., 3) -> (...)`` float32."""
    # No matrix product: OpenBLAS would share it out between threads, which takes longer.
    red, green, blue = np.moveaxis(np.asarray(linear, np.float32), -1, 0)
    result: Float = red * LUMINANCE[0] + green * LUMINANCE[1] + blue * LUMINANCE[2]
    return result


def encoded_gain(gain: NDArray[Any]) -> Float:
    """The factor ``h`` that :func:`scale_encoded` needs for a linear gain (any shape)."""
    return np.asarray(gain, np.float32) ** np.float32(1 / GAMMA)


def scale_encoded(encoded: Float, gain: Float, factor: Float, white: float = 1.0) -> Float:
    """Multiply linear light by a gain of 1 or more without leaving the encoded domain.

    On the power-law part ``encode(q L) = (s + 0.055) q^(1/2.4) - 0.055``, on the straight part
    ``encode(q L) = q s``; each overestimates outside its own part, so the smaller one is right.
    Where a pixel crosses from one part to the other, from below 11/255, the result is too high by
    at most 1.2/255 for q <= 3. No power function per pixel is needed, since the factor can be
    computed at low resolution.

    Args:
        encoded: sRGB floats >= 0, any shape.
        gain: linear gain q >= 1, broadcastable to ``encoded``.
        factor: ``encoded_gain(gain)``.
        white: the encoded value of white, 255 for bytes as floats.

    Returns:
        float32 sRGB on the same scale, may exceed white.
    """
    curved = _curved(encoded, factor, white)
    return np.minimum(encoded * gain, curved, out=curved)


def change_encoded(encoded: Float, gain: Float, factor: Float, white: float = 1.0) -> Float:
    """:func:`scale_encoded` for gains below 1, too.

    For those both formulas underestimate outside their own part, so the larger is right; where a
    pixel comes onto the straight part, the result is low by at most 2.2/255.

    Args:
        encoded: as above.
        gain: linear gain q > 0.
        factor: as above.
        white: as above.
    """
    curved, straight = _curved(encoded, factor, white), encoded * gain
    least = np.minimum(straight, curved)
    result: Float = np.where(gain < 1, np.maximum(straight, curved, out=curved), least)
    return result


def _curved(encoded: Float, factor: Float, white: float) -> Float:
    """What a gain makes of the power-law part."""
    offset = np.float32(OFFSET * white)
    curved = (encoded + offset) * factor
    curved -= offset
    return curved


_BYTE_TO_LINEAR: Float = srgb_to_linear(np.arange(256, dtype=np.float32) / 255)
