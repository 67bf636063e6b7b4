# SPDX-License-Identifier: Apache-2.0
"""The key gain as a quotient, ``G = K / S``: what a key light does, over the light already there.

K comes from the face's shape and the key alone, S from the photo alone, so that a key that moves
leaves S as it is. Gloss is white and lies over the albedo: as a share of the photo it is the
greater the darker the skin.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight.color import channel_mean, over_channels
from relight.environment import Environment
from relight.face.mirror import reflect
from relight.geometry import normalize
from relight.light import Light
from relight.stage.cast_shadow import unshadowed
from relight.stage.shading import belief, mean_irradiance, shading
from relight.stage.view import View

Float = NDArray[np.float32]
Inputs = dict[str, NDArray[Any]]

SHINE = 2.0
"""What the key network's gloss counts for: rendered people, whom it learned from, shine less than
real ones; twice as much carries more of the highlights photographed and errs no more anywhere."""
FLOOR = 0.02
"""Linear value that gloss is divided by at least: black hair and noise do not shine."""
GREY = 1.5 / 255
"""A crop whose channels differ by less is grey."""


class Existing(NamedTuple):
    """The light already there on a face, as the gain of any key needs it.

    Attributes:
        surface: ``(128, 128, 3)`` float32 normals, 0 outside the person.
        lift: ``(128, 128, 3)`` float32, what diffuse light of a key counts for: ``1 / S``.
        shine: ``(128, 128, 3)`` float32, what gloss counts for: radiance of a white surface in the
            mean light on the face over the photo's.
    """

    surface: Float
    lift: Float
    shine: Float

    def gain(self, key: Float, gloss: float) -> Float:
        """Key gain G ``(128, 128, 3)`` float32 >= 0.

        Args:
            key: ``(128, 128, 2)`` diffuse shading under a key of unit irradiance, and gloss over
                the radiance of a white surface facing it.
            gloss: factor on the gloss.
        """
        return key[..., :1] * self.lift + np.float32(gloss) * key[..., 1:] * self.shine


def existing(view: View, surface: Float, environment: Environment, log_shading: Float) -> Existing:
    """What any key needs to know of the light already there.

    Args:
        view: the face.
        surface: ``(128, 128, 3)`` normals, crop's frame, 0 outside the person.
        environment: the light already there, crop's frame.
        log_shading: ``(128, 128, 3)`` natural logarithm of the shading it makes, against the mean
            on the face.
    """
    level = mean_irradiance(environment, surface, view.face)
    return existing_at(view, surface, level, log_shading)


def existing_at(view: View, surface: Float, level: float, log_shading: Float) -> Existing:
    """The same where the mean irradiance over pi on the face is known already: ``level``."""
    if is_grey(view):
        log_shading = np.repeat(log_shading.mean(-1, keepdims=True), 3, -1)  # it stays grey
    shine = np.float32(level) / np.maximum(view.linear, FLOOR)
    return Existing(surface, np.exp(-log_shading), shine)


def is_grey(view: View) -> bool:
    """Whether a face's crop has no colour."""
    most, least = (over_channels(extreme, view.photo) for extreme in (np.maximum, np.minimum))
    return bool((most - least).max() < GREY)


def shading_inputs(view: View, surface: Float, environment: Environment) -> Inputs:
    """What the shading network is told of a face, by name.

    Args:
        view: the face.
        surface: ``(128, 128, 3)`` normals, crop's frame, 0 outside the person.
        environment: the light already there, crop's frame.
    """
    lit = shading(environment, surface, view.face)
    images = view.images
    seen = np.concatenate([view.photo, channel_mean(lit)[..., None]], -1).astype(np.float32)
    return {
        "photo": view.photo,
        "mirrored": np.concatenate([reflect(seen, images), images.trust[..., None]], -1),
        "normals": surface,
        "shading": lit,
        "face": _drawn(view),
        "belief": np.array([belief(lit, view.face)], np.float32),
    }


def key_inputs(view: View, surface: Float, light: Light) -> Inputs:
    """What the key network is told of a face and a light, by name.

    Args:
        view: the face.
        surface: ``(128, 128, 3)`` normals, crop's frame, 0 outside the person.
        light: the key, its direction in the crop's frame.
    """
    radius = math.radians(light.softness_deg)
    return {
        "normals": surface,
        "unshadowed": unshadowed(view.mesh, light.direction, radius)[..., None],
        "face": _drawn(view),
        "light": np.array([*light.direction, radius], np.float32),
    }


def between(view: View, normals: Float) -> Float:
    """Normals between estimated ones and the mesh's: their mean errs less than either.

    Args:
        view: the face.
        normals: ``(128, 128, 3)`` estimated unit normals, crop's frame.

    Returns:
        ``(128, 128, 3)`` float32, 0 outside the person.
    """
    found = normalize(view.mesh.normals + normals)
    return np.asarray(found * view.person[..., None], np.float32)


def _drawn(view: View) -> Float:
    """The face mesh as the networks see it, ``(128, 128, 1)``."""
    return view.face[..., None].astype(np.float32)
