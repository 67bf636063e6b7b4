# SPDX-License-Identifier: Apache-2.0
"""``python -m portrait_relight examples`` copies the examples that an installation brings.

A photo, two people in the Light Stage and the notebook that uses both. A checkout has them as
``examples/``.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from portrait_relight import EXAMPLES
from relight.error import RelightError, plain_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """What an installation brings besides its programs."""


@app.command()
def examples(
    out: Annotated[Path, typer.Argument(help="Folder to make.")] = Path("examples"),
) -> None:
    """Copy the examples: a photo, two people in the Light Stage, a notebook."""
    with plain_errors():
        if out.exists():
            raise RelightError(f"{out}: is there already; name another folder or delete it")
        unwanted = shutil.ignore_patterns("__pycache__", "__init__.py")
        shutil.copytree(EXAMPLES, out, ignore=unwanted)
    Console(highlight=False, soft_wrap=True).print(f"{out}: written", markup=False)


if __name__ == "__main__":
    app(prog_name="python -m portrait_relight")
