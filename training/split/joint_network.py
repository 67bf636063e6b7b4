# SPDX-License-Identifier: Apache-2.0
"""Shading and key in one network that sees everything at once: what the split is weighed against.

Its outputs are bounded around the same formula, and it costs a run for every light.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from relight.stage.view import FINE, SIDE
from training.networks.layer import centred, images
from training.split.split_head import KeyHead, LogAlbedo, ShadingHead
from training.split.split_network import changes


@dataclass(frozen=True)
class JointConfig:
    """Size of the network.

    Attributes:
        widths: channels at 1/2, 1/4, ... of the crop's resolution.
        head_width: channels at its full resolution.
        light_width: units that the light's direction is spread over.
    """

    widths: tuple[int, ...] = (16, 32, 64, 96)
    head_width: int = 12
    light_width: int = 32


def joint_network(config: JointConfig | None = None) -> keras.Model:
    """The existing shading and what a key adds, by one network.

    Inputs and outputs are those of :func:`training.split.split_network.shading_network` and
    :func:`training.split.split_network.key_network` together.
    """
    config = config or JointConfig()
    (photo,) = images(FINE * SIDE, photo=3)
    mirrored, normals, shading, face, unshadowed = images(
        mirrored=5, normals=3, shading=3, face=1, unshadowed=1
    )
    belief, light = keras.Input((1,), name="belief"), keras.Input((4,), name="light")
    small = keras.layers.AveragePooling2D(FINE, name="photo_small")(photo)
    code = keras.layers.Dense(config.light_width, activation="relu", name="light_code")(light)
    plain = KeyHead(name="plain")(normals, unshadowed, light)
    albedo = LogAlbedo(name="albedo")(small, shading, face)
    told = [centred(small), mirrored, normals, shading, face, albedo, unshadowed, *plain]
    inputs = keras.layers.Concatenate(name="inputs")(told)
    change = changes(inputs, config.widths, config.head_width, 7, code)
    of_shading, of_key = change[..., :4], change[..., 4:]
    log_shading = ShadingHead(name="log_shading")(
        small, mirrored, shading, belief, face, of_shading
    )
    parts = KeyHead(name="parts")(normals, unshadowed, light, of_key)
    key = keras.layers.Concatenate(name="key")(parts)
    given = {"photo": photo, "mirrored": mirrored, "normals": normals, "shading": shading}
    given |= {"face": face, "belief": belief, "unshadowed": unshadowed, "light": light}
    return keras.Model(given, {"log_shading": log_shading, "key": key}, name="joint_network")
