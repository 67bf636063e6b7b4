# SPDX-License-Identifier: Apache-2.0
"""What MediaPipe's package carries besides its solutions: a metadata writer and models."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from export.error import ExportError
from export.quiet import quiet

CURE = "pip install mediapipe==0.10.21"


def face_landmark() -> Path:
    """The model of 192 x 192 pixels that Face Mesh runs on every face.

    Raises:
        ExportError: if it is not there.
    """
    spec = importlib.util.find_spec("mediapipe")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "modules" / "face_landmark" / "face_landmark.tflite"
        if path.is_file():
            return path
    raise ExportError(f"MediaPipe's face_landmark.tflite is missing: {CURE}")


def metadata_writer() -> tuple[Any, Any]:
    """The modules of the TFLite metadata schema's classes and of its ``MetadataPopulator``.

    Raises:
        ExportError: if they are not there.
    """
    try:
        with quiet():
            from mediapipe.tasks.metadata import metadata_schema_py_generated
            from mediapipe.tasks.python.metadata import metadata
    except ImportError as error:
        raise ExportError(f"MediaPipe's metadata writer is missing: {CURE}") from error
    return metadata_schema_py_generated, metadata
