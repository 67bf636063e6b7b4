# SPDX-License-Identifier: Apache-2.0
"""CSV files with a row for each epoch."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.table import put_row, read_rows


def epochs(path: Path) -> list[tuple[int, float]]:
    return [(int(row["epoch"]), float(row["loss"])) for row in read_rows(path)]


def test_rows_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    assert read_rows(path) == []
    for epoch in range(3):
        put_row(path, {"epoch": epoch, "loss": 1 / 3})
    assert epochs(path) == [(0, 1 / 3), (1, 1 / 3), (2, 1 / 3)]


def test_an_epoch_done_again_replaces_its_row(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    for epoch, loss in ((0, 4.0), (1, 3.0), (2, 2.0), (1, 5.0)):
        put_row(path, {"epoch": epoch, "loss": loss})
    assert epochs(path) == [(0, 4.0), (1, 5.0)]
    put_row(path, {"epoch": 0, "loss": 1.0})
    assert epochs(path) == [(0, 1.0)]


@pytest.mark.parametrize("left", ["", "epoch,loss\n"])
def test_a_file_without_rows_gets_its_first(tmp_path: Path, left: str) -> None:
    path = tmp_path / "history.csv"
    path.write_text(left)
    put_row(path, {"epoch": 1, "loss": 2.0})
    assert epochs(path) == [(1, 2.0)]


def test_a_full_disk_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.csv"
    put_row(path, {"epoch": 0, "loss": 2.0})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="space"):
        put_row(path, {"epoch": 1, "loss": 1.0})
    assert epochs(path) == [(0, 2.0)]
    assert len(list(tmp_path.iterdir())) == 1
