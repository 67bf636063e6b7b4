# SPDX-License-Identifier: Apache-2.0
"""The face as a light probe, inside the lighting network: a light fit that can be trained through.

It is the fit of :mod:`training.analytic.light_fit` in ``keras.ops``. The fit itself has no weights;
the trust in each pixel and its albedo are learned.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from relight.color import LUMINANCE
from training.analytic.light_fit import (
    COARSE,
    SKIN_ALBEDO,
    WHITE_LEVEL,
    cell_roots,
    cell_vectors,
    descend,
)
from training.networks.series import linear_light

PACKAGE = "portrait_relight"

CELLS = 32
"""Side of the picture that it is fitted to."""
STEPS = 16
"""Accelerated gradient steps. With the ridge chosen by the direction of single lamps on ten people
of Extended Yale B: another third of steps or of ridge gains 0.1 degrees there and loses as much or
more on rendered people."""
UNCERTAIN = 0.005
"""Weight of pixels that are not plain skin; they count if a face shows none."""
RIDGE = 1e-2
"""Weight of the light's energy against the shading's error: only half a sphere is seen."""
TILT_DEG = 2.5
"""By so much the light that a face shows is taken to be lower than it looks. Beards, lips and the
shade of the brow make lamps seem higher than they are: on average by 3.6 degrees on Extended Yale
B's people, by 2.9 on rendered ones and 9.9 on a scanned head. It is less than that:
lamps above 50 degrees seem lower."""
FLOOR = 0.12
"""Radiance added everywhere, over the mean, as its logarithm is taken."""
BLACK = 5e-3
"""Radiance added everywhere, in the photo's units."""
SATURATION = 0.5
"""Share of the fitted light's colour that is kept, as it cannot be told from albedo."""
FACE_RADIUS = (0.19, 0.23)
"""Half width and height of a face in its crop, as shares of the crop's side."""
ASIDE, ABOVE = 6, 4
"""Cells left out on either side, and above and below: outside of 1.6 such radii none is trusted."""


@keras.saving.register_keras_serializable(PACKAGE)
class NonNegativeFit(keras.layers.Layer):
    """The non-negative environment whose Lambert shading comes closest to a crop's."""

    def call(self, photo: Any, normals: Any, skin: Any, judged: Any) -> Any:
        """Fit.

        Args:
            photo: ``(B, S, S, 3)`` sRGB in [0, 1].
            normals: ``(B, S, S, 3)`` camera frame, 0 outside the person.
            skin: ``(B, S, S, 1)`` in [0, 1], plain and well exposed skin.
            judged: ``(B, 32, 32, 2)`` logit of the trust in each cell, added to that of an
                ellipse where faces lie in crops, and logarithm of its albedo over the face's mean.

        Returns:
            ``(B, 8, 16, 3)`` natural logarithm of radiance.
        """
        factor = photo.shape[1] // CELLS
        shrink = {"pool_size": factor, "strides": factor}
        photo, normals, skin = (_middle(x, factor) for x in (photo, normals, skin))
        judged = _middle(judged, 1)
        linear = ops.average_pool(linear_light(photo), **shrink)
        normals = ops.average_pool(normals, **shrink)
        length = ops.sum(normals * normals, -1, keepdims=True)
        normals = normals * ops.rsqrt(length + 1e-4)
        trust = ops.sigmoid(
            judged[..., :1] + ops.convert_to_tensor(_middle(_face_logit()[None], 1))
        )
        weight = length * (ops.average_pool(skin, **shrink) + UNCERTAIN) * trust
        weight = weight / (ops.sum(weight, (1, 2), keepdims=True) + 1e-6)
        mean = ops.sum(linear * weight, (1, 2), keepdims=True) + 1e-4
        level = ops.sum(mean * ops.convert_to_tensor(LUMINANCE), -1, keepdims=True)
        albedo = mean / level * ops.sqrt(level * (SKIN_ALBEDO / WHITE_LEVEL))
        shading = linear / (albedo * ops.exp(ops.clip(judged[..., 1:], -2.0, 2.0)))
        roots = cell_roots().astype(np.float32)
        rows = (CELLS - 2 * ABOVE) * (CELLS - 2 * ASIDE)
        basis = ops.relu(
            ops.matmul(ops.reshape(normals, (-1, rows, 3)), ops.convert_to_tensor(_raised_cells()))
        )
        weighted = ops.transpose(basis * ops.reshape(weight, (-1, rows, 1)), (0, 2, 1))
        ridge = RIDGE * np.eye(len(roots), dtype=np.float32)
        gram = ops.matmul(weighted, basis) + ops.convert_to_tensor(ridge)
        target = ops.matmul(weighted, ops.reshape(shading, (-1, rows, 3)))
        # No eigenvalue of a matrix without negative entries exceeds its largest row's sum.
        step = 1 / ops.max(ops.sum(gram, -1, keepdims=True), 1, keepdims=True)
        solution = descend(gram, target, step, STEPS, ops.relu)
        solution = solution / ops.convert_to_tensor(roots[:, None])
        grey = ops.sum(solution * ops.convert_to_tensor(LUMINANCE), -1, keepdims=True)
        radiance = grey + SATURATION * (solution - grey)
        radiance = radiance + FLOOR * ops.mean(grey, 1, keepdims=True) + BLACK
        return ops.reshape(ops.log(radiance), (-1, COARSE, 2 * COARSE, 3))


@keras.saving.register_keras_serializable(PACKAGE)
class MirrorImage(keras.layers.Layer):
    """Pictures with left and right exchanged.

    Args:
        opposed: channels that change their sign with it.
    """

    def __init__(self, opposed: tuple[int, ...] = (), **others: Any) -> None:
        super().__init__(**others)
        self._opposed = tuple(opposed)

    def get_config(self) -> dict[str, Any]:
        """What makes another such layer."""
        return {**super().get_config(), "opposed": self._opposed}

    def call(self, pictures: Any) -> Any:
        """``(B, S, S, C)`` both."""
        turned = ops.flip(pictures, 2)
        if not self._opposed:
            return turned
        sign = np.ones(pictures.shape[-1], np.float32)
        sign[list(self._opposed)] = -1
        return turned * ops.convert_to_tensor(sign)


def _raised_cells() -> Any:
    """Vectors of :func:`cell_vectors` turned up by :data:`TILT_DEG`, ``(3, 128)``.

    What comes from there counts for the cell.
    """
    sin, cos = np.sin(np.radians(TILT_DEG)), np.cos(np.radians(TILT_DEG))
    raised = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
    return (raised @ cell_vectors()).astype(np.float32)


def _middle(picture: Any, factor: int) -> Any:
    """The part of a picture ``(B, S, S, C)`` of so many pixels a cell that is fitted to."""
    down, across = ABOVE * factor, ASIDE * factor
    return picture[:, down:-down, across:-across]


def _face_logit() -> Any:
    """Logit ``(32, 32, 1)`` of an ellipse where faces lie in their crops."""
    at = (np.arange(CELLS, dtype=np.float32) + 0.5) / CELLS - 0.5
    x, y = np.meshgrid(at / FACE_RADIUS[0], at / FACE_RADIUS[1])
    return (10 * (1 - np.hypot(x, y)))[..., None].clip(-6, 6).astype(np.float32)
