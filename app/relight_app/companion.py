# SPDX-License-Identifier: Apache-2.0
"""What goes along with a relit photo: its XMP sidecar and, on request, its file's dates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from relight.error import reason
from relight.photo.exif import clean_xmp
from relight.storage import whole_file

SIDECAR = ".xmp"
MOST_BYTES = 64 << 20
"""Of a sidecar: far more than any program writes."""


def sidecars(photo: Path, output: Path) -> Iterator[tuple[Path, Path]]:
    """Each sidecar that a photo has, and where the relit photo's goes.

    Lightroom, Bridge and digiKam replace the photo's suffix (``a.xmp``), darktable and others add
    theirs to it (``a.jpg.xmp``).
    """
    for name, target in (
        (photo.stem, output.with_suffix(SIDECAR)),
        (photo.name, output.with_name(output.name + SIDECAR)),
    ):
        for suffix in (SIDECAR, SIDECAR.upper()):
            found = photo.with_name(name + suffix)
            if found.is_file():
                yield found, target
                break


def copy_sidecar(source: Path, target: Path) -> str | None:
    """Copy a sidecar, made to fit the upright photo; one that is there already is never replaced.

    Returns:
        What went wrong, in words; None if the sidecar is in its place.
    """
    try:
        if source.stat().st_size > MOST_BYTES:
            return f"its sidecar {source} is no XMP and is not copied"
        packet, _ = clean_xmp(source.read_bytes())
        if os.path.lexists(target):
            if target.is_file() and (target.samefile(source) or target.read_bytes() == packet):
                return None
            return f"{target} exists; the sidecar {source} is not copied over it"
        with whole_file(target) as temporary:
            temporary.write_bytes(packet)
    except OSError as error:
        return f"its sidecar {source} cannot be copied ({reason(error)})"
    return None


def copy_dates(source: Path, target: Path) -> str | None:
    """Give a file the times of last access and change of another.

    Returns:
        What went wrong, in words; None if it has them.
    """
    try:
        times = source.stat()
        os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
    except OSError as error:
        return f"the dates of {source} cannot be given to {target} ({reason(error)})"
    return None
