# SPDX-License-Identifier: Apache-2.0
"""The normals network, as a functional Keras 3 model."""

from __future__ import annotations

import keras

from training.networks.inset import (
    InsetConfig,
    crop_features,
    face_features,
    far_inputs,
    near_inputs,
)
from training.networks.layer import double, images
from training.networks.physical_head import Inset, NormalHead


def normals_network(config: InsetConfig | None = None) -> keras.Model:
    """Surface normals of the person.

    The face fills the crop's middle, half of its side. That is worked on at its full resolution,
    the whole crop at half of it.

    Inputs: ``photo`` ``(B, 128, 128, 3)`` sRGB in [0, 1]; ``mesh`` ``(B, 128, 128, 4)`` normals of
    the face mesh in camera frame and its mask, 0 outside.

    Outputs: ``normals`` ``(B, 128, 128, 3)`` unit, camera frame; ``confidence``
    ``(B, 128, 128, 1)`` in [0, 1].
    """
    config = config or InsetConfig()
    photo, mesh = images(photo=3, mesh=4)
    given = {"photo": photo, "mesh": mesh}
    near, far = near_inputs(given), far_inputs(given)
    around, advice = crop_features(far, config, 4)
    middle = face_features(near["photo"], [near["mesh"]], advice, config, 4)
    found = Inset(name="inset")(middle, double(around, "crop_double"))
    normals = NormalHead(name="normals")(mesh, found[..., :3])
    confidence = keras.layers.Activation("sigmoid", name="confidence")(found[..., 3:])
    outputs = {"normals": normals, "confidence": confidence}
    return keras.Model(given, outputs, name="normals_network")
