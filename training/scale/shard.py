# SPDX-License-Identifier: Apache-2.0
"""A batch in parts, each made of views of its own, so that workers share the making of the data.

A training with ``shards`` parts sees the same batches whether one process makes all parts or each
worker makes some: the number of workers changes the speed of training, not its result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.data.block import Sample
from training.data.data_config import DataConfig
from training.data.pair_dataset import PairDataset
from training.data.split import DataError, Split
from training.data.target import Estimate

SEED_STRIDE = 1_000_003
"""Distance between the seeds of two parts, larger than seeds that people give."""


def shard(split: Split, config: DataConfig, index: int, shards: int) -> tuple[Split, DataConfig]:
    """Views and batches of one part.

    No view is in two parts. With one part, it is the data as it is. A block has no more views
    than the part has, so that little data makes small blocks.

    Args:
        split: the views of all parts.
        config: the whole batch.
        index: of the part, from 0.
        shards: number of parts.

    Raises:
        DataError: if the batch or the views cannot be shared so.
    """
    if shards == 1:
        return split, replace(config, views=min(config.views, len(split.names)))
    if config.batch % shards:
        raise DataError(
            f"a batch of {config.batch} cannot be shared by {shards}; "
            f"give --batch a multiple of {shards}"
        )
    if len(split.names) < shards:
        raise DataError(
            f"{split.root}: {len(split.names)} views are too few for {shards} shards; "
            "render more or give fewer --shards"
        )
    # Names are sorted: without a shuffle a part could hold the views of one camera alone.
    order = np.random.default_rng([config.seed, 11]).permutation(len(split.names))
    names = [split.names[i] for i in order[index::shards]]
    part = replace(
        config,
        batch=config.batch // shards,
        views=max(1, min(config.views, len(split.names)) // shards),
        seed=config.seed + SEED_STRIDE * index,
    )
    return replace(split, names=names), part


def sharded(
    split: Split,
    network: str,
    config: DataConfig,
    steps: int,
    epoch: int,
    estimate: Estimate | None,
    shards: int,
    chosen: Sequence[int],
) -> PairDataset | JoinedDataset:
    """Batches of the chosen parts, ``batch / shards`` samples of each.

    Args:
        split: the data of all parts.
        network: ``normals``, ``lighting`` or ``quotient``.
        config: the whole batch.
        steps: batches of an epoch.
        epoch: the first epoch's number.
        estimate: of the existing light, see :func:`training.data.target.with_estimates`.
        shards: number of parts.
        chosen: the parts to make.

    Raises:
        DataError: if the batch or the views cannot be shared so.
    """
    parts = [shard(split, config, index, shards) for index in chosen]
    datasets = [PairDataset(s, network, c, steps, epoch, estimate) for s, c in parts]
    return datasets[0] if len(datasets) == 1 else JoinedDataset(datasets)


class JoinedDataset(keras.utils.PyDataset):
    """Batches put together from several datasets of equal length."""

    def __init__(self, parts: Sequence[PairDataset]) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=4)
        self.parts = list(parts)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return len(self.parts[0])

    def __getitem__(self, index: int) -> tuple[Sample, NDArray[Any]]:
        """Batch ``index`` of the current epoch: the parts' samples one part after the other."""
        batches = [part[index] for part in self.parts]
        inputs = {key: np.concatenate([b[0][key] for b in batches]) for key in batches[0][0]}
        return inputs, np.concatenate([b[1] for b in batches])

    @property
    def epoch(self) -> int:
        """The current epoch's number."""
        return self.parts[0].epoch

    @epoch.setter
    def epoch(self, number: int) -> None:
        for part in self.parts:
            part.epoch = number

    @property
    def block_seconds(self) -> float | None:
        """Time it took to make the slowest part's last block; parts are made side by side."""
        known = [p.block_seconds for p in self.parts if p.block_seconds is not None]
        return max(known, default=None)

    @property
    def block_batches(self) -> int:
        """Number of batches in a block of every part."""
        return self.parts[0].block_batches

    def close(self) -> None:
        """Stop the processes that make blocks."""
        for part in self.parts:
            part.close()
