# SPDX-License-Identifier: Apache-2.0
"""Samples per second of a training, and of one worker against several.

``python -m training.scale.throughput --workers 2 --cores 1 -- normals --data DATA --batch 16``
trains with one worker and with two in turn, the batch growing with the workers, and prints the
ratio.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import keras
import typer
from rich.console import Console

from relight.error import RelightError, plain_errors
from relight.storage import whole_file
from training.scale.supervise import Crew, supervise, training_command
from training.table import put_row, read_rows

EPOCHS = 4
"""Epochs of a measurement; the first, which builds the training step, does not count."""


class Throughput(keras.callbacks.Callback):
    """Writes an epoch's samples and seconds to a CSV file, without the time of its evaluation.

    Args:
        path: of the file.
        batch: samples of a step.
    """

    def __init__(self, path: Path, batch: int) -> None:
        super().__init__()
        self.path, self.batch = path, batch
        self._begin, self._steps = 0.0, 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See the class."""
        self._begin, self._steps = time.perf_counter(), 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """See the class."""
        self._steps += 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See the class."""
        seconds = time.perf_counter() - self._begin
        samples = self._steps * self.batch
        put_row(self.path, {"epoch": epoch, "samples": samples, "seconds": round(seconds, 3)})


def samples_per_second(path: Path) -> float:
    """Throughput of a file of :class:`Throughput`, without its first epoch.

    Raises:
        RelightError: if it holds too few epochs.
    """
    rows = read_rows(path)[1:]
    if not rows:
        raise RelightError(f"{path}: only one epoch; train for more --steps")
    return sum(int(row["samples"]) for row in rows) / sum(float(row["seconds"]) for row in rows)


def compare(
    words: list[str],
    batch: int,
    workers: int,
    cores: int,
    steps: int,
    rounds: int,
    console: Console,
) -> dict[str, Any]:
    """Train with one worker and with several in turn.

    Args:
        words: arguments of ``training.train``, without batch, steps and folder.
        batch: samples of one worker.
        workers: of the larger crew.
        cores: of each worker, or 0.
        steps: of an epoch.
        rounds: of both crews.
        console: where each is printed.

    Returns:
        JSON-ready: samples per second of every round, and the ratio of the medians.

    Raises:
        RelightError: if a training fails.
    """
    found: dict[int, list[float]] = {1: [], workers: []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for count in (1, workers):
                out = Path(folder) / f"{count}-{number}"
                told = {"batch": batch * count, "epoch-steps": steps, "steps": EPOCHS * steps}
                options = [word for key, value in told.items() for word in (f"--{key}", str(value))]
                command = training_command([*words, *options, "--out", str(out)])
                supervise(command, Crew.local(count, cores), 0, out, console)
                found[count].append(samples_per_second(out / "throughput.csv"))
                console.print(f"{count} worker(s): {found[count][-1]:.2f} samples a second")
    one, several = (statistics.median(found[count]) for count in (1, workers))
    return {
        "workers": workers,
        "cores": cores,
        "batch": batch,
        "one": found[1],
        "several": found[workers],
        "ratio": several / one,
    }


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__.split("\n", 1)[0] if __doc__ else None)
def main(
    words: Annotated[list[str], typer.Argument(help="-- and the arguments of training.train.")],
    workers: Annotated[int, typer.Option(min=2, help="Workers of the larger crew.")] = 2,
    cores: Annotated[int, typer.Option(min=0, help="Cores of each; 0: no limit.")] = 1,
    batch: Annotated[int, typer.Option(min=1, help="Samples of one worker.")] = 16,
    steps: Annotated[int, typer.Option(min=1, help="Steps of an epoch; four are run.")] = 25,
    rounds: Annotated[int, typer.Option(min=1, help="Of both crews.")] = 2,
    out: Annotated[Path, typer.Option(help="The figures.")] = Path("runs/throughput.json"),
) -> None:
    """Compare one worker with several."""
    console = Console(highlight=False, soft_wrap=True)
    with plain_errors():
        result = compare(words, batch, workers, cores, steps, rounds, console)
        out.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(out) as path:
            path.write_text(json.dumps(result, indent=1) + "\n")
    console.print(f"{workers} workers train {result['ratio']:.2f} times as fast as one: {out}")


if __name__ == "__main__":
    app()
