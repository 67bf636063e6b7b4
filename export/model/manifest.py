# SPDX-License-Identifier: Apache-2.0
"""What the package ships: the models and ``models.json``, written together or not at all.

``models`` in the manifest is what the runtime reads: file, size, checksum, shapes. ``details``
is for other programs and for people: what the tensors mean, the figures, the licence. MediaPipe's
models, whose source is named there, stay as the package has them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from export.error import ExportError
from export.model.description import DESCRIPTIONS, LICENSE, Tensor
from relight.models.interpreter import load_interpreter
from relight.models.library import MANIFEST, Model, Models
from relight.storage import whole_file


def entry(content: bytes, file: str) -> dict[str, Any]:
    """What the runtime needs to know of a file's content, JSON-ready."""
    model = Model(load_interpreter(content))
    return {
        "file": file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "inputs": model.inputs,
        "outputs": model.outputs,
    }


def details(name: str) -> dict[str, Any]:
    """What a network and its tensors mean, JSON-ready."""
    about = DESCRIPTIONS[name]
    return {
        "purpose": about.purpose,
        "licence": LICENSE,
        "inputs": {key: _tensor(tensor) for key, tensor in about.inputs.items()},
        "outputs": {key: _tensor(tensor) for key, tensor in about.outputs.items()},
    }


def adopted() -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """MediaPipe's models as the package has them: content and ``details`` by name."""
    folder = Models().folder
    listed = json.loads((folder / MANIFEST).read_text("utf-8"))
    about = {name: details for name, details in listed["details"].items() if "source" in details}
    return {name: (folder / listed["models"][name]["file"]).read_bytes() for name in about}, about


def write(
    folder: Path,
    contents: Mapping[str, bytes],
    version: str,
    about: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write models and manifest, MediaPipe's among them. A failure leaves all as they were.

    Args:
        folder: is made if it is missing.
        contents: of the files ``<name>.tflite``.
        version: of the models.
        about: JSON-ready, per model: the manifest's ``details``.

    Raises:
        ExportError: if the folder cannot be written.
    """
    kept, kept_details = adopted()
    contents, about = {**contents, **kept}, {**(about or {}), **kept_details}
    files = {name: f"{name}.tflite" for name in contents}
    manifest = {
        "version": version,
        "models": {name: entry(content, files[name]) for name, content in contents.items()},
        "details": about,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            # The stack unwinds in reverse: once all files are written, the manifest comes last.
            manifest_path = stack.enter_context(whole_file(folder / MANIFEST))
            manifest_path.write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
            for name, content in contents.items():
                stack.enter_context(whole_file(folder / files[name])).write_bytes(content)
    except OSError as error:
        raise ExportError(
            f"{folder}: cannot be written ({error.strerror or error}); free space or choose"
            " another folder"
        ) from error


def _tensor(tensor: Tensor) -> dict[str, Any]:
    """As JSON, which has no infinity."""
    return {
        key: None if isinstance(value, float) and math.isinf(value) else value
        for key, value in asdict(tensor).items()
    }
