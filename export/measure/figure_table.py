# SPDX-License-Identifier: Apache-2.0
"""Tables of figures, for the terminal and for the documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from export.error import DocumentError
from relight.storage import whole_file


@dataclass(frozen=True)
class FigureTable:
    """A table.

    Attributes:
        name: of its markers in a document.
        title: what it shows, and how that was measured.
        columns: headings; the first column is text, the others are figures.
        rows: cells, as many as there are columns.
        note: a sentence below it, or empty.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def as_rich(self) -> Table:
        """For the terminal."""
        table = Table(title=self.title, caption=self.note or None)
        for i, column in enumerate(self.columns):
            table.add_column(column, justify="right" if i else "left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """For a document."""
        rules = ["---"] + ["---:"] * (len(self.columns) - 1)
        lines = [f"| {' | '.join(cells)} |" for cells in (self.columns, rules, *self.rows)]
        return "\n".join([f"{self.title}:", "", *lines, *(["", self.note] if self.note else [])])


def document(path: Path, tables: Sequence[FigureTable]) -> None:
    """Put tables into a Markdown file, each between its own two markers.

    The markers are ``<!-- table NAME -->`` and ``<!-- end NAME -->``, alone on their lines.

    Raises:
        DocumentError: if the file cannot be read or written, or lacks a marker.
    """
    try:
        text = path.read_text("utf-8")
        for table in tables:
            text = _replaced(text, table, path)
        with whole_file(path) as temporary:
            temporary.write_text(text, "utf-8")
    except OSError as error:
        raise DocumentError(
            f"{path}: cannot be updated ({error.strerror or error}); give a document that exists"
        ) from error


def _replaced(text: str, table: FigureTable, path: Path) -> str:
    first, last = f"<!-- table {table.name} -->\n", f"<!-- end {table.name} -->"
    before, found, rest = text.partition(first)
    _, closed, after = rest.partition(last)
    if not (found and closed):
        raise DocumentError(f"{path}: lacks the markers of table {table.name}; add {first.strip()}")
    return f"{before}{first}\n{table.markdown()}\n\n{last}{after}"
