# SPDX-License-Identifier: Apache-2.0
"""The quotient network, as a functional Keras 3 model.

Reference: Google, "Portrait Light" (2020): light visibility map in, quotient image out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from relight.stage.view import FINE, SIDE
from training.networks.inset import (
    InsetConfig,
    crop_features,
    face_features,
    far_inputs,
    near_inputs,
)
from training.networks.layer import double, film, images
from training.networks.physical_head import AlbedoDeviation, Inset, KeyGainHead


@dataclass(frozen=True)
class QuotientConfig(InsetConfig):
    """Size of the quotient network; these keep a drag within its share of a phone's time.

    Attributes:
        light_width: units that the light's direction is spread over.
    """

    light_width: int = 64


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
    (photo,) = images(FINE * SIDE, photo=3)
    normals, visibility, shading = images(normals=3, visibility=1, shading=3)
    light = keras.Input((4,), name="light")
    code = keras.layers.Dense(config.light_width, activation="relu", name="light_code")(light)

    def modulate(x: Any, name: str) -> Any:
        return film(x, code, name)

    # --- The crop's middle, and all of it at half the resolution

    given = {"photo": photo, "normals": normals, "visibility": visibility, "shading": shading}
    near, far = near_inputs(given), far_inputs(given)
    sharp = near["photo"]
    near["photo"] = keras.layers.AveragePooling2D(FINE, name="face_photo_small")(sharp)
    known = ("photo", "normals", "shading")
    deviations = AlbedoDeviation(name="deviation")(
        [near[k] for k in known], [far[k] for k in known]
    )
    near["deviation"], far["deviation"] = deviations

    # --- Their gains

    features, advice = crop_features(far, config, 8, modulate)
    head = (far["normals"], light, far["shading"], far["deviation"], features)
    crop_gain = double(KeyGainHead(name="crop_gain")(*head), "crop_gain_double")
    told = [near[key] for key in ("normals", "visibility", "shading", "deviation")]
    features = face_features(sharp, told, advice, config, 8, modulate)
    head = (near["normals"], light, near["shading"], near["deviation"], features)
    gain = Inset(name="gain")(KeyGainHead(name="face_gain")(*head), crop_gain)
    return keras.Model(given | {"light": light}, {"gain": gain}, name="quotient_network")
