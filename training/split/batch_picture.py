# SPDX-License-Identifier: Apache-2.0
"""Pictures of a batch: crops, samples between pixels, means and noise, in JAX."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import random

from relight.stage.view import SIDE

Arrays = dict[str, Any]


def warped(images: Any, at: Arrays) -> Any:
    """Bilinear samples of images ``(N, S, S, C)`` on rows ``y`` and columns ``x`` of each crop."""
    size = images.shape[1]

    def axis(places: Any) -> tuple[Any, Any]:
        places = jnp.clip(places - 0.5, 0, size - 1.001)
        low = jnp.floor(places).astype(jnp.int32)
        return low, places - low

    def one(image: Any, x: Any, y: Any) -> Any:
        (left, u), (top, v) = axis(x), axis(y)
        rows = image[top] * (1 - v)[:, None, None] + image[top + 1] * v[:, None, None]
        return rows[:, left] * (1 - u)[:, None] + rows[:, left + 1] * u[:, None]

    return jax.vmap(one)(images, at["x"], at["y"])


def sampled(images: Any, place: Any) -> Any:
    """Bilinear samples of images ``(N, R, R, C)`` at pixels ``place`` ``(N, R, R, 2)``."""
    side = images.shape[1]
    where = jnp.clip(place - 0.5, 0, side - 1.001)
    low = jnp.floor(where).astype(jnp.int32)
    u, v = jnp.moveaxis(where - low, -1, 0)
    x, y = jnp.moveaxis(low, -1, 0)

    def one(image: Any, x: Any, y: Any, u: Any, v: Any) -> Any:
        u, v = u[..., None], v[..., None]
        upper = image[y, x] * (1 - u) + image[y, x + 1] * u
        lower = image[y + 1, x] * (1 - u) + image[y + 1, x + 1] * u
        return upper * (1 - v) + lower * v

    return jax.vmap(one)(images, x, y, u, v)


def onto_crop(place: Any, crop: Any, at: Arrays, flip: Any) -> Any:
    """Pixels of the view to pixels of the crop at 128 pixels."""
    side = (crop[:, 2] * at["scale"])[:, None, None]
    x = (place[..., 0] - at["middle"][:, 0, None, None]) / side * flip[:, None, None]
    y = (place[..., 1] - at["middle"][:, 1, None, None]) / side
    return (jnp.stack([x, y], -1) + 0.5) * SIDE


def chance(key: Any, chance: float, *shape: int) -> Any:
    """True as often as that."""
    return random.uniform(key, shape) < chance


def smooth_noise(key: Any, n: int, cells: int, channels: int) -> Any:
    """Smooth noise ``(N, 128, 128, C)`` of deviation about 1."""
    coarse = random.normal(key, (n, cells, cells, channels))
    return jax.image.resize(coarse, (n, SIDE, SIDE, channels), "cubic")


def blurred(images: Any, weight: Any, cells: int = 16) -> Any:
    """Weighted means over squares of 1/16 of the picture, ``(N, R, R, 1)``, smoothly joined."""
    n, rows, _, _ = images.shape
    step = rows // cells

    def pooled(x: Any) -> Any:
        return x.reshape(n, cells, step, cells, step, 1).mean((2, 4))

    coarse = jnp.concatenate([pooled(images * weight), pooled(weight)], -1)
    smooth = jax.image.resize(coarse, (n, rows, rows, 2), "bilinear")
    return smooth[..., :1] / (smooth[..., 1:] + 1e-3)


def halved(images: Any) -> Any:
    """Means of two by two pixels."""
    n, rows, columns, channels = images.shape
    return images.reshape(n, rows // 2, 2, columns // 2, 2, channels).mean((2, 4))


def mean_of(values: Any, weight: Any) -> Any:
    """Weighted mean over a picture, ``(N, C)``; ``(N,)`` of one channel."""
    found = (values * weight).sum((1, 2)) / (weight.sum((1, 2)) + 1e-3)
    return found[:, 0] if found.shape[-1] == 1 else found


def unit(vectors: Any) -> Any:
    """Vectors ``(..., 3)`` at unit length; zero stays zero."""
    return vectors / jnp.maximum(jnp.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
