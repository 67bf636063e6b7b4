# SPDX-License-Identifier: Apache-2.0
"""The three networks: normals, lighting and quotient, as functional Keras 3 models.

All see a face's crop at :data:`relight.view.SIDE` pixels as sRGB in [0, 1], NHWC. Only operations
that every TFLite runtime and phone GPU knows: convolution, bilinear resizing, addition,
concatenation, element-wise arithmetic. The first convolution halves the picture and most of the
work is done there; a light branch at full resolution sharpens the result.

References:
    Ronneberger et al. 2015, "U-Net: Convolutional Networks for Biomedical Image Segmentation".
    Perez et al. 2018, "FiLM: Visual Reasoning with a General Conditioning Layer" (the light's
    direction). Google, "Portrait Light" (2020): light visibility map in, quotient image out.
    LeGendre et al. 2020, "Learning Illumination from Diverse Portraits" (log-HDR lighting).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from relight.environment import HEIGHT, WIDTH
from relight.view import SIDE as SIDE
from training.probe import FACE_RADIUS, PACKAGE, CorrectedLight, NonNegativeFit

SOFTNESS = 0.1
"""Width of the rounded corner of ``max(0, n.l)``, so that its gradient never dies."""


@dataclass(frozen=True)
class UNetConfig:
    """Size of the normals and quotient networks.

    Attributes:
        widths: channels at 1/2, 1/4, 1/8, ... of the crop's resolution; these four keep a drag of
            the light within three times the cost of MediaPipe's face landmarks.
        head_width: channels of the branch at full resolution.
        light_width: units that the light's direction is spread over.
    """

    widths: tuple[int, ...] = (16, 32, 80, 160)
    head_width: int = 8
    light_width: int = 64


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


# === Layers ===


@keras.saving.register_keras_serializable(PACKAGE)
class NormalHead(keras.layers.Layer):
    """Unit normals from the mesh's and a correction; (0, 0, 1) is corrected outside the mesh."""

    def call(self, mesh: Any, correction: Any) -> Any:
        """``(B, S, S, 4)`` mesh normals and mask, ``(B, S, S, 3)``; gives ``(B, S, S, 3)``."""
        outside = 1 - mesh[..., 3:]
        x, y, z = mesh[..., 0:1], mesh[..., 1:2], mesh[..., 2:3] + outside
        bent = ops.concatenate([x, y, z], -1) + correction
        # Slower in TFLite than _unit, and exact enough in 8-bit integers, where _unit is not.
        return bent * ops.rsqrt(ops.sum(bent * bent, -1, keepdims=True) + 1e-6)


@keras.saving.register_keras_serializable(PACKAGE)
class AlbedoDeviation(keras.layers.Layer):
    """How much the photo over the existing light departs from the face's mean, in logarithms.

    What the division leaves is albedo where it varies finely, and an error of the existing light
    where it follows shadows; a face's own albedo is nearly the same everywhere.
    """

    def call(self, photo: Any, normals: Any, shading: Any) -> Any:
        """``(B, S, S, 3)`` each, ``shading`` logarithmic; gives ``(B, S, S, 1)``."""
        grey = _channel_sum(photo) / 3
        albedo = 2.4 * ops.log(grey + 0.055) - _channel_sum(shading) / 3
        person = _channel_sum(normals * normals)
        weight = ops.convert_to_tensor(_face_weight()) * person * grey  # dark pixels tell little
        total = ops.mean(albedo * weight, (1, 2), keepdims=True)
        mean = total / (ops.mean(weight, (1, 2), keepdims=True) + 1e-7)
        return ops.clip(albedo - mean, -3.0, 3.0)


@keras.saving.register_keras_serializable(PACKAGE)
class KeyGainHead(keras.layers.Layer):
    """Key gain of a physical head: Lambert, times visibility, over the light already there.

    ``G = soft_max(0, n.l) * 2 sigmoid(visibility) * exp(correction - shading - trust deviation)``:
    where ``trust`` is 0 it is Lambert's law over the existing light given, where it is 1 the lit
    skin is as bright as the face's mean, whatever the photo shows.
    """

    def call(self, normals: Any, light: Any, shading: Any, deviation: Any, features: Any) -> Any:
        """``(B, S, S, 3)``, ``(B, 4)``, ``(B, S, S, 3)``, ``(B, S, S, 1)``, ``(B, S, S, 8)``.

        Returns:
            ``(B, S, S, 3)``.
        """
        corrected = _unit(normals + 0.5 * features[..., :3])
        direction = ops.reshape(light[:, :3], (-1, 1, 1, 3))
        cosine = _channel_sum(corrected * direction)
        lambert = 0.5 * (cosine + ops.sqrt(cosine * cosine + SOFTNESS**2))
        visible = 2 * ops.sigmoid(2 * features[..., 3:4])
        known = shading + ops.sigmoid(2 * features[..., 7:8]) * deviation
        return lambert * visible * ops.exp(ops.clip(features[..., 4:7] - known, -5.0, 5.0))


def _face_weight() -> Any:
    """``(S, S, 1)``: 1 where faces lie in their crops, falling to 0 around them."""
    at = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE - 0.5
    x, y = np.meshgrid(at / FACE_RADIUS[0], at / FACE_RADIUS[1])
    return np.clip(10 * (1 - np.hypot(x, y)), 0, 1)[..., None].astype(np.float32)


def _unit(vectors: Any) -> Any:
    length = ops.sqrt(_channel_sum(vectors * vectors) + 1e-6)
    return vectors / ops.maximum(length, 1e-3)  # a bare root's inverse is slow in TFLite


def _channel_sum(vectors: Any) -> Any:
    """``(..., 3)`` to ``(..., 1)``, by operations that TFLite's fast kernels have."""
    return ops.conv(vectors, np.ones((1, 1, 3, 1), np.float32))


def _conv(x: Any, width: int, name: str, *, size: int = 3, stride: int = 1) -> Any:
    return keras.layers.Conv2D(
        width, size, stride, "same", activation="relu", kernel_initializer="he_normal", name=name
    )(x)


def _residual(x: Any, name: str) -> Any:
    """``x + conv(x)``."""
    return keras.layers.Add(name=f"{name}_add")([x, _conv(x, x.shape[-1], name)])


def _film(x: Any, code: Any, name: str) -> Any:
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


def _double(x: Any, name: str) -> Any:
    return keras.layers.UpSampling2D(2, interpolation="bilinear", name=name)(x)


def _u_net(
    x: Any, widths: tuple[int, ...], modulate: Callable[[Any, str], Any] = lambda x, _: x
) -> Any:
    """Features ``(B, S / 2, S / 2, widths[0])``; ``modulate`` acts at every scale but the first."""
    x = _residual(_conv(x, widths[0], "down0", stride=2), "down0_refine")
    skips = [x]
    for level, width in enumerate(widths[1:], 1):
        x = modulate(_conv(x, width, f"down{level}", stride=2), f"light_down{level}")
        x = _residual(x, f"down{level}_refine")
        skips.append(x)
    x = _residual(x, "middle")
    for level in range(len(widths) - 2, -1, -1):
        x = keras.layers.Conv2D(widths[level], 1, name=f"up{level}_narrow")(x)
        x = keras.layers.Add(name=f"up{level}_skip")(
            [_double(x, f"up{level}_double"), skips[level]]
        )
        x = _residual(x, f"up{level}")
        if level:
            x = modulate(x, f"light_up{level}")
    return x


def _full_resolution(features: Any, inputs: Any, width: int, outputs: int) -> Any:
    """From half to full resolution, sharpened by the inputs; zero at the start of training."""
    coarse = keras.layers.Conv2D(width, 1, name="head_narrow")(features)
    fine = keras.layers.Conv2D(width, 1, name="head_inputs")(inputs)
    x = keras.layers.Add(name="head_join")([_double(coarse, "head_double"), fine])
    x = _conv(keras.layers.ReLU(name="head_relu")(x), width, "head_refine")
    return keras.layers.Conv2D(outputs, 1, kernel_initializer="zeros", name="head_out")(x)


def _images(**channels: int) -> list[Any]:
    """Named inputs ``(S, S, C)``."""
    return [keras.Input((SIDE, SIDE, count), name=name) for name, count in channels.items()]


def _centred(photo: Any) -> Any:
    return keras.layers.Rescaling(2.0, -1.0, name="photo_centred")(photo)


# === Functional models ===


def normals_network(config: UNetConfig | None = None) -> keras.Model:
    """Surface normals of the person.

    Inputs: ``photo`` ``(B, 128, 128, 3)`` sRGB in [0, 1]; ``mesh`` ``(B, 128, 128, 4)`` normals of
    the face mesh in camera frame and its mask, 0 outside.

    Outputs: ``normals`` ``(B, 128, 128, 3)`` unit, camera frame; ``confidence``
    ``(B, 128, 128, 1)`` in [0, 1].
    """
    config = config or UNetConfig()
    photo, mesh = _images(photo=3, mesh=4)
    inputs = keras.layers.Concatenate(name="inputs")([_centred(photo), mesh])
    features = _full_resolution(_u_net(inputs, config.widths), inputs, config.head_width, 4)
    normals = NormalHead(name="normals")(mesh, features[..., :3])
    confidence = keras.layers.Activation("sigmoid", name="confidence")(features[..., 3:])
    return keras.Model(
        {"photo": photo, "mesh": mesh},
        {"normals": normals, "confidence": confidence},
        name="normals_network",
    )


def lighting_network(config: EncoderConfig | None = None) -> keras.Model:
    """The light around the subject, the face serving as the light probe.

    A network judges which pixels to trust and how bright their albedo is; the non-negative map
    whose Lambert shading comes closest is solved for (:class:`training.probe.NonNegativeFit`); a
    second branch adds what such a fit cannot know: the light behind the face, and what is usual.

    Inputs: ``photo`` ``(B, 128, 128, 3)`` sRGB in [0, 1]; ``normals`` ``(B, 128, 128, 3)`` camera
    frame, unit on the person, 0 outside; ``skin`` ``(B, 128, 128, 1)`` plain, well exposed skin
    (:func:`relight.view.plain_skin`).

    Outputs: ``log_environment`` ``(B, 16, 32, 3)`` natural logarithm of radiance in the photo's
    linear units, lat-long, camera frame.
    """
    config = config or EncoderConfig()
    photo, normals, skin = _images(photo=3, normals=3, skin=1)
    x = keras.layers.Concatenate(name="inputs")([_centred(photo), normals, skin])
    x = _residual(_conv(x, config.widths[0], "down0", stride=2), "down0_refine")
    x = _residual(_conv(x, config.widths[1], "down1", stride=2), "down1_refine")
    judged = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", name="trust_and_albedo")(x)
    fitted = NonNegativeFit(name="fit")(photo, normals, skin, judged)
    for level, width in enumerate(config.widths[2:], 2):
        x = _residual(_conv(x, width, f"down{level}", stride=2), f"down{level}_refine")
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(config.code, activation="relu", name="code")(x)
    rows, columns = HEIGHT // 2, WIDTH // 2
    half = config.map_width // 2
    x = keras.layers.Dense(rows * columns * half, activation="relu", name="map_code")(x)
    x = keras.layers.Reshape((rows, columns, half), name="map_coarse")(x)
    x = keras.layers.Concatenate(name="map_join")([x, fitted])
    x = _residual(_conv(x, config.map_width, "map_widen"), "map_refine")
    x = _residual(_double(x, "map_double"), "map_sharpen")
    change = keras.layers.Conv2D(3, 1, kernel_initializer="zeros", name="map_change")(x)
    out = CorrectedLight(name="log_environment")(_double(fitted, "fit_double"), change)
    given = {"photo": photo, "normals": normals, "skin": skin}
    return keras.Model(given, {"log_environment": out}, name="lighting_network")


def quotient_network(config: UNetConfig | None = None) -> keras.Model:
    """Key gain of one light: what it adds to the photo, as a fraction of what is there.

    Inputs: ``photo`` ``(B, 128, 128, 3)`` sRGB in [0, 1]; ``normals`` ``(B, 128, 128, 3)`` camera
    frame, unit on the person, 0 outside; ``visibility`` ``(B, 128, 128, 1)`` = max(0, n.l);
    ``shading`` ``(B, 128, 128, 3)`` of the light already there (:func:`relight.quotient.shading`);
    ``light`` ``(B, 4)`` unit vector towards the light and its radius in radians.

    Outputs: ``gain`` ``(B, 128, 128, 3)`` G >= 0 of a white light of unit intensity.
    """
    config = config or UNetConfig()
    photo, normals, visibility, shading = _images(photo=3, normals=3, visibility=1, shading=3)
    light = keras.Input((4,), name="light")
    deviation = AlbedoDeviation(name="deviation")(photo, normals, shading)
    known = keras.layers.Concatenate(name="known")([shading, deviation])
    inputs = keras.layers.Concatenate(name="inputs")(  # of four: TFLite has no fast kernel for five
        [_centred(photo), normals, visibility, known]
    )
    code = keras.layers.Dense(config.light_width, activation="relu", name="light_code")(light)

    def modulate(x: Any, name: str) -> Any:
        return _film(x, code, name)

    features = _u_net(inputs, config.widths, modulate)
    features = _full_resolution(features, inputs, config.head_width, 8)
    gain = KeyGainHead(name="gain")(normals, light, shading, deviation, features)
    given = {"photo": photo, "normals": normals, "visibility": visibility, "shading": shading}
    return keras.Model(given | {"light": light}, {"gain": gain}, name="quotient_network")


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "normals": normals_network,
    "lighting": lighting_network,
    "quotient": quotient_network,
}
"""How to build each network as it is shipped."""
