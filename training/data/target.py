# SPDX-License-Identifier: Apache-2.0
"""A network's inputs and target, made from samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance
from relight.environment import Environment
from relight.face.mesh import Surface
from relight.geometry import normalize
from relight.stage.cast_shadow import light_visibility
from relight.stage.shading import shading
from relight.stage.view import plain_skin, small_photo
from training.data.block import Float, Sample
from training.data.data_config import DataConfig
from training.judge import metric

BRIGHTEST = 252 / 255
"""Pixels of a photo from this on are clipped; what a key adds to them is not learned or judged."""

EMPHASIS = 3.0
"""How much more weight a pixel of the face gets where the key is hidden from it: there are few, but
they make a face look solid."""

Estimate = Callable[[Float, Float, Float, Float], tuple[Float, Float]]
"""From photos ``(N, 2 S, 2 S, 3)``, meshes ``(N, S, S, 4)``, coverage and skin ``(N, S, S, 1)`` to
normals ``(N, S, S, 3)`` and environments ``(N, 16, 32, 3)``."""


def disturbed_normals(
    normals: Float, mesh: Float, mask: Float, strength: float, rng: np.random.Generator
) -> Float:
    """Normals as an imperfect estimate might give them: between truth and mesh, and bent.

    Args:
        normals: ``(N, S, S, 3)`` true, unit on the person.
        mesh: ``(N, S, S, 4)`` the mesh's and its mask.
        mask: ``(N, S, S)`` coverage.
        strength: largest deviation of the smooth error.
        rng: draws.

    Returns:
        ``(N, S, S, 3)`` unit times coverage.
    """
    result = np.empty_like(normals)
    for i in range(len(normals)):
        share = np.float32(rng.uniform()) * mesh[i, ..., 3:]
        bent = normals[i] * (1 - share) + mesh[i, ..., :3] * share
        bent += smooth_noise(normals.shape[1], 3, rng) * np.float32(rng.uniform(0, strength))
        result[i] = normalize(bent) * mask[i, ..., None]
    return result


def misjudged(mesh: Float, config: DataConfig, rng: np.random.Generator) -> Float:
    """Face meshes whose head pose and depth are a little wrong.

    Args:
        mesh: ``(N, S, S, 4)`` normals, camera frame, and mask.
        config: how wrong.
        rng: draws.
    """
    result = mesh.copy()
    for i in range(len(mesh)):
        pitch, yaw = np.radians(rng.normal(0, config.mesh_tilt_deg, 2))
        deeper = np.array([1, 1, np.exp(-rng.normal(0, config.mesh_depth))])
        turn = np.array(
            [
                [np.cos(yaw), 0, np.sin(yaw)],
                [0, np.cos(pitch), -np.sin(pitch)],
                [-np.sin(yaw), np.sin(pitch), np.cos(pitch) * np.cos(yaw)],
            ]
        )  # nearly a rotation, for small angles
        bent = (mesh[i, ..., :3] * deeper) @ turn.T
        result[i, ..., :3] = normalize(bent) * mesh[i, ..., 3:]
    return result


def misestimated(lit: Float, mask: Float, config: DataConfig, rng: np.random.Generator) -> Float:
    """Estimated shadings with a smooth error and a changed contrast.

    Args:
        lit: ``(N, S, S, 3)`` logarithms.
        mask: ``(N, S, S)`` coverage by the person, outside which nothing changes.
        config: how wrong.
        rng: draws.
    """
    result = np.empty_like(lit)
    for i in range(len(lit)):
        weight = mask[i, ..., None]
        mean = (lit[i] * weight).sum((0, 1)) / (weight.sum() + 1)
        contrast = np.float32(np.exp(rng.normal(0, config.shading_error)))
        error = smooth_noise(lit.shape[1], 1, rng) * np.float32(
            rng.uniform(0, config.shading_error)
        )
        changed = mean + contrast * (lit[i] - mean) + error
        result[i] = lit[i] + weight * (changed - lit[i])
    return result


def smooth_noise(side: int, channels: int, rng: np.random.Generator) -> Float:
    """A smooth field ``(S, S, C)`` of deviation about 1."""
    import cv2

    cells = int(rng.integers(3, 9))
    coarse = rng.standard_normal((cells, cells, channels), np.float32)
    noise: Float = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return noise.reshape(side, side, channels)


def with_estimates(block: Sample, estimate: Estimate, chunk: int = 32) -> Sample:
    """A block with what the runtime will have instead of the truth.

    Args:
        block: of :func:`make_block`.
        estimate: of normals and existing light.
        chunk: samples estimated at a time.

    Returns:
        The block with ``estimated_normals`` float16 ``(N, S, S, 3)``, unit times coverage, and
        ``estimated_shading`` float16 ``(N, S, S, 3)``, see :func:`relight.stage.shading.shading`.
    """
    normals, lit = [], []
    for start in range(0, len(block["photo"]), chunk):
        part = {key: values[start : start + chunk] for key, values in block.items()}
        photo, mesh, mask = _float_images(part)
        found, environments = estimate(photo, mesh, mask[..., None], _skin(part, photo))
        normals.append(found.astype(np.float16))
        lit.append(_shadings(environments, found, _face(mesh, mask)).astype(np.float16))
    return block | {
        "estimated_normals": np.concatenate(normals),
        "estimated_shading": np.concatenate(lit),
    }


def inputs_and_target(
    sample: Sample, network: str, config: DataConfig, rng: np.random.Generator
) -> tuple[Sample, NDArray[Any]]:
    """A network's inputs by name, and its target as one array.

    Targets: normals ``(N, S, S, 5)``: true normals, mask, face mesh; lighting ``(N, 16, 32, 3)``:
    radiance; quotient ``(N, S, S, 8)``: gain, photo's linear light, weight of each pixel
    of the person, face mesh.

    Args:
        sample: of :func:`make_block`. After :func:`with_estimates` the lighting network is given
            estimated normals and the quotient network estimated light, too; else both get
            disturbed normals and the true light.
        network: ``normals``, ``lighting`` or ``quotient``.
        config: strength of the normals' error.
        rng: draws.
    """
    photo, mesh, mask = _float_images(sample)
    normals = sample["normals"].astype(np.float32)
    if network == "normals":
        target = np.concatenate([normals, mask[..., None], _face(mesh, mask)], -1)
        return {"photo": photo, "mesh": misjudged(mesh, config, rng)}, target
    if network == "lighting":
        if "estimated_normals" in sample:
            given = sample["estimated_normals"].astype(np.float32)
        else:
            given = disturbed_normals(normals, mesh, mask, config.normal_error, rng)
        inputs = {"photo": photo, "normals": given, "skin": _skin(sample, photo)}
        return inputs, sample["environment"]
    return _of_quotient(sample, photo, mesh, mask, config, rng)


def _of_quotient(
    sample: Sample,
    photo: Float,
    mesh: Float,
    mask: Float,
    config: DataConfig,
    rng: np.random.Generator,
) -> tuple[Sample, Float]:
    """The quotient network's inputs and target; see :func:`inputs_and_target`."""
    normals = sample["normals"].astype(np.float32)
    face, light, gain = _face(mesh, mask), sample["light"], sample["gain"].astype(np.float32)
    given, lit = _known(sample, mesh, mask, config, rng)
    depth = sample["depth"].astype(np.float32)
    surfaces = map(Surface, mesh[..., :3], depth, mesh[..., 3] > 0.5)
    seen = [
        light_visibility(surface, n, key[:3], float(key[3]))[..., None]
        for surface, n, key in zip(surfaces, given, light, strict=True)
    ]
    unclipped = (photo.max(-1, keepdims=True) < BRIGHTEST).astype(np.float32)
    solid = 1 + np.float32(EMPHASIS) * face * _cast_shadow(gain, lit, normals, light[:, :3])
    weights = [mask[..., None] * unclipped * solid, face * unclipped]
    target = np.concatenate([gain, sample["linear"].astype(np.float32), *weights], -1)
    inputs = {"normals": given, "visibility": np.stack(seen), "light": light, "shading": lit}
    return inputs | {"photo": _fine_photo(sample)}, target


def _known(
    sample: Sample, mesh: Float, mask: Float, config: DataConfig, rng: np.random.Generator
) -> tuple[Float, Float]:
    """Normals and the existing light's shading as the quotient network is given them."""
    normals = sample["normals"].astype(np.float32)
    told = np.ones(len(normals), np.bool_)
    given, lit = np.empty_like(normals), np.empty_like(normals)
    if "estimated_normals" in sample:
        told = rng.random(len(normals)) < config.told
        given[~told] = sample["estimated_normals"][~told]
        lit[~told] = misestimated(
            sample["estimated_shading"][~told].astype(np.float32), mask[~told], config, rng
        )
    if told.any():
        given[told] = disturbed_normals(
            normals[told], mesh[told], mask[told], config.normal_error, rng
        )
        face = _face(mesh, mask)[told]
        lit[told] = _shadings(sample["environment"][told], given[told], face)
    return given, lit


def _cast_shadow(gain: Float, shadings: Float, normals: Float, light: Float) -> NDArray[np.bool_]:
    """Where something hides a key from a surface turned to it, ``(N, S, S, 1)``."""
    cosine = np.einsum("nyxc,nc->nyx", normals, light)
    irradiance = luminance(gain * np.exp(shadings))  # the key's, over its own at normal incidence
    return metric.cast_shadow(irradiance, cosine, np.ones_like(cosine))[..., None]


def _float_images(sample: Sample) -> tuple[Float, Float, Float]:
    """Photos at 128 pixels in [0, 1], meshes with their mask, and coverage, float32."""
    photo = np.stack([small_photo(pixels) for pixels in sample["photo"]])
    return photo, sample["mesh"].astype(np.float32), sample["mask"].astype(np.float32)


def _fine_photo(sample: Sample) -> Float:
    """Photos at 256 pixels in [0, 1], float32."""
    return sample["photo"].astype(np.float32) / 255


def _face(mesh: Float, mask: Float) -> Float:
    """Coverage by the face mesh, ``(N, S, S, 1)``."""
    return mesh[..., 3:] * mask[..., None]


def _skin(sample: Sample, photo: Float) -> Float:
    """Plain skin, ``(N, S, S, 1)``; see :func:`relight.stage.view.plain_skin`."""
    faces = zip(sample["mesh"][..., 3], sample["features"], photo, strict=True)
    return np.stack([plain_skin(f > 0.5, e, p)[..., None] for f, e, p in faces])


def _shadings(environments: Float, normals: Float, face: Float) -> Float:
    """The existing light's shading of each sample, ``(N, S, S, 3)``."""
    samples = zip(environments, normals, face[..., 0] > 0.5, strict=True)
    return np.stack([shading(Environment(e), n, f) for e, n, f in samples])
