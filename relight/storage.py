# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


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
