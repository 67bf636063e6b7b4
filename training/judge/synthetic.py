# SPDX-License-Identifier: Apache-2.0
"""How good the stages are on synthetic people that were never trained on.

``python -m training.evaluate synthetic --data DIR`` prints the figures of the networks beside
those of the analytic and the classical stages, by skin tone and by where the light stands, and
writes them to ``synthetic.json``. Real photos are judged separately.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from relight.error import plain_errors
from relight.storage import whole_file
from training.data.split import load_splits
from training.judge import report
from training.judge.judgement import Judgement, SyntheticConfig, judge, methods_of

FILE = "synthetic.json"


def lines(judgement: Judgement) -> list[Any]:
    """The figures as tables and lines to print."""
    figures = judgement.figures
    names = list(figures)
    judged = names[0]
    return [
        report.comparison(figures),
        report.group_table(figures, judged, "tone"),
        report.group_table(figures, judged, "light"),
        report.light_line(figures, judged, names[-1]),
        report.bound_line(judgement.bounds),
        report.fairness_line(figures, judged),
        *(report.exposure_line(judgement.exposure[name], name) for name in names),
    ]


def synthetic_command(
    data: Annotated[Path, typer.Option(help="A dataset of python -m data_synth render.")],
    environments: Annotated[
        Path | None, typer.Option(help="Folder of .hdr or .exr maps; else made here.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Folder of Keras weights to judge.")] = None,
    models: Annotated[
        Path | None, typer.Option(help="Folder of TFLite models to judge; else the package's.")
    ] = None,
    baseline: Annotated[bool, typer.Option("--baseline", help="Judge no network.")] = False,
    pairs: Annotated[int, typer.Option(min=1, help="Number of pairs.")] = SyntheticConfig.pairs,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all randomness.")] = 0,
    out: Annotated[Path, typer.Option(help="Where synthetic.json goes.")] = Path("runs/evaluate"),
) -> None:
    """Figures on unseen synthetic people: normals, light, key gain, fairness."""
    errors = Console(stderr=True, highlight=False)
    if sum([weights is not None, models is not None, baseline]) > 1:
        errors.print("[red]error:[/] give one of --weights, --models and --baseline")
        raise typer.Exit(2)
    config = SyntheticConfig(
        str(data),
        str(environments) if environments else None,
        str(weights) if weights else None,
        str(models) if models else None,
        baseline,
        pairs,
        seed,
    )
    with plain_errors():
        _, unseen = load_splits(data, environments)
        judgement = judge(config, methods_of(config), unseen, errors)
        out.mkdir(parents=True, exist_ok=True)
        with whole_file(out / FILE) as path:
            path.write_text(json.dumps(_rounded(asdict(judgement)), indent=1) + "\n")
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(width=120, highlight=False)
    for line in lines(judgement):
        console.print(line)
    console.print(f"Figures: {out / FILE}")


def _rounded(value: Any) -> Any:
    """JSON-ready: NaN and infinity become null."""
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, float):
        return round(value, 5) if np.isfinite(value) else None
    return value
