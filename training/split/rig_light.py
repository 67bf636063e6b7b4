# SPDX-License-Identifier: Apache-2.0
"""Light of a batch: what shines on each view, its key, and the shadows of the face mesh, in JAX."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from relight.color import LUMINANCE
from relight.stage import cast_shadow
from training.split.batch_picture import Arrays, chance, unit
from training.split.sampler_config import SamplerConfig

GREY = np.asarray(LUMINANCE, np.float32)


def existing_light(view: Arrays, table: Any, keys: Any, config: SamplerConfig) -> Any:
    """Weights ``(N, L, 3)`` of the light already there; the mean face gets pi of it."""
    n = config.batch
    found = table[random.randint(next(keys), (n,), 0, len(table))]
    found = found / received(found, view["power"])
    azimuth = random.uniform(next(keys), (n,), minval=-2.0, maxval=2.0)
    elevation = jnp.radians(random.uniform(next(keys), (n,), minval=-40.0, maxval=75.0))
    towards = jnp.stack(
        [
            jnp.sin(azimuth) * jnp.cos(elevation),
            jnp.sin(elevation),
            jnp.cos(azimuth) * jnp.cos(elevation),
        ],
        -1,
    )
    ahead = jnp.array([0.0, 0.0, 1.0]) + 0.08 * random.normal(next(keys), (n, 3))
    towards = jnp.where(chance(next(keys), config.flash, n, 1), unit(ahead), towards)
    cosine = jnp.einsum("nlc,nc->nl", view["lights"], towards)
    radius = jnp.exp(random.uniform(next(keys), (n, 1), minval=jnp.log(0.08), maxval=jnp.log(0.5)))
    lamp = jnp.exp((cosine - cosine.max(1, keepdims=True)) / radius**2) * view["angles"]
    warmth = random.uniform(next(keys), (n, 1), minval=-0.6, maxval=1.0)
    color = jnp.concatenate([1 + 0.5 * warmth, jnp.ones((n, 1)), 1 - 0.6 * warmth], 1)
    color = jnp.where(chance(next(keys), 0.5, n, 1), color, 1.0)
    lamp = lamp[..., None] * color[:, None]
    lamp = lamp / jnp.maximum(received(lamp, view["power"]), 0.03 * lamp.sum((1, 2), keepdims=True))
    low, high = np.log(config.fill)
    fill = jnp.exp(random.uniform(next(keys), (n, 1, 1), minval=low, maxval=high))
    fill = jnp.where(chance(next(keys), config.dominant, n, 1, 1), fill, 1.0)
    found = found * fill + lamp * (1 - fill)
    return found * (np.pi / received(found, view["power"]))


def received(weights: Any, power: Any) -> Any:
    """Luminance of what the mean face gets, ``(N, 1, 1)``."""
    return (jnp.einsum("nlc,nl->nc", weights, power) @ GREY)[:, None, None] + 1e-6


def key_light(view: Arrays, keys: Any, config: SamplerConfig) -> tuple[Any, Any, Any]:
    """Direction ``(N, 3)``, radius ``(N,)`` and weights ``(N, L)``: pi at normal incidence."""
    n = config.batch
    x, y, z = jnp.moveaxis(view["lights"], -1, 0)
    azimuth, elevation = jnp.degrees(jnp.arctan2(x, z)), jnp.degrees(jnp.arcsin(jnp.clip(y, -1, 1)))
    reach = jnp.where(chance(next(keys), 0.6, n, 1), 0.6, 1.0) * config.azimuth_deg
    low, high = config.elevation_deg
    allowed = (jnp.abs(azimuth) < reach) & (elevation > low) & (elevation < high)
    lottery = random.gumbel(next(keys), allowed.shape) + jnp.where(allowed, 0.0, -1e6)
    index = jnp.argmax(lottery + jnp.log(jnp.maximum(view["angles"], 1e-6)), 1)
    towards = jnp.take_along_axis(view["lights"], index[:, None, None], 1)[:, 0]
    hard = chance(next(keys), config.hard, n, 1)
    low, high = np.radians(config.softness_deg)
    radius = random.uniform(next(keys), (n, 1), minval=low, maxval=high)
    cosine = jnp.einsum("nlc,nc->nl", view["lights"], towards)
    angle = jnp.arccos(jnp.clip(cosine, -1, 1))
    edge = jnp.sqrt(view["angles"].mean(1, keepdims=True) / np.pi)
    soft = view["angles"] / (1 + jnp.exp(jnp.clip((angle - radius) / (0.4 * edge), -30, 30)))
    soft = soft / (soft * jnp.maximum(cosine, 0)).sum(1, keepdims=True)
    one = jax.nn.one_hot(index, cosine.shape[1])
    weights = jnp.where(hard, one, soft) * np.pi
    return towards, jnp.where(hard, 0.0, radius)[:, 0], weights


def lit_pictures(view: Arrays, weights: Any, key: Any, config: SamplerConfig, size: int) -> Any:
    """Photo and key's own picture ``(N, S, S, 6)``."""
    b, k = config.views, config.lightings
    existing = weights.reshape(b, k, *weights.shape[1:]).transpose(0, 3, 2, 1)  # (b, 3, L, k)
    own = key.reshape(b, 1, k, -1).transpose(0, 1, 3, 2)
    own = jnp.broadcast_to(own, existing.shape)
    values = (view["codes"].astype(jnp.bfloat16) * jnp.bfloat16(1 / 255)) ** 2
    both = jnp.concatenate([existing, own], -1).astype(jnp.bfloat16)
    lit = jnp.einsum("bcpl,bclj->bcpj", values, both, preferred_element_type=jnp.float32)
    lit = lit * view["scale"][..., None]
    lit = lit.reshape(b, 3, size, size, 2, k).transpose(0, 5, 2, 3, 4, 1)
    return lit.reshape(b * k, size, size, 6)


def unshadowed(depth: Any, mask: Any, towards: Any, radius: Any) -> Any:
    """:func:`relight.stage.cast_shadow.unshadowed` of a batch, ``(N, R, R)``."""
    side, steps = depth.shape[1], cast_shadow.STEPS
    stride = cast_shadow.REACH * side / steps
    margin = int(np.ceil(stride * steps)) + 2
    outside = cast_shadow.OUTSIDE
    depth = jnp.where(mask > 0.5, depth, outside)
    pad = ((0, 0), (margin, margin), (margin, margin))
    around = jnp.pad(depth, pad, constant_values=outside)
    across = jnp.maximum(jnp.hypot(towards[:, 0], towards[:, 1]), cast_shadow.AHEAD)

    def moved(image: Any, right: Any, down: Any) -> Any:
        left, top = jnp.floor(right), jnp.floor(down)
        u, v = right - left, down - top
        start = (margin + top.astype(jnp.int32), margin + left.astype(jnp.int32))
        cut = jax.lax.dynamic_slice(image, start, (side + 1, side + 1))
        rows = cut[:-1] * (1 - v) + cut[1:] * v
        return rows[:, :-1] * (1 - u) + rows[:, 1:] * u

    def body(steepest: Any, step: Any) -> tuple[Any, None]:
        way = step * stride
        right, down = way * towards[:, 0] / across, -way * towards[:, 1] / across
        there = jax.vmap(moved)(around, right, down)
        return jnp.maximum(steepest, (there - depth) / way), None

    ways = jnp.arange(1, steps + 1, dtype=jnp.float32)
    steepest, _ = jax.lax.scan(body, jnp.full(depth.shape, -jnp.inf), ways)
    height = jnp.arctan2(towards[:, 2], across)[:, None, None]
    soft = 2 * jnp.maximum(radius, cast_shadow.SHARPEST)[:, None, None]
    free = jnp.clip((height - jnp.arctan(steepest)) / soft + 0.5, 0, 1)
    ahead = jnp.hypot(towards[:, 0], towards[:, 1])[:, None, None] < cast_shadow.AHEAD
    return jnp.where((mask > 0.5) & ~ahead, free, 1.0)
