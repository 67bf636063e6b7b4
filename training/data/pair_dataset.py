# SPDX-License-Identifier: Apache-2.0
"""Batches for Keras ``fit`` on any backend, made while the network trains.

A *block* is a set of samples from many views, made in a separate process while the network trains
on the one before; batches are drawn from it in random order. Blocks and batches depend only on the
seed and the step, so a training that was stopped continues with the data it would have seen.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.data.block import Sample, make_block
from training.data.data_config import DataConfig
from training.data.split import Split
from training.data.target import Estimate, inputs_and_target, with_estimates


class PairDataset(keras.utils.PyDataset):
    """Batches of one network, for Keras ``fit`` on any backend.

    Args:
        split: the data.
        network: ``normals``, ``lighting`` or ``quotient``.
        config: what the samples are drawn from.
        steps: batches of an epoch.
        epoch: the first epoch's number.
        estimate: of normals and existing light, see :func:`training.data.target.with_estimates`.
    """

    def __init__(
        self,
        split: Split,
        network: str,
        config: DataConfig,
        steps: int,
        epoch: int = 0,
        estimate: Estimate | None = None,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=4)
        self.split, self.network, self.config = split, network, config
        self.steps, self.epoch, self.estimate = steps, epoch, estimate
        # The other process makes blocks meanwhile: more threads would only compete with it.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        self._pool = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_prepare, initargs=(os.getpid(),)
        )
        self._blocks: dict[int, Future[tuple[Sample, float]]] = {}
        self._estimated: tuple[int, Sample] | None = None
        self.block_seconds: float | None = None
        """Time it took to make the last block."""

    @property
    def block_batches(self) -> int:
        """Number of batches in a block."""
        return self.config.batches_per_block

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self.steps

    def __getitem__(self, index: int) -> tuple[Sample, NDArray[Any]]:
        """Batch ``index`` of the current epoch: inputs by name, and the target."""
        return self.batch(self.epoch * self.steps + index)

    def close(self) -> None:
        """Stop the process that makes blocks."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def batch(self, step: int) -> tuple[Sample, NDArray[Any]]:
        """The batch of a training step, counted from 0."""
        number, place = divmod(step, self.config.batches_per_block)
        block = self._told_block(number)
        rng = np.random.default_rng([self.config.seed, step, 3])
        count = len(block["photo"])
        turns = [
            np.random.default_rng([self.config.seed, number, turn]).permutation(count)
            for turn in range(self.config.reuse)
        ]
        first = place * self.config.batch
        chosen = np.concatenate(turns)[first : first + self.config.batch]
        sample = {key: values[chosen] for key, values in block.items()}
        if self.config.reuse > 1:
            sample = _mirrored(sample, rng.random(len(chosen)) < 0.5)
        return inputs_and_target(sample, self.network, self.config, rng)

    def _told_block(self, number: int) -> Sample:
        """A block with the estimates that the network is trained on."""
        if self.estimate is None:
            return self._block(number)
        if self._estimated is None or self._estimated[0] != number:
            self._estimated = number, with_estimates(self._block(number), self.estimate)
        return self._estimated[1]

    def _block(self, number: int) -> Sample:
        """A block; the next one is started meanwhile."""
        for wanted in (number, number + 1):
            if wanted not in self._blocks:
                self._blocks[wanted] = self._pool.submit(
                    _timed_block, self.split, self.config, wanted
                )
        for old in [n for n in self._blocks if n < number]:
            del self._blocks[old]
        block, self.block_seconds = self._blocks[number].result()
        return block


class EpochStart(keras.callbacks.Callback):
    """Tells a dataset which epoch begins: Keras's ``fit`` calls its end before the first begins.

    Args:
        data: has an attribute ``epoch``.
    """

    def __init__(self, data: Any) -> None:
        super().__init__()
        self.data = data

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See the class."""
        self.data.epoch = epoch


class KeptBatches(keras.utils.PyDataset):
    """Batches in memory."""

    def __init__(self, batches: list[tuple[Sample, NDArray[Any]]]) -> None:
        super().__init__()
        self.batches = batches

    def __len__(self) -> int:
        """Number of batches."""
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Sample, NDArray[Any]]:
        """Batch ``index``."""
        return self.batches[index]


def tf_data(dataset: PairDataset) -> Any:
    """The same batches as a ``tf.data.Dataset``, for TensorFlow programs.

    Raises:
        ImportError: without TensorFlow.
    """
    import tensorflow as tf

    inputs, target = dataset[0]
    signature = (
        {k: tf.TensorSpec((None, *v.shape[1:]), tf.float32) for k, v in inputs.items()},
        tf.TensorSpec((None, *target.shape[1:]), tf.float32),
    )
    return tf.data.Dataset.from_generator(
        lambda: (dataset[i] for i in range(len(dataset))), output_signature=signature
    ).prefetch(2)


def end_with(parent: int) -> None:
    """Exit this process when the one that started it is gone, however it ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _prepare(parent: int) -> None:
    """Set up the process that makes blocks; it exits when the training is killed."""
    import cv2

    cv2.setNumThreads(1)
    end_with(parent)


def _timed_block(split: Split, config: DataConfig, number: int) -> tuple[Sample, float]:
    """A block, and the seconds it took."""
    begin = time.perf_counter()
    return make_block(split, config, number), time.perf_counter() - begin


def _mirrored(sample: Sample, chosen: NDArray[np.bool_]) -> Sample:
    """Mirror the chosen samples left to right."""
    result = {}
    for key, values in sample.items():
        mirrored = values[chosen]
        if values.ndim > 2:
            mirrored = mirrored[:, :, ::-1]
        if key in ("normals", "estimated_normals", "mesh", "light"):
            mirrored = mirrored.copy()
            mirrored[..., 0] *= -1
        result[key] = values.copy()
        result[key][chosen] = mirrored
    return result
