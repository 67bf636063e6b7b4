# SPDX-License-Identifier: Apache-2.0
"""Blocks of layers that the networks share.

Only operations that every TFLite runtime and phone GPU knows: convolution, pooling, bilinear
resizing, addition, concatenation, cropping, element-wise arithmetic.

References:
    Ronneberger et al. 2015, "U-Net: Convolutional Networks for Biomedical Image Segmentation".
    Perez et al. 2018, "FiLM: Visual Reasoning with a General Conditioning Layer" (the light's
    direction).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from relight.stage.view import SIDE


def conv(x: Any, width: int, name: str, *, size: int = 3, stride: int = 1) -> Any:
    """A convolution and a ReLU."""
    return keras.layers.Conv2D(
        width, size, stride, "same", activation="relu", kernel_initializer="he_normal", name=name
    )(x)


def residual(x: Any, name: str) -> Any:
    """``x + conv(x)``."""
    return keras.layers.Add(name=f"{name}_add")([x, conv(x, x.shape[-1], name)])


def film(x: Any, code: Any, name: str) -> Any:
    """Scale and shift the channels by the light."""
    width = x.shape[-1]
    scale, shift = (
        keras.layers.Reshape((1, 1, width), name=f"{name}_{kind}_map")(
            keras.layers.Dense(width, kernel_initializer="zeros", name=f"{name}_{kind}")(code)
        )
        for kind in ("scale", "shift")
    )
    scaled = keras.layers.Multiply(name=f"{name}_multiply")([x, scale])
    return keras.layers.Add(name=f"{name}_add")([x, scaled, shift])


def double(x: Any, name: str) -> Any:
    """Twice as many rows and columns, bilinear."""
    return keras.layers.UpSampling2D(2, interpolation="bilinear", name=name)(x)


def u_net(
    x: Any,
    widths: tuple[int, ...],
    modulate: Callable[[Any, str], Any] = lambda x, _: x,
    advise: Callable[[Any], Any] = lambda x: x,
    name: str = "",
) -> Any:
    """Features of the shape of ``x``, which has ``widths[0]`` channels.

    ``modulate`` acts at every scale but the first, ``advise`` at the coarsest.
    """
    x = residual(x, f"{name}down0_refine")
    skips = [x]
    for level, width in enumerate(widths[1:], 1):
        x = conv(x, width, f"{name}down{level}", stride=2)
        x = residual(modulate(x, f"{name}light_down{level}"), f"{name}down{level}_refine")
        skips.append(x)
    x = residual(advise(x), f"{name}middle")
    for level in range(len(widths) - 2, -1, -1):
        x = keras.layers.Conv2D(widths[level], 1, name=f"{name}up{level}_narrow")(x)
        doubled = double(x, f"{name}up{level}double")
        x = keras.layers.Add(name=f"{name}up{level}_skip")([doubled, skips[level]])
        x = residual(x, f"{name}up{level}")
        if level:
            x = modulate(x, f"{name}light_up{level}")
    return x


def images(side: int = SIDE, **channels: int) -> list[Any]:
    """Named inputs ``(side, side, C)``."""
    return [keras.Input((side, side, count), name=name) for name, count in channels.items()]


def centred(photo: Any) -> Any:
    """A photo in [0, 1] brought to [-1, 1]."""
    return keras.layers.Rescaling(2.0, -1.0, name="photo_centred")(photo)
