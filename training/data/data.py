# SPDX-License-Identifier: Apache-2.0
"""What the networks learn from: the split, and samples from stored reflectance fields.

The same photos, crops and disturbances serve all three networks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.run.dataset import Dataset
from data_synth.run.field import Field
from data_synth.sample.illumination import EnvironmentBank
from data_synth.sample.pair import PairMaker, PairRanges
from relight.error import RelightError
from relight.geometry import Crop, normalize
from relight.stage.view import FINE, SIDE
from training.data.render_mesh import DRAWN_SIDE, LandmarkStore, draw_mesh, load_landmarks

Float = NDArray[np.float32]
Sample = dict[str, NDArray[Any]]

HELD_OUT = 10
"""Every tenth subject and environment map is kept for judging."""
PROCEDURAL_MAPS = 200
"""Environment maps made here when no folder is given."""


@dataclass(frozen=True)
class DataConfig:
    """What the batches are made of.

    Attributes:
        batch: samples of a batch.
        views: views of a block.
        pairs: pairs made of each view for a block.
        reuse: times that each is used, mirrored at random.
        grey: share of photos without colour.
        tight: share of photos cut just around the face, their edges repeated outside, with the
            landmarks that Face Mesh finds there.
        outlined: share of photos of which more than the face mesh is known to be the person.
        mesh_tilt_deg: deviation of the rotations by which the face mesh's normals are turned about
            the image's axes for the normals network: Face Mesh misjudges a real head's pose.
        mesh_depth: deviation of the logarithm of the factor on the mesh's depth, likewise.
        normal_error: largest strength of the smooth error on the normals that the lighting and
            quotient networks are given.
        shading_error: largest strength of a smooth error on the logarithm of the estimated shading,
            and deviation of the factor on its contrast: light is judged worse of real people.
        told: share of photos of which the quotient network is told more than is estimated: normals
            with a random error and the true light.
        seed: everything follows from it.
        pair: what pairs are drawn from.
    """

    batch: int = 16
    views: int = 32
    pairs: int = 32
    reuse: int = 4
    grey: float = 0.2
    tight: float = 0.35
    outlined: float = 0.85
    mesh_tilt_deg: float = 3.0
    mesh_depth: float = 0.1
    normal_error: float = 0.35
    shading_error: float = 0.3
    told: float = 0.15
    seed: int = 0
    pair: PairRanges = field(
        default_factory=lambda: PairRanges(
            resolution=SIDE, photo_scale=FINE, azimuth_deg=100, dominant=0.6, fill=(0.02, 0.5)
        )
    )

    @property
    def batches_per_block(self) -> int:
        """Batches that a block gives."""
        return max(1, self.views * self.pairs * self.reuse // self.batch)


class Network(StrEnum):
    """The networks."""

    NORMALS = "normals"
    LIGHTING = "lighting"
    QUOTIENT = "quotient"


_OTHER_RELIEF = DataConfig(pair=replace(DataConfig().pair, relief=0.6))

DRAWS: dict[str, DataConfig] = {
    Network.NORMALS: _OTHER_RELIEF,
    Network.QUOTIENT: _OTHER_RELIEF,
    Network.LIGHTING: DataConfig(
        grey=0.35,
        tight=0.4,
        outlined=0.6,
        pair=PairRanges(
            resolution=SIDE,
            photo_scale=FINE,
            azimuth_deg=100,
            dominant=0.8,
            flash=0.25,
            upended=0.5,
            lamp_elevation_deg=(-55, 55),
            stubble=0.55,
            zones=0.7,
        ),
    ),
}
"""What each network learns from; it is judged on the usual draws. Real faces differ more in their
relief than the few rendered heads. Light is told by the face, not by what stands around it, by
colours, beards or by where lamps usually are."""


@dataclass(frozen=True)
class Split:
    """Views and environments of one part of the data.

    Attributes:
        root: the dataset's folder.
        names: of its views, below the folder.
        landmarks: of all views.
        bank: environments.
    """

    root: Path
    names: list[str]
    landmarks: LandmarkStore
    bank: EnvironmentBank


class DataError(RelightError):
    """A dataset cannot be trained on."""


def load_splits(
    root: Path, environments: Path | None = None, progress: Any = lambda done, total: None
) -> tuple[Split, Split]:
    """Training and test part: no subject and no environment map is in both.

    Args:
        root: a dataset made by ``python -m data_synth render``.
        environments: folder of .hdr or .exr maps; ``None`` makes procedural ones.
        progress: told of landmarks being found, see
            :func:`training.data.render_mesh.load_landmarks`.

    Raises:
        FieldError: if the folder holds no views.
        DataError: if it holds too few people.
    """
    dataset = Dataset(root)
    landmarks = load_landmarks(dataset, progress)
    subjects = sorted(dataset.by_subject())
    kept = set(subjects[HELD_OUT - 1 :: HELD_OUT] or subjects[-1:])
    if len(subjects) < 2:
        raise DataError(f"{root}: one subject is too few; render at least two")
    names: dict[bool, list[str]] = {True: [], False: []}
    for name in landmarks.usable:
        names[name.split("/")[0] in kept].append(name)
    if not all(names.values()):
        raise DataError(f"{root}: faces are found in too few views; render more subjects")
    if environments is None:
        bank = EnvironmentBank.make(PROCEDURAL_MAPS, np.random.default_rng(1))
    else:
        bank = EnvironmentBank.load(environments)
        made = EnvironmentBank.make(len(bank.maps), np.random.default_rng(1))
        bank = EnvironmentBank(
            np.concatenate([bank.maps, made.maps]), [*bank.names, *made.names], bank.ranges
        )
    unseen = np.arange(len(bank.maps)) % HELD_OUT == HELD_OUT - 1
    banks = [
        EnvironmentBank(bank.maps[part], [bank.names[i] for i in np.flatnonzero(part)], bank.ranges)
        for part in (~unseen, unseen)
    ]
    return (
        Split(root, names[False], landmarks, banks[0]),
        Split(root, names[True], landmarks, banks[1]),
    )


def make_block(split: Split, config: DataConfig, index: int) -> Sample:
    """All samples of block ``index``: arrays with a first axis of ``views * pairs``.

    Keys: ``photo`` uint8 (N, 256, 256, 3); ``mesh`` float16 (N, 128, 128, 4); ``features`` bool (N,
    128, 128) eyes, eyebrows and lips; ``depth`` float16 (N, 128, 128) of the mesh in pixels of the
    crop, see :class:`relight.face.mesh.Surface`; ``normals`` float16 unit on the person, 0 outside;
    ``mask`` float16 coverage by the person, 0 where nothing is to be learned; ``gain`` and
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
    """Views come in a new random order each time that all have been seen."""
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
    """A view's drawn mesh, bordered, on a pair's crop, ``(128, 128, 6)``, mirrored as it is."""
    scale = DRAWN_SIDE / size
    left, top, side = (round(x * scale) for x in (square.left, square.top, square.size))
    crop = Crop(left + 1, top + 1, side)
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
    """Repeat a cut's edges over all that lies outside it, in place."""
    left, top, right, bottom = cut
    low_y, high_y, low_x, high_x = (FINE * at for at in (top, bottom, left, right))
    y = np.clip(np.arange(len(photo)), low_y, max(low_y, high_y - 1))
    x = np.clip(np.arange(len(photo)), low_x, max(low_x, high_x - 1))
    photo[:] = photo[y][:, x]
    mask[:top], mask[bottom:], mask[:, :left], mask[:, right:] = 0, 0, 0, 0
