# SPDX-License-Identifier: Apache-2.0
"""Options of commands that make people: where these come from."""

from __future__ import annotations

from typing import Annotated

import typer

from data_synth.registry import SOURCES

SourceOption = Annotated[
    str | None,
    typer.Option(
        help=f"Where people come from: {', '.join(SOURCES)}. Default: the first whose files are"
        " given, else builtin."
    ),
]
AssetsOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Folder of a source's files, as NAME=DIR. "
        + " ".join(f"{s.name}: {s.needs}." for s in SOURCES.values() if s.needs)
    ),
]
