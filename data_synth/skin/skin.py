# SPDX-License-Identifier: Apache-2.0
"""Colour of skin from what it holds: melanin in the epidermis, blood in the dermis.

Light passes the epidermis twice and is scattered back by the dermis in between; both are computed
by wavelength and only then turned into a colour. So skin tones vary along the same line as real
ones, which tinting one texture would not achieve.

References:
    Jacques 1998, "Skin Optics Summary", and Jacques 2013, "Optical properties of biological
    tissues: a review" (absorption of melanin, baseline and blood; scattering of the dermis).
    van Veen et al. 2002, "Correction for inhomogeneous distribution of blood" (vessels).
    Prahl 1999, tabulated molar extinction of haemoglobin.
    Jensen et al. 2001, "A Practical Model for Subsurface Light Transport" (diffuse reflectance).
    Wyman et al. 2013, "Simple Analytic Approximations to the CIE XYZ Color Matching Functions".
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

WAVELENGTHS_NM = np.arange(400, 701, 10.0)
OXYGENATION = 0.8
EPIDERMIS_CM = 0.006
OBLIQUE = 1.15
"""Mean path through the epidermis over its thickness, each way."""
VESSEL_CM = 0.0013
"""Radius of the vessels that hold most of the blood."""
MELANIN_SLOPE = -2.1
"""Exponent of melanin's absorption over wavelength. The textbook value of -3.33 is that of single
melanosomes and makes dark skin orange; the spectrum of whole epidermis is flatter."""
FLOOR = 0.018
"""Reflectance that no pigment lowers: the uppermost layers scatter some light by themselves."""

_OXYGENATED = np.fromstring(
    "266232 466840 480360 246072 102580 62816 44480 33209 26629 23684 20932 20035 24202 39956"
    " 53236 43016 32613 44496 50104 14400 3200 1506 942 610 442 368 319 294 277 276 290",
    sep=" ",
)
_DEOXYGENATED = np.fromstring(
    "223296 303956 407560 528600 413280 103292 23388 16156 14550 16684 20862 25773 31589 39036"
    " 46592 53412 53788 45072 37020 28324 14677 9443 6509 5148 4345 3750 3226 2795 2407 2051"
    " 1794",
    sep=" ",
)
_XYZ_TO_SRGB = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
)

TONES = (
    (55.0, "very light"),
    (41.0, "light"),
    (28.0, "intermediate"),
    (10.0, "tan"),
    (-30.0, "brown"),
    (-180.0, "dark"),
)
"""Labels by the lowest individual typology angle, degrees (Chardon et al. 1991)."""


def reflectance(melanin: Any, blood: Any) -> NDArray[np.float64]:
    """Diffuse reflectance ``(..., 31)`` at :data:`WAVELENGTHS_NM`.

    Args:
        melanin: ``(...)`` volume fraction of melanosomes in the epidermis.
        blood: ``(...)`` volume fraction of blood in the dermis.
    """
    m = np.asarray(melanin, float)[..., None]
    b = np.asarray(blood, float)[..., None]
    wave = WAVELENGTHS_NM
    baseline = 0.244 + 85.3 * np.exp(-(wave - 154) / 66.2)
    melanosome = 6.6e11 * 560**-3.33 * (wave / 560) ** MELANIN_SLOPE
    mixed = OXYGENATION * _OXYGENATED + (1 - OXYGENATION) * _DEOXYGENATED
    whole_blood = 2.303 * 150 / 64500 * mixed
    # Blood sits in vessels, whose insides are dark where it absorbs much: less blue is lost.
    depth = 2 * whole_blood * VESSEL_CM
    whole_blood = whole_blood * (1 - np.exp(-depth)) / depth
    epidermis = m * melanosome + (1 - m) * baseline
    dermis = b * whole_blood + (1 - b) * baseline
    scattering = np.clip(1.1 * (2e12 * wave**-4 + 41 * (wave / 500) ** -1.2 + 20), 8, 120)
    albedo = scattering / (scattering + dermis)
    root = np.sqrt(3 * (1 - albedo))
    boundary = (1 + 0.47) / (1 - 0.47)
    back = albedo / 2 * (1 + np.exp(-4 / 3 * boundary * root)) * np.exp(-root)
    passed = np.exp(-2 * epidermis * EPIDERMIS_CM * OBLIQUE)
    return np.asarray(back * passed + FLOOR)


def skin_color(melanin: Any, blood: Any) -> NDArray[np.float64]:
    """Linear sRGB albedo ``(..., 3)``; arguments as in :func:`reflectance`."""
    return np.clip(reflectance(melanin, blood) @ _spectrum_to_srgb(), 0.004, 0.95)


def look_up_color(melanin: Any, blood: Any) -> Float:
    """:func:`skin_color` from a table, for whole textures: ``(H, W)`` to ``(H, W, 3)``."""
    import cv2

    table, low, scale = _table()
    x = (np.log(np.maximum(melanin, 1e-5)) - low[0]) * scale[0]
    y = (np.log(np.maximum(blood, 1e-5)) - low[1]) * scale[1]
    rows, columns = table.shape[:2]
    color: Float = cv2.remap(
        table,
        np.clip(y, 0, columns - 1).astype(np.float32),
        np.clip(x, 0, rows - 1).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    return color


def typology_angle(color: Any) -> float:
    """Individual typology angle in degrees of a linear sRGB colour: high is light skin."""
    to_xyz = np.linalg.inv(_XYZ_TO_SRGB)
    white = to_xyz @ np.ones(3)
    f = np.cbrt(to_xyz @ np.asarray(color, float) / white)
    lightness, yellow = 116 * f[1] - 16, 200 * (f[1] - f[2])
    return float(np.degrees(np.arctan2(lightness - 50, yellow)))


def tone_label(melanin: float, blood: float) -> str:
    """One of the six names of :data:`TONES`."""
    angle = typology_angle(skin_color(melanin, blood))
    return next(name for low, name in TONES if angle > low or name == "dark")


@functools.lru_cache(maxsize=1)
def _spectrum_to_srgb() -> NDArray[np.float64]:
    """``(31, 3)`` weights; a reflectance of 1 becomes white."""
    wave = WAVELENGTHS_NM

    def bell(mean: float, deviation: float) -> NDArray[np.float64]:
        return np.exp(-0.5 * ((wave - mean) / deviation) ** 2)

    x = 1.056 * bell(599.8, 35) + 0.362 * bell(442, 20) - 0.065 * bell(501.1, 20.4)
    y = 0.821 * bell(568.8, 45) + 0.286 * bell(530.9, 22)
    z = 1.217 * bell(437, 20) + 0.681 * bell(459, 24)
    daylight = np.interp(wave, np.arange(400, 701, 50.0), [82, 117, 109, 104, 90, 80, 72])
    weights = _XYZ_TO_SRGB @ (np.stack([x, y, z]) * daylight)
    return np.asarray((weights / weights.sum(1, keepdims=True)).T)


@functools.lru_cache(maxsize=1)
def _table() -> tuple[Float, NDArray[np.float64], NDArray[np.float64]]:
    melanin, blood = np.geomspace(0.004, 0.8, 64), np.geomspace(0.002, 0.3, 48)
    colors = skin_color(melanin[:, None] * np.ones(48), blood[None] * np.ones((64, 1)))
    low = np.log([melanin[0], blood[0]])
    high = np.log([melanin[-1], blood[-1]])
    return colors.astype(np.float32), low, np.array([63, 47]) / (high - low)
