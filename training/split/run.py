# SPDX-License-Identifier: Apache-2.0
"""Train the shading and key networks on one GPU, while views are still being rendered.

``KERAS_BACKEND=jax python -m training.split.run --views DIR --assets ict=DIR --lights FILE --skin
FILE --out DIR``
takes up views as they appear, trains for as many minutes as it is given, and leaves the averaged
weights a few times on the way: folders ``<name>-<part>`` of ``shading.weights.h5`` and
``key.weights.h5``, and ``history.csv``.
"""

from __future__ import annotations

import csv
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import typer

from data_synth.registry import parse_assets
from data_synth.run.field import find_views
from data_synth.source_option import AssetsOption
from training.data.render_pool import Misreading, load_view
from training.split.sampler import sample
from training.split.sampler_config import SamplerConfig
from training.split.split_network import key_network, shading_network
from training.split.step import Pair, StepConfig, rate_at, start, update_function

Arrays = dict[str, Any]
Assets = Mapping[str, Path]
Tables = dict[str, Any]
"""``lights``: environments as weights (:mod:`training.data.light_table`); ``skin``: patterns of
real skin (:mod:`training.data.skin_table`)."""


@dataclass(frozen=True)
class RunConfig:
    """A training run.

    Attributes:
        minutes: of training, from the first step that is not compiling.
        capacity: views that are kept on the GPU.
        size: of the views, pixels.
        lights: of their rig.
        first: views to wait for.
        parts: times that weights are kept.
        every: steps between lines of the history.
        step: how weights follow the gradients.
        sampler: what samples are made of.
        misreading: of the face mesh.
        seed: of everything.
    """

    minutes: float = 6.0
    capacity: int = 900
    size: int = 256
    lights: int = 200
    first: int = 24
    parts: int = 5
    every: int = 50
    step: StepConfig = field(default_factory=StepConfig)
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    misreading: Misreading = field(default_factory=Misreading)
    seed: int = 0


# === Views ===


class Pool:
    """Views on the GPU, taken up as they are rendered.

    Args:
        folder: where views appear, in folders below it too.
        assets: folders of files by source of the views' people.
        config: of the run.
        workers: processes that read them.
    """

    def __init__(self, folder: Path, assets: Assets, config: RunConfig, workers: int) -> None:
        self.arrays: Arrays = {
            name: jnp.zeros(shape.shape, shape.dtype) for name, shape in pool_shapes(config).items()
        }
        self.count = 0
        self._config = config
        self._ready: queue.Queue[Arrays] = queue.Queue(8)
        self._place = jax.jit(_place, donate_argnums=0)
        arguments = folder, assets, config, workers
        threading.Thread(target=self._watch, args=arguments, daemon=True).start()

    def take(self, at_most: int = 4) -> None:
        """Bring views that are ready to the GPU."""
        for _ in range(at_most):
            if self.count >= self._config.capacity:
                return
            try:
                view = self._ready.get_nowait()
            except queue.Empty:
                return
            self.arrays = self._place(self.arrays, view, self.count)
            self.count += 1

    def _watch(self, folder: Path, assets: Assets, config: RunConfig, workers: int) -> None:
        known: set[Path] = set()
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as readers:
            while True:
                fresh = [p for p in _views(folder) if p not in known]
                known.update(fresh)
                for view in readers.map(_load, [(p, assets, config) for p in fresh]):
                    self._ready.put(view)
                time.sleep(0.5)


def _views(folder: Path) -> list[Path]:
    return find_views(folder) if folder.is_dir() else []


def _load(given: tuple[Path, Assets, RunConfig]) -> Any:
    path, assets, config = given
    return load_view(path, assets, config.misreading, config.seed)


def _place(arrays: Arrays, view: Arrays, index: Any) -> Arrays:
    return {name: arrays[name].at[index].set(view[name]) for name in arrays}


# === Training ===


def compiled(
    pairs: dict[str, Pair], states: Arrays, tables: Tables, config: RunConfig
) -> tuple[Any, dict[str, Any]]:
    """What makes a batch, and each variant's step, compiled before any view is there."""

    def draw(pool: Arrays, count: Any, tables: Tables, key: Any) -> Any:
        return sample(pool, count, tables, key, config.sampler)

    key, count = jax.random.key(0), jnp.int32(1)
    pool = pool_shapes(config)
    batch = jax.eval_shape(draw, pool, count, tables, key)
    with ThreadPoolExecutor(1 + len(pairs)) as threads:
        drawn = threads.submit(lambda: jax.jit(draw).lower(pool, count, tables, key).compile())
        updates = {
            name: threads.submit(
                lambda pair, state: (
                    update_function(pair.loss, config.step)
                    .lower(state, *batch, jnp.float32(0))
                    .compile()
                ),
                pair,
                states[name],
            )
            for name, pair in pairs.items()
        }
        return drawn.result(), {name: update.result() for name, update in updates.items()}


def pool_shapes(config: RunConfig) -> Arrays:
    """Shapes of the arrays of :func:`training.data.render_pool.load_view`, views first."""
    views, size, lights = config.capacity, config.size, config.lights
    shapes = {
        "codes": ((3, size * size, lights), jnp.uint8),
        "scale": ((3, size * size), jnp.float32),
        "surface": ((size, size, 5), jnp.float16),
        "meshes": ((config.misreading.readings, size, size, 10), jnp.float16),
        "lights": ((lights, 3), jnp.float32),
        "power": ((lights,), jnp.float32),
        "angles": ((lights,), jnp.float32),
        "crop": ((3,), jnp.float32),
    }
    return {k: jax.ShapeDtypeStruct((views, *shape), kind) for k, (shape, kind) in shapes.items()}


def train(
    pairs: dict[str, Pair], pool: Pool, tables: Tables, config: RunConfig, out: Path, until: float
) -> Iterator[str]:
    """Train variants on the same batches; yields lines that tell of it.

    Args:
        pairs: variants by name.
        pool: views.
        tables: see :class:`Tables`.
        config: of the run.
        out: folder for weights and history.
        until: ``time.monotonic()`` at which to end at the latest.
    """
    key = jax.random.key(config.seed)
    states = {name: start(pair) for name, pair in pairs.items()}
    begin = time.monotonic()
    draw, updates = compiled(pairs, states, tables, config)
    yield f"compiled in {time.monotonic() - begin:.0f} s"
    while pool.count < config.first:
        pool.take()
        time.sleep(0.02)
    yield f"{pool.count} views"
    begin = time.monotonic()
    span = min(60 * config.minutes, until - begin)
    kept = 0
    number = 0
    with (out / "history.csv").open("w", newline="") as file:
        history = csv.writer(file)
        sums: dict[str, list[Any]] = {name: [] for name in pairs}
        while (done := (time.monotonic() - begin) / span) < 1:
            pool.take(2)
            rate = jnp.float32(rate_at(config.step, done))
            batch_key = jax.random.fold_in(key, number)
            batch = draw(pool.arrays, jnp.int32(pool.count), tables, batch_key)
            for name in pairs:
                states[name], figures = updates[name](states[name], *batch, rate)
                sums[name].append(figures)
            number += 1
            if number % 8 == 0:
                jax.block_until_ready(figures)  # never far ahead of the clock
            if number % config.every == 0:
                for name in pairs:
                    means = {
                        k: float(np.mean([float(f[k]) for f in sums[name]])) for k in sums[name][0]
                    }
                    sums[name] = []
                    spent = time.monotonic() - begin
                    row = [number, f"{spent:.1f}", pool.count, name, *means.values()]
                    history.writerow(row)
                    file.flush()
                    told = "  ".join(f"{k} {v:.4f}" for k, v in means.items())
                    yield f"{number:6d} {spent:5.0f} s {pool.count:4d} views  {name}  {told}"
            if done > (kept + 1) / config.parts:
                kept += 1
                for name, pair in pairs.items():
                    pair.save(states[name]["mean"], out / f"{name}-{kept}")
    for name, pair in pairs.items():
        pair.save(states[name]["mean"], out / f"{name}-{config.parts}")
    yield f"{number} steps of {config.sampler.batch} samples"


def main(
    views: Annotated[Path, typer.Option(help="Folder where rendered views appear.")],
    lights: Annotated[Path, typer.Option(help="Environments, by training.data.light_table.")],
    skin: Annotated[Path, typer.Option(help="Patterns, by training.data.skin_table.")],
    out: Annotated[Path, typer.Option(help="Folder for weights and history.")],
    assets: AssetsOption = None,
    minutes: Annotated[float, typer.Option(min=0.01, help="Of training.")] = RunConfig.minutes,
    capacity: Annotated[int, typer.Option(min=2, help="Views on the GPU.")] = RunConfig.capacity,
    first: Annotated[int, typer.Option(min=1, help="Views to wait for.")] = RunConfig.first,
    batch_views: Annotated[int, typer.Option(min=1, help="Views of a batch.")] = 16,
    workers: Annotated[int, typer.Option(min=1, help="Processes that read views.")] = 2,
    deadline: Annotated[float, typer.Option(help="Seconds after which to end anyway.")] = 1e9,
    init: Annotated[Path | None, typer.Option(help="Folder of weights to start from.")] = None,
    learning_rate: Annotated[
        float, typer.Option(min=1e-7, help="Peak.")
    ] = StepConfig.learning_rate,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train the shading and key networks on views that are still being rendered."""
    begin = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    config = RunConfig(
        minutes=minutes,
        capacity=capacity,
        first=first,
        seed=seed,
        step=StepConfig(learning_rate=learning_rate),
        sampler=SamplerConfig(views=batch_views),
    )
    pool = Pool(views, parse_assets(assets or []), config, workers)
    keras.utils.set_random_seed(seed)
    pairs = {"split": Pair({"shading": shading_network(), "key": key_network()})}
    if init is not None:
        pairs["split"].load(init)
    with np.load(lights) as kept, np.load(skin) as patterns:
        weights = jnp.asarray(kept["weights"], jnp.float32)
        tables = {"lights": weights, "skin": jnp.asarray(patterns["codes"])}
    for line in train(pairs, pool, tables, config, out, begin + deadline):
        print(f"{time.monotonic() - begin:6.1f} s  {line}", flush=True)


if __name__ == "__main__":
    typer.run(main)
