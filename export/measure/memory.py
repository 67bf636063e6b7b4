# SPDX-License-Identifier: Apache-2.0
"""Peak memory: of this process, and of the command for a large photo."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from relight import load_photo, save_photo
from relight.error import RelightError
from relight.photo.color.gamut import Gamut
from relight.photo.color.icc import adobe_rgb_profile

KINDS = {
    "JPEG": ("photo.jpg", ()),
    "JPEG, Adobe RGB kept": ("adobe.jpg", ("--keep-profile",)),
    "PNG, 16 bits": ("photo.png", ()),
    "TIFF, 16 bits": ("photo.tif", ()),
}
"""Files that the command's memory is measured with, and options."""


def memory_table(encoded: bytes) -> Table:
    """Peak resident size of the whole command for one photo in several formats.

    Args:
        encoded: the photo, of 8 bits.
    """
    pixels = load_photo(encoded).rgb
    megapixels = pixels.shape[0] * pixels.shape[1] / 1e6
    table = Table(title=f"Whole command, {megapixels:.0f} megapixels")
    for name in ("file", "peak MB"):
        table.add_column(name, justify="left" if name == "file" else "right")
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            table.add_row(kind, f"{photo_megabytes(kind, pixels, Path(folder)):.0f}")
    return table


def photo_megabytes(kind: str, pixels: NDArray[np.uint8], folder: Path) -> float:
    """What :func:`command_megabytes` gives for a photo of one of the :data:`KINDS`."""
    name, options = KINDS[kind]
    made = load_photo(pixels.astype(np.uint16) * 257 if "16" in kind else pixels)
    if options:
        made = replace(made, gamut=Gamut.of(adobe_rgb_profile()))
    photo = folder / name
    save_photo(made, photo, overwrite=True)
    del made
    return command_megabytes(photo, options)


def command_megabytes(photo: Path, options: Sequence[str] = ()) -> float:
    """Peak resident size of the command that relights a photo, in a process of its own.

    Raises:
        RelightError: if the command failed.
    """
    output = photo.with_name(f"out{photo.suffix}")
    words = [str(photo), "--light", "50,30", "-o", str(output), "--quiet", *options]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _WATCHED, *words], capture_output=True, text=True, check=False
    )
    output.unlink(missing_ok=True)
    if done.returncode:
        raise RelightError(f"{photo}: {(done.stderr.strip() or 'it was killed').splitlines()[-1]}")
    return float(done.stdout)


_WATCHED = f"""
import atexit
from {__name__} import peak_megabytes
from relight_app.cli import main
atexit.register(lambda: print(peak_megabytes()))
main()
"""
"""Runs the command line and prints the peak that its process reached."""


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
