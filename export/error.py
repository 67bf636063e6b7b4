# SPDX-License-Identifier: Apache-2.0
"""What can go wrong while models are exported."""

from __future__ import annotations

from relight.error import RelightError


class ExportError(RelightError):
    """The networks cannot be exported, or fail a gate."""


class DocumentError(RelightError):
    """A table cannot be put into a document."""
