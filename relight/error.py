# SPDX-License-Identifier: Apache-2.0
"""The errors a user can meet. Each message is one line that names the input and the cure.

What kind of error it is decides exit statuses and HTTP statuses, never the words of its message.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class RelightError(ValueError):
    """Base of every expected failure of this library.

    Attributes:
        exit_status: what a command that fails with this kind of error exits with; not 0.
    """

    exit_status: ClassVar[int] = 1


class PhotoError(RelightError):
    """A photo cannot be read or written."""


class UnsupportedPhotoError(PhotoError):
    """A file is not a photo, or is one of a kind that cannot be read here."""


class PhotoTooLargeError(PhotoError):
    """A photo has more pixels than are allowed."""


class NoFaceError(RelightError):
    """The photo shows no face that can be relit."""


class EnvironmentFileError(RelightError):
    """An environment map cannot be read or written."""


@contextmanager
def plain_errors() -> Iterator[None]:
    """For commands: an expected failure becomes one line on stderr and an exit status.

    Raises:
        SystemExit: in place of a :class:`RelightError`, with its status, or of an ``OSError``,
            with 1.
    """
    try:
        yield
    except (RelightError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(getattr(error, "exit_status", 1)) from None


def reason(error: BaseException) -> str:
    """One line on what went wrong, in the words of the system or library."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip() or type(error).__name__).splitlines()[0]
