# SPDX-License-Identifier: Apache-2.0
"""What the build does beyond setuptools: rooms under a name of their own, and a README for PyPI.

``training`` and ``export`` are good names in a checkout and bad ones in everybody's environment
(PyPI has a package that installs ``export``). A wheel holds them as ``portrait_relight.training``
and ``portrait_relight.export``, and their sources, messages and help name them so.
"""

from __future__ import annotations

import re
from pathlib import Path

from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info

HOME = "portrait_relight"
"""The package that holds the rooms."""
_ROOM = r"(?:training|export)"
_MODULE = re.compile(rf"(?<![\w./-]){_ROOM}(?=\.[a-z_])")
"""A room before the name of one of its modules: ``training.train``, not ``docs/training.md``."""
_WHOLE = re.compile(rf"((?:\bimport|\bfrom|-m)\s+)({_ROOM})\b(?!\.)")
"""A room that is imported or run as a whole."""
_LINK = re.compile(r"(\]\()(?!https?:|#|mailto:)([^)\s]+)(\))")


def renamed(source: str) -> str:
    """A module's source with both rooms under their installed names."""
    return _WHOLE.sub(rf"\1{HOME}.\2", _MODULE.sub(rf"{HOME}.\g<0>", source))


def with_whole_links(text: str, repository: str, version: str) -> str:
    """A Markdown text whose links and pictures work outside the repository.

    Args:
        text: with links relative to the repository's top.
        repository: its address.
        version: whose tag is linked to.
    """

    def whole(match: re.Match[str]) -> str:
        kind = "raw" if Path(match[2]).suffix in (".jpg", ".png", ".svg") else "blob"
        return f"{match[1]}{repository}/{kind}/v{version}/{match[2]}{match[3]}"

    return _LINK.sub(whole, text)


class BuildModules(build_py):
    """Copies modules into the wheel; those of the renamed rooms, renamed."""

    def build_module(self, module, module_file, package):  # type: ignore[no-untyped-def]
        """See setuptools."""
        done = super().build_module(module, module_file, package)
        name = package if isinstance(package, str) else ".".join(package)
        if not self.editable_mode and name.startswith(f"{HOME}."):
            copy = Path(self.get_module_outfile(self.build_lib, name.split("."), module))
            copy.write_text(renamed(copy.read_text("utf-8")), "utf-8")
        return done


class Metadata(egg_info):
    """Gives PyPI the README with whole links."""

    def finalize_options(self) -> None:
        """See setuptools."""
        super().finalize_options()
        about = self.distribution.metadata
        about.long_description = with_whole_links(
            about.long_description, about.project_urls["Repository"], about.version
        )
