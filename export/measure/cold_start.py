# SPDX-License-Identifier: Apache-2.0
"""How long the whole command takes from its start, and what of that is importing."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from rich.table import Table


def cold_start_table(photo: bytes, runs: int = 3) -> Table:
    """Wall seconds of the whole command for a photo, a JPEG file, and its largest imports."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "photo.jpg"
        source.write_bytes(photo)
        target = Path(folder) / "relit.jpg"
        command = [
            sys.executable,
            "-m",
            "relight_app",
            str(source),
            "-o",
            str(target),
            "--overwrite",
        ]
        walls = []
        for _ in range(runs):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603
            walls.append(time.perf_counter() - start)
        traced = subprocess.run(  # noqa: S603
            [command[0], "-X", "importtime", *command[1:]],
            check=True,
            capture_output=True,
            text=True,
        )
    table = Table(title=f"Cold start, whole command: {min(walls):.2f} s")
    table.add_column("largest imports, alone")
    table.add_column("ms", justify="right")
    for name, milliseconds in largest_imports(traced.stderr)[:8]:
        table.add_row(name, f"{milliseconds:.0f}")
    return table


def largest_imports(trace: str) -> list[tuple[str, float]]:
    """Milliseconds per top-level package, itself and its own modules, largest first.

    Args:
        trace: what ``python -X importtime`` wrote.
    """
    own: dict[str, float] = defaultdict(float)
    for match in re.finditer(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)", trace):
        own[match[2].split(".")[0]] += int(match[1]) / 1000
    return sorted(own.items(), key=lambda item: -item[1])
