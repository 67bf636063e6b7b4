# SPDX-License-Identifier: Apache-2.0
"""CSV files with a row for each epoch of a training run."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from relight.storage import whole_file


def read_rows(path: Path) -> list[dict[str, str]]:
    """Its rows in their order; none if there is no such file.

    Raises:
        OSError: if it cannot be read.
    """
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def put_row(path: Path, row: Mapping[str, float | str]) -> None:
    """Set an epoch's row; those of later epochs, from before a restart, go.

    The file is replaced whole: a process killed meanwhile leaves it as it was.

    Args:
        path: of the file; made if it is not there.
        row: with an ``epoch``, and the columns of the rows before.

    Raises:
        OSError: if it cannot be written.
    """
    kept = [former for former in read_rows(path) if int(former["epoch"]) < int(row["epoch"])]
    with whole_file(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, row, extrasaction="ignore")
        writer.writeheader()
        writer.writerows([*kept, row])
