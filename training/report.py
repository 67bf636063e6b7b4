# SPDX-License-Identifier: Apache-2.0
"""Many pairs' figures as means: by method, by skin tone, by where the light comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from training.fairness import (
    EXPOSURE_TOLERANCE,
    SECTORS,
    THIRDS,
    TOLERANCE,
    ExposureVerdict,
    Scale,
    Verdict,
    verdict,
)

HALF = 0.5
"""Share of the harmonics' error that a learned estimate should not exceed."""


@dataclass(frozen=True)
class Figure:
    """One figure of merit.

    Attributes:
        title: what it is, with its unit.
        yardstick: what the classical stages do for it.
        places: decimals.
        scale: how it is read as an error.
        of_key: whether its sector is that of the key, not of the light already there.
    """

    title: str
    yardstick: str
    places: int = 3
    scale: Scale = Scale.ERROR
    of_key: bool = False


FIGURES = {
    "normals_face_deg": Figure("normals, face, deg", "mesh", 1),
    "normals_person_deg": Figure("normals, whole person, deg", "mesh", 1),
    "spheres": Figure("light, three spheres", "harmonics"),
    "diffuse": Figure("light, diffuse sphere", "harmonics"),
    "matte_silver": Figure("light, matte silver sphere", "harmonics"),
    "mirror": Figure("light, mirror sphere", "harmonics"),
    "spheres_scale_free": Figure("light, three spheres, best scale", "harmonics"),
    "dominant_deg": Figure("light, dominant direction, deg", "harmonics", 1),
    "peak_deg": Figure("light, brightest direction, deg", "harmonics", 1),
    "log_gain_face": Figure("log(1 + G), face", "Lambert", of_key=True),
    "log_gain_person": Figure("log(1 + G), whole person", "Lambert", of_key=True),
    "residual_face": Figure("added light residual, face", "Lambert", of_key=True),
    "residual_person": Figure("added light residual, whole person", "Lambert", of_key=True),
    "psnr_db": Figure("relit photo, PSNR dB", "Lambert", 2, Scale.DECIBEL, True),
    "ssim": Figure("relit photo, SSIM", "Lambert", 3, Scale.SIMILARITY, True),
}
"""Every figure, in the order of the tables."""


@dataclass(frozen=True)
class PairFigures:
    """One pair's figures.

    Attributes:
        subject: whose photo it is.
        existing: sector of the light already there.
        key: sector of the key.
        values: figure by name, by method; NaN where the pair cannot tell.
    """

    subject: str
    existing: str
    key: str
    values: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Means:
    """A figure's means over pairs; NaN where no pair tells.

    Attributes:
        mean: over all.
        tone: by third of skin tones.
        light: by sector of the light.
    """

    mean: float
    tone: dict[str, float]
    light: dict[str, float]


Summary = dict[str, dict[str, Means]]
"""Means by method and figure."""


def summarize(items: Sequence[PairFigures], third: Mapping[str, str]) -> Summary:
    """Means of all pairs and of groups.

    Args:
        items: at least one.
        third: of skin tones by subject, see :func:`training.fairness.thirds`.

    Raises:
        ValueError: if there is no pair.
    """
    if not items:
        raise ValueError("there is no pair to judge by")
    result: Summary = {}
    for method in items[0].values:
        result[method] = {}
        for name, figure in FIGURES.items():
            values = np.array([item.values[method][name] for item in items])
            tones = np.array([third[item.subject] for item in items])
            sectors = np.array([item.key if figure.of_key else item.existing for item in items])
            result[method][name] = Means(
                _mean(values),
                {group: _mean(values[tones == group]) for group in THIRDS},
                {group: _mean(values[sectors == group]) for group in SECTORS},
            )
    return result


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def verdicts(summary: Summary, method: str) -> dict[str, dict[str, Verdict]]:
    """How each figure's worst group does, by figure, for ``tone`` and ``light``."""
    return {
        name: {
            kind: verdict(getattr(means, kind), means.mean, FIGURES[name].scale)
            for kind in ("tone", "light")
        }
        for name, means in summary[method].items()
        if not np.isnan(means.mean)
    }


# --- Tables


def comparison(summary: Summary) -> Table:
    """Every figure, the methods side by side; the yardstick is the last of them."""
    table = Table(title="Unseen synthetic people")
    table.add_column("")
    for method in summary:
        table.add_column(method, justify="right")
    table.add_column("yardstick")
    for name, figure in FIGURES.items():
        values = [_shown(means[name].mean, figure.places) for means in summary.values()]
        table.add_row(figure.title, *values, figure.yardstick)
    return table


def group_table(summary: Summary, method: str, kind: str) -> Table:
    """A method's figures by group, and how much worse than the mean the worst group is.

    Args:
        summary: the means.
        method: whose.
        kind: ``tone`` or ``light``.
    """
    found = verdicts(summary, method)
    groups = THIRDS if kind == "tone" else SECTORS
    title = "skin tone" if kind == "tone" else "where the light stands"
    table = Table(title=f"{method}, by {title}")
    table.add_column("")
    for group in ("mean", *groups):
        table.add_column(group, justify="right")
    table.add_column("worst against mean", justify="right")
    for name, means in summary[method].items():
        if name not in found:
            continue
        values = [means.mean, *(getattr(means, kind)[group] for group in groups)]
        worst = found[name][kind]
        mark = "" if worst.passed else " [red]over[/]"
        table.add_row(
            FIGURES[name].title,
            *(_shown(value, FIGURES[name].places) for value in values),
            f"{worst.excess:+.0%}{mark}",
        )
    return table


def _shown(value: float, places: int) -> str:
    return "-" if np.isnan(value) else f"{value:.{places}f}"


def fairness_line(summary: Summary, method: str) -> str:
    """Whether any third of skin tones does much worse than the mean in any figure."""
    over = [
        f"{FIGURES[name].title}: {found['tone'].worst} {found['tone'].excess:+.0%}"
        for name, found in verdicts(summary, method).items()
        if not found["tone"].passed
    ]
    rule = f"no third of skin tones more than {TOLERANCE:.0%} worse than the mean"
    return f"FAIL: {rule}: {'; '.join(over)}" if over else f"PASS: {rule}"


def exposure_line(found: ExposureVerdict, method: str) -> str:
    """How estimates of the same light differ between dark and light skin."""
    ratios = ", ".join(f"{name} {value:.2f}" for name, value in found.ratio.items())
    return (
        f"{'PASS' if found.passed else 'FAIL'}: same light on dark and light skin within"
        f" {EXPOSURE_TOLERANCE:.0%}, {method}: dark / light {found.dark_to_light:.2f}"
        f" (estimated / true irradiance: {ratios})"
    )


def light_line(summary: Summary, method: str, yardstick: str) -> str:
    """How the error of the three spheres compares with the yardstick's, at best the half."""
    own, other = (summary[name]["spheres"].mean for name in (method, yardstick))
    passed = own <= HALF * other
    return (
        f"{'PASS' if passed else 'FAIL'}: three spheres' error at most {HALF:g} of the harmonics':"
        f" {own:.3f} / {other:.3f} = {own / other:.2f}"
    )
