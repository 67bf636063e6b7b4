# SPDX-License-Identifier: Apache-2.0
"""The errors a user can meet. Each message is one line that names the input and the cure."""

from __future__ import annotations


class RelightError(ValueError):
    """Base of every expected failure of this library."""


class PhotoError(RelightError):
    """A photo cannot be read or written."""


class NoFaceError(RelightError):
    """The photo shows no face that can be relit."""


class EnvironmentFileError(RelightError):
    """An environment map cannot be read or written."""
