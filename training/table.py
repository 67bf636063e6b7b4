# SPDX-License-Identifier: Apache-2.0
"""CSV files with a row for each epoch of a training run."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from relight.storage import whole_file


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a file in order; none if there is no such file.

    Raises:
        OSError: if it cannot be read.
    """
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def put_row(path: Path, row: Mapping[str, float | str]) -> None:
    """Write an epoch's row; rows of this and later epochs, from before a restart, are dropped.

    The file is replaced as a whole: if the process is killed meanwhile, the old one stays.

    Args:
        path: of the file; made if it does not exist.
        row: with an ``epoch``, and the columns of earlier rows.

    Raises:
        OSError: if it cannot be written.
    """
    kept = [former for former in read_rows(path) if int(former["epoch"]) < int(row["epoch"])]
    with whole_file(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, row, extrasaction="ignore")
        writer.writeheader()
        writer.writerows([*kept, row])
