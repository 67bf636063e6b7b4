# SPDX-License-Identifier: Apache-2.0
"""The lighting network, as a functional Keras 3 model.

Reference: LeGendre et al. 2020, "Learning Illumination from Diverse Portraits" (log-HDR lighting).
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from relight.environment import HEIGHT, WIDTH
from training.networks.layer import centred, conv, double, images, residual
from training.networks.light_layer import CorrectedLight, NonNegativeFit


@dataclass(frozen=True)
class EncoderConfig:
    """Size of the lighting network.

    Attributes:
        widths: channels at 1/2, 1/4, ... of the crop's resolution, down to 4 x 4 cells.
        code: units between face and light.
        map_width: channels in which the environment map is drawn.
    """

    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    code: int = 128
    map_width: int = 32


def lighting_network(config: EncoderConfig | None = None) -> keras.Model:
    """The light around the subject, the face serving as the light probe.

    The network estimates which pixels to trust and how bright their albedo is, and solves for the
    non-negative map whose Lambert shading comes closest
    (:class:`training.networks.light_layer.NonNegativeFit`); a second branch adds what such a fit
    cannot know: the light behind the face.

    Inputs: ``photo`` ``(B, 128, 128, 3)`` sRGB in [0, 1]; ``normals`` ``(B, 128, 128, 3)`` camera
    frame, unit on the person, 0 outside; ``skin`` ``(B, 128, 128, 1)`` plain, well exposed skin
    (:func:`relight.stage.view.plain_skin`).

    Outputs: ``log_environment`` ``(B, 16, 32, 3)`` natural logarithm of radiance in the photo's
    linear units, lat-long, camera frame.
    """
    config = config or EncoderConfig()
    photo, normals, skin = images(photo=3, normals=3, skin=1)
    x = keras.layers.Concatenate(name="inputs")([centred(photo), normals, skin])
    x = residual(conv(x, config.widths[0], "down0", stride=2), "down0_refine")
    x = residual(conv(x, config.widths[1], "down1", stride=2), "down1_refine")
    judged = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", name="trust_and_albedo")(x)
    fitted = NonNegativeFit(name="fit")(photo, normals, skin, judged)
    for level, width in enumerate(config.widths[2:], 2):
        x = residual(conv(x, width, f"down{level}", stride=2), f"down{level}_refine")
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(config.code, activation="relu", name="code")(x)
    rows, columns = HEIGHT // 2, WIDTH // 2
    half = config.map_width // 2
    x = keras.layers.Dense(rows * columns * half, activation="relu", name="map_code")(x)
    x = keras.layers.Reshape((rows, columns, half), name="map_coarse")(x)
    x = keras.layers.Concatenate(name="map_join")([x, fitted])
    x = residual(conv(x, config.map_width, "map_widen"), "map_refine")
    x = residual(double(x, "map_double"), "map_sharpen")
    change = keras.layers.Conv2D(3, 1, kernel_initializer="zeros", name="map_change")(x)
    out = CorrectedLight(name="log_environment")(double(fitted, "fit_double"), change)
    given = {"photo": photo, "normals": normals, "skin": skin}
    return keras.Model(given, {"log_environment": out}, name="lighting_network")
