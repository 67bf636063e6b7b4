# SPDX-License-Identifier: Apache-2.0
"""The quotient in two networks: the shading already there, once a face, and each key's own.

``G = (diffuse + gloss * level / photo) / exp(log shading)``, see :mod:`relight.stage.key`. Both
start exactly at the formula: their last layers are zero. A light that is dragged runs the small
key network alone, and the photo cannot mislead it about the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from training.networks.layer import centred, conv, double, film, images, u_net
from training.split.split_head import KeyHead, LogAlbedo, ShadingHead


@dataclass(frozen=True)
class ShadingConfig:
    """Size of the shading network.

    Attributes:
        widths: channels at 1/2, 1/4, ... of the crop's resolution.
        head_width: channels at its full resolution.
    """

    widths: tuple[int, ...] = (16, 32, 64, 96)
    head_width: int = 8


@dataclass(frozen=True)
class KeyConfig:
    """Size of the key network; a drag of the light runs it for every picture.

    Attributes:
        widths: channels at 1/2, 1/4, ... of the crop's resolution.
        head_width: channels at its full resolution.
        light_width: units that the light's direction is spread over.
    """

    widths: tuple[int, ...] = (12, 24, 48, 64)
    head_width: int = 8
    light_width: int = 32


def shading_network(config: ShadingConfig | None = None) -> keras.Model:
    """The shading of the light already there.

    Inputs: ``photo`` ``(B, 128, 128, 3)`` sRGB in [0, 1]; ``mirrored`` ``(B, 128, 128, 5)``: photo
    and mean of ``shading`` as each point's mirror image has them, and the trust in it
    (:mod:`relight.face.mirror`); ``normals`` ``(B, 128, 128, 3)`` camera frame, unit on the person,
    0 outside; ``shading`` ``(B, 128, 128, 3)`` of the estimated light
    (:func:`relight.stage.shading.shading`); ``face`` ``(B, 128, 128, 1)`` the face mesh;
    ``belief`` ``(B, 1)`` (:func:`relight.stage.shading.belief`).

    Outputs: ``log_shading`` ``(B, 128, 128, 3)`` natural logarithm; 0 is the face's mean.
    """
    config = config or ShadingConfig()
    photo, mirrored = images(photo=3, mirrored=5)
    normals, shading, face = images(normals=3, shading=3, face=1)
    belief = keras.Input((1,), name="belief")
    albedo = LogAlbedo(name="albedo")(photo, shading, face)
    narrow = keras.layers.Concatenate(name="narrow")([face, albedo])  # XNNPACK joins up to five
    told = [centred(photo), mirrored, normals, shading, narrow]
    inputs = keras.layers.Concatenate(name="inputs")(told)
    change = changes(inputs, config.widths, config.head_width, 4)
    given = {"photo": photo, "mirrored": mirrored, "normals": normals, "shading": shading}
    given |= {"face": face, "belief": belief}
    out = ShadingHead(name="log_shading")(photo, mirrored, shading, belief, face, change)
    return keras.Model(given, {"log_shading": out}, name="shading_network")


def key_network(config: KeyConfig | None = None) -> keras.Model:
    """What one key light does to a face of known shape.

    Inputs: ``normals`` ``(B, 128, 128, 3)`` camera frame, unit on the person, 0 outside;
    ``unshadowed`` ``(B, 128, 128, 1)``, see :func:`relight.stage.cast_shadow.unshadowed`;
    ``face`` ``(B, 128, 128, 1)`` the face mesh; ``light`` ``(B, 4)`` unit vector towards the light
    and its radius in radians.

    Outputs: ``key`` ``(B, 128, 128, 2)``: diffuse shading, and gloss over a white surface's
    radiance, under a key of unit irradiance.
    """
    config = config or KeyConfig()
    normals, unshadowed, face = images(normals=3, unshadowed=1, face=1)
    light = keras.Input((4,), name="light")
    code = keras.layers.Dense(config.light_width, activation="relu", name="light_code")(light)
    plain = KeyHead(name="plain")(normals, unshadowed, light)
    told = [normals, unshadowed, face, *plain]
    inputs = keras.layers.Concatenate(name="inputs")(told)
    change = changes(inputs, config.widths, config.head_width, 3, code)
    given = {"normals": normals, "unshadowed": unshadowed, "face": face, "light": light}
    parts = KeyHead(name="parts")(normals, unshadowed, light, change)
    out = keras.layers.Concatenate(name="key")(parts)
    return keras.Model(given, {"key": out}, name="key_network")


def changes(
    inputs: Any, widths: tuple[int, ...], head_width: int, outputs: int, code: Any = None
) -> Any:
    """Changes of the formula at its full resolution, zero at the start of training."""

    def modulate(x: Any, name: str) -> Any:
        return x if code is None else film(x, code, name)

    x = u_net(conv(inputs, widths[0], "down0", stride=2), widths, modulate)
    coarse = keras.layers.Conv2D(head_width, 1, name="head_narrow")(x)
    fine = keras.layers.Conv2D(head_width, 1, name="head_inputs")(inputs)
    x = keras.layers.Add(name="head_join")([double(coarse, "head_double"), fine])
    x = conv(keras.layers.ReLU(name="head_relu")(x), head_width, "head_refine")
    return keras.layers.Conv2D(outputs, 1, kernel_initializer="zeros", name="change")(x)
