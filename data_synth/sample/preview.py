# SPDX-License-Identifier: Apache-2.0
"""Contact sheets: people under environments, one light at a time, and training pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.run.field import Field
from data_synth.sample.illumination import EnvironmentBank, Projector
from data_synth.sample.pair import Pairs
from data_synth.sample.scene import background
from relight.color import linear_to_srgb, luminance, to_uint8
from relight.geometry import normalize

Float = NDArray[np.float32]
Bytes = NDArray[np.uint8]

GREY = 0.18
FRONT_LIGHTS = ((-40, 30), (0, 5), (45, 30), (90, 10), (-100, 40), (0, 75), (20, -40), (170, 20))
"""Azimuth and elevation in degrees, camera frame, of the lights shown one at a time."""


def environment_sheet(
    fields: Sequence[Field], bank: EnvironmentBank, columns: int, rng: np.random.Generator
) -> Bytes:
    """A row per view: under even light, then under ``columns`` environments."""
    rows = []
    # Maps as they are, so that the kinds made here follow each other.
    maps = [bank.maps[i % len(bank.maps)] for i in range(columns)]
    images = [np.roll(image, int(rng.integers(image.shape[1])), 1) for image in maps]
    for view in fields:
        projector = Projector(normalize(view.lights @ view.camera_rotation.T))
        weights = [np.repeat(view.solid_angles[:, None], 3, 1)]
        weights += [projector.weights(image) for image in images]
        pictures = view.relight(np.stack(weights))
        tiles = []
        behind = [np.full((view.size, view.size, 3), GREY, np.float32)]
        for image, weight in zip(images, weights[1:], strict=True):
            seen = background(image, view.camera_rotation, view.size, 0.5, 1.5)
            behind.append(seen * np.float32(view.exposure(weight)))
        for picture, weight, far in zip(pictures, weights, behind, strict=True):
            level = view.exposure(weight)
            tiles.append(picture * level + (1 - view.alpha)[..., None] * far)
        rows.append(np.concatenate(tiles, 1))
    return display(np.concatenate(_same_size(rows), 0))


def light_sheet(
    fields: Sequence[Field], angles: Sequence[tuple[float, float]] = FRONT_LIGHTS
) -> Bytes:
    """A row per view: single lights, each scaled to the same irradiance."""
    from relight.geometry import direction

    rows = []
    for view in fields:
        towards = direction(np.radians([a for a, _ in angles]), np.radians([e for _, e in angles]))
        chosen = np.argmax(towards @ view.lights.T, 1)
        weights = np.zeros((len(chosen), len(view.lights), 3), np.float32)
        weights[np.arange(len(chosen)), chosen] = np.pi * 0.9
        even = view.relight(np.repeat(view.solid_angles[:, None], 3, 1))
        face = view.alpha > 0.9
        bright = float(np.median(luminance(even)[face])) if face.any() else 0.3
        scale = np.clip(0.3 / max(bright, 1e-3), 0.5, 4)
        rows.append(np.concatenate(list(view.relight(weights) * scale), 1))
    return display(np.concatenate(_same_size(rows), 0))


def surface_sheet(fields: Sequence[Field]) -> Bytes:
    """A row per view: albedo, normals, coverage, depth."""
    rows = []
    for view in fields:
        cover = view.alpha[..., None]
        depth = view.depth
        seen = depth > 0
        near, far = (depth[seen].min(), depth[seen].max()) if seen.any() else (0, 1)
        shade = np.where(seen, 1 - (depth - near) / max(far - near, 1e-6), 0)[..., None]
        tiles = [
            display(view.albedo * cover),
            to_uint8((view.normals * 0.5 + 0.5) * (cover > 0)),
            to_uint8(np.repeat(cover, 3, 2)),
            to_uint8(np.repeat(shade, 3, 2)),
        ]
        rows.append(np.concatenate(tiles, 1))
    return np.concatenate(_same_size(rows), 0)


def pair_sheet(batches: Sequence[Pairs]) -> Bytes:
    """A row per pair: photo X, key gain G / 2, relit Y, normals, environment."""
    import cv2

    rows = []
    for pairs in batches:
        side = pairs.photo.shape[1]
        for i in range(len(pairs.photo)):
            probe = cv2.resize(
                pairs.environment[i], (2 * side, side), interpolation=cv2.INTER_NEAREST
            )
            tiles = [
                pairs.photo[i],
                to_uint8(pairs.gain[i] / 2),
                pairs.relit[i],
                to_uint8((pairs.normals[i] * 0.5 + 0.5) * (pairs.mask[i][..., None] > 0)),
                display(np.asarray(probe, np.float32)),
            ]
            rows.append(np.concatenate(tiles, 1))
    return np.concatenate(rows, 0)


def display(linear: NDArray[Any]) -> Bytes:
    """Linear light as sRGB bytes."""
    return to_uint8(linear_to_srgb(linear))


def _same_size(rows: list[Any]) -> list[Any]:
    """Rows of different picture sizes scaled to the height of the first."""
    import cv2

    height = rows[0].shape[0]
    return [
        row
        if row.shape[0] == height
        else cv2.resize(row, (rows[0].shape[1], height), interpolation=cv2.INTER_AREA)
        for row in rows
    ]
