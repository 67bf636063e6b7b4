# SPDX-License-Identifier: Apache-2.0
"""Training pairs as the loaders of PyTorch and TensorFlow take them.

>>> pairs = PairSet("stage", count=1000)
>>> torch.utils.data.DataLoader(pairs, batch_size=16)
>>> tf.data.Dataset.from_generator(pairs, output_signature=pairs.tf_signature()).batch(16)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.run.dataset import Dataset
from data_synth.run.field import Field
from data_synth.run.light_sum import find_arrays
from data_synth.sample.illumination import EnvironmentBank
from data_synth.sample.pair import PairMaker
from data_synth.sample.pair_ranges import PairRanges

Sample = dict[str, NDArray[Any]]

MAPS = 64
"""Environment maps made here where no folder of maps is given."""
VIEWS, PAIRS = 8, 16
"""Views of a block and pairs made of each: reading a view costs as much as some twenty pairs."""
ARRAYS = (
    "photo",
    "gain",
    "relit",
    "linear",
    "normals",
    "mask",
    "environment",
    "light",
    "softness",
    "color",
    "intensity",
)
"""What a pair holds, see :class:`data_synth.sample.pair.Pairs`."""


class PairSet:
    """Pairs of a dataset, made as they are asked for; number ``i`` is always the same pair.

    Pairs are made in blocks of several views and mixed inside a block, and the last block is kept,
    so take them in order. Each worker of a loader makes its own blocks: for several workers, write
    the pairs to shards first (``python -m data_synth pairs``).

    Args:
        root: a dataset of views.
        count: of pairs.
        environments: folder of .hdr or .exr maps; ``None`` makes some.
        ranges: what is drawn.
        seed: of everything.
        library: what adds up the lights: ``numpy``, ``torch`` or ``jax``.
        views: of a block, at most as many as there are.
        pairs: of each view of a block.

    Raises:
        FieldError: if there is no view.
        SynthError: if the library is not installed.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        count: int,
        *,
        environments: str | os.PathLike[str] | None = None,
        ranges: PairRanges | None = None,
        seed: int = 0,
        library: str = "numpy",
        views: int = VIEWS,
        pairs: int = PAIRS,
    ) -> None:
        self._views = Dataset(Path(root)).views
        self._count, self._seed, self._pairs = count, seed, pairs
        self._in_block = min(views, len(self._views))
        self._ranges = ranges or PairRanges()
        self._arrays = find_arrays(library)
        if environments is None:
            self._bank = EnvironmentBank.make(MAPS, np.random.default_rng([seed, 0]))
        else:
            self._bank = EnvironmentBank.load(Path(environments))
        self._kept: tuple[int, Sample] | None = None

    def __len__(self) -> int:
        """Number of pairs."""
        return self._count

    def __getitem__(self, index: int) -> Sample:
        """A pair: arrays by name, see :data:`ARRAYS`."""
        if not 0 <= index < self._count:
            raise IndexError(index)
        number, place = divmod(index, self._in_block * self._pairs)
        if self._kept is None or self._kept[0] != number:
            self._kept = number, self._block(number)
        return {name: values[place] for name, values in self._kept[1].items()}

    def __iter__(self) -> Iterator[Sample]:
        """All pairs, in order."""
        return (self[index] for index in range(self._count))

    def __call__(self) -> Iterator[Sample]:
        """All pairs, as ``tf.data.Dataset.from_generator`` asks for them."""
        return iter(self)

    def spec(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Type and shape of each array of a pair."""
        return {name: (str(array.dtype), array.shape) for name, array in self[0].items()}

    def tf_signature(self) -> dict[str, Any]:
        """The same as ``tf.TensorSpec``.

        Raises:
            ImportError: without TensorFlow.
        """
        import tensorflow as tf

        return {name: tf.TensorSpec(shape, dtype) for name, (dtype, shape) in self.spec().items()}

    def _block(self, number: int) -> Sample:
        rng = np.random.default_rng([self._seed, 1, number])
        made = []
        for i in range(self._in_block):
            turn, place = divmod(number * self._in_block + i, len(self._views))
            order = np.random.default_rng([self._seed, 2, turn]).permutation(len(self._views))
            field = Field.load(self._views[int(order[place])])
            maker = PairMaker(field, self._bank, self._ranges, self._arrays)
            made.append(maker.make(self._pairs, rng))
        mixed = rng.permutation(self._in_block * self._pairs)
        return {
            name: np.concatenate([getattr(pairs, name) for pairs in made])[mixed] for name in ARRAYS
        }
