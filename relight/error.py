# SPDX-License-Identifier: Apache-2.0
"""The errors a user can meet. Each message is one line that names the input and the cure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class RelightError(ValueError):
    """Base of every expected failure of this library."""


class PhotoError(RelightError):
    """A photo cannot be read or written."""


class NoFaceError(RelightError):
    """The photo shows no face that can be relit."""


class EnvironmentFileError(RelightError):
    """An environment map cannot be read or written."""


@contextmanager
def plain_errors(status: Callable[[Exception], int] = lambda error: 1) -> Iterator[None]:
    """For commands: an expected failure is one line on stderr and an exit status, no traceback.

    Args:
        status: which, not 0, by the failure.

    Raises:
        typer.Exit: in place of a :class:`RelightError` or an ``OSError``.
    """
    try:
        yield
    except (RelightError, OSError) as error:
        import typer  # the library itself needs no terminal
        from rich.console import Console
        from rich.markup import escape

        console = Console(stderr=True, highlight=False)
        console.print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(status(error)) from None
