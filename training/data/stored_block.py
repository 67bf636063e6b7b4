# SPDX-License-Identifier: Apache-2.0
"""Training samples made ahead of time, on many machines, and stored as records.

``python -m training.data.stored_block --data STAGE --out BLOCKS --blocks 100`` makes the
same blocks that a training makes while it runs, one gzipped TFRecord file each. A file depends only
on the settings and its number, so it makes no difference which machine makes it, or how often.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from data_synth.run.record import (
    RecordError,
    Spec,
    is_intact,
    read_records,
    read_sidecar,
    write_records,
)
from relight.environment import HEIGHT
from relight.error import RelightError, plain_errors
from relight.stage.view import FINE, SIDE
from relight.storage import remove_unfinished, whole_file
from relight.work.factory import make_runner
from relight.work.runner import Lost, Runner
from training.data.block import Sample, make_block
from training.data.data_config import DRAWS, DataConfig, Network
from training.data.pair_dataset import PairDataset
from training.data.split import Split, load_splits
from training.data.target import Estimate

CONFIG_FILE = "blocks.json"
RETRIES = 3

SPEC: Spec = {
    "photo": ("uint8", (FINE * SIDE, FINE * SIDE, 3)),
    "mesh": ("float16", (SIDE, SIDE, 4)),
    "features": ("uint8", (SIDE, SIDE)),
    "depth": ("float16", (SIDE, SIDE)),
    "normals": ("float16", (SIDE, SIDE, 3)),
    "mask": ("float16", (SIDE, SIDE)),
    "gain": ("float16", (SIDE, SIDE, 3)),
    "linear": ("float16", (SIDE, SIDE, 3)),
    "environment": ("float32", (HEIGHT, 2 * HEIGHT, 3)),
    "light": ("float32", (4,)),
}
"""Arrays of a sample; what they are: :func:`training.data.block.make_block`."""


def block_path(folder: Path, number: int) -> Path:
    """Where a block is stored."""
    return folder / f"block-{number:06d}.tfrecord.gz"


def write_block(path: Path, sample: Sample, number: int) -> None:
    """Store a block; see :func:`data_synth.run.record.write_records`."""
    count = len(sample["photo"])
    records = ({name: values[i] for name, values in sample.items()} for i in range(count))
    write_records(path, records, SPEC, {"block": number})


def read_block(path: Path) -> Sample:
    """A stored block, as :func:`training.data.block.make_block` gives it.

    Raises:
        RecordError: if it is missing or corrupt.
    """
    records = list(read_records(path, SPEC))
    if not records:
        raise RecordError(f"{path}: holds no samples; make it again")
    sample = {name: np.stack([record[name] for record in records]) for name in SPEC}
    sample["features"] = sample["features"].astype(bool)
    return sample


class StoredDataset(PairDataset):
    """Batches from stored blocks, for Keras ``fit`` on any backend; they repeat when all were seen.

    With the settings that the blocks were made with, it gives the batches of
    :class:`training.data.pair_dataset.PairDataset`.

    Args:
        folder: of the blocks.
        network: ``normals``, ``lighting`` or ``quotient``.
        steps: batches of an epoch.
        epoch: the first epoch's number.
        estimate: of the existing light, see :func:`training.data.target.with_estimates`.
        batch: samples of a batch; None is what the blocks were made for.

    Raises:
        RecordError: if there are no complete blocks.
    """

    def __init__(
        self,
        folder: Path,
        network: str,
        steps: int,
        epoch: int = 0,
        estimate: Estimate | None = None,
        batch: int | None = None,
    ) -> None:
        self.paths = find_blocks(folder)
        config = read_config(folder)
        config = replace(config, batch=batch or config.batch)
        nothing: Any = None  # there is no split: blocks are read, not made
        super().__init__(nothing, network, config, steps, epoch, estimate)
        self._kept: tuple[int, Sample] | None = None

    def _block(self, number: int) -> Sample:
        place = number % len(self.paths)
        if self._kept is None or self._kept[0] != place:
            self._kept = place, read_block(self.paths[place])
        return self._kept[1]


def tf_samples(folder: Path) -> Any:
    """Stored samples as a ``tf.data.Dataset`` of dictionaries, in order, read by TensorFlow itself.

    Raises:
        RecordError: if there are no complete blocks.
        ImportError: without TensorFlow.
    """
    import tensorflow as tf

    features = {name: tf.io.FixedLenFeature((), tf.string) for name in SPEC}

    def parse(message: Any) -> Any:
        found = tf.io.parse_single_example(message, features)
        return {
            name: tf.reshape(tf.io.decode_raw(found[name], dtype), shape)
            for name, (dtype, shape) in SPEC.items()
        }

    names = [str(path) for path in find_blocks(folder)]
    files = tf.data.TFRecordDataset(names, compression_type="GZIP")
    return files.map(parse, num_parallel_calls=tf.data.AUTOTUNE)


def find_blocks(folder: Path) -> list[Path]:
    """Complete blocks, in order.

    Raises:
        RecordError: if there are none.
    """
    paths = [p for p in sorted(folder.glob("block-*.tfrecord.gz")) if read_sidecar(p)]
    if not paths:
        raise RecordError(f"{folder}: no blocks; make some: python -m training.data.stored_block")
    return paths


def read_config(folder: Path) -> DataConfig:
    """The settings that blocks were made with, as far as a reader needs them.

    Raises:
        RecordError: if they are missing or corrupt.
    """
    path = folder / CONFIG_FILE
    try:
        kept = json.loads(path.read_text())["config"]
        return DataConfig(**{k: v for k, v in kept.items() if k != "pair"})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path}: missing or corrupt; make the blocks again") from error


@dataclass
class BlockWork:
    """What a process of a runner does: make the block of a number, unless it exists.

    Attributes:
        split: the data.
        config: what blocks are made of.
        out: folder of the blocks, visible to all workers.
    """

    split: Split
    config: DataConfig
    out: Path

    def __call__(self, number: int) -> Iterator[tuple[int, str | None]]:
        """The number, and what went wrong."""
        path = block_path(self.out, number)
        try:
            if not is_intact(path):
                write_block(path, make_block(self.split, self.config, number), number)
            yield number, None
        except RelightError as error:
            yield number, str(error)
        except MemoryError:
            yield number, f"{path}: out of memory; use fewer --jobs or --views"


def make_blocks(work: BlockWork, count: int, runner: Runner) -> Iterator[int]:
    """Make the first blocks of a training; yields the numbers of those that exist.

    Raises:
        RecordError: if the folder holds other blocks, or if some could not be made.
    """
    settings = {"config": asdict(work.config), "root": work.split.root.name}
    settings = json.loads(json.dumps(settings))
    path = work.out / CONFIG_FILE
    try:
        work.out.mkdir(parents=True, exist_ok=True)
        if path.exists() and json.loads(path.read_text()) != settings:
            raise RecordError(f"{work.out}: holds blocks of other settings; choose another folder")
        remove_unfinished(work.out)
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(settings, indent=1) + "\n")
    except (OSError, json.JSONDecodeError) as error:
        raise RecordError(f"{path}: cannot be used ({error}); choose another folder") from error
    missing = [n for n in range(count) if read_sidecar(block_path(work.out, n)) is None]
    yield from (n for n in range(count) if n not in set(missing))
    problems = []
    with contextlib.closing(runner.run(missing, work)) as results:
        for result in results:
            if isinstance(result, Lost):
                problems.append(f"block {result.item}: the process {result.cause}")
            elif result[1] is not None:
                problems.append(result[1])
            else:
                yield result[0]
    if problems:
        raise RecordError(
            f"{len(problems)} blocks are missing; {problems[0]}; run again to continue"
        )


def main(
    data: Annotated[Path, typer.Option(help="A dataset of views.")],
    out: Annotated[Path, typer.Option(help="Folder of the blocks.")],
    blocks: Annotated[int, typer.Option(min=1, help="Number of blocks.")] = 1,
    environments: Annotated[
        Path | None, typer.Option(help="Folder of .hdr or .exr maps; else made here.")
    ] = None,
    network: Annotated[Network, typer.Option(help="Whose draws.")] = Network.QUOTIENT,
    views: Annotated[int, typer.Option(min=1, help="Views of a block.")] = 32,
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of each view.")] = 32,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all randomness.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes.")] = None,
    runner: Annotated[str, typer.Option(help="local or ray.")] = "local",
    address: Annotated[str | None, typer.Option(help="The Ray cluster.")] = None,
) -> None:
    """Make blocks of training samples. Run it again to continue after a stop, or to add more."""
    console = Console(stderr=True, highlight=False)
    with plain_errors():
        split = load_splits(data, environments)[0]
        engine = make_runner(runner, jobs or (None if address else 2), address, RETRIES)
        draws = DRAWS.get(network, DataConfig())
        work = BlockWork(split, replace(draws, views=views, pairs=pairs, seed=seed), out)
        made = make_blocks(work, blocks, engine)
        done = sum(1 for _ in track(made, "Blocks", total=blocks, console=console))
        console.print(f"{out}: {done} blocks of {views * pairs} samples.", markup=False)


if __name__ == "__main__":
    # Under the name __main__ the work means nothing to the processes of a cluster.
    from training.data import stored_block

    typer.run(stored_block.main)
