# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in the Light Stage; each message is one line that names path and cure."""

from __future__ import annotations

from relight.error import RelightError


class SynthError(RelightError):
    """Base of every expected failure of the Light Stage."""


class AssetError(SynthError):
    """A file or package that a subject or the renderer needs is missing or unreadable."""


class FieldError(SynthError):
    """A stored reflectance field is incomplete, corrupt or cannot be written."""
