# SPDX-License-Identifier: Apache-2.0
"""Average two of a run's weights: ``python -m training.blend key EARLY LATE --out DIR``.

A network trained on synthetic people goes on to learn what only they have in common. Weights
between an early and a late state of one run can do better on real people than either.

Reference: Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models
improves accuracy without increasing inference time".
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import click
import keras
import typer
from rich.console import Console

from relight.error import plain_errors
from training.checkpoint import save_weights
from training.networks.network import NETWORKS
from training.networks.weight_file import load_weights


def blend(name: str, early: Path, late: Path, share: float) -> keras.Model:
    """A network whose weights lie between two files'.

    Args:
        name: of :data:`training.networks.network.NETWORKS`.
        early: a ``.weights.h5`` file.
        late: another, of the same run.
        share: of the later weights in the result, in [0, 1].

    Raises:
        WeightsError: if one is missing, damaged, or another network's.
    """
    first, second = NETWORKS[name](), NETWORKS[name]()
    load_weights(first, early)
    load_weights(second, late)
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    first.set_weights([(1 - share) * a + share * b for a, b in pairs])
    return first


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__.split("\n", 1)[0] if __doc__ else None)
def main(
    network: Annotated[
        str, typer.Argument(click_type=click.Choice(list(NETWORKS)), help="Which network.")
    ],
    early: Annotated[Path, typer.Argument(help="Its weights, earlier in the run.")],
    late: Annotated[Path, typer.Argument(help="Its weights, later.")],
    out: Annotated[Path, typer.Option(help="Folder for NETWORK.weights.h5.")],
    share: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the later ones.")] = 0.5,
) -> None:
    """Average two states of one run."""
    with plain_errors():
        blended = blend(network, early, late, share)
        out.mkdir(parents=True, exist_ok=True)
        path = out / f"{network}.weights.h5"
        save_weights(blended, path)
    Console(highlight=False, soft_wrap=True).print(f"{path}: written")


if __name__ == "__main__":
    app()
