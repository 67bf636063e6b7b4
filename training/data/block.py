# SPDX-License-Identifier: Apache-2.0
"""Samples from stored reflectance fields, made in blocks of many views."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.run.field import Field
from data_synth.sample.pair import PairMaker
from relight.geometry import Crop, normalize
from relight.stage.view import FINE, SIDE
from training.data.data_config import DataConfig
from training.data.landmark_store import DRAWN_SIDE, draw_mesh
from training.data.split import Split

Float = NDArray[np.float32]
Sample = dict[str, NDArray[Any]]


def make_block(split: Split, config: DataConfig, index: int) -> Sample:
    """All samples of block ``index``: arrays with a first axis of ``views * pairs``.

    Keys: ``photo`` uint8 (N, 256, 256, 3); ``mesh`` float16 (N, 128, 128, 4); ``features`` bool (N,
    128, 128) eyes, eyebrows and lips; ``depth`` float16 (N, 128, 128) of the mesh in pixels of the
    crop, see :class:`relight.face.mesh.Surface`; ``normals`` float16 unit on the person, 0 outside;
    ``mask`` float16 coverage by the person, 0 where nothing is learned; ``gain`` and
    ``linear`` float16 (see :class:`data_synth.sample.pair.Pairs`); ``environment`` float32 (N, 16,
    32, 3); ``light`` float32 (N, 4) direction and softness in radians.
    """
    rng = np.random.default_rng([config.seed, index])
    start = index * config.views
    samples = [
        _view_samples(split, _nth_view(split.names, config.seed, start + i), config, rng)
        for i in range(config.views)
    ]
    return {key: np.concatenate([sample[key] for sample in samples]) for key in samples[0]}


def _nth_view(names: list[str], seed: int, position: int) -> str:
    """Views come in a new random order each time all have been used."""
    turn, place = divmod(position, len(names))
    order = np.random.default_rng([seed, turn, 7]).permutation(len(names))
    return names[int(order[place])]


def _view_samples(split: Split, name: str, config: DataConfig, rng: np.random.Generator) -> Sample:
    stored = Field.load(split.root / name)
    pairs = PairMaker(stored, split.bank, config.pair).make(config.pairs, rng, relit=False)
    drawn = np.empty((*pairs.mask.shape, 6), np.float32)
    photo, mask = pairs.photo.copy(), pairs.mask.copy()
    whole, tight = split.landmarks.whole(name), split.landmarks.tight(name)
    cut = rng.random(len(photo)) < (config.tight if tight else 0)
    for seen, chosen in ((whole, ~cut), (tight, cut)):
        if not chosen.any():
            continue
        sighting = seen[rng.integers(len(seen))]
        view = draw_mesh(sighting.landmarks, sighting.head_pose, stored.size)
        view = np.pad(view, ((1, 1), (1, 1), (0, 0)))  # a crop repeats the border outside
        for i in np.flatnonzero(chosen):
            crop, flipped = pairs.crops[i], bool(pairs.flipped[i])
            drawn[i] = _crop_mesh(view, crop, flipped, stored.size)
            if cut[i]:
                _cut_tight(photo[i], mask[i], _cut_on_crop(sighting.cut, crop, flipped))
    mesh, features = drawn[..., :4], drawn[..., 4] > 0.5
    for i in range(len(photo)):
        if rng.random() < config.grey:
            photo[i] = _grey(photo[i])
        if rng.random() > config.outlined:
            mask[i] *= mesh[i, ..., 3]
    gain = np.minimum(pairs.gain, 1000)
    return {
        "photo": photo,
        "mesh": mesh.astype(np.float16),
        "features": features,
        "depth": drawn[..., 5].astype(np.float16),
        "normals": pairs.normals.astype(np.float16),
        "mask": mask.astype(np.float16),
        "gain": gain.astype(np.float16),
        "linear": np.minimum(pairs.linear, 60000).astype(np.float16),
        "environment": pairs.environment,
        "light": np.concatenate([pairs.light, pairs.softness[:, None]], 1).astype(np.float32),
    }


def _crop_mesh(drawn: Float, square: Crop, flipped: bool, size: int) -> Float:
    """A view's drawn mesh, with a border, on a pair's crop, ``(128, 128, 6)``, mirrored with it."""
    scale = DRAWN_SIDE / size
    crop = square.scaled(scale)
    crop = Crop(crop.x + 1, crop.y + 1, crop.size, crop.roll)
    mesh, others = (crop.extract(drawn[..., part], SIDE) for part in (slice(4), slice(4, 6)))
    share, features, depth = mesh[..., 3:], others[..., :1], others[..., 1:]
    mask = share > 0.5
    nearness = depth / np.maximum(share, 0.5) * (SIDE / square.size) * mask
    mesh = np.concatenate([normalize(mesh[..., :3]) * mask, mask, features, nearness], -1)
    if flipped:
        mesh = mesh[:, ::-1] * np.array([-1, 1, 1, 1, 1, 1], np.float32)
    return np.asarray(mesh, np.float32)


def _cut_on_crop(cut: Float, square: Crop, flipped: bool) -> NDArray[np.int64]:
    """A tight picture's left, top, right and bottom in pixels of a pair's crop."""
    corners = np.round(square.to_crop(cut.reshape(2, 2), SIDE)).astype(int)
    if flipped:
        corners[:, 0] = SIDE - corners[::-1, 0]
    return np.clip(corners, 0, SIDE).ravel()


def _grey(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    grey: NDArray[np.uint8] = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    return np.repeat(grey[..., None], 3, 2)


def _cut_tight(photo: NDArray[np.uint8], mask: Float, cut: NDArray[np.int64]) -> None:
    """Repeat a cut's edges over everything outside it, in place."""
    left, top, right, bottom = cut
    low_y, high_y, low_x, high_x = (FINE * at for at in (top, bottom, left, right))
    y = np.clip(np.arange(len(photo)), low_y, max(low_y, high_y - 1))
    x = np.clip(np.arange(len(photo)), low_x, max(low_x, high_x - 1))
    photo[:] = photo[y][:, x]
    mask[:top], mask[bottom:], mask[:, :left], mask[:, right:] = 0, 0, 0, 0
