# SPDX-License-Identifier: Apache-2.0
"""The TFLite models that come with the package: this project's networks and MediaPipe's."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from relight.models.interpreter import CURE, ModelError, load_interpreter

Float = NDArray[np.float32]

MANIFEST = "models.json"
"""File beside the models that lists them."""
SIGNATURE = "serving_default"


@dataclass(frozen=True)
class ModelEntry:
    """What the manifest says of one model.

    Attributes:
        file: its name in the manifest's folder.
        sha256: checksum of its content, hexadecimal.
        bytes: its size.
        inputs: shape by name, the batch axis of 1 first.
        outputs: likewise.
    """

    file: str
    sha256: str
    bytes: int
    inputs: dict[str, list[int]]
    outputs: dict[str, list[int]]


def read_manifest(folder: Path) -> tuple[str, dict[str, ModelEntry]]:
    """Version and models of a folder, as its ``models.json`` lists them.

    Raises:
        ModelError: if there is no such list or it is damaged.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text("utf-8"))
        return str(content["version"]), {
            name: ModelEntry(**entry) for name, entry in content["models"].items()
        }
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); {CURE}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: no list of models ({error!r}); {CURE}") from error


class Model:
    """One model, ready to run; threads take turns.

    Args:
        interpreter: with its tensors allocated.
    """

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._lock = threading.Lock()
        if SIGNATURE in interpreter.get_signature_list():
            runner = interpreter.get_signature_runner(SIGNATURE)
            self._inputs, self._outputs = runner.get_input_details(), runner.get_output_details()
        else:  # MediaPipe's files have none: their tensors' own names serve
            details = interpreter.get_input_details(), interpreter.get_output_details()
            self._inputs, self._outputs = ({one["name"]: one for one in side} for side in details)

    @property
    def inputs(self) -> dict[str, list[int]]:
        """Shape of each input, the batch axis first."""
        return _shapes(self._inputs)

    @property
    def outputs(self) -> dict[str, list[int]]:
        """Shape of each output, the batch axis first."""
        return _shapes(self._outputs)

    def run(self, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """Outputs by name; no array has a batch axis.

        Raises:
            ValueError: for an input that is missing or of another shape.
            RuntimeError: if the model cannot be run.
        """
        missing = self._inputs.keys() - inputs.keys()
        if missing:
            raise ValueError(f"no input {', '.join(sorted(missing))}")
        with self._lock:
            for name, tensor in self._inputs.items():
                batch = np.asarray(inputs[name], np.float32)[None]
                self._interpreter.set_tensor(tensor["index"], batch)
            self._interpreter.invoke()
            return {
                name: self._interpreter.get_tensor(tensor["index"])[0]
                for name, tensor in self._outputs.items()
            }


class Models:
    """All models of a folder. Each is loaded at its first use, then kept.

    Threads may share it: they take turns at a model. A forked process loads its own.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, threads: int = 1) -> None:
        """Prepare; nothing is read yet.

        Args:
            folder: holds the models and their ``models.json``; ``None`` for those that come with
                the package.
            threads: for the operations of one model.
        """
        if threads < 1:
            raise ValueError(f"threads is >= 1, got {threads}")
        self.threads = threads
        self._folder = folder
        self._loading = threading.Lock()
        self._loaded: dict[str, Model] = {}
        _in_use.add(self)

    @property
    def folder(self) -> Path:
        """Where the models lie."""
        if self._folder is None:
            return Path(str(resources.files("relight"))) / "models"
        return Path(self._folder)

    @property
    def version(self) -> str:
        """The models' own version, from their manifest.

        Raises:
            ModelError: if it cannot be read.
        """
        return read_manifest(self.folder)[0]

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """Outputs of a model by name; no array has a batch axis.

        A model is given what it asks for: one of an earlier version may ask for less.

        Raises:
            ModelError: if the model is missing, damaged or not the one listed.
        """
        with self._loading:
            model = self._loaded.get(name) or self._load(name)
            self._loaded[name] = model
        try:
            return model.run(inputs)
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise ModelError(f"{self.folder}: {name} does not run ({reason}); {CURE}") from error

    def close(self) -> None:
        """Free the models; a later call loads them again."""
        with self._loading:
            self._loaded.clear()

    def after_fork(self) -> None:
        """In a forked process, leave the parent's models alone: they may have been in use."""
        _left_alone.append(self._loaded)
        self._loading, self._loaded = threading.Lock(), {}

    def _load(self, name: str) -> Model:
        """The model that the manifest lists, whole and with the inputs and outputs listed."""
        _, entries = read_manifest(self.folder)
        if name not in entries:
            raise ModelError(f"{self.folder / MANIFEST}: lists no model {name!r}; {CURE}")
        entry = entries[name]
        path = self.folder / entry.file
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror}); {CURE}") from error
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise ModelError(f"{path}: damaged, its checksum is not that of {MANIFEST}; {CURE}")
        model = Model(load_interpreter(path, self.threads))
        if (model.inputs.keys(), model.outputs.keys()) != (
            entry.inputs.keys(),
            entry.outputs.keys(),
        ):
            raise ModelError(f"{path}: asks for or gives other than {MANIFEST} says; {CURE}")
        return model


_in_use: WeakSet[Models] = WeakSet()
_left_alone: list[dict[str, Model]] = []
"""Models of a parent process: to free them could wait for threads that only the parent has."""


def _after_fork() -> None:
    for models in list(_in_use):
        models.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _shapes(tensors: dict[str, Any]) -> dict[str, list[int]]:
    return {name: [int(n) for n in tensor["shape"]] for name, tensor in sorted(tensors.items())}
