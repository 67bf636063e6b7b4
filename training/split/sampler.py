# SPDX-License-Identifier: Apache-2.0
"""Training samples of the shading and key networks, made on the GPU while they train.

All of it in JAX, so that a step is one program: light the views, crop, photograph, and work out
what the runtime would tell the networks. What is drawn follows
:class:`data_synth.sample.pair.PairRanges` and :class:`training.data.data_config.DataConfig`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from relight.stage.shading import BELIEF, HARDNESS, SHADING_LIMIT
from relight.stage.view import FINE, SIDE
from training.data.pattern import LARGEST
from training.split.batch_picture import (
    Arrays,
    blurred,
    chance,
    halved,
    mean_of,
    onto_crop,
    sampled,
    smooth_noise,
    unit,
    warped,
)
from training.split.rig_light import GREY, existing_light, key_light, lit_pictures, unshadowed
from training.split.sampler_config import SamplerConfig
from training.split.split_head import log_light


def sample(
    pool: Arrays, count: Any, tables: Arrays, key: Any, config: SamplerConfig
) -> tuple[Arrays, Arrays]:
    """A batch: inputs of both networks by name, and what is needed to judge them.

    Args:
        pool: arrays of :func:`training.data.render_pool.load_view`, views first.
        count: views that are there.
        tables: ``lights`` ``(T, L, 3)`` environments as weights of the rig's lights, and ``skin``
            int8 ``(T, 96, 96, 3)`` patterns of real skin.
        key: of the random numbers.
        config: what to draw.

    Returns:
        Inputs; and ``key`` ``(B, 128, 128, 3)`` the key's own picture in the photo's linear units,
        ``linear`` the photo's, ``weight`` and ``face`` ``(B, 128, 128, 1)``.
    """
    keys = iter(random.split(key, 72))
    chosen = random.randint(next(keys), (config.views,), 0, count)
    view = {name: values[chosen] for name, values in pool.items() if name != "meshes"}
    reading = random.randint(next(keys), (config.views,), 0, pool["meshes"].shape[1])
    view["mesh"] = pool["meshes"][chosen, reading]
    n, size = config.batch, view["surface"].shape[1]
    per_sample = {
        name: jnp.repeat(view[name], config.lightings, 0)
        for name in ("lights", "power", "angles", "crop")
    }
    weights = existing_light(per_sample, tables["lights"], keys, config)
    towards, radius, key_weights = key_light(per_sample, keys, config)
    pictures = lit_pictures(view, weights, key_weights, config, size)

    # --- Crop

    at, inside, flip = draw_crops(per_sample["crop"], keys, config, n)
    maps = jnp.concatenate([view["surface"], view["mesh"]], -1).astype(jnp.float32)
    maps = halved(warped(jnp.repeat(maps, config.lightings, 0), at))
    pictures = warped(pictures, at)
    covered, maps = maps[..., 3:4], maps * inside
    mirrored_axis = jnp.stack([flip, jnp.ones_like(flip), jnp.ones_like(flip)], -1)
    lights = per_sample["lights"] * mirrored_axis[:, None]
    towards = towards * mirrored_axis
    true_normals = unit(maps[..., :3] * mirrored_axis[:, None, None])
    alpha, mesh_share = maps[..., 3:4], maps[..., 9:10]
    face = (mesh_share > 0.5).astype(jnp.float32)
    mesh_normals = unit(maps[..., 5:8] * mirrored_axis[:, None, None]) * face
    near = maps[..., 8:9] / jnp.maximum(mesh_share, 0.5) * face
    side = per_sample["crop"][:, 2] * at["scale"]
    depth = near[..., 0] * (SIDE / side)[:, None, None]
    place = maps[..., 10:12] / jnp.maximum(mesh_share, 0.5)
    place = onto_crop(place, per_sample["crop"], at, flip)
    trust = maps[..., 12:13] / jnp.maximum(mesh_share, 0.5) * face

    # --- Another albedo, and the photo

    skin = maps[..., 13:15] / jnp.maximum(mesh_share, 0.5)
    factor = albedo_factor(place, trust, keys, config, n) * skin_factor(
        tables["skin"], skin, face, keys, config
    )
    fine_factor = jax.image.resize(factor, (n, FINE * SIDE, FINE * SIDE, 3), "bilinear")
    pictures = pictures * jnp.concatenate([fine_factor, fine_factor], -1)
    light, own = halved(pictures[..., :3]), halved(pictures[..., 3:])
    fine_alpha = jnp.repeat(jnp.repeat(covered, FINE, 1), FINE, 2)
    behind = background(keys, n)
    taken = pictures[..., :3] + (1 - fine_alpha) * behind
    gain, level = exposure(light, face * alpha, keys, n)
    photo = photograph(taken * gain, keys, config, n)
    small = halved(photo)

    # --- What the runtime tells

    person = alpha * jnp.where(chance(next(keys), config.outlined, n, 1, 1, 1), 1.0, face)
    noise = smooth_noise(next(keys), n, 6, 3) * random.uniform(next(keys), (n, 1, 1, 1))
    estimated = unit(true_normals + config.normal_error * noise)
    share = random.uniform(next(keys), (n, 1, 1, 1), minval=0.3, maxval=1.0)
    normals = unit(mesh_normals + jnp.where(face > 0, share, 1.0) * estimated) * person
    shading = estimated_shading(normals, face, small, lights, weights, keys, config, n)
    spread = jnp.sqrt(
        mean_of(
            (
                shading.mean(-1, keepdims=True)
                - mean_of(shading.mean(-1, keepdims=True), face)[:, None, None, None]
            )
            ** 2,
            face,
        )
        + 1e-9
    )
    hard = jnp.clip((spread - HARDNESS[0]) / (HARDNESS[1] - HARDNESS[0]), 0, 1)
    belief = BELIEF[0] + (BELIEF[1] - BELIEF[0]) * hard
    seen = jnp.concatenate([small, shading.mean(-1, keepdims=True)], -1)
    mirrored = jnp.concatenate([sampled(seen, place), trust], -1)
    u = unshadowed(depth, face[..., 0], towards, radius)[..., None]
    error = jnp.exp(config.level_error * random.normal(next(keys), (n, 1)))
    inputs = {
        "photo": small,
        "mirrored": mirrored,
        "normals": normals,
        "shading": shading,
        "face": face,
        "belief": belief[:, None],
        "unshadowed": u,
        "light": jnp.concatenate([towards, radius[:, None]], -1),
        "level": level[:, None] * error,
    }
    bright = small.max(-1, keepdims=True) < 252 / 255
    truth = {
        "key": own * gain,
        "linear": light * gain,
        "weight": person * bright,
        "face": face * person * bright,
        "cosine": (true_normals * towards[:, None, None]).sum(-1, keepdims=True),
    }
    return inputs, truth


def estimated_shading(
    normals: Any,
    face: Any,
    photo: Any,
    lights: Any,
    weights: Any,
    keys: Any,
    config: SamplerConfig,
    n: int,
) -> Any:
    """Logarithm of the estimated light's shading, ``(N, 128, 128, 3)``, with its errors."""
    turn = np.radians(config.light_turn_deg) * random.normal(next(keys), (n, 3))
    turned = unit(lights + jnp.cross(turn[:, None], lights))
    # The estimate is never darker than a tenth of its mean in any direction.
    level = weights.mean(1, keepdims=True)
    weights = weights + 0.12 * level
    coarse = normals[:, ::2, ::2]
    cosine = jnp.maximum(jnp.einsum("nyxc,nlc->nyxl", coarse, turned), 0).astype(jnp.bfloat16)
    received = jnp.einsum(
        "nyxl,nlc->nyxc", cosine, weights.astype(jnp.bfloat16), preferred_element_type=jnp.float32
    )
    received = jax.image.resize(received, (n, SIDE, SIDE, 3), "bilinear")
    mean = mean_of(received @ GREY[:, None], face)
    found = jnp.log(jnp.maximum(received, 1e-6) / jnp.maximum(mean, 1e-6)[:, None, None, None])
    contrast = jnp.exp(config.contrast_error * random.normal(next(keys), (n, 1, 1, 1)))
    error = config.light_error * smooth_noise(next(keys), n, 4, 1)
    # The light is estimated from the photo, so it follows skin that is darker here and there.
    seen = blurred(log_light(photo.mean(-1, keepdims=True)), face)
    taken = config.mistaken * random.uniform(next(keys), (n, 1, 1, 1))
    grey = found.mean(-1, keepdims=True)
    error = error + taken * face * (seen - mean_of(seen, face)[:, None, None, None] - grey)
    found = jnp.clip(found * contrast + error, -SHADING_LIMIT, SHADING_LIMIT)
    return found * (normals**2).sum(-1, keepdims=True)


def draw_crops(crop: Any, keys: Any, config: SamplerConfig, n: int) -> tuple[Arrays, Any, Any]:
    """Where the pixels of each crop lie on its view, what is inside, and which are mirrored."""
    low, high = config.crop_scale
    scale = random.uniform(next(keys), (n,), minval=low, maxval=high)
    shift = config.crop_shift * random.uniform(next(keys), (n, 2), minval=-1, maxval=1)
    flip = jnp.where(chance(next(keys), 0.5, n), 1.0, -1.0)
    side = crop[:, 2] * scale
    middle = crop[:, :2] + shift * crop[:, 2:]
    rows = FINE * SIDE
    steps = (jnp.arange(rows) + 0.5) / rows - 0.5
    x = middle[:, :1] + flip[:, None] * steps * side[:, None]
    y = middle[:, 1:] + steps * side[:, None]
    # A tight photo ends just around the face; its edges repeat outside.
    face = crop[:, 2:] / 2.4
    room = face * (0.5 + random.uniform(next(keys), (n, 4), minval=-0.04, maxval=0.25))
    far = jnp.where(chance(next(keys), config.tight, n, 1), room, 1e4)
    left, right = crop[:, :1] - far[:, :1], crop[:, :1] + far[:, 1:2]
    top, bottom = crop[:, 1:2] - far[:, 2:3], crop[:, 1:2] + far[:, 3:]
    kept = ((x > left) & (x < right))[:, None] & ((y > top) & (y < bottom))[:, :, None]
    at = {
        "x": jnp.clip(x, left, right),
        "y": jnp.clip(y, top, bottom),
        "scale": scale,
        "middle": middle,
    }
    return at, halved(kept[..., None].astype(jnp.float32)), flip


def albedo_factor(place: Any, trust: Any, keys: Any, config: SamplerConfig, n: int) -> Any:
    """A random factor ``(N, 128, 128, 3)`` on the albedo: others' skin, beard, make-up."""

    def field() -> Any:
        total = sum(smooth_noise(next(keys), n, cells, 1) for cells in (3, 8, 20))
        tint = 0.2 * sum(smooth_noise(next(keys), n, cells, 3) for cells in (3, 8))
        return total + tint

    even, odd = field(), field()
    other = sampled(even, place)
    even = jnp.where(trust > 0, (even + other) / jnp.sqrt(2.0), even)
    strength = random.uniform(next(keys), (2, n, 1, 1, 1))
    return jnp.exp(
        config.even_albedo / 1.7 * strength[0] * even + config.odd_albedo / 1.7 * strength[1] * odd
    )


def skin_factor(patterns: Any, place: Any, face: Any, keys: Any, config: SamplerConfig) -> Any:
    """The factor ``(N, 128, 128, 3)`` by which real skin differs from smooth skin."""
    n = len(place)
    chosen = patterns[random.randint(next(keys), (n,), 0, len(patterns))].astype(jnp.float32)
    strength = random.uniform(next(keys), (n, 1, 1, 1), minval=0.3, maxval=1.0)
    strength = jnp.where(chance(next(keys), config.real_skin, n, 1, 1, 1), strength, 0.0)
    return jnp.exp(sampled(chosen * (LARGEST / 127), place) * strength * face)


def background(keys: Any, n: int) -> Any:
    """Something behind the person, ``(N, 256, 256, 3)``, over the mean light."""
    level = jnp.exp(random.uniform(next(keys), (n, 1, 1, 1), minval=-3.0, maxval=0.7))
    rough = jax.image.resize(
        smooth_noise(next(keys), n, 5, 3), (n, FINE * SIDE, FINE * SIDE, 3), "linear"
    )
    return level * jnp.exp(0.5 * rough)


def exposure(light: Any, face: Any, keys: Any, n: int) -> tuple[Any, Any]:
    """Factor ``(N, 1, 1, 3)`` of a camera that has set itself, and a white surface's level."""
    color = mean_of(light, face)
    bright = jnp.maximum(color @ GREY, 1e-4)
    by_face = jnp.exp(random.uniform(next(keys), (n,), minval=np.log(0.06), maxval=np.log(0.45)))
    by_scene = jnp.exp(random.uniform(next(keys), (n,), minval=np.log(0.4), maxval=np.log(1.1)))
    factor = jnp.where(chance(next(keys), 0.5, n), by_face / bright, by_scene)
    balance = random.uniform(next(keys), (n, 3), minval=0.92, maxval=1.08)
    return (factor[:, None] * balance)[:, None, None], factor


def photograph(linear: Any, keys: Any, config: SamplerConfig, n: int) -> Any:
    """What a camera makes of light, sRGB in [0, 1] in steps of 1/255."""
    read, shot = (
        jnp.exp(random.uniform(next(keys), (n, 1, 1, 1), minval=np.log(a), maxval=np.log(b)))
        for a, b in ((3e-4, 3e-3), (2e-5, 6e-4))
    )
    noise = random.normal(next(keys), linear.shape)
    x = linear + noise * jnp.sqrt(jnp.maximum(linear, 0) * shot + read**2)
    shoulder = random.uniform(next(keys), (n, 1, 1, 1), minval=0.55, maxval=1.2)
    room = jnp.maximum(1 - shoulder, 1e-3)
    rolled = shoulder + room * (1 - jnp.exp(-jnp.maximum(x - shoulder, 0) / room))
    x = jnp.where((shoulder < 1) & (x > shoulder), rolled, x)
    x = jnp.clip(x, 0, 1)
    encoded = jnp.where(
        x <= 0.0031308, 12.92 * x, 1.055 * jnp.maximum(x, 1e-6) ** (1 / 2.4) - 0.055
    )
    curve = encoded * encoded * (3 - 2 * encoded)
    contrast = random.uniform(next(keys), (n, 1, 1, 1), minval=-0.15, maxval=0.4)
    encoded = encoded + contrast * (curve - encoded)
    plain = jnp.broadcast_to((encoded @ GREY)[..., None], encoded.shape)
    encoded = jnp.where(chance(next(keys), config.grey, n, 1, 1, 1), plain, encoded)
    return jnp.clip(jnp.round(encoded * 255) / 255, 0, 1)
