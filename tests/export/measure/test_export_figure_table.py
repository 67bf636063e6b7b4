# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from export.error import DocumentError
from export.measure.figure_table import FigureTable, document

SHEET = FigureTable("size", "The models", ("model", "MB"), [("normals", "1.5")], "Measured today.")
PAGE = "# Page\n\n<!-- table size -->\nold\n<!-- end size -->\n\nAfter.\n"


def test_a_table_replaces_the_one_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    for _ in range(2):  # again changes nothing more
        document(page, [SHEET])
        assert page.read_text() == (
            "# Page\n\n<!-- table size -->\n\nThe models:\n\n| model | MB |\n| --- | ---: |\n"
            "| normals | 1.5 |\n\nMeasured today.\n\n<!-- end size -->\n\nAfter.\n"
        )


@pytest.mark.parametrize("text", ["no markers", "<!-- table size -->\nno end"])
def test_a_page_without_markers_is_left_alone(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(DocumentError, match=r"page.md: lacks the markers of table size"):
        document(page, [SHEET])
    assert page.read_text() == text


def test_a_missing_page_costs_one_line(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"page.md: cannot be updated"):
        document(tmp_path / "page.md", [SHEET])


def test_the_terminal_shows_the_same_cells() -> None:
    table = SHEET.as_rich()
    assert [list(column.cells) for column in table.columns] == [["normals"], ["1.5"]]
