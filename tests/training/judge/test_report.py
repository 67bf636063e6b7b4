# SPDX-License-Identifier: Apache-2.0
"""Means of many pairs, and the tables that show them."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console
from rich.table import Table

from training.judge.captured_person import SubjectFigures
from training.judge.fairness import SECTORS, THIRDS, ExposureVerdict
from training.judge.report import (
    FIGURES,
    PairFigures,
    comparison,
    exposure_line,
    fairness_line,
    group_table,
    light_line,
    real_tone_table,
    summarize,
    summarize_real,
)

THIRD = {"a": "darkest", "b": "middle", "c": "lightest"}


def pair(subject: str, value: float, existing: str = "front", key: str = "side") -> PairFigures:
    values = dict.fromkeys(FIGURES, value)
    return PairFigures(
        subject, existing, key, {"network": values, "classical": dict.fromkeys(values, 2.5 * value)}
    )


def cells(table: Table) -> dict[str, list[str]]:
    return {str(column.header): [str(cell) for cell in column.cells] for column in table.columns}


def test_means_of_all_and_of_groups() -> None:
    items = [pair("a", 1), pair("a", 2, "top"), pair("b", 3), pair("c", math.nan, key="below")]
    means = summarize(items, THIRD)["network"]
    assert means["spheres"].mean == 2
    assert means["spheres"].tone["darkest"] == 1.5
    assert math.isnan(means["spheres"].tone["lightest"])
    assert means["spheres"].light["top"] == 2  # the light already there
    assert means["ssim"].light["side"] == 2  # the key
    assert math.isnan(means["ssim"].light["below"])
    assert set(means["ssim"].light) == set(SECTORS)
    with pytest.raises(ValueError, match="no pair"):
        summarize([], THIRD)


def test_tables_show_every_figure() -> None:
    summary = summarize([pair("a", 0.5), pair("b", 0.2), pair("c", 0.2)], THIRD)
    beside = cells(comparison(summary))
    assert beside[""] == [figure.title for figure in FIGURES.values()]
    row = beside[""].index("light, three spheres")
    assert (beside["network"][row], beside["classical"][row]) == ("0.300", "0.750")
    shown = cells(group_table(summary, "network", "tone"))
    assert shown["darkest"][row] == "0.500"
    assert shown["worst against mean"][row] == "+67% [red]over[/]"
    light = cells(group_table(summary, "network", "light"))
    assert light["behind"][row] == "-"
    assert light["worst against mean"][row] == "too few"


def test_lines_pass_and_fail() -> None:
    even = summarize([pair("a", 0.5), pair("b", 0.5), pair("c", 0.5)], THIRD)
    uneven = summarize([pair("a", 0.9), pair("b", 0.5), pair("c", 0.5)], THIRD)
    assert fairness_line(even, "network").startswith("PASS")
    said = fairness_line(uneven, "network")
    assert said.startswith("FAIL")
    assert "light, three spheres: darkest +42%" in said
    assert light_line(even, "network", "classical").startswith("PASS")
    assert light_line(even, "classical", "network").startswith("FAIL")
    found = ExposureVerdict(dict.fromkeys(THIRDS, 1.0), 1.0, True)
    assert exposure_line(found, "network").startswith("PASS")


def test_little_data_is_no_pass_and_no_failure() -> None:
    two = summarize([pair("a", 0.5), pair("b", 0.5)], THIRD)
    said = fairness_line(two, "network")
    assert said.startswith("TOO FEW")
    assert "lightest third" in said
    assert "darkest" not in said
    uneven = summarize([pair("a", 0.9), pair("b", 0.1)], THIRD)
    assert fairness_line(uneven, "network").startswith("FAIL")  # what is known is enough for that
    nobody = ExposureVerdict(dict.fromkeys(THIRDS, math.nan), math.nan, None)
    assert exposure_line(nobody, "network").startswith("TOO FEW")
    unknown = summarize([pair("a", math.nan), pair("b", math.nan)], THIRD)
    assert light_line(unknown, "network", "classical").startswith("TOO FEW")


def test_real_people_by_skin_tone() -> None:
    people = [
        SubjectFigures(
            name, 10 * value, {"left": {"x": value}}, {"x": value}, {"x": 1 - value}, value, 1.0
        )
        for name, value in (("p", 0.3), ("q", 0.1), ("r", 0.2))
    ]
    people = [
        SubjectFigures(**(vars(item) | {"albedo": albedo}))
        for item, albedo in zip(people, (0.1, 0.2, 0.3), strict=True)
    ]
    means = summarize_real(people, "x")
    assert means["normals"].mean == pytest.approx(2)
    assert means["residual"].tone == {"darkest": 0.3, "middle": 0.1, "lightest": 0.2}
    table = real_tone_table(people, "x")
    assert cells(table)["worst against mean"] == ["+50% [red]over[/]"] * 5  # SSIM falls with error
    Console(file=io.StringIO()).print(table)
