# SPDX-License-Identifier: Apache-2.0
"""A photo's own colours, kept: working in the space of its profile and writing the profile back.

Light is multiplied in the linear values of the photo's own primaries, so that nothing has to be
clipped to sRGB's. The rest of the library multiplies pixels encoded as sRGB encodes them
(:func:`relight.color.change_encoded`); of a profile with another curve they are encoded anew, and
what did not change keeps the very value that the file had.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relight.color import linear_to_srgb, srgb_to_linear
from relight.photo.color.icc import (
    SRGB_PRIMARIES,
    build_profile,
    convert_16_bit,
    convert_image,
    curve_tag,
    parse_profile,
    profile_name,
)

_SAME_CURVE = 1e-4
"""How far a curve may be from sRGB's, of white, to be multiplied as it is."""
_SMOOTH = 4
"""Smooth colours are converted on squares of so many pixels a side."""
_BAND = 512
"""Rows converted at once, since LittleCMS's images need more memory than arrays."""


@dataclass(frozen=True, eq=False)
class Gamut:
    """The colours of an RGB or grey profile made of curves and, for RGB, a matrix.

    Attributes:
        profile: the ICC profile.
        primaries: columns are XYZ of red, green and blue at D50; None for grey.
    """

    profile: bytes = field(repr=False)
    primaries: NDArray[np.float64] | None = field(repr=False)

    @classmethod
    def of(cls, profile: bytes) -> Gamut | None:
        """The colours of a profile; None for lookup tables, and for curves that fall."""
        parsed = parse_profile(profile, 256)
        if parsed is None:
            return None
        primaries, curves = parsed
        rising = all((np.diff(curve) >= 0).all() and curve[-1] > 0.5 for curve in curves)
        if not rising or (primaries is not None and abs(np.linalg.det(primaries)) < 1e-3):
            return None
        return cls(profile, primaries)

    @property
    def grey(self) -> bool:
        """Whether the profile is one for pixels without colour."""
        return self.primaries is None

    @functools.cached_property
    def name(self) -> str:
        """What the profile calls itself."""
        return profile_name(self.profile)

    def to_srgb(self, rgb: NDArray[Any]) -> NDArray[Any]:
        """HxWx3 uint8 or uint16 in these colours -> sRGB of the same dtype, clipped."""
        if rgb.dtype == np.uint16:
            converted = convert_16_bit(rgb, self.profile)
            assert converted is not None, "parsed before"  # noqa: S101
            return converted
        if self.grey and (rgb == rgb[..., :1]).all():
            image = convert_image(Image.fromarray(rgb[..., 0]), self.profile)
            return np.repeat(np.asarray(image)[..., None], 3, 2)
        profile, result = self.profile_for(False), np.empty_like(rgb)
        for row in range(0, len(rgb), _BAND):
            part = slice(row, row + _BAND)
            result[part] = np.asarray(convert_image(Image.fromarray(rgb[part]), profile))
        return result

    def adapt(self, color: NDArray[Any]) -> NDArray[np.float64]:
        """A light's colour ``(3,)`` in linear sRGB -> in these primaries, >= 0; white stays so."""
        if self.primaries is None:
            return np.asarray(color, np.float64)
        matrix = np.linalg.solve(self.primaries, SRGB_PRIMARIES)
        adapted: NDArray[np.float64] = np.maximum(matrix @ color, 0) / matrix.sum(axis=1)
        return adapted

    def from_srgb(self, colors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Smooth colours ``(h, w, 3)``, sRGB in [0, 1], in these primaries with sRGB's curve."""
        import cv2

        if self.primaries is None:
            return colors
        size = colors.shape[1::-1]
        few = (max(1, size[0] // _SMOOTH), max(1, size[1] // _SMOOTH))  # powers take long
        linear = srgb_to_linear(cv2.resize(colors, few, interpolation=cv2.INTER_AREA))
        matrix = np.linalg.solve(self.primaries, SRGB_PRIMARIES)
        own = linear_to_srgb(cv2.transform(linear, matrix.astype(np.float32)))
        return np.asarray(cv2.resize(own, size, interpolation=cv2.INTER_LINEAR))

    def profile_for(self, grey: bool) -> bytes:
        """The profile to write: this one, or its curve for pixels of the other kind."""
        if grey == self.grey:
            return self.profile
        primaries = None if grey else SRGB_PRIMARIES
        return build_profile(self.name, primaries, curve_tag(self.profile))

    def encode(self, rgb: NDArray[Any]) -> NDArray[Any]:
        """Pixels with sRGB's curve in these primaries: the same array, or uint16 of its shape."""
        tables = _tables(self.profile, rgb.dtype.str)
        if tables is None:
            return rgb
        encoded = np.empty(rgb.shape, np.uint16)
        for channel, (forth, _) in enumerate(tables):
            encoded[..., channel] = forth[rgb[..., channel]]
        return encoded

    def decode(
        self, changed: NDArray[Any], encoded: NDArray[Any], rgb: NDArray[Any]
    ) -> NDArray[Any]:
        """The way back.

        Args:
            changed: what became of ``encoded``.
            encoded: what :meth:`encode` made of ``rgb``.
            rgb: the photo's own values, which stay where nothing changed.
        """
        tables = _tables(self.profile, rgb.dtype.str)
        if tables is None:
            return changed
        result = np.empty_like(rgb)
        for channel, (_, back) in enumerate(tables):
            result[..., channel] = back[changed[..., channel]]
        np.copyto(result, rgb, where=(changed == encoded).all(axis=2, keepdims=True))
        return result


@functools.lru_cache(maxsize=4)
def _tables(profile: bytes, dtype: str) -> list[tuple[NDArray[np.uint16], NDArray[Any]]] | None:
    """For each channel: sample -> sRGB's curve in 16 bits, and back; None if it is the same."""
    levels = int(np.iinfo(dtype).max)
    parsed = parse_profile(profile, levels + 1)
    assert parsed is not None, "parsed before"  # noqa: S101
    curves = parsed[1] if len(parsed[1]) == 3 else parsed[1] * 3
    own = np.linspace(0, 1, levels + 1)
    encoded = [linear_to_srgb(np.minimum(curve, 1)) for curve in curves]
    if all(np.abs(curve - own).max() <= _SAME_CURVE for curve in encoded):
        return None
    linear = srgb_to_linear(np.arange(65536, dtype=np.uint16))
    back = [np.interp(linear, np.maximum.accumulate(curve), own) * levels for curve in curves]
    return [
        (np.round(forth * 65535).astype(np.uint16), np.round(native).astype(dtype))
        for forth, native in zip(encoded, back, strict=True)
    ]
