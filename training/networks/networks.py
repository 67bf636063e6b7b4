# SPDX-License-Identifier: Apache-2.0
"""The three networks: normals, lighting and quotient, as functional Keras 3 models.

All see a face's crop as sRGB in [0, 1], NHWC: the lighting network at
:data:`relight.stage.view.SIDE` pixels, the two others at twice that. Only operations that every
TFLite runtime and phone GPU knows: convolution, pooling, bilinear resizing, addition,
concatenation, cropping, element-wise arithmetic. The first convolution halves the picture and most
of the work is done there. The two others work on the crop's middle, where the face is, at twice the
resolution of the rest.

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

from relight.environment import HEIGHT, WIDTH
from relight.stage.view import FINE
from relight.stage.view import SIDE as SIDE
from training.networks.light_fit import CorrectedLight, NonNegativeFit
from training.networks.output_head import AlbedoDeviation, Inset, KeyGainHead, NormalHead


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


@dataclass(frozen=True)
class QuotientConfig(InsetConfig):
    """Size of the quotient network; these keep a drag within its share of a phone's time.

    Attributes:
        light_width: units that the light's direction is spread over.
    """

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
    x: Any,
    widths: tuple[int, ...],
    modulate: Callable[[Any, str], Any] = lambda x, _: x,
    advise: Callable[[Any], Any] = lambda x: x,
    name: str = "",
) -> Any:
    """Features of the shape of ``x``, which has ``widths[0]`` channels.

    ``modulate`` acts at every scale but the first, ``advise`` at the coarsest.
    """
    x = _residual(x, f"{name}down0_refine")
    skips = [x]
    for level, width in enumerate(widths[1:], 1):
        x = _conv(x, width, f"{name}down{level}", stride=2)
        x = _residual(modulate(x, f"{name}light_down{level}"), f"{name}down{level}_refine")
        skips.append(x)
    x = _residual(advise(x), f"{name}middle")
    for level in range(len(widths) - 2, -1, -1):
        x = keras.layers.Conv2D(widths[level], 1, name=f"{name}up{level}_narrow")(x)
        doubled = _double(x, f"{name}up{level}_double")
        x = keras.layers.Add(name=f"{name}up{level}_skip")([doubled, skips[level]])
        x = _residual(x, f"{name}up{level}")
        if level:
            x = modulate(x, f"{name}light_up{level}")
    return x


def _crop_features(
    far: dict[str, Any],
    config: InsetConfig,
    outputs: int,
    modulate: Callable[[Any, str], Any] = lambda x, _: x,
) -> tuple[Any, Any]:
    """Features of the whole crop at half its resolution, zero at first, and advice to its middle.

    Args:
        far: what is known of it, at that resolution.
        config: sizes.
        outputs: channels of the features.
        modulate: see :func:`_u_net`.

    Returns:
        ``(B, S / 2, S / 2, outputs)``, and advice as wide as the middle's coarsest layer.
    """
    inputs = keras.layers.Concatenate(name="crop_inputs")(list(far.values()))
    x = _conv(inputs, config.crop_widths[0], "crop_down0", stride=2)
    around = _u_net(x, config.crop_widths, modulate, name="crop_")
    coarse = keras.layers.Conv2D(config.head_width, 1, name="head_narrow")(around)
    fine = keras.layers.Conv2D(config.head_width, 1, name="head_inputs")(inputs)
    x = keras.layers.Add(name="head_join")([_double(coarse, "head_double"), fine])
    x = _conv(keras.layers.ReLU(name="head_relu")(x), config.head_width, "head_refine")
    features = keras.layers.Conv2D(outputs, 1, kernel_initializer="zeros", name="head_out")(x)
    middle = keras.layers.Cropping2D(around.shape[1] // 4, name="advice_middle")(around)
    return features, _conv(middle, config.face_widths[-1], "advice", stride=2)


def _face_features(
    photo: Any,
    near: list[Any],
    advice: Any,
    config: InsetConfig,
    outputs: int,
    modulate: Callable[[Any, str], Any] = lambda x, _: x,
) -> Any:
    """Features of the crop's middle at its full resolution, zero at the start of training.

    Args:
        photo: of the middle, at twice that resolution.
        near: what else is known of it.
        advice: by :func:`_crop_features`.
        config: sizes.
        outputs: channels of the features.
        modulate: see :func:`_u_net`.

    Returns:
        ``(B, S / 2, S / 2, outputs)``.
    """
    inputs = keras.layers.Concatenate(name="face_inputs")(near) if len(near) > 1 else near[0]
    width = config.face_widths[0]
    seen = keras.layers.Conv2D(width, 3, 2, "same", name="face_down0")(_centred(photo))
    told = keras.layers.Conv2D(width, 3, 1, "same", name="face_told")(inputs)
    x = keras.layers.ReLU(name="face_relu")(keras.layers.Add(name="face_join")([seen, told]))

    def advise(x: Any) -> Any:
        return keras.layers.Add(name="advice_add")([x, advice])

    x = _u_net(x, config.face_widths, modulate, advise, "face_")
    x = _conv(x, width, "face_head_refine")
    return keras.layers.Conv2D(outputs, 1, kernel_initializer="zeros", name="face_head_out")(x)


def _near(given: dict[str, Any]) -> dict[str, Any]:
    """The crop's middle, half of its side."""
    return {
        key: keras.layers.Cropping2D(x.shape[1] // 4, name=f"face_{key}")(x)
        for key, x in given.items()
    }


def _far(given: dict[str, Any]) -> dict[str, Any]:
    """The whole crop, at half of :data:`SIDE`."""
    return {
        key: keras.layers.AveragePooling2D(2 * x.shape[1] // SIDE, name=f"crop_{key}")(x)
        for key, x in given.items()
    }


def _images(side: int = SIDE, **channels: int) -> list[Any]:
    """Named inputs ``(side, side, C)``."""
    return [keras.Input((side, side, count), name=name) for name, count in channels.items()]


def _centred(photo: Any) -> Any:
    return keras.layers.Rescaling(2.0, -1.0, name="photo_centred")(photo)


# === Functional models ===


def normals_network(config: InsetConfig | None = None) -> keras.Model:
    """Surface normals of the person.

    The face fills the crop's middle, half of its side. That is worked on at the full resolution of
    the normals, with a photo of twice that; the whole crop at half of it.

    Inputs: ``photo`` ``(B, 256, 256, 3)`` sRGB in [0, 1]; ``mesh`` ``(B, 128, 128, 4)`` normals of
    the face mesh in camera frame and its mask, 0 outside.

    Outputs: ``normals`` ``(B, 128, 128, 3)`` unit, camera frame; ``confidence``
    ``(B, 128, 128, 1)`` in [0, 1].
    """
    config = config or InsetConfig()
    (photo,), (mesh,) = _images(FINE * SIDE, photo=3), _images(mesh=4)
    given = {"photo": photo, "mesh": mesh}
    near, far = _near(given), _far(given)
    around, advice = _crop_features(far, config, 4)
    middle = _face_features(near["photo"], [near["mesh"]], advice, config, 4)
    found = Inset(name="inset")(middle, _double(around, "crop_double"))
    normals = NormalHead(name="normals")(mesh, found[..., :3])
    confidence = keras.layers.Activation("sigmoid", name="confidence")(found[..., 3:])
    outputs = {"normals": normals, "confidence": confidence}
    return keras.Model(given, outputs, name="normals_network")


def lighting_network(config: EncoderConfig | None = None) -> keras.Model:
    """The light around the subject, the face serving as the light probe.

    A network judges which pixels to trust and how bright their albedo is; the non-negative map
    whose Lambert shading comes closest is solved for
    (:class:`training.networks.light_fit.NonNegativeFit`); a second branch adds what such a fit
    cannot know: the light behind the face, and what is usual.

    Inputs: ``photo`` ``(B, 128, 128, 3)`` sRGB in [0, 1]; ``normals`` ``(B, 128, 128, 3)`` camera
    frame, unit on the person, 0 outside; ``skin`` ``(B, 128, 128, 1)`` plain, well exposed skin
    (:func:`relight.stage.view.plain_skin`).

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


def quotient_network(config: QuotientConfig | None = None) -> keras.Model:
    """Key gain of one light: what it adds to the photo, as a fraction of what is there.

    The face fills the crop's middle, half of its side. That is worked on at the full resolution of
    the gain, with a photo of twice that; the whole crop at half of it, which tells the other what
    lies around the face.

    Inputs: ``photo`` ``(B, 256, 256, 3)`` sRGB in [0, 1]; ``normals`` ``(B, 128, 128, 3)`` camera
    frame, unit on the person, 0 outside; ``visibility`` ``(B, 128, 128, 1)``, see
    :func:`relight.stage.cast_shadow.light_visibility`;
    ``shading`` ``(B, 128, 128, 3)`` of the light already there
    (:func:`relight.stage.shading.shading`);
    ``light`` ``(B, 4)`` unit vector towards the light and its radius in radians.

    Outputs: ``gain`` ``(B, 128, 128, 3)`` G >= 0 of a white light of unit intensity.
    """
    config = config or QuotientConfig()
    (photo,) = _images(FINE * SIDE, photo=3)
    normals, visibility, shading = _images(normals=3, visibility=1, shading=3)
    light = keras.Input((4,), name="light")
    code = keras.layers.Dense(config.light_width, activation="relu", name="light_code")(light)

    def modulate(x: Any, name: str) -> Any:
        return _film(x, code, name)

    # --- The crop's middle, and all of it at half the resolution

    given = {"photo": photo, "normals": normals, "visibility": visibility, "shading": shading}
    near, far = _near(given), _far(given)
    sharp = near["photo"]
    near["photo"] = keras.layers.AveragePooling2D(FINE, name="face_photo_small")(sharp)
    known = ("photo", "normals", "shading")
    deviations = AlbedoDeviation(name="deviation")(
        [near[k] for k in known], [far[k] for k in known]
    )
    near["deviation"], far["deviation"] = deviations

    # --- Their gains

    features, advice = _crop_features(far, config, 8, modulate)
    head = (far["normals"], light, far["shading"], far["deviation"], features)
    crop_gain = _double(KeyGainHead(name="crop_gain")(*head), "crop_gain_double")
    told = [near[key] for key in ("normals", "visibility", "shading", "deviation")]
    features = _face_features(sharp, told, advice, config, 8, modulate)
    head = (near["normals"], light, near["shading"], near["deviation"], features)
    gain = Inset(name="gain")(KeyGainHead(name="face_gain")(*head), crop_gain)
    return keras.Model(given | {"light": light}, {"gain": gain}, name="quotient_network")


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "normals": normals_network,
    "lighting": lighting_network,
    "quotient": quotient_network,
}
"""How to build each network as it is shipped."""
