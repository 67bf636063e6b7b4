# SPDX-License-Identifier: Apache-2.0
"""Files that appear complete or not at all, and files for a while."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

UNFINISHED = re.compile(r"\..*\.[0-9a-f]{8}\.part(\.[^.]*)?")
"""Names of the temporary files that a killed process leaves behind."""


@contextlib.contextmanager
def whole_file(destination: Path) -> Iterator[Path]:
    """Give a temporary path beside ``destination`` and rename it there when the block succeeds.

    On any failure, including a keyboard interrupt, the temporary file is removed and an existing
    destination is left unchanged. The suffix is kept, for writers that choose a format by it.

    Raises:
        OSError: what the file system raises (full disk, no permission, no such folder).
    """
    # A name has at most 255 bytes, and a letter may take four.
    stem = os.fsencode(destination.stem)[:80].decode(errors="ignore")
    name = f".{stem}.{secrets.token_hex(4)}.part{destination.suffix}"
    temporary = destination.with_name(name)
    try:
        yield temporary
        os.replace(temporary, destination)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def remove_unfinished(folder: Path, idle_s: float = 10.0) -> None:
    """Remove temporary files that nobody is writing any more.

    Args:
        folder: where :func:`whole_file` has written; it need not exist.
        idle_s: files that were written to more recently are left alone.
    """
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            with contextlib.suppress(OSError):
                if (
                    UNFINISHED.fullmatch(entry.name)
                    and entry.is_file(follow_symlinks=False)
                    and time.time() - entry.stat().st_mtime > idle_s
                ):
                    os.unlink(entry.path)


def kept_aside() -> BinaryIO:
    """A file to write and read, gone when it is closed.

    In memory where the system has such files, so that a read-only disk will do.

    Raises:
        OSError: where there are none, if the folder for temporary files cannot be written to.
    """
    if sys.platform == "linux":
        return open(os.memfd_create("relight"), "w+b")
    return cast(BinaryIO, tempfile.TemporaryFile())
