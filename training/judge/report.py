# SPDX-License-Identifier: Apache-2.0
"""Many pairs' figures as means: by method, by skin tone, by where the light comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from training.judge.fairness import (
    EXPOSURE_TOLERANCE,
    SECTORS,
    THIRDS,
    TOLERANCE,
    ExposureVerdict,
    Scale,
    thirds,
    verdict,
)

if TYPE_CHECKING:
    from training.judge.captured_person import SubjectFigures

HALF = 0.5
"""Share of the harmonics' error that the networks' should not exceed."""


@dataclass(frozen=True)
class Figure:
    """One figure of merit.

    Attributes:
        title: what it is, with its unit.
        yardstick: what the classical stages use for it.
        places: decimals.
        scale: how it is read as an error.
        of_key: whether it is grouped by the sector of the key, not of the light already there.
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

REAL = {
    "normals": Figure("normals, face, deg", "mesh", 1),
    "residual": Figure("added light residual", "Lambert"),
    "rmse": Figure("relit photo, sRGB RMSE", "Lambert"),
    "ssim": Figure("relit photo, SSIM", "Lambert", 3, Scale.SIMILARITY),
    "light": Figure("light, direction of a lamp, deg", "harmonics", 1),
}
"""Figures of real people that are shown by skin tone."""


@dataclass(frozen=True)
class PairFigures:
    """One pair's figures.

    Attributes:
        subject: whose photo it is.
        existing: sector of the light already there.
        key: sector of the key.
        values: figure by name, by method; NaN where the pair has no value.
    """

    subject: str
    existing: str
    key: str
    values: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Means:
    """A figure's means over pairs; NaN where no pair has a value.

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
        third: of skin tones by subject, see :func:`training.judge.fairness.thirds`.

    Raises:
        ValueError: if there is no pair.
    """
    if not items:
        raise ValueError("there are no pairs")
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


def summarize_real(figures: Sequence[SubjectFigures], row: str) -> dict[str, Means]:
    """Means of real people's figures, by skin tone, with equal weight for everyone.

    Args:
        figures: one a person.
        row: of those figures that are given by row.

    Returns:
        By name, see :data:`REAL`; no sectors of light.
    """
    third = thirds({item.subject: item.albedo for item in figures})
    groups = np.array([third[item.subject] for item in figures])
    values = {
        "normals": [item.normals_deg for item in figures],
        "residual": [np.mean([kind[row] for kind in item.residual.values()]) for item in figures],
        "rmse": [item.rmse[row] for item in figures],
        "ssim": [item.ssim[row] for item in figures],
        "light": [item.light_deg for item in figures],
    }
    return {
        name: Means(
            _mean(np.array(column)),
            {group: _mean(np.array(column)[groups == group]) for group in THIRDS},
            {},
        )
        for name, column in values.items()
    }


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


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
    groups = THIRDS if kind == "tone" else SECTORS
    table = _group_table(
        f"{method}, by {'skin tone' if kind == 'tone' else 'where the light stands'}", groups
    )
    for name, means in summary[method].items():
        _add_group_row(table, FIGURES[name], means.mean, getattr(means, kind))
    return table


def real_tone_table(figures: Sequence[SubjectFigures], row: str) -> Table:
    """Real people's figures by skin tone, see :func:`summarize_real`."""
    table = _group_table(f"{row}, by skin tone", THIRDS)
    for name, means in summarize_real(figures, row).items():
        _add_group_row(table, REAL[name], means.mean, means.tone)
    return table


def _group_table(title: str, groups: Sequence[str]) -> Table:
    table = Table(title=title)
    table.add_column("")
    for group in ("mean", *groups, "worst against mean"):
        table.add_column(group, justify="right")
    return table


def _add_group_row(table: Table, figure: Figure, mean: float, groups: Mapping[str, float]) -> None:
    """One figure; left out if no pair has a value."""
    if np.isnan(mean):
        return
    worst = verdict(groups, mean, figure.scale)
    values = [_shown(value, figure.places) for value in (mean, *groups.values())]
    told = f"{worst.excess:+.0%}{'' if worst.passed else ' [red]over[/]'}"
    table.add_row(figure.title, *values, "too few" if worst.passed is None else told)


def _shown(value: float, places: int) -> str:
    return "-" if np.isnan(value) else f"{value:.{places}f}"


def fairness_line(summary: Summary, method: str) -> str:
    """Whether any third of skin tones is much worse than the mean in any figure."""
    over, empty = [], []
    for name, means in summary[method].items():
        if not np.isnan(means.mean):
            found = verdict(means.tone, means.mean, FIGURES[name].scale)
            empty += [group for group in found.empty if group not in empty]
            if found.passed is False:
                over.append(f"{FIGURES[name].title}: {found.worst} {found.excess:+.0%}")
    rule = f"no third of skin tones more than {TOLERANCE:.0%} worse than the mean"
    if over:
        return f"FAIL: {rule}: {'; '.join(over)}"
    if empty:
        return f"TOO FEW: {rule}: no pair of the {', '.join(empty)} third; render more people"
    return f"PASS: {rule}"


def _outcome(passed: bool | None) -> str:
    return {True: "PASS", False: "FAIL", None: "TOO FEW"}[passed]


def exposure_line(found: ExposureVerdict, method: str) -> str:
    """How estimates of the same light differ between dark and light skin."""
    ratios = ", ".join(f"{name} {value:.2f}" for name, value in found.ratio.items())
    return (
        f"{_outcome(found.passed)}: same light on dark and light skin within"
        f" {EXPOSURE_TOLERANCE:.0%}, {method}: dark / light {found.dark_to_light:.2f}"
        f" (estimated / true irradiance: {ratios})"
    )


def bound_line(bounds: Mapping[str, float]) -> str:
    """The three spheres' error when part of the truth is known."""
    parts = (f"{error:.3f} from {what}" for what, error in bounds.items())
    return "Three spheres' error where part of the truth is known: " + ", ".join(parts)


def light_line(summary: Summary, method: str, yardstick: str) -> str:
    """How the error of the three spheres compares with the yardstick's; half is the target."""
    own, other = (summary[name]["spheres"].mean for name in (method, yardstick))
    passed = None if np.isnan(own + other) else own <= HALF * other
    return (
        f"{_outcome(passed)}: three spheres' error at most {HALF:g} of the harmonics':"
        f" {own:.3f} / {other:.3f} = {own / other:.2f}"
    )


def wide_console() -> Console:
    """Standard output, wide enough for the tables when it is a file."""
    console = Console()
    return console if console.is_terminal else Console(width=120)
