# SPDX-License-Identifier: Apache-2.0
"""The lighting network, as a functional Keras 3 model.

Reference: LeGendre et al. 2020, "Learning Illumination from Diverse Portraits" (log-HDR lighting).
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from training.networks.layer import centred, conv, double, images, residual
from training.networks.light_layer import MirrorImage, NonNegativeFit

MIRRORED_X = 3
"""The normals' x among the channels photo, normals and skin: its sign changes in a mirror image."""


@dataclass(frozen=True)
class LightingConfig:
    """Size of the lighting network.

    Attributes:
        widths: channels at 1/2 and 1/4 of the crop's resolution.
    """

    widths: tuple[int, int] = (16, 32)


def lighting_network(config: LightingConfig | None = None) -> keras.Model:
    """The light around the subject, the face serving as the light probe.

    The network estimates which pixels to trust and how bright their albedo is, the mean of what it
    says of the photo and of its mirror image (Extended Yale B's lamps are found 0.2 degrees nearer
    than with either), and solves for the non-negative map whose Lambert shading comes closest
    (:class:`training.networks.light_layer.NonNegativeFit`). What a face does not show, the light
    behind it, is not guessed.

    Inputs: ``photo`` ``(B, 128, 128, 3)`` sRGB in [0, 1]; ``normals`` ``(B, 128, 128, 3)`` camera
    frame, unit on the person, 0 outside; ``skin`` ``(B, 128, 128, 1)`` plain, well exposed skin
    (:func:`relight.stage.view.plain_skin`).

    Outputs: ``log_environment`` ``(B, 16, 32, 3)`` natural logarithm of radiance in the photo's
    linear units, lat-long, camera frame.
    """
    config = config or LightingConfig()
    photo, normals, skin = images(photo=3, normals=3, skin=1)
    seen = keras.layers.Concatenate(name="inputs")([centred(photo), normals, skin])
    judge = _judgement(config)
    other = judge(MirrorImage((MIRRORED_X,), name="mirrored")(seen))
    both = keras.layers.Average(name="both")([judge(seen), MirrorImage(name="back")(other)])
    fitted = NonNegativeFit(name="fit")(photo, normals, skin, both)
    out = double(fitted, "log_environment")
    given = {"photo": photo, "normals": normals, "skin": skin}
    return keras.Model(given, {"log_environment": out}, name="lighting_network")


def _judgement(config: LightingConfig) -> keras.Model:
    """Trust in each cell and its albedo, ``(B, 32, 32, 2)``, of photo, normals and skin."""
    (seen,) = images(seen=7)
    x = seen
    for level, width in enumerate(config.widths):
        x = residual(conv(x, width, f"down{level}", stride=2), f"down{level}_refine")
    judged = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", name="trust_and_albedo")(x)
    return keras.Model(seen, judged, name="judgement")
