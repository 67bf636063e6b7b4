# SPDX-License-Identifier: Apache-2.0
"""What a training run stores in its folder, and from where it continues."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from relight.error import RelightError
from relight.storage import whole_file
from training.table import put_row


class TrainError(RelightError):
    """A training run cannot continue."""


class Checkpoint(keras.callbacks.Callback):
    """At an epoch's end, evaluates and stores the averaged weights and the state to continue from.

    It writes the history, too: Keras's ``CSVLogger`` loses rows when the process is killed.

    Args:
        out: the run's folder.
        network: whose weights are stored.
        name: of the network, for the file's name.
        test: batches that every epoch is evaluated on.
    """

    def __init__(self, out: Path, network: keras.Model, name: str, test: Any) -> None:
        super().__init__()
        self.out, self.network, self.name, self.test = out, network, name, test

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See the class."""
        logs = {} if logs is None else logs
        if not math.isfinite(logs.get("loss", 0.0)):
            raise TrainError(
                f"{self.out}: the loss is not finite in epoch {epoch + 1}; lower --learning-rate"
            )
        with _averaged(self.model):
            save_weights(self.network, self.out / f"{self.name}.weights.h5")
            figures = self.model.evaluate(self.test, verbose=0, return_dict=True)
        logs.update({f"test_{key}": float(value) for key, value in figures.items()})
        _write_json(self.out / "figures.json", {k: round(float(v), 5) for k, v in logs.items()})
        row = {"epoch": epoch, **{key: float(value) for key, value in logs.items()}}
        put_row(self.out / "history.csv", row)
        # The state comes last: an epoch that was cut short is repeated from the one before it.
        save_weights(self.model, self.out / "state.weights.h5")
        _write_json(self.out / "state.json", {"epoch": epoch + 1})


def first_epoch(config: dict[str, Any], defaults: dict[str, Any], out: Path) -> int:
    """The epoch to continue with, 0 for a new run.

    Args:
        config: of the run.
        defaults: values of settings that older folders lack.
        out: the run's folder.

    Raises:
        TrainError: if the folder holds a run with another configuration, or a corrupt one.
    """
    path, state = out / "config.json", out / "state.json"
    if not path.exists():
        return 0
    try:
        stored = json.loads(path.read_text())["config"]
        epoch = int(json.loads(state.read_text())["epoch"]) if state.exists() else 0
    except (ValueError, KeyError) as error:
        raise TrainError(f"{path}: corrupt; choose another folder") from error
    stored["steps"] = config["steps"]  # a run may be made longer
    if _completed(stored, json.loads(json.dumps(defaults))) != json.loads(json.dumps(config)):
        raise TrainError(f"{out}: holds a run with other settings; choose another folder")
    if epoch and not (out / "state.weights.h5").exists():
        raise TrainError(f"{out}: its state is missing; choose another folder")
    return epoch


def _completed(stored: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The stored settings, with defaults for those that are missing."""
    result = defaults | stored
    for key, value in stored.items():
        if isinstance(value, dict) and isinstance(defaults.get(key), dict):
            result[key] = _completed(value, defaults[key])
    return result


def write_config(config: dict[str, Any], out: Path) -> None:
    """Write what a run was made with, for its model card."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
        check=False,
    ).stdout.strip()
    record = {
        "config": config,
        "commit": commit or None,
        "keras": keras.version(),
        "backend": keras.backend.backend(),
        "numpy": np.__version__,
        "python": sys.version.split()[0],
    }
    _write_json(out / "config.json", record)


@contextmanager
def _averaged(model: keras.Model) -> Iterator[None]:
    """The model with its averaged weights, inside the block."""
    raw = [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    # JAX assigns without copying, and evaluating gives the model's arrays away: the optimizer's
    # averages would go with them.
    for variable in model.trainable_variables:
        variable.assign(keras.ops.copy(variable.value))
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, raw, strict=True):
            variable.assign(value)


def save_weights(model: keras.Model, path: Path) -> None:
    """Write a network's weights completely or not at all.

    Raises:
        OSError: if they cannot be written.
    """
    temporary = path.with_name(f".{os.getpid()}-{path.name}")  # Keras insists on the ending
    try:
        model.save_weights(temporary, overwrite=True)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_json(path: Path, content: Any) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")
