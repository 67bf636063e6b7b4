# SPDX-License-Identifier: Apache-2.0
"""How surfaces and fibres reflect light: reflectance times cosine, per unit irradiance.

Surfaces: two GGX lobes over a diffuse base; the base gets exactly the light that the lobes leave,
so that a surface of albedo 1 returns all light and never more. Fibres: the R, TT and TRT lobes of
hair and a diffuse term for light scattered among many fibres.

References:
    Walter et al. 2007, "Microfacet Models for Refraction" (GGX). Hammon 2017, "PBR Diffuse Lighting
    for GGX+Smith Microsurfaces" (masking). Schlick 1994 (Fresnel). Kelemen and Szirmay-Kalos 2001
    (energy left to the base). Marschner et al. 2003 and Karis 2016, "Physically Based Hair Shading
    in Unreal" (fibre lobes). Weyrich et al. 2006 (two lobes on skin).
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_synth.subject import Material
from relight.color import luminance

Float = NDArray[np.float32]

FRESNEL = {
    Material.SKIN: 0.028,
    Material.EYE: 0.025,
    Material.TEETH: 0.05,
    Material.GUM: 0.03,
    Material.CLOTH: 0.03,
    Material.FRAME: 0.045,
}
"""Reflectance at normal incidence, which the specular map scales."""
SECOND_LOBE = 0.3
"""Share of the wider lobe on skin."""
SECOND_WIDTH = 2.1
"""Its GGX alpha over that of the narrow one."""
MIN_ALPHA = 0.02
FIBRE_WIDTH = 0.17
"""Longitudinal width of a fibre's R lobe, radians: 10 degrees (Marschner et al. 2003: 5 to 10)."""
SHEEN = 0.75
"""Share of the R lobe that neighbouring hairs leave: black hair lit from all sides is then a tenth
as bright as fair skin, as in portraits."""
STRAY = 0.08
"""Standard deviation of the lean of single hairs out of the strand that stands for them, radians;
by the width of gloss bands on combed hair in portraits."""
DIFFUSE = 0.4
"""Light scattered among dark fibres, over that of a white surface; so that hair in its own shadow
is as bright as it was without, when it was set by Cycles."""
PALE_LOSS = 0.3
"""How much of it white fibres lack: they return no more light than they get."""
KEPT_COLOR = 0.85
"""Power of a fibre's colour that scattered light takes on, apart from its brightness; by eye, for
red and blond hair as in portraits."""
MANY_FIBRES = 0.62
"""Power of a fibre's colour that a tuft shows: light scatters on before much is absorbed. Set so
that hair is as bright as Cycles' (:mod:`data_synth.stage.reference`)."""


class Gloss(NamedTuple):
    """What the lobes of ``N`` surface points need and no light changes.

    Attributes:
        n_v: cosine to the viewer, at least 0.05.
        alpha: GGX width of the narrow lobe.
        f0: reflectance at normal incidence.
        second: share of the wider lobe.
        entry: ``(N, 32)`` fraction of light that enters the base, by cosine of incidence.
        exit: fraction of the base's light that leaves towards the viewer, over the mean.
    """

    n_v: Float
    alpha: Float
    f0: Float
    second: Float
    entry: Float
    exit: Float


def make_gloss(n_v: NDArray[Any], alpha: NDArray[Any], f0: NDArray[Any], second: Any) -> Gloss:
    """Prepare surface points; all arguments ``(N,)`` or scalar."""
    n_v = np.clip(np.asarray(n_v, np.float32), 0.05, 1)
    alpha = np.clip(np.broadcast_to(np.asarray(alpha, np.float32), n_v.shape), MIN_ALPHA, 1)
    f0 = np.broadcast_to(np.asarray(f0, np.float32), n_v.shape)
    second = np.broadcast_to(np.asarray(second, np.float32), n_v.shape)
    base, grazing = _directional_albedo()
    f90 = np.minimum(50 * f0, 1)[:, None]
    entry = np.zeros((len(n_v), base.shape[1]), np.float32)
    for width, share in ((alpha, 1 - second), (second_alpha(alpha), second)):
        row = np.clip(np.rint(width * (len(base) - 1)), 0, len(base) - 1).astype(int)
        entry += share[:, None] * (f0[:, None] * base[row] + f90 * grazing[row])
    entry = 1 - entry
    cosine = (np.arange(entry.shape[1]) + 0.5) / entry.shape[1]
    mean = (entry * cosine).sum(1) / cosine.sum()
    column = np.minimum((n_v * entry.shape[1]).astype(int), entry.shape[1] - 1)
    leaving = entry[np.arange(len(n_v)), column] / mean
    return Gloss(n_v, alpha, f0, second, entry, leaving)


def second_alpha(alpha: Float) -> Float:
    """GGX width of the wider lobe."""
    return np.minimum(alpha * np.float32(SECOND_WIDTH), 1)


def lobes(n_l: Float, l_v: Float, n_v: Float, alpha: Float, f0: Float, second: Float) -> Float:
    """Specular reflectance times cosine ``(N,)``.

    Args:
        n_l: cosine of incidence, > 0.
        l_v: cosine between light and viewer.
        n_v: cosine to the viewer, > 0.
        alpha: GGX width.
        f0: reflectance at normal incidence.
        second: share of the wider lobe.
    """
    half = np.sqrt(np.maximum(2 + 2 * l_v, np.float32(1e-6)))
    n_h = np.minimum((n_l + n_v) / half, 1)
    edge = 1 - half / 2  # v.h = (1 + l.v) / |l + v| = |l + v| / 2
    edge2 = edge * edge
    fresnel = f0 + (np.minimum(50 * f0, 1) - f0) * (edge2 * edge2 * edge)
    result = _lobe(n_h, n_l, n_v, alpha) * (1 - second)
    wide = np.flatnonzero(second > 0)
    if len(wide):
        result[wide] += second[wide] * _lobe(
            n_h[wide], n_l[wide], n_v[wide], second_alpha(alpha[wide])
        )
    return result * fresnel * n_l


def _lobe(n_h: Float, n_l: Float, n_v: Float, alpha: Float) -> Float:
    """GGX distribution times masking over 4 n.l n.v."""
    a2 = alpha * alpha
    spread = n_h * n_h * (a2 - 1) + 1
    product = 2 * n_l * n_v
    masking = 0.5 / (product + alpha * (n_l + n_v - product))
    return a2 / (np.float32(np.pi) * spread * spread) * masking


@functools.lru_cache(maxsize=1)
def _directional_albedo(widths: int = 33, cosines: int = 32) -> tuple[Float, Float]:
    """Light that one lobe reflects for F0 = 1 and F90 = 0, and the reverse: ``(alpha, cos)``."""
    u = (np.arange(48) + 0.5) / 48
    phi = (np.arange(24) + 0.5) / 24 * np.pi
    n_v = ((np.arange(cosines) + 0.5) / cosines)[:, None, None]
    base = np.empty((widths, cosines), np.float32)
    grazing = np.empty_like(base)
    for i in range(widths):
        alpha = max(i / (widths - 1), MIN_ALPHA)
        # Half vectors drawn by the distribution itself.
        n_h = np.sqrt((1 - u) / (1 + (alpha**2 - 1) * u))[None, :, None]
        v_h = n_h * n_v + np.sqrt(1 - n_h**2) * np.sqrt(1 - n_v**2) * np.cos(phi)
        n_l = 2 * v_h * n_h - n_v
        product = 2 * n_l * n_v
        with np.errstate(divide="ignore", invalid="ignore"):
            masking = 0.5 / (product + alpha * (n_l + n_v - product))
            value = np.where((n_l > 0) & (v_h > 0), masking * n_l * 4 * v_h / n_h, 0)
        edge = (1 - np.clip(v_h, 0, 1)) ** 5
        base[i] = (value * (1 - edge)).mean((1, 2))
        grazing[i] = (value * edge).mean((1, 2))
    return base, grazing


class Hair(NamedTuple):
    """What fibres need and no light changes, at ``N`` points.

    Attributes:
        tangent_v: cosine between fibre and viewer.
        tint: ``(N, 3)`` fibre colour.
        spread: ``(N,)`` variance of the fibres' direction, radians squared.
    """

    tangent_v: Float
    tint: Float
    spread: Float


def hair_lobes(
    hair: Hair, tangent_l: Float, l_v: Float, n_l: Float, left: Float
) -> tuple[Float, Float]:
    """Scattering of fibres, cosine included.

    Args:
        hair: the fibres.
        tangent_l: cosine between fibre and light.
        l_v: cosine between light and viewer.
        n_l: cosine between the hair's outer shell and the light, in [-1, 1].
        left: fraction of light that comes through the other fibres.

    Returns:
        ``(N,)`` white part (R) and ``(N, 3)`` coloured part (TT, TRT, diffuse).
    """
    tint = np.clip(hair.tint, 0.002, 0.98)
    sin_l, sin_v = np.clip(tangent_l, -1, 1), np.clip(hair.tangent_v, -1, 1)
    cos_l, cos_v = np.sqrt(1 - sin_l**2), np.sqrt(1 - sin_v**2)
    sin_sum = sin_l + sin_v
    cos_phi = np.clip((l_v - sin_l * sin_v) / np.maximum(cos_l * cos_v, 1e-3), -1, 1)
    half_phi = np.sqrt(0.5 + 0.5 * cos_phi)  # cos(phi / 2)
    tilt = 0.07
    spread = hair.spread + np.float32(STRAY**2)

    def along(shift: float, width: float) -> Float:
        over = 1 / np.sqrt(np.float32((FIBRE_WIDTH * width) ** 2) + spread)
        x = (sin_sum - np.float32(shift)) * over
        return np.exp(np.float32(-0.5) * x * x) * (over * np.float32(1 / np.sqrt(2 * np.pi)))

    edge = 1 - np.sqrt(np.maximum(0.5 + 0.5 * l_v, 0))
    fresnel = 0.0465 + 0.9535 * edge**5
    white = along(-2 * tilt, 1.0) * (0.25 * SHEEN) * half_phi * fresnel * cos_l
    through = np.exp(-3.65 * cos_phi - 3.98) * along(tilt, 0.5) * 0.42 * cos_l
    inside = np.exp(17 * cos_phi - 16.78) * along(4 * tilt, 2.0) * 0.05 * cos_l
    # Light that went through many fibres: no highlight, more of the fibres' colour, deeper reach.
    cos_d = np.maximum(np.sqrt(np.maximum(0.5 + 0.5 * (cos_l * cos_v + sin_l * sin_v), 0)), 0.3)
    wrap = (0.5 + 0.5 * n_l) * (0.35 + 0.65 * cos_l)
    # Mostly a power of the luminance: on its way light takes on more of the colour, not less.
    bright = np.maximum(luminance(tint), np.float32(0.002))
    share = DIFFUSE / np.pi * (1 - PALE_LOSS * bright) * bright ** (MANY_FIBRES - KEPT_COLOR)
    diffuse = (wrap * share.astype(np.float32))[:, None] * tint**KEPT_COLOR
    direct = left[:, None]
    reach = 0.35 + 0.65 * (1 - np.sqrt(tint))
    colored = (
        through[:, None] * tint ** (0.5 / cos_d)[:, None] * direct
        + inside[:, None] * tint ** (0.8 / cos_d)[:, None] * direct
        + diffuse * direct**reach
    )
    # What shines in the depth of hair is half hidden, too: gloss lies on top of it.
    return white * left * left, colored
