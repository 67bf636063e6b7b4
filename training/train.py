# SPDX-License-Identifier: Apache-2.0
"""Train a network on rendered people: ``python -m training.train quotient --data DIR --out DIR``.

It may be killed at any time; the same command continues from the last epoch. The run's folder holds

- ``config.json``: the resolved configuration, the commit and the versions,
- ``<network>.weights.h5``: the averaged weights of the last epoch,
- ``state.weights.h5``, ``state.json``: from which a restart continues,
- ``history.csv``, ``tensorboard/``: loss and figures by epoch,
- ``figures.json``: the last epoch's figures on the test split,
- ``throughput.csv``: samples and seconds by epoch; ``profile.json`` of ``--profile``.

How the shipped weights were trained: ``docs/training-log.md``; several workers:
``docs/distributed-training.md``.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import keras
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from relight.error import plain_errors
from relight.stage.stages import radiance
from training.checkpoint import Checkpoint, TrainError, first_epoch, write_config
from training.data.data_config import DRAWS, DataConfig, Network
from training.data.pair_dataset import EpochStart, KeptBatches, PairDataset
from training.data.split import Split, load_splits
from training.data.target import Estimate
from training.losses import FIGURES, LOSSES, joined_outputs
from training.networks.network import NETWORKS
from training.networks.precision import mix, require_mixed
from training.networks.weight_file import load_network, load_weights
from training.scale.multiworker import Workers, fit, join
from training.scale.shard import sharded
from training.scale.throughput import Throughput
from training.scale.trace import LAST, Trace

Float = NDArray[np.float32]

TEST_BATCHES = 24
"""Batches of the test split that every epoch is evaluated on."""


class Distribution(StrEnum):
    """Ways to train on several processes."""

    MULTIWORKER = "multiworker"


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Attributes:
        network: which network.
        data: the dataset's folder.
        environments: folder of HDR maps, or ``None``.
        steps: batches in all.
        epoch_steps: batches between checkpoints.
        learning_rate: peak of a cosine schedule.
        warmup_steps: over which it rises.
        clip_norm: largest norm of a gradient.
        averaging: momentum of the averaged weights, which are the ones that are stored.
        initial_weights: weights to start from, or ``None``.
        estimates: folder of normals and lighting weights. The quotient network is trained on their
            estimates, the lighting network on their normals; ``None`` gives them disturbed normals
            and the true light.
        batches: what the samples are drawn from.
        shards: parts of a batch, each from views of its own, that workers share out.
        mixed_precision: whether convolutions are computed in bfloat16.
    """

    network: str
    data: str
    environments: str | None = None
    steps: int = 12000
    epoch_steps: int = 250
    learning_rate: float = 2e-3
    warmup_steps: int = 200
    clip_norm: float = 1.0
    averaging: float = 0.998
    initial_weights: str | None = None
    estimates: str | None = None
    batches: DataConfig = field(default_factory=DataConfig)
    shards: int = 1
    mixed_precision: bool = False


def train(
    config: TrainConfig,
    out: Path,
    console: Console,
    workers: Workers | None = None,
    profile: bool = False,
) -> dict[str, float]:
    """Run a training from its start or from where it stopped.

    Args:
        config: of the run.
        out: its folder, which all workers see.
        console: where progress is printed.
        workers: that share the training, or ``None`` to train in this process.
        profile: whether to trace a few steps, see :class:`training.scale.trace.Trace`.

    Returns:
        The last epoch's losses and figures; ``test_`` marks those of the test split. Empty for
        a worker that is not the chief.

    Raises:
        TrainError: if the folder holds another run, or the loss is no longer finite.
        WorkerLostError: if another worker is gone.
        RelightError: if the data cannot be used.
        OSError: if the folder cannot be written.
    """
    # --- Configuration

    chief = workers is None or workers.chief
    shards = range(config.shards) if workers is None else workers.shards(config.shards)
    if config.mixed_precision:
        require_mixed()
    if profile and config.epoch_steps < LAST:
        raise TrainError(f"--profile traces up to step {LAST}; give --epoch-steps {LAST} or more")
    out.mkdir(parents=True, exist_ok=True)
    epoch = first_epoch(asdict(config), asdict(TrainConfig(config.network, config.data)), out)
    if workers is not None:
        epoch = workers.agreed(epoch)  # a file system may show an older one to the others
    epochs = math.ceil(config.steps / config.epoch_steps)
    if epoch >= epochs:
        console.print(f"{out}: finished; give more --steps to continue.")
        return _figures(out)

    # --- Model

    keras.utils.set_random_seed(config.batches.seed)
    network = NETWORKS[config.network]()
    if config.initial_weights:
        load_weights(network, Path(config.initial_weights))
    if config.mixed_precision:
        mix(network)
    model = joined_outputs(network)
    schedule = keras.optimizers.schedules.CosineDecay(
        config.learning_rate * 0.05,
        max(1, config.steps - config.warmup_steps),
        alpha=0.01,
        warmup_target=config.learning_rate,
        warmup_steps=min(config.warmup_steps, config.steps // 4),
    )
    optimizer = keras.optimizers.Adam(
        schedule, clipnorm=config.clip_norm, use_ema=True, ema_momentum=config.averaging
    )
    loss, figures = LOSSES[config.network], FIGURES[config.network]
    jit = keras.backend.backend() == "jax"
    model.compile(optimizer, loss=loss, metrics=figures, jit_compile=jit)
    optimizer.build(model.trainable_variables)
    if epoch:
        model.load_weights(out / "state.weights.h5")

    # --- Data

    environments = Path(config.environments) if config.environments else None
    if workers is not None and not chief:
        workers.wait()  # while the chief finds the faces for all
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Face Mesh on the renders", total=None)
        learned, unseen = load_splits(
            Path(config.data),
            environments,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    if workers is not None and chief:
        workers.wait()
    if chief:
        write_config(asdict(config), out)
    console.print(f"{len(learned.names)} views to train on, {len(unseen.names)} to test on")
    estimate = _load_estimate(config.estimates)
    batches, steps = config.batches, config.epoch_steps
    data = sharded(learned, config.network, batches, steps, epoch, estimate, config.shards, shards)

    # --- Fit

    callbacks: list[keras.callbacks.Callback] = [EpochStart(data)]
    if chief:
        test_set = _test_set(unseen, config.network, estimate)
        callbacks += [
            Throughput(out / "throughput.csv", batches.batch),
            Checkpoint(out, network, config.network, test_set),
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda e, logs: console.print(
                    f"{(e + 1) * steps:7d}  "
                    + "  ".join(f"{k} {v:.4f}" for k, v in (logs or {}).items())
                )
            ),
        ]
        if keras.backend.backend() == "tensorflow":
            board = str(out / "tensorboard")
            callbacks.append(keras.callbacks.TensorBoard(board, write_graph=False))
        if profile:
            callbacks.append(Trace(out, data, console))
    try:
        if workers is not None:
            fit(model, data, workers, loss, figures, batches.batch, epochs, epoch, callbacks)
        else:
            model.fit(
                data,
                epochs=epochs,
                initial_epoch=epoch,
                callbacks=callbacks,
                shuffle=False,  # blocks come one after the other; their samples are in random order
                verbose=0,
            )
    finally:
        data.close()

    return _figures(out) if chief else {}


def _figures(out: Path) -> dict[str, float]:
    figures: dict[str, float] = json.loads((out / "figures.json").read_text())
    return figures


def _test_set(unseen: Split, network: str, estimate: Estimate | None) -> KeptBatches:
    """The batches that every epoch is evaluated on, kept in memory."""
    fixed = DataConfig(batch=16, views=min(len(unseen.names), 48), pairs=8, reuse=1, seed=1)
    judged = PairDataset(unseen, network, fixed, 1, estimate=estimate)
    kept = [judged.batch(i) for i in range(min(TEST_BATCHES, fixed.batches_per_block))]
    judged.close()
    return KeptBatches(kept)


def _load_estimate(folder: str | None) -> Estimate | None:
    """The normals and lighting networks as a function of arrays."""
    if folder is None:
        return None
    networks = {name: load_network(name, Path(folder)) for name in ("normals", "lighting")}

    def estimate(photo: Float, mesh: Float, mask: Float, skin: Float) -> tuple[Float, Float]:
        inputs = {"photo": photo, "mesh": mesh}
        normals = networks["normals"].predict_on_batch(inputs)["normals"] * mask
        inputs = {"photo": photo, "normals": normals, "skin": skin}
        logarithm = networks["lighting"].predict_on_batch(inputs)["log_environment"]
        return normals, radiance(logarithm)

    return estimate


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__.split("\n", 1)[0] if __doc__ else None)
def main(
    network: Annotated[Network, typer.Argument(help="Which network.")],
    data: Annotated[Path, typer.Option(help="A dataset of python -m data_synth render.")],
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    environments: Annotated[
        Path | None, typer.Option(help="Folder of .hdr or .exr maps; else made here.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Batches in all.")] = TrainConfig.steps,
    epoch_steps: Annotated[
        int, typer.Option(min=1, help="Batches between checkpoints.")
    ] = TrainConfig.epoch_steps,
    batch: Annotated[int, typer.Option(min=1, help="Samples of a batch.")] = DataConfig.batch,
    learning_rate: Annotated[
        float, typer.Option(min=1e-7, max=1.0, help="Peak of the cosine schedule.")
    ] = TrainConfig.learning_rate,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all randomness.")] = 0,
    init: Annotated[Path | None, typer.Option(help="Weights to start from.")] = None,
    estimates: Annotated[
        Path | None,
        typer.Option(
            help="Folder of normals and lighting weights whose estimates this network is given."
        ),
    ] = None,
    distribute: Annotated[
        Distribution | None,
        typer.Option(
            help="Train as one of several workers, started by python -m training.scale.supervise."
        ),
    ] = None,
    shards: Annotated[
        int, typer.Option(min=0, help="Parts of a batch that workers share out; 0: one for each.")
    ] = 0,
    mixed_precision: Annotated[
        bool, typer.Option("--mixed-precision", help="bfloat16 convolutions; needs a GPU.")
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Trace steps 10 to 20 and show what limits them.")
    ] = False,
) -> None:
    """Train a network. Run it again to continue after a stop."""
    workers: Workers | None = None
    console = Console(highlight=False, soft_wrap=True)
    with plain_errors():
        if distribute is not None:
            workers = join()
            console.quiet = not workers.chief
        if init is not None and not init.is_file():
            raise TrainError(f"{init}: no such file; give the weights of an earlier run")
        config = TrainConfig(
            network=network.value,
            data=str(data),
            environments=str(environments) if environments else None,
            steps=steps,
            epoch_steps=min(epoch_steps, steps),
            learning_rate=learning_rate,
            initial_weights=str(init) if init else None,
            estimates=str(estimates) if estimates else None,
            batches=replace(DRAWS.get(network.value, DataConfig()), batch=batch, seed=seed),
            shards=shards or (workers.count if workers else 1),
            mixed_precision=mixed_precision,
        )
        figures = train(config, out, console, workers, profile)
    console.print("  ".join(f"{k} {v:.4f}" for k, v in figures.items()))


if __name__ == "__main__":
    app()
