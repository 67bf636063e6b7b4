# SPDX-License-Identifier: Apache-2.0
"""Physical output layers of the normals and quotient networks: exact before any training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from training.networks.light_layer import FACE_RADIUS, PACKAGE

SOFTNESS = 0.1
"""Width of the rounded corner of ``max(0, n.l)``, so that its gradient never vanishes."""
SEAM = 8
"""Cells over which the middle's result blends into the whole crop's."""


@keras.saving.register_keras_serializable(PACKAGE)
class NormalHead(keras.layers.Layer):
    """Unit normals from the mesh's and a correction; (0, 0, 1) is corrected outside the mesh."""

    def call(self, mesh: Any, correction: Any) -> Any:
        """``(B, S, S, 4)`` mesh normals and mask, ``(B, S, S, 3)``; gives ``(B, S, S, 3)``."""
        forward = np.array([0, 0, 1], np.float32)
        # (x, y, z + 1 - mask), as a convolution, which is fastest.
        known = np.concatenate([np.eye(3), -forward[None]]).astype(np.float32)
        bent = ops.conv(mesh, known[None, None]) + forward + correction
        # Accurate enough in 8-bit integers, unlike _unit.
        return bent * ops.rsqrt(_channel_sum(bent * bent) + 1e-6)


@keras.saving.register_keras_serializable(PACKAGE)
class AlbedoDeviation(keras.layers.Layer):
    """How far the photo over the existing light departs from the face's mean, in logarithms.

    Where that varies finely it is albedo; where it follows shadows it is an error of the existing
    light, since a face's albedo is nearly the same everywhere.
    """

    def call(self, face: list[Any], crop: list[Any]) -> Any:
        """Divide and compare.

        Args:
            face: photo, normals and logarithmic shading ``(B, S, S, 3)`` each of the crop's middle,
                half of its side.
            crop: the same of the whole crop, ``(B, S', S', 3)``.

        Returns:
            ``(B, S, S, 1)`` and ``(B, S', S', 1)``.
        """
        photo, normals, shading = face
        albedo = _log_albedo(photo, shading)
        person = _channel_sum(normals * normals)
        dim = _channel_sum(photo) / 3  # dark pixels tell little
        weight = ops.convert_to_tensor(_face_weight(photo.shape[1])) * person * dim
        total = ops.mean(albedo * weight, (1, 2), keepdims=True)
        mean = total / (ops.mean(weight, (1, 2), keepdims=True) + 1e-7)
        around = _log_albedo(crop[0], crop[2])
        return ops.clip(albedo - mean, -3.0, 3.0), ops.clip(around - mean, -3.0, 3.0)


@keras.saving.register_keras_serializable(PACKAGE)
class KeyGainHead(keras.layers.Layer):
    """Key gain: Lambert's law times visibility, over the light already there.

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


@keras.saving.register_keras_serializable(PACKAGE)
class Inset(keras.layers.Layer):
    """Puts the result for the crop's middle into that for the whole crop."""

    def call(self, middle: Any, whole: Any) -> Any:
        """``(B, S / 2, S / 2, C)`` into ``(B, S, S, C)``, blended at its rim."""
        side = middle.shape[1]
        at = np.arange(side, dtype=np.float32) + 0.5
        ramp = np.clip(np.minimum(at, side - at) / SEAM, 0, 1)
        share = np.minimum.outer(ramp, ramp)[..., None]
        start = side // 2
        change = middle - whole[:, start : start + side, start : start + side]
        around = ((0, 0), (start, start), (start, start), (0, 0))
        return ops.pad(change * ops.convert_to_tensor(share), around) + whole


def _log_albedo(photo: Any, shading: Any) -> Any:
    return 2.4 * ops.log(_channel_sum(photo) / 3 + 0.055) - _channel_sum(shading) / 3


def _face_weight(side: int) -> Any:
    """``(S, S, 1)``: 1 where faces lie in the middle of their crops, falling to 0 around them."""
    at = 0.5 * ((np.arange(side, dtype=np.float32) + 0.5) / side - 0.5)
    x, y = np.meshgrid(at / FACE_RADIUS[0], at / FACE_RADIUS[1])
    return np.clip(10 * (1 - np.hypot(x, y)), 0, 1)[..., None].astype(np.float32)


def _unit(vectors: Any) -> Any:
    length = ops.sqrt(_channel_sum(vectors * vectors) + 1e-6)
    return vectors / ops.maximum(length, 1e-3)  # a bare root's inverse is slow in TFLite


def _channel_sum(vectors: Any) -> Any:
    """``(..., 3)`` to ``(..., 1)``, by operations that TFLite's fast kernels have."""
    return ops.conv(vectors, np.ones((1, 1, 3, 1), np.float32))
