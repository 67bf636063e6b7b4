# SPDX-License-Identifier: Apache-2.0
"""The parts of MediaPipe's package that are used: the schemas of TFLite models and metadata."""

from __future__ import annotations

from typing import Any

from export.error import ExportError
from export.quiet import quiet

CURE = "pip install 'mediapipe>=1.2'"


def schemas() -> tuple[Any, Any]:
    """The modules of a TFLite model's classes and of its metadata's.

    Raises:
        ExportError: if they are not there.
    """
    try:
        with quiet():
            from mediapipe.tasks.metadata import metadata_schema_py_generated, schema_py_generated
    except ImportError as error:
        raise ExportError(f"MediaPipe's schemas are missing: {CURE}") from error
    return schema_py_generated, metadata_schema_py_generated
