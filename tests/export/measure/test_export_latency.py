# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from export import benchmark
from export.measure import latency
from export.measure.latency import (
    DRAG,
    PIPELINE,
    REFERENCE,
    REFERENCE_FILE,
    Timing,
    footprint,
    latency_table,
    read_models,
    size_table,
    time_models,
)
from relight import Setup
from relight.models.interpreter import ModelError
from relight.models.library import Models


@pytest.fixture(scope="module")
def models() -> dict[str, bytes]:
    return read_models()


def test_the_packages_models_are_read(models: dict[str, bytes]) -> None:
    assert models.keys() == {"normals", "lighting", "shading", "key"}
    assert models["normals"] == (Models().folder / "normals.tflite").read_bytes()


def test_a_listed_model_that_is_missing_costs_one_line(tmp_path: Path) -> None:
    manifest = json.loads((Models().folder / "models.json").read_text())
    (tmp_path / "models.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=r"normals.tflite: cannot be read"):
        read_models(tmp_path)


@pytest.mark.parametrize("threads", [1, 2])
def test_all_models_are_timed_in_the_same_rounds(models: dict[str, bytes], threads: int) -> None:
    contents = {REFERENCE: REFERENCE_FILE.read_bytes(), **models}
    timings = time_models(contents, rounds=3, threads=threads)
    assert timings.keys() == {*contents, PIPELINE}
    assert {len(timing.later) for timing in timings.values()} == {3}
    own = [timings[name] for name in models]
    assert timings[PIPELINE].minimum == pytest.approx(sum(t.minimum for t in own))
    assert timings[PIPELINE].median == pytest.approx(sum(t.median for t in own))
    assert all(0 < t.minimum <= t.median for t in timings.values())


def test_bars_are_judged_by_the_fastest_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Timing(0.02, [0.001, 0.002, 0.009])
    timings = {
        REFERENCE: unit,
        "key": Timing(0.03, [0.0019, 0.009, 0.02]),
        PIPELINE: Timing(0.05, [0.0061, 0.01, 0.02]),
    }
    monkeypatch.setattr(latency, "time_models", lambda *_: dict(timings))
    table = latency_table({}, 3, 1)
    assert table.note == f"{PIPELINE} <= 6: missed (6.10); {DRAG} <= 2: met (1.90)"
    rows = {row[0]: row for row in table.rows}
    assert rows[REFERENCE][-2:] == ("1.00", "1.00")
    assert rows[DRAG][1:5] == ("30.0", "9.00", "18.10", "1.90")
    assert rows[DRAG][5] == "4.50"
    assert latency_table({}, 3, 2).note == ""


def test_a_larger_model_leaves_a_larger_footprint() -> None:
    assert 1 < footprint(REFERENCE_FILE.read_bytes()) < 200


def test_sizes_add_up(models: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "footprint", lambda content: 12.0)
    table = size_table(models)
    total = sum(map(len, models.values())) / 1e6
    assert f"{total:.2f} MB" in table.note
    rows = {row[0]: row for row in table.rows}
    assert float(rows[REFERENCE][3]) == pytest.approx(0.035, abs=5e-4)  # as published: 35 MMAC


def test_a_missing_folder_costs_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(benchmark.app, ["models", "--folder", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert "models.json: cannot be read" in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize("changed", [benchmark._moved, benchmark._dimmed])
def test_a_light_is_changed_from_frame_to_frame(changed: Callable[[float], Setup]) -> None:
    class Counting:
        setups: list[Setup] = []  # noqa: RUF012

        def render(self, setup: Setup, side: int) -> None:
            self.setups.append(setup)

    setups = (changed(part / 5) for part in range(6))
    seconds = benchmark.preview_seconds(Counting(), setups)  # type: ignore[arg-type]
    assert len(seconds) == 5
    assert len(set(map(repr, Counting.setups))) == 6
