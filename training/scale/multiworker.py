# SPDX-License-Identifier: Apache-2.0
"""Synchronous training on several workers, each a process of the same program.

Every worker has all weights and makes its own part of each batch; the gradients are summed over the
workers (the all-reduce of ``tf.distribute.MultiWorkerMirroredStrategy``), clipped, and applied by
every worker alike, so all weights stay the same. Keras 3's ``fit`` does not start under that
strategy, and its optimizers clip before they sum, which differs from training with one worker;
:func:`fit` here sums first. The workers find each other by ``TF_CONFIG``
(https://www.tensorflow.org/guide/distributed_training), which ``training.scale.supervise`` sets.

A worker that dies takes the others with it: they end with :data:`LOST`, and all are started again
from the last checkpoint.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from relight.error import RelightError
from training.data.pair_dataset import end_with, tf_data
from training.losses import Loss
from training.scale.supervise import PARENT

LOST = 75
"""Exit status of a worker that lost another: the failure is temporary (sysexits.h)."""
CURE = "start workers with python -m training.scale.supervise --workers N -- ..."


class WorkerError(RelightError):
    """The workers cannot start."""


class WorkerLostError(RelightError):
    """Another worker is gone; all have to start again."""

    exit_status = LOST


@dataclass(frozen=True)
class Workers:
    """This process among the workers of one training.

    Attributes:
        strategy: ``tf.distribute.Strategy`` that sums over them.
        index: of this one, from 0.
        count: of all.
    """

    strategy: Any
    index: int
    count: int

    @property
    def chief(self) -> bool:
        """Whether this is the one that evaluates, stores and prints."""
        return self.index == 0

    def shards(self, shards: int) -> range:
        """The parts of a batch that this worker makes.

        Raises:
            WorkerError: if they cannot be shared evenly.
        """
        if shards % self.count:
            raise WorkerError(
                f"{shards} shards cannot be shared by {self.count} workers; "
                f"give --shards a multiple of {self.count}"
            )
        return range(self.index, shards, self.count)

    def agreed(self, value: int) -> int:
        """The chief's value; all workers must call this, and wait for each other."""
        import tensorflow as tf

        def replica(own: Any) -> Any:
            # The sum runs where its term lies: computed here, that is the worker's device.
            return tf.distribute.get_replica_context().all_reduce("SUM", tf.identity(own))

        total = tf.function(lambda own: self.strategy.run(replica, args=(own,)))
        with _losses_told():
            return round(float(total(tf.constant(float(value if self.chief else 0)))))

    def wait(self) -> None:
        """Wait until all workers call this."""
        self.agreed(0)


def join() -> Workers:
    """Join the workers that ``TF_CONFIG`` names; must come before all other use of TensorFlow.

    The workers of one machine take one GPU each.

    Raises:
        WorkerError: if ``TF_CONFIG`` is missing or wrong, or the backend is not TensorFlow.
    """
    addresses, index = cluster(os.environ.get("TF_CONFIG", ""))
    if keras.backend.backend() != "tensorflow":
        raise WorkerError(
            f"several workers need TensorFlow, not {keras.backend.backend()}; "
            "set KERAS_BACKEND=tensorflow"
        )
    if PARENT in os.environ:
        end_with(int(os.environ[PARENT]))
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        tf.config.set_visible_devices(gpus[local_rank(addresses, index) % len(gpus)], "GPU")
    with _losses_told():
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    return Workers(strategy, index, len(addresses))


def cluster(text: str) -> tuple[list[str], int]:
    """The workers' addresses and this one's place among them, of a ``TF_CONFIG``.

    Raises:
        WorkerError: if it is missing or wrong.
    """
    if not text:
        raise WorkerError(f"TF_CONFIG is not set; {CURE}")
    try:
        content = json.loads(text)
        addresses = [str(address) for address in content["cluster"]["worker"]]
        kind, index = content["task"]["type"], int(content["task"]["index"])
    except (ValueError, KeyError, TypeError) as error:
        raise WorkerError(f"TF_CONFIG: not a cluster of workers; {CURE}") from error
    if kind != "worker" or not 0 <= index < len(addresses) or len(content["cluster"]) > 1:
        raise WorkerError(f"TF_CONFIG: names no worker of its cluster; {CURE}")
    return addresses, index


def local_rank(addresses: Sequence[str], index: int) -> int:
    """How many workers before this one are on its machine."""
    hosts = [address.rpartition(":")[0] for address in addresses]
    return hosts[:index].count(hosts[index])


@contextmanager
def _losses_told() -> Iterator[None]:
    """Turn TensorFlow's many errors for a lost worker into one."""
    import tensorflow as tf

    gone = (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
        tf.errors.DeadlineExceededError,
        tf.errors.FailedPreconditionError,
        tf.errors.InternalError,
        tf.errors.UnknownError,
    )
    try:
        yield
    except gone as error:
        reason = " ".join(str(error.message).split())[:160]
        raise WorkerLostError(
            f"a worker was lost ({reason}); start all again, they continue from the checkpoint"
        ) from error


def fit(
    model: keras.Model,
    data: Any,
    workers: Workers,
    loss: Loss,
    figures: Sequence[Loss],
    batch: int,
    epochs: int,
    initial_epoch: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Train as ``model.fit`` does, on all workers; it returns on all at the same time.

    Args:
        model: compiled and built, with the same weights and optimizer's state on all workers.
        data: this worker's part of the batches, a ``PyDataset`` of inputs by name and target;
            :class:`training.data.pair_dataset.EpochStart` tells it of epochs.
        workers: of the training.
        loss: from target and prediction to a value for each sample.
        figures: likewise; their means are reported with the loss's.
        batch: samples of all workers' parts together.
        epochs: number of the epoch to end before.
        initial_epoch: number of the first.
        callbacks: called for batches and epochs; ``logs`` hold the means over all workers.

    Raises:
        WorkerLostError: if another worker is gone.
    """
    import tensorflow as tf

    measures = [loss, *figures]
    variables = model.trainable_variables
    strategy, optimizer = workers.strategy, model.optimizer

    def replica(inputs: Any, target: Any) -> Any:
        with tf.GradientTape() as tape:
            predicted = model(inputs, training=True)
            sums = [tf.reduce_sum(measure(target, predicted)) / batch for measure in measures]
        gradients = tape.gradient(
            sums[0], variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        context = tf.distribute.get_replica_context()
        return context.all_reduce("SUM", [*gradients, tf.stack(sums)])

    def learn(batches: Any) -> Any:
        *gradients, means = strategy.run(replica, args=next(batches))
        # The variables are this process's own, so the optimizer, outside the strategy, neither sums
        # again nor clips before the sum.
        optimizer.apply(gradients, variables)
        return means

    step = tf.function(learn, jit_compile=False)
    hooks = keras.callbacks.CallbackList(list(callbacks), model=model, epochs=epochs)
    hooks.on_train_begin()
    with _losses_told():
        for epoch in range(initial_epoch, epochs):
            hooks.on_epoch_begin(epoch)
            batches = iter(tf_data(data))
            total = tf.zeros(len(measures))
            for index in range(len(data)):
                hooks.on_train_batch_begin(index)
                total += step(batches)
                hooks.on_train_batch_end(index)
            means = total.numpy() / len(data)
            names = ["loss", *(figure.__name__ for figure in figures)]
            logs = {name: float(mean) for name, mean in zip(names, means, strict=True)}
            hooks.on_epoch_end(epoch, logs)
        # The chief is still evaluating: a worker that left now would seem lost to it.
        workers.wait()
    optimizer.finalize_variable_values(variables)  # averaged weights, as fit leaves them
    hooks.on_train_end()
