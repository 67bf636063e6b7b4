# SPDX-License-Identifier: Apache-2.0
"""Colour told by codes and numbers instead of an ICC profile: PNG chunks, HEIC and AVIF boxes.

References: ITU-T H.273 (the codes), PNG third edition, ITU-R BT.2100-2 (PQ and HLG), ITU-R
BT.2408 (white at 203 cd/m²), Reinhard et al. 2002, "Photographic tone reproduction for digital
images", equation 4.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight.color import linear_to_srgb
from relight.photo.color.icc import BRADFORD, SRGB_CURVE, WHITE_D50, build_profile
from relight.photo.container.box import main_properties

Float = NDArray[np.float64]
Primaries = tuple[float, ...]

_D65 = (0.3127, 0.3290)
_BT709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES: dict[int, Primaries] = {
    1: (*_D65, *_BT709),
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    **dict.fromkeys((6, 7), (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
"""Chromaticities x, y of white, red, green and blue by code."""
TELEVISION = (1, 6, 14, 15)
"""Codes of the transfer functions of television: BT.709, BT.601 and BT.2020."""
_CURVES: dict[int, tuple[float, ...]] = {
    **dict.fromkeys(TELEVISION, (0, 2.4)),  # as displays show it (ITU-R BT.1886)
    4: (0, 2.2),
    5: (0, 2.8),
    8: (0, 1.0),
    13: SRGB_CURVE,
    17: (1, 2.6, (52.37 / 48) ** (1 / 2.6), 0.0),
}
"""Transfer functions as ICC parametric curves: the type, then its numbers."""
PQ, HLG = 16, 18
_UNSPECIFIED = 2

WHITE = 203.0
"""Luminance in cd/m² of diffuse white in an HDR picture, which becomes white (BT.2408)."""
HLG_PEAK = 1000.0
"""Luminance in cd/m² of the brightest HLG signal on the display that its gamma is meant for."""
HLG_GAMMA = 1.2
"""Of that display."""
_DARK = np.float32(1e-6)
"""Light that is not divided by."""
KNEE = 0.75
"""Linear share of white up to which HDR tones stay as they are; those above share what is left.
Faces are darker: skin reflects less than 0.7."""
_SAMPLES = 200_000
"""Of so many pixels or more the brightest tone is looked for."""
_BAND = 64
"""Rows converted at once, since floats need much memory."""


@dataclass(frozen=True)
class Colorimetry:
    """What the numbers of pixels mean.

    Attributes:
        primaries: x and y of white, red, green and blue.
        curve: ICC parametric curve from sample to linear light; None for HDR.
        transfer: code of an HDR transfer function, :data:`PQ` or :data:`HLG`; 0 for others.
    """

    primaries: Primaries
    curve: tuple[float, ...] | None
    transfer: int = 0

    @property
    def hdr(self) -> bool:
        """Whether white is not the brightest tone."""
        return self.curve is None

    def profile(self, grey: bool) -> bytes:
        """An ICC profile of the same meaning; grey for pixels without colour.

        Raises:
            ValueError: there is none for HDR.
        """
        if self.curve is None:
            raise ValueError("an HDR transfer function is no ICC curve")
        return _profile(None if grey else self.primaries, self.curve)


def from_codes(primaries: int, transfer: int) -> Colorimetry | None:
    """Colour by its codes of H.273; None for what is sRGB or not specified.

    Raises:
        ValueError: codes that mean no colour that we know.
    """
    if transfer == _UNSPECIFIED:
        transfer = 13
    if primaries == _UNSPECIFIED:
        primaries = 1
    if (primaries, transfer) == (1, 13):
        return None
    if primaries not in _PRIMARIES or transfer not in (*_CURVES, PQ, HLG):
        raise ValueError(f"its colour codes {primaries}/{transfer} are not known")
    hdr = transfer if transfer in (PQ, HLG) else 0
    return Colorimetry(_PRIMARIES[primaries], _CURVES.get(transfer), hdr)


def from_png(chunks: Mapping[bytes, bytes]) -> Colorimetry | None:
    """Colour of a PNG by its chunks other than iCCP, as browsers see it; None for sRGB.

    cICP wins over sRGB, which wins over gAMA and cHRM. A gAMA of 1/2.2 alone stands for sRGB, and
    cHRM alone says too little.

    Raises:
        ValueError: codes that mean no colour that we know, or damaged numbers.
    """
    try:
        if b"cICP" in chunks:
            return from_codes(*struct.unpack_from("BB", chunks[b"cICP"]))
        if b"sRGB" in chunks or b"gAMA" not in chunks:
            return None
        (gamma,) = struct.unpack(">I", chunks[b"gAMA"])
        if not 1_000 <= gamma <= 10_000_000:
            raise ValueError(f"its gamma {gamma / 1e5:g} is out of range")
        if b"cHRM" not in chunks:
            near = abs(gamma - _SRGB_GAMMA) <= _SRGB_GAMMA * _GAMMA_TOLERANCE
            return None if near else Colorimetry(_PRIMARIES[1], (0, 1e5 / gamma))
        chromaticities = tuple(v / 1e5 for v in struct.unpack(">8I", chunks[b"cHRM"]))
        _to_xyz(chromaticities)
        return Colorimetry(chromaticities, (0, 1e5 / gamma))
    except (struct.error, np.linalg.LinAlgError, ZeroDivisionError) as error:
        raise ValueError("its colour numbers are damaged") from error


_SRGB_GAMMA = 45_455
_GAMMA_TOLERANCE = 0.05
"""How far a gamma may be from sRGB's to be taken for it, as libpng does."""


def from_boxes(data: bytes) -> Colorimetry | None:
    """Colour of a HEIC or AVIF by the ``nclx`` box of its main image; None for sRGB or none.

    Browsers show television's transfer functions as sRGB there, since most encoders write them
    without meaning it.

    Raises:
        ValueError: codes that mean no colour that we know.
    """
    for box in main_properties(data):
        if box[:8] == b"colrnclx" and len(box) >= 12:
            primaries, transfer = struct.unpack_from(">HH", box, 8)
            return from_codes(primaries, 13 if transfer in TELEVISION else transfer)
    return None


def _to_xyz(primaries: Primaries) -> Float:
    """Matrix ``(3, 3)`` from linear RGB to XYZ, white at Y = 1."""
    x, y = np.array(primaries, np.float64).reshape(4, 2).T
    columns = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    matrix: Float = columns[:, 1:] * np.linalg.solve(columns[:, 1:], columns[:, 0])
    if not np.isfinite(matrix).all():
        raise np.linalg.LinAlgError
    return matrix


def _to_d50(primaries: Primaries) -> Float:
    """The same, adapted to the white of ICC profiles (Bradford)."""
    matrix = _to_xyz(primaries)
    scale = (BRADFORD @ WHITE_D50) / (BRADFORD @ matrix.sum(axis=1))
    adapted: Float = np.linalg.solve(BRADFORD, scale[:, None] * (BRADFORD @ matrix))
    return adapted


@functools.lru_cache(maxsize=16)
def _profile(primaries: Primaries | None, curve: tuple[float, ...]) -> bytes:
    return build_profile("told by codes", None if primaries is None else _to_d50(primaries), curve)


def to_sdr(pixels: NDArray[np.uint16], colour: Colorimetry) -> NDArray[np.uint16]:
    """Convert an HDR picture to sRGB.

    Diffuse white becomes white. Tones up to :data:`KNEE` stay as they are; where the picture has
    brighter ones than white, those above the knee are compressed by Reinhard's curve, which takes
    the brightest to white and keeps hues.

    Args:
        pixels: uint16 HxWx3, PQ or HLG in the full range.
        colour: what they mean.

    Returns:
        uint16 HxWx3 sRGB; colours out of gamut are clipped per channel.
    """
    table = _hdr_table(colour.transfer)
    matrix = np.linalg.solve(_to_d50(_PRIMARIES[1]), _to_d50(colour.primaries)).astype(np.float32)
    # Luminance counts for HLG alone, whose display makes the brightest parts brighter still.
    luminance = _to_xyz(colour.primaries)[1].astype(np.float32) if colour.transfer == HLG else None

    def display(samples: NDArray[np.uint16]) -> NDArray[np.float32]:
        light: NDArray[np.float32] = table[samples]
        if luminance is not None:
            gain = np.maximum(light @ luminance, _DARK) ** np.float32(HLG_GAMMA - 1)
            light = light * gain[..., None] * np.float32(HLG_PEAK / WHITE)
        return np.maximum(light @ matrix.T, 0)

    sample = pixels.reshape(-1, 3)[:: max(1, pixels.size // 3 // _SAMPLES)]
    peak = float(display(sample).max(initial=1.0))
    result = np.empty_like(pixels)
    for row in range(0, len(pixels), _BAND):
        light = display(pixels[row : row + _BAND])
        brightest = light.max(axis=-1, keepdims=True)
        encoded = linear_to_srgb(
            light * (_shoulder(brightest, peak) / np.maximum(brightest, _DARK))
        )
        result[row : row + _BAND] = np.minimum(encoded, 1) * 65535 + 0.5
    return result


def _hdr_table(transfer: int) -> NDArray[np.float32]:
    """Light of each 16-bit sample: PQ on the display, white = 1; HLG in the scene, peak = 1."""
    x = np.arange(65536) / 65535
    if transfer == PQ:
        root = x ** (1 / 78.84375)
        ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        return (10000 / WHITE * ratio ** (1 / 0.1593017578125)).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(x <= 0.5, x**2 / 3, (np.exp((x - c) / a) + b) / 12).astype(np.float32)


def _shoulder(tone: NDArray[np.float32], peak: float) -> NDArray[np.float32]:
    """Tones with those above the knee compressed, so that the peak becomes white."""
    top = np.float32((peak - KNEE) / (1 - KNEE))
    above = np.maximum(tone - np.float32(KNEE), 0) / np.float32(1 - KNEE)
    bent = above * (1 + above / top**2) / (1 + above)
    result: NDArray[np.float32] = np.minimum(tone, KNEE) + np.float32(1 - KNEE) * bent
    return result
