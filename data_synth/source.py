# SPDX-License-Identifier: Apache-2.0
"""Where people come from: the interface of all sources of subjects.

A source stands in one file and is registered in :mod:`data_synth.registry`; the command line, the
checks and the documentation read the registry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from data_synth.error import AssetError
from data_synth.subject import Subject
from data_synth.trait import SubjectRanges

TEXTURE_SIZE = 512
"""Height of the skin's texture in pixels; a face in a view of 256 pixels covers fewer."""


class Source(ABC):
    """A source of subjects.

    Attributes:
        name: what the command line and stored datasets call it.
        about: what its people are, for help and documentation; no full stop.
        needs: what the folder given as ``--assets NAME=DIR`` must hold; ``None`` if no files are
            needed.
        cure: what to do when they are missing, the end of a message; empty if none are needed.
        judging_only: its people may be photographed to judge methods, but are no training data.
    """

    name: str
    about: str
    needs: str | None = None
    cure: str = ""
    judging_only: bool = False

    @abstractmethod
    def make_subject(
        self,
        seed: int,
        *,
        assets: Path | None = None,
        ranges: SubjectRanges | None = None,
        texture_size: int = TEXTURE_SIZE,
    ) -> Subject:
        """Make one person; the same arguments make the same person again.

        Args:
            seed: of the person, >= 0.
            assets: the folder of files that the source needs.
            ranges: what to draw from; ``None``: the defaults.
            texture_size: height of the skin's texture in pixels.

        Raises:
            AssetError: if files are missing or broken.
        """

    def count(self, assets: Path | None) -> int | None:
        """How many different people there are, one for each of the first seeds.

        Args:
            assets: the folder of files that the source needs.

        Returns:
            Their number; ``None``: as many as there are seeds.
        """
        return None

    def folder(self, assets: Path | None) -> Path:
        """The folder of files that the source needs.

        Raises:
            AssetError: if it was not given.
        """
        if assets is None:
            raise AssetError(f"the source {self.name} needs {self.needs}; {self.cure}")
        return assets
