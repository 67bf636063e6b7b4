# SPDX-License-Identifier: Apache-2.0
"""Physical heads of the shading and key networks: the formula, and bounded changes of it.

Without changes they are :func:`relight.stage.shading.existing_shading` and
:mod:`relight.stage.key`, number for number.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from relight.stage import key
from relight.stage.shading import BLACK, DARKEST, LIGHTEST
from training.networks.light_layer import PACKAGE
from training.networks.series import logarithm, softplus

BRIGHTNESS_CHANGE = 1.5
"""Largest change of the shading's logarithm,"""
COLOR_CHANGE = 0.4
"""and of that of each colour beside it."""
TURN = 0.4
"""Largest change of the cosine between surface and key,"""
KEY_CHANGE = 1.2
"""of the logarithm of the key's diffuse light, shadows included,"""
GLOSS_CHANGE = 3.0
"""and of the logarithm of its gloss: skin shines, cloth does not."""
CHANGES = np.array([BRIGHTNESS_CHANGE, *[COLOR_CHANGE] * 3])
"""The shading's, as the network gives them,"""
SHARED = np.concatenate([np.ones((1, 3)), np.eye(3)])
"""and what colour each goes to."""
MIRRORED_GREY, MIRRORED_SHADING, MIRRORED_TRUST = np.split(
    np.array([[1 / 3, 1 / 3, 1 / 3, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]).T, 3, 1
)
"""The mirror image's parts among its channels."""
LEAST_LIGHT = (BLACK + 0.055) / 1.055
"""Keeps logarithms of black finite."""


@keras.saving.register_keras_serializable(PACKAGE)
class ShadingHead(keras.layers.Layer):
    """Logarithm of the existing shading; its mean over the face is 1 in linear light."""

    def call(
        self, photo: Any, mirrored: Any, shading: Any, belief: Any, face: Any, change: Any
    ) -> Any:
        """Put the formula together and change it.

        Args:
            photo: ``(B, S, S, 3)`` sRGB in [0, 1].
            mirrored: ``(B, S, S, 5)`` photo and shading's mean as their mirror images have them,
                and the trust in these.
            shading: ``(B, S, S, 3)`` of the estimated light, logarithm.
            belief: ``(B, 1)`` in it.
            face: ``(B, S, S, 1)`` the face mesh.
            change: ``(B, S, S, 4)``: of brightness, and of each colour.

        Returns:
            ``(B, S, S, 3)``.
        """
        believed = ops.reshape(belief, (-1, 1, 1, 1))
        odd = log_light(mean(photo)) - log_light(mixed(mirrored, MIRRORED_GREY))
        known = (mean(shading) - mixed(mirrored, MIRRORED_SHADING)) * believed
        correction = 0.5 * (odd - known) * mixed(mirrored, MIRRORED_TRUST)
        changed = mixed(ops.tanh(mixed(change, np.diag(1 / CHANGES))), CHANGES[:, None] * SHARED)
        found = shading * believed + mixed(correction, np.ones((1, 3))) + changed
        found = ops.clip(found, DARKEST, LIGHTEST)
        total = ops.mean(mean(ops.exp(found)) * face, (1, 2), keepdims=True)
        share = ops.mean(face, (1, 2), keepdims=True)
        return found - ops.log((total + 1e-6) / (share + 1e-6))


@keras.saving.register_keras_serializable(PACKAGE)
class KeyHead(keras.layers.Layer):
    """Diffuse shading and gloss of a key."""

    def call(self, normals: Any, unshadowed: Any, light: Any, change: Any = None) -> list[Any]:
        """Put the formula together and change it.

        Args:
            normals: ``(B, S, S, 3)`` camera frame, unit on the person.
            unshadowed: ``(B, S, S, 1)`` share of the light that the face leaves free.
            light: ``(B, 4)`` unit vector towards it and radius.
            change: ``(B, S, S, 3)``: of the cosine, the diffuse light and the gloss; ``None`` is
                the formula itself.

        Returns:
            Both ``(B, S, S, 1)``.
        """
        towards = light[:, :3]
        cosine = dot(normals, towards)
        half = towards + np.array([0, 0, 1], np.float32)
        half = half * ops.rsqrt(ops.sum(half * half, -1, keepdims=True) + 1e-6)
        raised = ops.relu(dot(normals, half)) ** 2  # powers by products: exact and fast
        fourth = raised * raised
        lobe = fourth * fourth * fourth
        lit = ops.clip(cosine * key.SHARPNESS, 0.0, 1.0)
        gloss = key.GLOSS * lobe * lit * unshadowed
        if change is not None:
            cosine = cosine + bounded(change, 0, TURN)
        soft = softplus(key.SHARPNESS * cosine) / key.SHARPNESS
        diffuse = soft * (key.IN_SHADOW + (1 - key.IN_SHADOW) * unshadowed)
        if change is not None:
            diffuse = diffuse * ops.exp(bounded(change, 1, KEY_CHANGE))
            gloss = gloss * ops.exp(bounded(change, 2, GLOSS_CHANGE))
        return [diffuse, gloss]


@keras.saving.register_keras_serializable(PACKAGE)
class LogAlbedo(keras.layers.Layer):
    """Logarithm of the photo over the estimated light, against its mean on the face."""

    def call(self, photo: Any, shading: Any, face: Any) -> Any:
        """``(B, S, S, 3)`` sRGB, ``(B, S, S, 3)``, ``(B, S, S, 1)``; gives ``(B, S, S, 1)``."""
        found = log_light(mean(photo)) - mean(shading)
        total = ops.mean(found * face, (1, 2), keepdims=True)
        share = ops.mean(face, (1, 2), keepdims=True)
        return ops.clip(found - total / (share + 1e-6), -3.0, 3.0)


def log_light(grey: Any) -> Any:
    """Natural logarithm of the linear light of a photo's grey ``(..., 1)``, sRGB in [0, 1]."""
    return 2.4 * logarithm(ops.maximum((grey + 0.055) / 1.055, LEAST_LIGHT))


def bounded(change: Any, channel: int, most: float) -> Any:
    """One channel's change: itself where it is small, and never more than ``most``."""
    pick = np.eye(change.shape[-1])[:, channel : channel + 1]
    return most * ops.tanh(mixed(change, pick / most))


def mean(values: Any) -> Any:
    """Mean of the channels, ``(B, S, S, 1)``."""
    count = values.shape[-1]
    return mixed(values, np.full((count, 1), 1 / count))


def mixed(values: Any, shares: Any) -> Any:
    """Channels as sums of others, ``(C, D)``.

    A phone slices, joins and scales single channels of a picture ten times slower.
    """
    return ops.matmul(values, np.asarray(shares, np.float32))


def dot(normals: Any, towards: Any) -> Any:
    """Cosine ``(B, S, S, 1)`` between normals and one direction ``(B, 3)`` a sample."""
    _, rows, columns, _ = normals.shape
    flat = ops.reshape(normals, (-1, rows * columns, 3))
    found = ops.matmul(flat, ops.reshape(towards, (-1, 3, 1)))
    return ops.reshape(found, (-1, rows, columns, 1))
