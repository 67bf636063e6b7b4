# SPDX-License-Identifier: Apache-2.0
"""The sources of subjects, by name: a new one is added to :data:`SOURCES`, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from data_synth.error import AssetError, SynthError
from data_synth.given.makehuman import MakeHumanSource
from data_synth.given.own import OwnSource
from data_synth.given.scan import ScanSource
from data_synth.head.builtin import BuiltinSource
from data_synth.head.ict import IctSource
from data_synth.source import Source

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (IctSource(), MakeHumanSource(), OwnSource(), BuiltinSource(), ScanSource())
}
"""All sources; where several could be used, the first is."""


def find_source(name: str) -> Source:
    """The source of that name.

    Raises:
        SynthError: if there is none.
    """
    if name not in SOURCES:
        raise SynthError(f"--source {name}: unknown, give one of {', '.join(SOURCES)}")
    return SOURCES[name]


def choose_source(
    name: str | None, folders: Mapping[str, Path], *, training: bool = True
) -> tuple[Source, Path | None]:
    """The source to use, and the folder of its files.

    Args:
        name: of the source; ``None`` takes the first whose files are given, else the first that
            needs none.
        folders: of files, by source.
        training: whether its people are to be trained on.

    Raises:
        SynthError: if there is no such source, or it is no training data.
        AssetError: if the files that it needs are not given.
    """
    if name is None:
        usable = [s for s in SOURCES.values() if not (training and s.judging_only)]
        given = [s for s in usable if s.name in folders]
        source = given[0] if given else next(s for s in usable if s.needs is None)
    else:
        source = find_source(name)
    if training and source.judging_only:
        raise SynthError(
            f"--source {source.name}: nothing is trained on it; use it with the command capture"
        )
    folder = folders.get(source.name)
    if source.needs is not None:
        source.folder(folder)
    return source, folder


def parse_assets(values: list[str]) -> dict[str, Path]:
    """Folders by source, from texts ``NAME=DIR``.

    Raises:
        AssetError: if a text is not of that form, its source needs no files, or there is no such
            folder.
    """
    needing = [s for s in SOURCES.values() if s.needs is not None]
    form = " or ".join(f"{s.name}=DIR" for s in needing)
    result = {}
    for value in values:
        name, separator, folder = value.partition("=")
        if not separator or name not in {s.name for s in needing} or not folder:
            raise AssetError(f"--assets {value}: write it as {form}")
        path = Path(folder)
        if not path.is_dir():
            source = SOURCES[name]
            raise AssetError(f"--assets {value}: no such folder; give {source.needs}")
        result[name] = path
    return result
