# SPDX-License-Identifier: Apache-2.0
"""Losses of the shading and key networks, which are trained as one quotient.

The mean of all plausible shadows is a blur, and no mean error minds it. So the key's own picture is
compared too, encoded as eyes see it, at several scales and by its edges.

References:
    Eigen et al. 2014, "Depth Map Prediction from a Single Image", section 3.2 (errors at the best
    scale). Li & Snavely 2018, "MegaDepth", section 3.2 (gradients at several scales).
"""

from __future__ import annotations

from typing import Any

from keras import ops

from relight.stage.quotient import FLOOR
from training.losses import BODY

RESIDUAL = 3.0
"""Weight of the added light's residual at the best scale,"""
PICTURE = 4.0
"""of the encoded picture of the key alone,"""
EDGES = 6.0
"""of its edges,"""
LEVEL = 0.3
"""of the logarithm of the scale: one intensity means the same on every face,"""
ALIKE = 0.1
"""and, on photos of real people, of what the two halves' albedo differ by."""
SCALES = 4
"""At full size and at 1/2, 1/4, 1/8 of it."""
EMPHASIS = 3.0
"""How much more a pixel of the face weighs that the key is hidden from."""
HIDDEN = 0.35
"""Share of Lambert's light below which something hides the key,"""
TURNED = 0.3
"""where a surface faces it by at least this cosine."""
WHITE = 2.5
"""The brightest that is told apart, over the key's mean on the face."""


def added_light(log_shading: Any, key: Any, photo: Any, linear: Any, level: Any) -> Any:
    """The key's own picture ``(B, S, S, 3)``, in the photo's linear units.

    Args:
        log_shading: ``(B, S, S, 3)`` of the shading network.
        key: ``(B, S, S, 2)`` of the key network.
        photo: ``(B, S, S, 3)`` the photo's linear light, as it is read back from it.
        linear: the same before tone curve and noise, which the key's light multiplies.
        level: ``(B, 1)`` radiance of a white surface in the mean light on the face.
    """
    return linear * quotient(log_shading, key, photo, level)


def quotient(log_shading: Any, key: Any, photo: Any, level: Any) -> Any:
    """Key gain G ``(B, S, S, 3)``; arguments as for :func:`added_light`."""
    shine = key[..., 1:] * ops.reshape(level, (-1, 1, 1, 1)) / ops.maximum(photo, FLOOR)
    return key[..., :1] * ops.exp(-log_shading) + shine


def split_loss(truth: dict[str, Any], added: Any) -> Any:
    """Loss ``(B,)`` of a key's own picture.

    Args:
        truth: ``key`` and ``linear`` ``(B, S, S, 3)``, ``weight``, ``face`` and ``cosine``
            ``(B, S, S, 1)``, see :func:`training.split.sampler.sample`.
        added: ``(B, S, S, 3)`` by :func:`added_light`.
    """
    true, face = truth["key"], truth["face"]
    level = _mean(true, face) + 1e-4
    hidden = cast_shadow(truth)
    weight = truth["weight"] * (BODY + (1 - BODY) * face) * (1 + EMPHASIS * hidden)
    cross, own, energy = (
        _total(a * b * weight) for a, b in ((true, added), (added, added), (true, true))
    )
    scale = cross / (own + 1e-6)
    residual = (energy - 2 * scale * cross + scale * scale * own) / (energy + 1e-5)
    a, b = encoded(true / level), encoded(added * ops.reshape(scale, (-1, 1, 1, 1)) / level)
    picture: Any = 0.0
    edges: Any = 0.0
    for number in range(SCALES):
        if number:
            a, b, weight = (ops.average_pool(x, 2, 2) for x in (a, b, weight))
        picture = picture + _mean(ops.abs(a - b), weight)[:, 0, 0, 0] / SCALES
        edges = edges + edge_error(a - b, weight) / SCALES
    stray = ops.abs(ops.log(ops.clip(scale, 0.05, 20.0)))
    return RESIDUAL * residual + PICTURE * picture + EDGES * edges + LEVEL * stray


def edge_error(error: Any, weight: Any) -> Any:
    """Mean difference between neighbours of an error ``(B, S, S, C)``, ``(B,)``."""
    down = ops.abs(error[:, 1:] - error[:, :-1]), weight[:, 1:] * weight[:, :-1]
    across = ops.abs(error[:, :, 1:] - error[:, :, :-1]), weight[:, :, 1:] * weight[:, :, :-1]
    return sum(_mean(difference, share)[:, 0, 0, 0] for difference, share in (down, across))


def cast_shadow(truth: dict[str, Any]) -> Any:
    """Where something hides the key from a face turned to it, ``(B, S, S, 1)``."""
    ratio = ops.mean(truth["key"] / (truth["linear"] + 1e-4), -1, keepdims=True)
    lit = truth["face"] * ops.cast(truth["cosine"] > TURNED, "float32")
    usual = ops.sum(ratio * lit, (1, 2), keepdims=True) / (ops.sum(lit, (1, 2), keepdims=True) + 1)
    return lit * ops.cast(ratio < HIDDEN * usual, "float32")


def figures(truth: dict[str, Any], added: Any) -> dict[str, Any]:
    """Residual on the face, and light left in cast shadows over that of lit skin, ``(B,)`` each."""
    true, face = truth["key"], truth["face"]
    cross, own, energy = (
        _total(a * b * face) for a, b in ((true, added), (added, added), (true, true))
    )
    scale = cross / (own + 1e-6)
    return {
        "residual": (energy - scale * cross) / (energy + 1e-5),
        "left": _mean(added * ops.reshape(scale, (-1, 1, 1, 1)), cast_shadow(truth))[:, 0, 0, 0]
        / (_mean(true, face)[:, 0, 0, 0] + 1e-4),
    }


def albedo_difference(log_shading: Any, log_light: Any, other: Any, trust: Any) -> Any:
    """How unlike the albedo of the two halves of a face would be, ``(B,)``.

    Args:
        log_shading: ``(B, S, S, 1)`` mean over colours.
        log_light: ``(B, S, S, 1)`` of the photo.
        other: the difference of both, ``(B, S, S, 1)``, as each point's mirror image has it.
        trust: ``(B, S, S, 1)`` in the mirror image.
    """
    return _mean(ops.abs(log_light - log_shading - other), trust)[:, 0, 0, 0]


def encoded(linear: Any) -> Any:
    """As eyes see it, with a gradient at black; cut softly above :data:`WHITE`."""
    x = ops.maximum(linear, 0.0)
    return (x / (1 + x / (2 * WHITE)) + 0.01) ** (1 / 2.4)


def _total(values: Any) -> Any:
    return ops.sum(values, (1, 2, 3))


def _mean(values: Any, weight: Any) -> Any:
    """Weighted mean over picture and colours, ``(B, 1, 1, 1)``."""
    mean = ops.mean(values, -1, keepdims=True)
    total = ops.sum(mean * weight, (1, 2), keepdims=True)
    return total / (ops.sum(weight, (1, 2), keepdims=True) + 1e-3)
