# SPDX-License-Identifier: Apache-2.0
"""This process's peak memory."""

from __future__ import annotations

import re
from pathlib import Path


def reset_peak() -> None:
    """Reset the process's peak-memory count, where the kernel can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_megabytes() -> float:
    """Largest resident size since :func:`reset_peak`, or since the start where it has no effect."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(match[1]) / 1024 if match else float("nan")
