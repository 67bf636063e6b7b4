# SPDX-License-Identifier: Apache-2.0
"""Commands that measure costs: ``python -m data_synth compare | growth``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from data_synth.registry import choose_source, parse_assets
from data_synth.rival.growth import grow
from data_synth.rival.light_cost import Cost
from data_synth.rival.light_cost import compare as costs
from data_synth.source_option import AssetsOption, SourceOption

errors = Console(stderr=True, highlight=False)


def compare(
    size: Annotated[int, typer.Option(min=16, max=1024, help="Pixels along each side.")] = 128,
    lights: Annotated[int, typer.Option(min=4, max=4000, help="Lights of the rig.")] = 331,
    samples: Annotated[int, typer.Option(min=1, max=16, help="Shaded points a pixel.")] = 4,
    paths: Annotated[int, typer.Option(min=1, help="Paths a pixel of the others.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Of the person.")] = 3,
    source: SourceOption = None,
    assets: AssetsOption = None,
) -> None:
    """Compare what a light costs here, by Mitsuba and by Cycles, where these are installed."""
    chosen, folder = choose_source(source, parse_assets(assets or []))
    person = chosen.make_subject(seed, assets=folder)
    table = Table(
        "renderer", "samples", "CPU ms a light", "noise", "brightness", "at our noise", "x"
    )
    ours: Cost | None = None
    for found in costs(person, size, lights, samples, paths):
        if isinstance(found, str):
            errors.print(found, markup=False, soft_wrap=True)
            continue
        ours = ours or found
        like = found.like(ours)
        table.add_row(
            found.name,
            str(found.samples),
            f"{1e3 * found.light_s:.1f}",
            f"{found.noise:.1%}",
            f"{found.brightness:.2f}",
            f"{1e3 * like:.1f}",
            f"{like / ours.light_s:.0f}",
        )
    Console(highlight=False, width=100).print(table)


def growth(
    size: Annotated[list[int] | None, typer.Option(min=16, help="Pixels to measure.")] = None,
    lights: Annotated[list[int] | None, typer.Option(min=4, help="Lights to measure.")] = None,
    subjects: Annotated[int, typer.Option(min=1, help="People to measure.")] = 2,
    source: SourceOption = None,
    assets: AssetsOption = None,
) -> None:
    """Measure how views and pairs cost by pixels, lights and people, in CPU seconds."""
    chosen, folder = choose_source(source, parse_assets(assets or []))
    table = Table(
        "person", "size", "lights", "person s", "view s", "ms a light", "MB", "pairs a CPU s"
    )
    sizes, counts = size or [64, 128, 192], lights or [100, 331]
    for found in grow(chosen, folder, range(subjects), sizes, counts):
        table.add_row(
            str(found.seed),
            str(found.size),
            str(found.lights),
            f"{found.person_s:.1f}",
            f"{found.view_s:.2f}",
            f"{found.light_ms:.1f}",
            f"{found.bytes / 1e6:.1f}",
            f"{found.pairs_per_s:.0f}",
        )
    Console(highlight=False, width=100).print(table)
