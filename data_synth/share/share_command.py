# SPDX-License-Identifier: Apache-2.0
"""Commands that give views and pairs to others: ``python -m data_synth export | pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from data_synth.run.dataset import Dataset
from data_synth.run.field import Field
from data_synth.run.light_sum import LIBRARIES
from data_synth.sample.pair_ranges import PairRanges
from data_synth.share.pair_file import Layout, write_pairs
from data_synth.share.pair_set import PairSet
from data_synth.share.view_export import DOCUMENT, Kind, export_view

console = Console(stderr=True, highlight=False, soft_wrap=True)


def export(
    folder: Annotated[Path, typer.Argument(help="A dataset, or one view of it.")],
    out: Annotated[Path, typer.Option(help="Folder of the pictures.")],
    kind: Annotated[
        Kind, typer.Option("--format", help="exr: linear floats (extra 'exr'); png: for viewing.")
    ] = Kind.EXR,
    every: Annotated[int, typer.Option(min=1, help="Export one light of so many.")] = 1,
) -> None:
    """Write OLATs, normals, depth, albedo and masks as pictures. Run it again to continue."""
    dataset = Dataset(folder)
    for view in track(dataset.views, "Exporting", console=console):
        target = out / view.relative_to(folder) if view != folder else out / view.name
        if not (target / DOCUMENT).exists():
            for _ in export_view(Field.load(view), target, kind, every):
                pass
    console.print(f"{out}: {len(dataset)} views", markup=False)


def pairs(
    folder: Annotated[Path, typer.Argument(help="A dataset.")],
    out: Annotated[Path, typer.Option(help="Folder of the pairs.")],
    count: Annotated[int, typer.Option(min=1, help="Number of pairs.")] = 1000,
    layout: Annotated[
        Layout, typer.Option("--format", help="A folder of files, or shards.")
    ] = Layout.FOLDER,
    environments: Annotated[
        Path | None, typer.Option(help="Folder of .hdr or .exr maps; else made here.")
    ] = None,
    resolution: Annotated[
        int, typer.Option(min=32, max=1024, help="Pixels of a pair along each side.")
    ] = PairRanges.resolution,
    shard: Annotated[int, typer.Option(min=1, help="Pairs in a shard.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all randomness.")] = 0,
    library: Annotated[
        str, typer.Option(help=f"What adds up the lights: {', '.join(LIBRARIES)}.")
    ] = LIBRARIES[0],
) -> None:
    """Write training pairs: photo, key gain, relit photo, labels. Run it again to continue."""
    made = PairSet(
        folder,
        count,
        environments=environments,
        ranges=PairRanges(resolution=resolution),
        seed=seed,
        library=library,
    )
    settings: dict[str, object] = {
        "dataset": folder.name,
        "environments": environments.name if environments else None,
        "resolution": resolution,
        "seed": seed,
    }
    written = write_pairs(made, out, layout, settings, shard)
    total = -(-count // (1 if layout is Layout.FOLDER else shard))
    done = 0
    for done in track(written, "Pairs", total, console=console):  # noqa: B007 - the last counts
        pass
    console.print(f"{out}: {done} pairs", markup=False)
