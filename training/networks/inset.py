# SPDX-License-Identifier: Apache-2.0
"""Two scales of one crop: its middle, where the face is, and all of it at half the resolution.

The photo may be twice as fine as the rest; the first convolution brings it to the same size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from relight.stage.view import SIDE
from training.networks.layer import centred, conv, double, u_net


@dataclass(frozen=True)
class InsetConfig:
    """Size of the normals network, and of what the quotient network shares with it.

    Attributes:
        face_widths: channels at 1/2, 1/4, 1/8, ... of the resolution of the crop's middle.
        crop_widths: channels at 1/4, 1/8, 1/16, ... of the whole crop's.
        head_width: channels of the branch that sharpens what lies around the middle.
    """

    face_widths: tuple[int, ...] = (16, 32, 80, 160)
    crop_widths: tuple[int, ...] = (8, 24, 48)
    head_width: int = 8


def crop_features(
    far: dict[str, Any],
    config: InsetConfig,
    outputs: int,
    modulate: Callable[[Any, str], Any] = lambda x, _: x,
) -> tuple[Any, Any]:
    """Features of the whole crop at half its resolution, zero at first, and advice to its middle.

    Args:
        far: what is known of the crop, at that resolution.
        config: sizes.
        outputs: channels of the features.
        modulate: see :func:`u_net`.

    Returns:
        ``(B, S / 2, S / 2, outputs)``, and advice as wide as the middle's coarsest layer.
    """
    inputs = keras.layers.Concatenate(name="crop_inputs")(list(far.values()))
    x = conv(inputs, config.crop_widths[0], "crop_down0", stride=2)
    around = u_net(x, config.crop_widths, modulate, name="crop_")
    coarse = keras.layers.Conv2D(config.head_width, 1, name="head_narrow")(around)
    fine = keras.layers.Conv2D(config.head_width, 1, name="head_inputs")(inputs)
    x = keras.layers.Add(name="head_join")([double(coarse, "head_double"), fine])
    x = conv(keras.layers.ReLU(name="head_relu")(x), config.head_width, "head_refine")
    features = keras.layers.Conv2D(outputs, 1, kernel_initializer="zeros", name="head_out")(x)
    middle = keras.layers.Cropping2D(around.shape[1] // 4, name="advice_middle")(around)
    return features, conv(middle, config.face_widths[-1], "advice", stride=2)


def face_features(
    photo: Any,
    near: list[Any],
    advice: Any,
    config: InsetConfig,
    outputs: int,
    modulate: Callable[[Any, str], Any] = lambda x, _: x,
) -> Any:
    """Features of the crop's middle at its full resolution, zero at the start of training.

    Args:
        photo: of the middle, at that resolution or twice that.
        near: what else is known of it.
        advice: by :func:`crop_features`.
        config: sizes.
        outputs: channels of the features.
        modulate: see :func:`u_net`.

    Returns:
        ``(B, S / 2, S / 2, outputs)``.
    """
    inputs = keras.layers.Concatenate(name="face_inputs")(near) if len(near) > 1 else near[0]
    width = config.face_widths[0]
    fine = photo.shape[1] // inputs.shape[1]
    seen = keras.layers.Conv2D(width, fine + 1, fine, "same", name="face_down0")(centred(photo))
    told = keras.layers.Conv2D(width, 3, 1, "same", name="face_told")(inputs)
    x = keras.layers.ReLU(name="face_relu")(keras.layers.Add(name="face_join")([seen, told]))

    def advise(x: Any) -> Any:
        return keras.layers.Add(name="advice_add")([x, advice])

    x = u_net(x, config.face_widths, modulate, advise, "face_")
    x = conv(x, width, "face_head_refine")
    return keras.layers.Conv2D(outputs, 1, kernel_initializer="zeros", name="face_head_out")(x)


def near_inputs(given: dict[str, Any]) -> dict[str, Any]:
    """The crop's middle, half of its side."""
    return {
        key: keras.layers.Cropping2D(x.shape[1] // 4, name=f"face_{key}")(x)
        for key, x in given.items()
    }


def far_inputs(given: dict[str, Any]) -> dict[str, Any]:
    """The whole crop, at half of :data:`SIDE`."""
    return {
        key: keras.layers.AveragePooling2D(2 * x.shape[1] // SIDE, name=f"crop_{key}")(x)
        for key, x in given.items()
    }
