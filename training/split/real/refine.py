# SPDX-License-Identifier: Apache-2.0
"""Train the shading and key networks further on samples of real portraits (JAX, CPU or GPU).

``KERAS_BACKEND=jax python -m training.split.real.refine --samples DIR --init DIR --out DIR``
takes up samples as :mod:`training.split.real.portraits` leaves them, and keeps averaged weights a
few times on the way: folders ``split-<part>`` of ``shading.weights.h5`` and ``key.weights.h5``,
and ``history.csv``.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import typer
from numpy.typing import NDArray

from relight.stage.quotient import SHINE
from training.split.batch_picture import Arrays
from training.split.real.portrait_sample import ARRAYS
from training.split.split_network import key_network, shading_network
from training.split.step import (
    Pair,
    StepConfig,
    rate_at,
    start,
    update_function,
)

BYTES = ("photo", "weight", "unshadowed")
"""Arrays that are kept in steps of 1/255."""
PER_KEY = ("unshadowed", "light", "key")
"""Arrays with as many rows for each face as there are keys."""


@dataclass(frozen=True)
class RefineConfig:
    """A training run.

    Attributes:
        minutes: of training.
        faces: of a batch.
        kept: samples held at once; each is used ``uses`` times on average, then makes room.
        uses: see ``kept``.
        parts: times that weights are kept.
        every: steps between lines of the history.
        step: how weights follow the gradients.
        seed: of everything.
    """

    minutes: float = 60.0
    faces: int = 4
    kept: int = 240
    uses: int = 2
    parts: int = 8
    every: int = 50
    step: StepConfig = field(default_factory=StepConfig)
    seed: int = 0


def batches(folder: Path, config: RefineConfig) -> Iterator[dict[str, NDArray[Any]]]:
    """Batches without end, from the samples of a folder that may still be growing.

    Raises:
        FileNotFoundError: if it holds none.
    """
    rng = np.random.default_rng(config.seed)
    held: list[dict[str, NDArray[Any]]] = []
    queue: list[Path] = []
    while True:
        while len(held) < config.kept:
            if not queue:
                found = sorted(folder.glob("*.npz"))
                queue = [found[i] for i in rng.permutation(len(found))]
                if not queue:
                    raise FileNotFoundError(f"{folder}: no samples here")
            with np.load(queue.pop(), allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in ARRAYS}
            for index in range(len(arrays["photo"])):
                held.append({name: values[index] for name, values in arrays.items()})
            if not queue and not held:
                raise FileNotFoundError(f"{folder}: no sample shows a face")
        chosen = rng.choice(len(held), config.faces, replace=False)
        yield {
            name: (np.concatenate if name in PER_KEY else np.stack)([held[i][name] for i in chosen])
            for name in ARRAYS
        }
        for index in sorted(chosen, reverse=True):
            if rng.random() < 1 / config.uses:
                held[index] = held[-1]
                held.pop()


def prepared(batch: Arrays) -> tuple[Arrays, Arrays]:
    """Inputs of both networks and what judges them, for :meth:`training.split.step.Pair.loss`."""
    found = {name: jnp.asarray(values, jnp.float32) for name, values in batch.items()}
    found |= {name: found[name] / 255 for name in BYTES}
    keys = len(batch["light"]) // len(batch["photo"])
    normals, face, weight, linear = (
        jnp.repeat(found[name], keys, 0) for name in ("normals", "face", "weight", "linear")
    )
    truth = {
        "key": found.pop("key"),
        "linear": linear,
        "weight": weight,
        "face": face * weight,
        "cosine": (normals * found["light"][:, None, None, :3]).sum(-1, keepdims=True),
    }
    inputs = {name: values for name, values in found.items() if name not in truth}
    return inputs | {"face": found["face"], "level": SHINE * found["level"]}, truth


def refine(pair: Pair, folder: Path, config: RefineConfig, out: Path) -> Iterator[str]:
    """Train; yields lines that tell of it."""
    state = start(pair)
    update, prepare = update_function(pair.loss, config.step), jax.jit(prepared)
    source = batches(folder, config)
    begin, number, kept = 0.0, 0, 0
    sums: list[Arrays] = []
    with (out / "history.csv").open("a", newline="") as file:
        history = csv.writer(file)
        while True:
            done = (time.monotonic() - begin) / (60 * config.minutes) if begin else 0.0
            if done >= 1:
                break
            rate = jnp.float32(rate_at(config.step, done))
            state, figures = update(state, *prepare(next(source)), rate)
            sums.append(figures)
            begin = begin or time.monotonic()  # from here on it is compiled
            number += 1
            if number % config.every == 0:
                means = {name: float(np.mean([f[name] for f in sums])) for name in sums[0]}
                sums = []
                history.writerow([number, f"{time.monotonic() - begin:.0f}", *means.values()])
                file.flush()
                told = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
                yield f"{number:6d} {time.monotonic() - begin:5.0f} s  {told}"
            if done > (kept + 1) / config.parts:
                kept += 1
                pair.save(state["mean"], out / f"split-{kept}")
    pair.save(state["mean"], out / f"split-{config.parts}")
    yield f"{number} steps of {config.faces} faces"


def main(
    samples: Annotated[Path, typer.Option(help="Folder of samples, growing or not.")],
    init: Annotated[Path, typer.Option(help="Folder of weights to start from.")],
    out: Annotated[Path, typer.Option(help="Folder for weights and history.")],
    minutes: Annotated[float, typer.Option(min=0.01, help="Of training.")] = RefineConfig.minutes,
    parts: Annotated[int, typer.Option(min=1, help="Weights to keep.")] = RefineConfig.parts,
    learning_rate: Annotated[float, typer.Option(min=1e-7, help="Peak.")] = 5e-4,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train the shading and key networks further on samples of real portraits."""
    out.mkdir(parents=True, exist_ok=True)
    config = RefineConfig(
        minutes=minutes, parts=parts, seed=seed, step=StepConfig(learning_rate=learning_rate)
    )
    pair = Pair({"shading": shading_network(), "key": key_network()})
    pair.load(init)
    for line in refine(pair, samples, config, out):
        print(line, flush=True)


if __name__ == "__main__":
    typer.run(main)
