# SPDX-License-Identifier: Apache-2.0
"""The one place that knows which runtime runs a TFLite model: LiteRT, or else tflite-runtime.

LiteRT (``ai-edge-litert``) is the successor of ``tflite-runtime`` and has the same interface.
"""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import Any

from relight.error import RelightError
from relight.models.stderr import muffled

CURE = "install the package again, or export the models again"

_INTERPRETERS = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")
_NOISE = re.compile(rb"^INFO: Created TensorFlow Lite XNNPACK")


class ModelError(RelightError):
    """A model cannot be loaded, or there is nothing to run it with."""


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
    raise ModelError("no TFLite runtime here: pip install ai-edge-litert (or tflite-runtime)")


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
