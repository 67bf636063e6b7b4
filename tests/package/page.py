# SPDX-License-Identifier: Apache-2.0
"""Commands and programs that stand in the documents."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.M | re.S)
_INLINE = re.compile(r"`((?:python\s+-m|pytest|pip install|relight)\s[^`]+)`")


@dataclass(frozen=True)
class Snippet:
    """One command, or one program.

    Attributes:
        kind: ``sh`` or ``python``.
        text: of it; a command stands in one line, without its comment.
    """

    kind: str
    text: str


def snippets(page: Path) -> list[Snippet]:
    """All commands and programs of a page's blocks, in order."""
    found = []
    for match in _BLOCK.finditer(page.read_text("utf-8")):
        if match[1] == "python":
            found.append(Snippet("python", match[2]))
            continue
        for line in match[2].replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                text = line.split(" #")[0] if "#" in line else line
                found.append(Snippet("sh", " ".join(text.split())))
    return found


def mentions(page: Path) -> list[str]:
    """Commands inside sentences and tables."""
    return [" ".join(m[1].split()) for m in _INLINE.finditer(page.read_text("utf-8"))]
