# SPDX-License-Identifier: Apache-2.0
"""Samples per second of a training, and of one worker against several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

pytest.importorskip("keras")

from relight.error import RelightError
from training.scale import throughput
from training.scale.supervise import Crew
from training.scale.throughput import Throughput, compare, samples_per_second


def test_epochs_are_written(tmp_path: Path) -> None:
    path = tmp_path / "throughput.csv"
    hook = Throughput(path, 8)
    for epoch in range(3):
        hook.on_epoch_begin(epoch)
        for step in range(3 + epoch):
            hook.on_train_batch_end(step)
        hook.on_epoch_end(epoch)
    header, *rows = path.read_text().splitlines()
    assert header == "epoch,samples,seconds"
    assert [row.rsplit(",", 1)[0] for row in rows] == ["0,24", "1,32", "2,40"]


def test_the_first_epoch_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "throughput.csv"
    path.write_text("epoch,samples,seconds\n0,100,90.0\n")
    with pytest.raises(RelightError, match="--steps"):
        samples_per_second(path)
    path.write_text("epoch,samples,seconds\n0,100,90.0\n1,100,4.0\n2,100,6.0\n")
    assert samples_per_second(path) == 20


def test_one_worker_is_compared_with_several(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def supervise(
        command: Sequence[str], crew: Crew, restarts: int, out: Path, console: Console
    ) -> None:
        """Two workers take as long for twice the samples, but for a tenth."""
        words = list(command)
        batch = int(words[words.index("--batch") + 1])
        asked.append((len(crew.tasks), batch, words[words.index("--out") + 1] == str(out)))
        out.mkdir()
        seconds = 1.0 if len(crew.tasks) == 1 else 1.1
        rows = [f"{epoch},{10 * batch},{seconds}" for epoch in range(4)]
        (out / "throughput.csv").write_text("\n".join(["epoch,samples,seconds", *rows]))

    monkeypatch.setattr(throughput, "supervise", supervise)
    result = compare(["normals", "--data", "d"], 16, 2, 0, 10, 2, Console(quiet=True))
    assert asked == [(1, 16, True), (2, 32, True)] * 2
    assert result["ratio"] == pytest.approx(2 / 1.1)
    assert result["one"] == [160, 160]
