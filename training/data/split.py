# SPDX-License-Identifier: Apache-2.0
"""Which people and environments a network is trained on, and which it is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_synth.run.dataset import Dataset
from data_synth.sample.illumination import EnvironmentBank
from relight.error import RelightError
from training.data.landmark_store import LandmarkStore, load_landmarks

HELD_OUT = 10
"""Every tenth subject and environment map is kept for testing."""
PROCEDURAL_MAPS = 200
"""Environment maps made here when no folder is given."""


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
        progress: called while landmarks are found, see
            :func:`training.data.landmark_store.load_landmarks`.

    Raises:
        FieldError: if the folder holds no views.
        DataError: if it holds too few people.
    """
    dataset = Dataset(root)
    landmarks = load_landmarks(dataset, progress)
    subjects = sorted(dataset.by_subject())
    kept = set(subjects[HELD_OUT - 1 :: HELD_OUT] or subjects[-1:])
    if len(subjects) < 2:
        raise DataError(f"{root}: one subject is not enough; render at least two")
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
