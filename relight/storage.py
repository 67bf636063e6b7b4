# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

UNFINISHED = re.compile(r"\..*\.[0-9a-f]{8}\.part(\.[^.]*)?")
"""Names of the temporary files, which a killed process leaves behind."""


@contextlib.contextmanager
def whole_file(destination: Path) -> Iterator[Path]:
    """Give a temporary path beside ``destination`` and rename it there when the block succeeds.

    On any failure, a keyboard interrupt too, the temporary is removed and an existing
    destination stays as it was. The suffix is kept, so writers that go by it work.

    Raises:
        OSError: as the file system raises it (full disk, no permission, no such folder).
    """
    # Names hold 255 bytes, and a letter may take four.
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
    """Remove temporary files that nobody writes any more.

    Args:
        folder: where :func:`whole_file` has written; it need not exist.
        idle_s: a file written to more recently is left to its writer.
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
