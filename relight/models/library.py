# SPDX-License-Identifier: Apache-2.0
"""TFLite models: the three that come with the package, and the one place that runs any.

``tflite-runtime`` has no wheel for Python 3.12; its successor LiteRT has the same interface.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.error import RelightError
from relight.models.stderr import muffled
from relight.stage.stages import NetworkStages

Float = NDArray[np.float32]

MANIFEST = "models.json"
"""File beside the models that lists them."""
SIGNATURE = "serving_default"
CURE = "install the package again, or export the models again"

_INTERPRETERS = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")
_NOISE = re.compile(rb"^INFO: Created TensorFlow Lite XNNPACK")


class ModelError(RelightError):
    """A model cannot be loaded, or there is nothing to run it with."""


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


class Models(NetworkStages):
    """The three networks as TFLite models. Each is loaded at its first use, then kept.

    Not for two threads at once.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, *, threads: int = 1) -> None:
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
        self._interpreters: dict[str, Any] = {}

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
        if name not in self._interpreters:
            self._interpreters[name] = self._load(name)
        runner = self._interpreters[name].get_signature_runner(SIGNATURE)
        asked = runner.get_input_details()
        batches = {key: np.asarray(inputs[key], np.float32)[None] for key in asked if key in inputs}
        try:
            return {key: found[0] for key, found in runner(**batches).items()}
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise ModelError(f"{self.folder}: {name} does not run ({reason}); {CURE}") from error

    def close(self) -> None:
        """Free the models; a later call loads them again."""
        self._interpreters.clear()

    def _load(self, name: str) -> Any:
        """An interpreter of the model that the manifest lists, whole and with its signature."""
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
        interpreter = load_interpreter(path, self.threads)
        signature = interpreter.get_signature_list().get(SIGNATURE, {"inputs": [], "outputs": []})
        names = [set(signature[side]) for side in ("inputs", "outputs")]
        if names != [set(entry.inputs), set(entry.outputs)]:
            raise ModelError(f"{path}: asks for or gives other than {MANIFEST} says; {CURE}")
        return interpreter


def interpreter_module() -> Any:
    """The module that holds the ``Interpreter`` class.

    Raises:
        ModelError: if neither runtime is installed.
    """
    for name in _INTERPRETERS:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ModelError("no TFLite runtime here: pip install tflite-runtime (or ai-edge-litert)")


def load_interpreter(model: str | os.PathLike[str] | bytes, threads: int = 1) -> Any:
    """An interpreter with its tensors allocated, on XNNPACK where the runtime has it.

    Args:
        model: a .tflite file or its content.
        threads: for the operations of one model.

    Raises:
        ModelError: if the model is missing or not one that the runtime can run.
    """
    if threads < 1:
        raise ValueError(f"threads is >= 1, got {threads}")
    name = "<bytes>" if isinstance(model, bytes) else os.fspath(model)
    source: dict[str, Any] = {"model_content": model}
    if not isinstance(model, bytes):
        if not Path(name).is_file():
            raise ModelError(f"{name}: no such model; {CURE}")
        source = {"model_path": name}
    try:
        with muffled(_NOISE):
            made = interpreter_module().Interpreter(**source, num_threads=threads)
            made.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{name}: not a model that runs here ({reason}); {CURE}") from error
    return made
