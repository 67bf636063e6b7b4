# SPDX-License-Identifier: Apache-2.0
"""Shading: how bright light makes a surface, for a key light and for the light already there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance, over_channels
from relight.environment import HEIGHT, Environment, directions
from relight.face.mirror import Mirror, reflect
from relight.geometry import smoothstep

Float = NDArray[np.float32]

SHADING_LIMIT = 2.5
"""Darkest and brightest existing light, in logarithms against the mean, that is divided by."""
NO_LIGHT = 1e-6
"""Irradiance that darkness counts as, so that its logarithm is finite; the limit hides it."""
BELIEF = (0.3, 1.3)
"""Factor on the estimated light's shading, from soft light to hard (by the residual of three people
of Extended Yale B): soft light is overrated, since it is hardly told from albedo, and hard light is
underrated, since a face does not show how little comes from elsewhere."""
HARDNESS = (0.12, 0.45)
"""Deviation of that shading over the face, in logarithms, by which soft and hard are told."""
BLACK = 0.02
"""Encoded value below which a pixel's light is not told from noise."""
DARKEST, LIGHTEST = -3.5, 2.5
"""Least and largest shading, in logarithms against the face's mean, that is divided by."""

CAST = 0.8
"""Share of the colour by which plain skin differs from the rest of the face's that is its light's:
the shade of a nose or of hair is red, and multiplied it would glow. The rest is the skin's own."""
CAST_LIMIT = (0.5, 0.9)
"""Largest such difference of a channel, in logarithms, between which it ceases to be light's and is
that of hair over the skin."""
CAST_BLUR = 1.5
"""Width in pixels over which it is averaged: freckles are no light."""
COVER_BLUR = 1.0
"""Width in pixels over which skin and what lies over it give way to each other."""
TRUSTED = 0.5
"""Trust from which a pixel counts as skin."""
DIM = 0.01
"""Linear value below which colours are noise."""


def visibility(normals: Float, direction: NDArray[Any]) -> Float:
    """Light visibility map ``max(0, n.l)`` of Lambert's law, ``(R, R)``."""
    return np.maximum(normals @ np.asarray(direction, np.float32), 0)


def shading(environment: Environment, normals: Float, face: NDArray[np.bool_]) -> Float:
    """How bright the light already there makes a white surface, against the face's mean.

    Args:
        environment: the existing light.
        normals: ``(R, R, 3)`` camera frame, unit on the person, 0 outside.
        face: ``(R, R)`` the visible face.

    Returns:
        ``(R, R, 3)`` float32: natural logarithm of the irradiance over its luminance's mean on the
        face, within plus and minus :data:`SHADING_LIMIT`; 0 outside the person.
    """
    # Irradiance is smooth: a table over the map's directions is exact to a percent.
    table = Environment(environment.irradiance(directions(HEIGHT)))
    irradiance = table.sample(normals)
    mean = luminance(irradiance[face]).mean() if face.any() else luminance(table.data).mean()
    relative = np.log(np.maximum(irradiance, NO_LIGHT) / max(float(mean), NO_LIGHT))
    limited = np.clip(relative, -SHADING_LIMIT, SHADING_LIMIT)
    return (limited * over_channels(np.add, normals**2)[..., None]).astype(np.float32)


def mean_irradiance(environment: Environment, normals: Float, face: NDArray[np.bool_]) -> float:
    """Luminance of the irradiance over pi, mean over a face: what a key of intensity 1 equals.

    Args:
        environment: the existing light.
        normals: ``(R, R, 3)`` unit normals, in the same frame.
        face: ``(R, R)`` mask of the visible face; where it is empty, the result is 1.
    """
    if not face.any():
        return 1.0
    return float(luminance(environment.irradiance(normals[face]).mean(0)))


def belief(shading: Float, face: NDArray[np.bool_]) -> float:
    """How far an estimated light's shading is believed.

    Args:
        shading: ``(R, R, 3)`` by :func:`shading`.
        face: ``(R, R)`` the visible face.

    Returns:
        Within :data:`BELIEF`.
    """
    low, high = BELIEF
    spread = float(shading[face].mean(-1).std()) if face.any() else 0.0
    hard = (spread - HARDNESS[0]) / (HARDNESS[1] - HARDNESS[0])
    return low + (high - low) * min(max(hard, 0.0), 1.0)


def existing_shading(
    estimated: Float, photo: Float, mirror: Mirror, believed: float, face: NDArray[np.bool_]
) -> Float:
    """The shading of the light already there, from the estimated light and the face's symmetry.

    Both halves of a face have the same albedo, so half of the logarithm by which a point differs
    from its mirror image is the odd part of the shading, cast shadows included. The estimated light
    tells the even part, and all of it where there is no mirror image.

    Args:
        estimated: ``(R, R, 3)`` by :func:`shading`.
        photo: ``(R, R, 3)`` sRGB in [0, 1].
        mirror: the mirror images.
        believed: by :func:`belief`.
        face: ``(R, R)`` the visible face.

    Returns:
        ``(R, R, 3)`` float32 natural logarithm; its exponential's mean over the face is 1.
    """
    light = estimated * np.float32(believed)
    grey = light.mean(-1)
    odd = log_light(photo) - log_light(reflect(photo, mirror))
    known = grey - reflect(grey, mirror)
    found = light + ((odd - known) / 2 * mirror.trust)[..., None]
    found = np.clip(found, DARKEST, LIGHTEST)
    mean = np.exp(found[face]).mean() if face.any() else 1.0
    return (found - np.log(np.float32(mean))).astype(np.float32)


def log_light(photo: Float) -> Float:
    """Natural logarithm of a photo's linear light, ``(R, R, 3)`` sRGB to ``(R, R)``."""
    grey = (photo.mean(-1) + np.float32(0.055)) / np.float32(1.055)
    least = np.float32((BLACK + 0.055) / 1.055)
    return np.float32(2.4) * np.log(np.maximum(grey, least))


class SkinColors(NamedTuple):
    """How the colours of a face differ from its skin's.

    Attributes:
        seen: ``(R, R, 3)`` the photo in linear light, no darker than colours are told in.
        plain: ``(R, R)`` bool, plain skin.
        apart: ``(R, R, 3)`` logarithms of colours over brightness, against the usual of plain skin.
        other: ``(R, R)`` 0 where they differ as light does, 1 where hair's do.
    """

    seen: Float
    plain: NDArray[np.bool_]
    apart: Float
    other: Float


def skin_colors(linear: Float, skin: Float) -> SkinColors:
    """Tell them.

    Args:
        linear: ``(R, R, 3)`` the photo in linear light.
        skin: ``(R, R)`` in [0, 1], trust in a pixel as plain skin.
    """
    plain = skin > TRUSTED
    seen = np.maximum(linear, np.float32(DIM))
    apart: Float = np.log(seen / luminance(seen)[..., None])
    if plain.any():
        apart -= np.sort(apart[plain], 0)[int(plain.sum()) // 2]
    return SkinColors(
        seen, plain, apart, smoothstep(over_channels(np.maximum, np.abs(apart)), *CAST_LIMIT)
    )


def cast(colors: SkinColors) -> Float:
    """What the colour of the light already there, on plain skin, adds to its shading.

    Returns:
        ``(R, R, 3)`` natural logarithm, 0 off the skin; a light without it is as bright.
    """
    import cv2

    seen, plain, apart, other = colors
    trust = (1 - other) * plain
    share = cv2.GaussianBlur(trust, (0, 0), CAST_BLUR)
    part = cv2.GaussianBlur((apart * trust[..., None]).astype(np.float32), (0, 0), CAST_BLUR)
    weight = trust / np.maximum(share, np.float32(TRUSTED))
    found = np.float32(CAST) * part * weight[..., None]
    return found + np.log(luminance(seen * np.exp(-found)) / luminance(seen))[..., None]


def uncovered(log_shading: Float, smooth: Float, colors: SkinColors) -> Float:
    """Shading without the darkness of hair that lies over a face.

    Hair is darker than the skin at its mirror image and so passes for skin in shadow; a key would
    light it up as a glowing strip. What has another colour than the face's skin is no darker than a
    smooth light makes it.

    Args:
        log_shading: ``(R, R, 3)`` natural logarithm of the shading.
        smooth: ``(R, R, 1)`` that of the estimated light.
        colors: of the face.
    """
    import cv2

    cover = (colors.other * colors.plain).astype(np.float32)
    cover = cv2.GaussianBlur(cover, (0, 0), COVER_BLUR)
    return log_shading + cover[..., None] * np.maximum(smooth - log_shading, 0)
