# SPDX-License-Identifier: Apache-2.0
"""From trained weights to what the package ships: ``python -m export --weights DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import relight
from export.measure.figure_table import document
from export.quiet import quiet
from relight.error import plain_errors

DEFAULT_OUT = Path(relight.__file__).parent / "models"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    weights: Annotated[
        Path,
        typer.Option(help="Folder of <network>.weights.h5; for others, the shipped ones."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the shipped models.")] = DEFAULT_OUT,
    data: Annotated[
        Path | None,
        typer.Option(help="Dataset of python -m data_synth; else a few people are rendered."),
    ] = None,
    photos: Annotated[
        Path | None, typer.Option(help="Folder of portraits to verify on, besides the example.")
    ] = None,
    variants: Annotated[
        Path | None, typer.Option(help="Folder for float32 and int8 files, which are not shipped.")
    ] = None,
    write_tables: Annotated[
        Path | None, typer.Option("--document", help="Markdown file to update the table in.")
    ] = None,
) -> None:
    """Convert the networks and verify them; write models and manifest, or say which gate failed."""
    errors = Console(stderr=True, highlight=False)
    with plain_errors():
        with quiet():
            from export.release import ReleaseConfig, parity_table, release

        config = ReleaseConfig(weights, out, variants, data, photos)
        made = release(config, lambda line: errors.print(f"{line} ...", style="dim"))
        tables = [parity_table(made, config.gates)]
        for table in tables:
            Console().print(table.as_rich())
        if write_tables is not None:
            document(write_tables, tables)
    errors.print(f"{out}: written")


if __name__ == "__main__":
    app()
