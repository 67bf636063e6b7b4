# SPDX-License-Identifier: Apache-2.0
"""Losses and figures of the three networks, in ``keras.ops`` for any backend.

References:
    LeGendre et al. 2020, "Learning Illumination from Diverse Portraits", section 3.3 (the spheres
    that an environment is judged by). Sun et al. 2019, "Single Image Portrait Relighting", section
    4 (solid-angle weighted log loss). Eigen et al. 2014, "Depth Map Prediction from a Single
    Image", section 3.2 (errors at the best scale).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from relight.color import LUMINANCE
from relight.environment import (
    HEIGHT,
    WIDTH,
    Environment,
    directions,
    solid_angles,
    sphere_normals,
)

Float = NDArray[np.float32]
Loss = Callable[[Any, Any], Any]

SPHERE_SIDE = 16
"""Pixels along the spheres that environments are compared on."""
DARKEST = 1e-3
"""Added to radiance before logarithms."""
INTENSITIES = (0.5, 2.0, 6.0)
"""Intensities k at which ``log(1 + k G)`` is compared."""
TURN = (0.3, 3.0)
"""Weight of the dominant direction's error, 1 - cos, and how it grows for light from in front,
which faces show and which a key is placed by."""
RESIDUAL = 3.0
"""Weight of the added light's residual against its logarithm's and the relit picture's error."""
BODY = 0.2
"""Weight of hair, neck and clothes against 1 on the face."""


# --- Normals: target (B, S, S, 5): normals, mask, face; prediction (B, S, S, 4): and confidence


def normals_loss(target: Any, predicted: Any) -> Any:
    """Chord between true and estimated normals, and the error of the confidence, ``(B,)``."""
    chord = _chord(target, predicted)
    weight = target[..., 3] * (BODY + (1 - BODY) * target[..., 4])
    error = _mean(chord, weight)
    quality = ops.stop_gradient(target[..., 3] * ops.clip(1 - chord / 0.8, 0.0, 1.0))
    return error + 0.1 * ops.mean((predicted[..., 3] - quality) ** 2, (1, 2))


def normal_deg(target: Any, predicted: Any) -> Any:
    """Mean angle in degrees inside the face mesh, ``(B,)``."""
    cosine = ops.sum(target[..., :3] * predicted[..., :3], -1)
    angle = ops.arccos(ops.clip(cosine, -1 + 1e-6, 1 - 1e-6)) * (180 / np.pi)
    return _mean(angle, target[..., 4])


def _chord(target: Any, predicted: Any) -> Any:
    """Length of the difference of unit vectors: nearly the angle, linear in it."""
    difference = target[..., :3] - predicted[..., :3]
    return ops.sqrt(ops.sum(difference * difference, -1) + 1e-4)


# --- Lighting: target (B, 16, 32, 3) radiance; prediction its logarithm


def lighting_loss(target: Any, predicted: Any) -> Any:
    """Log radiance by solid angle, the three spheres, and the dominant direction, ``(B,)``."""
    weight = ops.convert_to_tensor(solid_angles(HEIGHT)[None] / (4 * np.pi))
    log_error = ops.abs(ops.log(target + DARKEST) - predicted)
    loss = 0.1 * ops.sum(ops.mean(log_error, -1) * weight, (1, 2))
    ahead = ops.relu(_moment(target)[..., 2])
    turned = (TURN[0] + TURN[1] * ahead) * (1 - _direction_cosine(target, predicted))
    return loss + sphere_error(target, predicted) + turned


def sphere_error(target: Any, predicted: Any) -> Any:
    """Mean absolute error on the three spheres over the diffuse sphere's mean, ``(B,)``."""
    radiance = ops.exp(ops.clip(predicted, -12.0, 12.0))
    diffuse, silver, mirror = sphere_matrices()
    true, seen = (_rendered(diffuse, light) for light in (target, radiance))
    level = ops.mean(true, (1, 2)) + DARKEST
    total = 2 * (ops.mean(ops.abs(true - seen), (1, 2)) / level)
    scale = ops.reshape(level, (-1, 1, 1))
    for weight, matrix in ((0.5, silver), (0.25, mirror)):
        # Reflections of lamps are thousands of times brighter than the rest: compress them.
        true, seen = (ops.sqrt(_rendered(matrix, x) / scale) for x in (target, radiance))
        total = total + weight * ops.mean(ops.abs(true - seen), (1, 2))
    return total


def light_deg(target: Any, predicted: Any) -> Any:
    """Angle in degrees between the dominant directions, ``(B,)``."""
    cosine = _direction_cosine(target, predicted)
    return ops.arccos(ops.clip(cosine, -1 + 1e-6, 1 - 1e-6)) * (180 / np.pi)


def _direction_cosine(target: Any, predicted: Any) -> Any:
    true, seen = (_moment(light) for light in (target, ops.exp(ops.clip(predicted, -12.0, 12.0))))
    return ops.sum(true * seen, -1)


@functools.cache
def sphere_matrices() -> tuple[Float, Float, Float]:
    """Diffuse, matte silver and mirror sphere as matrices ``(P, 512)`` acting on a map's radiance.

    ``P`` counts the pixels inside a sphere of :data:`SPHERE_SIDE` pixels.
    """
    inside = sphere_normals(SPHERE_SIDE)[1].reshape(-1) > 0.5
    count = HEIGHT * WIDTH
    columns: list[list[Float]] = [[], [], []]
    for i in range(0, count, 3):  # three pixels at a time, one in each colour
        basis = np.zeros((count, 3), np.float32)
        for c in range(min(3, count - i)):
            basis[i + c, c] = 1
        spheres = Environment(basis.reshape(HEIGHT, WIDTH, 3)).spheres(SPHERE_SIDE)
        for kind, sphere in zip(columns, spheres, strict=True):
            kind.append(sphere.reshape(-1, 3)[inside])
    diffuse, silver, mirror = (np.concatenate(c, 1)[:, :count] for c in columns)
    return diffuse, silver, mirror


def _rendered(matrix: Float, radiance: Any) -> Any:
    """A sphere's pixels ``(B, P, 3)`` under maps ``(B, 16, 32, 3)``."""
    flat = ops.reshape(radiance, (-1, HEIGHT * WIDTH, 3))
    return ops.matmul(ops.convert_to_tensor(matrix)[None], flat)


@functools.cache
def _moments() -> Float:
    """``(512, 3)``: sums luminance to the first moment of a map."""
    moment = directions(HEIGHT) * solid_angles(HEIGHT)[..., None]
    return np.ascontiguousarray(moment.reshape(-1, 3), np.float32)


def _moment(radiance: Any) -> Any:
    grey = ops.sum(radiance * ops.convert_to_tensor(LUMINANCE), -1)
    moment = ops.matmul(ops.reshape(grey, (-1, HEIGHT * WIDTH)), ops.convert_to_tensor(_moments()))
    return moment / (ops.norm(moment, axis=-1, keepdims=True) + 1e-9)


# --- Quotient: target (B, S, S, 8): gain, photo's linear light, mask, face; prediction the gain


def quotient_loss(target: Any, predicted: Any) -> Any:
    """Added light, its logarithm, its edges and the relit picture, ``(B,)``."""
    gain, photo = target[..., :3], target[..., 3:6]
    weight = target[..., 6] * (BODY + (1 - BODY) * target[..., 7])
    log_error: Any = 0.0
    for k in INTENSITIES:
        difference = ops.abs(ops.log(1 + k * predicted) - ops.log(1 + k * gain))
        log_error = log_error + _mean(ops.mean(difference, -1), weight) / len(INTENSITIES)
    relit = ops.abs(_encoded(photo * (1 + predicted)) - _encoded(photo * (1 + gain)))
    true, seen = ops.log(1 + 2 * gain), ops.log(1 + 2 * predicted)
    error = true - seen
    edges = _mean(
        ops.mean(ops.abs(error[:, 1:] - error[:, :-1]), -1), weight[:, 1:] * weight[:, :-1]
    ) + _mean(
        ops.mean(ops.abs(error[:, :, 1:] - error[:, :, :-1]), -1),
        weight[:, :, 1:] * weight[:, :, :-1],
    )
    residual = RESIDUAL * _residual(photo * gain, photo * predicted, weight)
    return residual + log_error + 3 * _mean(ops.mean(relit, -1), weight) + edges


def added_light_residual(target: Any, predicted: Any) -> Any:
    """Energy of the added light's error at the best scale over the light's own, face, ``(B,)``."""
    photo = target[..., 3:6]
    return _residual(photo * target[..., :3], photo * predicted, target[..., 7])


def _residual(true: Any, seen: Any, weight: Any) -> Any:
    weight = weight[..., None]
    cross, own, energy = (
        ops.sum(a * b * weight, (1, 2, 3)) for a, b in ((true, seen), (seen, seen), (true, true))
    )
    scale = cross / (own + 1e-6)
    return (energy - 2 * scale * cross + scale * scale * own) / (energy + 1e-5)


def _encoded(linear: Any) -> Any:
    """Close to the sRGB curve, with a gradient at black."""
    return (linear + 0.01) ** (1 / 2.4)


def _mean(values: Any, weight: Any) -> Any:
    """Weighted mean over a picture, ``(B,)``."""
    return ops.sum(values * weight, (1, 2)) / (ops.sum(weight, (1, 2)) + 1.0)


LOSSES: dict[str, Loss] = {
    "normals": normals_loss,
    "lighting": lighting_loss,
    "quotient": quotient_loss,
}
FIGURES: dict[str, list[Loss]] = {
    "normals": [normal_deg],
    "lighting": [light_deg, sphere_error],
    "quotient": [added_light_residual],
}
"""What training reports besides the loss."""


def joined_outputs(network: keras.Model) -> keras.Model:
    """The network with its outputs in one tensor, as the losses take them."""
    outputs = list(network.output.values())
    joined = outputs[0]
    if len(outputs) > 1:
        joined = keras.layers.Concatenate(name="joined")(outputs)
    return keras.Model(network.input, joined, name=f"{network.name}_joined")
