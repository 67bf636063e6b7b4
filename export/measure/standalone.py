# SPDX-License-Identifier: Apache-2.0
"""Run models where nothing of this project is installed.

``python standalone.py CALLS.npz OUT.npz`` needs only NumPy and a TFLite runtime. ``CALLS.npz``
holds ``model/<name>`` (the file's bytes) and ``call/<i>/<name>/<input>``; ``OUT.npz`` gets
``call/<i>/<name>/<output>``. Arrays have their batch axis.
"""

from __future__ import annotations

import importlib
import platform
import sys
from typing import Any

import numpy as np

RUNTIMES = ("tflite_runtime", "ai_edge_litert")


def main(source: str, target: str) -> None:
    """Run every call."""
    runtime, interpreter_class = _runtime()
    with np.load(source) as stored:
        arrays = dict(stored)
    interpreters = {}
    calls: dict[tuple[str, str], dict[str, Any]] = {}
    for key, value in arrays.items():
        kind, *rest = key.split("/")
        if kind == "model":
            interpreters[rest[0]] = interpreter_class(model_content=value.tobytes(), num_threads=1)
        else:
            calls.setdefault((rest[0], rest[1]), {})[rest[2]] = value
    outputs = {}
    for (number, name), inputs in calls.items():
        found = interpreters[name].get_signature_runner("serving_default")(**inputs)
        for output, value in found.items():
            outputs[f"call/{number}/{name}/{output}"] = value
    np.savez(target, **outputs)
    print(f"{runtime} on {platform.machine()}, Python {platform.python_version()}")


def _runtime() -> tuple[str, Any]:
    for name in RUNTIMES:
        try:
            return name, importlib.import_module(f"{name}.interpreter").Interpreter
        except ImportError:
            continue
    raise SystemExit(f"none of {', '.join(RUNTIMES)} is installed")


if __name__ == "__main__":
    main(*sys.argv[1:])
