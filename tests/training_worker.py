# SPDX-License-Identifier: Apache-2.0
"""A worker of a small training, for the tests: ``training_worker.py OUT [DOOMED]``.

It fits a network of two layers with ``training.scale.multiworker`` and keeps checkpoints, as
trainings do. With ``DOOMED`` the worker of that index is killed in the middle of the second epoch,
once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
from keras import ops
from rich.console import Console

from training.checkpoint import Checkpoint
from training.data.pair_dataset import EpochStart
from training.scale.multiworker import LOST, WorkerLostError, Workers, fit, join

BATCH, STEPS, EPOCHS = 8, 6, 3


class Batches(keras.utils.PyDataset):
    """Rows ``part`` of every batch of a fixed sequence."""

    def __init__(self, part: slice) -> None:
        super().__init__()
        self.part, self.epoch = part, 0

    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, index: int) -> Any:
        rng = np.random.default_rng([self.epoch, index])
        given = rng.normal(0, 1, (BATCH, 4)).astype(np.float32)
        target = given.sum(1, keepdims=True) * 3
        return {"given": given[self.part]}, target[self.part]


def loss(target: Any, predicted: Any) -> Any:
    return ops.mean((target - predicted) ** 2, -1)


def error(target: Any, predicted: Any) -> Any:
    return ops.mean(ops.abs(target - predicted), -1)


def network() -> keras.Model:
    """Compiled; its gradients are clipped all the time."""
    keras.utils.set_random_seed(1)
    given = keras.Input((4,), name="given")
    hidden = keras.layers.Dense(8, activation="relu")(given)
    model = keras.Model({"given": given}, keras.layers.Dense(1)(hidden))
    optimizer = keras.optimizers.Adam(0.01, clipnorm=0.1, use_ema=True, ema_momentum=0.9)
    model.compile(optimizer, loss=loss, metrics=[error], jit_compile=False)
    optimizer.build(model.trainable_variables)
    return model


class Doom(keras.callbacks.Callback):
    """Kills this process in the middle of the second epoch."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self.epoch == 1 and batch == STEPS // 2:
            os.kill(os.getpid(), signal.SIGKILL)


def work(out: Path, doomed: int | None, workers: Workers) -> None:
    state = out / "state.json"
    epoch = json.loads(state.read_text())["epoch"] if state.exists() else 0
    epoch = workers.agreed(epoch)
    model = network()
    if epoch:
        model.load_weights(out / "state.weights.h5")
    data = Batches(slice(workers.index, None, workers.count))
    callbacks: list[Any] = [EpochStart(data)]
    if workers.chief:
        judged = Batches(slice(None))
        callbacks.append(Checkpoint(out, model, "small", judged))
    if workers.index == doomed and epoch == 0:
        callbacks.append(Doom())
    fit(model, data, workers, loss, [error], BATCH, EPOCHS, epoch, callbacks)
    np.savez(out / f"worker-{workers.index}.npz", *model.get_weights())


if __name__ == "__main__":
    try:
        work(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None, join())
    except WorkerLostError as lost:
        Console(stderr=True).print(str(lost))
        sys.exit(LOST)
