# SPDX-License-Identifier: Apache-2.0
"""Environments as weights of a rig's lights, drawn ahead of time: a GPU only mixes them.

``python -m training.data.light_table --environments HDRI --out FILE`` draws them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from data_synth.sample.illumination import EnvironmentBank, Projector
from data_synth.stage.rig import Rig
from relight.storage import whole_file


def main(
    out: Annotated[Path, typer.Option(help="The file to write.")],
    environments: Annotated[
        Path | None, typer.Option(help="Folder of .hdr or .exr maps; else made here.")
    ] = None,
    lights: Annotated[int, typer.Option(min=4, help="Lights of the rig.")] = 200,
    count: Annotated[int, typer.Option(min=1, help="Draws.")] = 3000,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Draw environments and keep what each light of the rig answers for."""
    rng = np.random.default_rng(seed)
    bank = EnvironmentBank.make(60, rng)
    if environments is not None:
        real = EnvironmentBank.load(environments)
        maps = np.concatenate([real.maps, bank.maps])
        bank = EnvironmentBank(maps, [*real.names, *bank.names], bank.ranges)
    projector = Projector(Rig.make(lights).lights)
    drawn = np.stack([projector.weights(bank.draw(rng)) for _ in range(count)])
    with whole_file(out) as path, path.open("wb") as file:
        np.savez_compressed(file, weights=drawn.astype(np.float16))


if __name__ == "__main__":
    typer.run(main)
