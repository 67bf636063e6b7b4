# SPDX-License-Identifier: Apache-2.0
"""Keeps TensorFlow's and MediaPipe's logs off the user's terminal."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator

from relight.models.stderr import muffled

_NOISE = re.compile(
    rb"[EIW]\d{4} [\d:.]+ +\d+ \S+\.cc:\d+\]|\d{4}-\d\d-\d\d [\d:.]+ ?[EIW:]"
    rb"|WARNING: All log messages before absl|fully_quantize: |To enable the following instr"
    rb"|INFO: Created TensorFlow Lite"
)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop what the block prints, and the log lines that its C++ code writes to stderr.

    Everything else written to stderr appears when the block ends.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with muffled(_NOISE), contextlib.redirect_stdout(io.StringIO()):
        yield
