# SPDX-License-Identifier: Apache-2.0
"""Running the command line, and what it must say when it fails."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

Run = Callable[..., Result]
"""The fixture ``run``: runs the command line in this process."""
PYTHON = [sys.executable, "-m", "relight_app"]
"""Starts the command line in a process of its own."""
KEY = ("--azimuth", "45", "--elevation", "30")
"""Options of a light that brightens the example portrait."""


def check_failed(result: Result, name: Path | str, *words: str) -> None:
    """One line that names the photo and says what is wrong; exit status 1."""
    assert result.exit_code == 1
    assert result.stdout_bytes == b""
    assert result.stderr.count("\n") == 1
    assert str(name) in result.stderr
    for word in words:
        assert word in result.stderr
    assert "unexpected" not in result.stderr
    assert "Traceback" not in result.stderr
