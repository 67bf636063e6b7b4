# SPDX-License-Identifier: Apache-2.0
"""Checks a dataset file by file, and says what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data_synth.error import FieldError
from data_synth.run.dataset import Dataset
from data_synth.run.field import Field


@dataclass
class Audit:
    """What was found.

    Attributes:
        views: whole ones.
        subjects: people with at least one whole view.
        bytes: on disk.
        broken: one line for each view that is not whole.
        numbers: values of each numeric attribute, one per person or view.
        names: counts of each named attribute.
    """

    views: int = 0
    subjects: int = 0
    bytes: int = 0
    broken: list[str] = field(default_factory=list)
    numbers: dict[str, list[float]] = field(default_factory=dict)
    names: dict[str, Counter[str]] = field(default_factory=dict)

    def rows(self) -> list[tuple[str, str]]:
        """The statistics as lines of name and text."""
        result = []
        for name, values in sorted(self.numbers.items()):
            low, middle, high = np.percentile(values, [5, 50, 95])
            result.append((name, f"{middle:.3g} (5-95 %: {low:.3g} to {high:.3g})"))
        for name, counts in sorted(self.names.items()):
            total = sum(counts.values())
            shares = (f"{k} {100 * n / total:.0f} %" for k, n in counts.most_common(12))
            result.append((name, ", ".join(shares)))
        return result


def audit(dataset: Dataset, report: Callable[[int], None] | None = None) -> Audit:
    """Read every view, check its sums, collect statistics.

    Args:
        dataset: the views.
        report: called with the number of views read.
    """
    found = Audit()
    people: set[str] = set()
    for count, path in enumerate(dataset.views, 1):
        try:
            view = Field.load(path)
        except FieldError as error:
            found.broken.append(str(error))
        else:
            found.views += 1
            found.bytes += sum(p.stat().st_size for p in path.iterdir())
            _count_view(found, view)
            if path.parent.name not in people:
                people.add(path.parent.name)
                subject = view.metadata.get("subject", {})
                _count(found, "subject", subject.get("attributes", {}))
                _count(found, "source", subject.get("source", "unknown"))
        if report:
            report(count)
    found.subjects = len(people)
    return found


def _count_view(found: Audit, view: Field) -> None:
    camera = view.metadata["camera"]
    for name in ("azimuth_deg", "elevation_deg", "roll_deg", "distance_cm"):
        if name in camera:
            _count(found, f"camera.{name}", camera[name])
    _count(found, "lights", str(view.codes.shape[2]))
    _count(found, "size_px", str(view.size))
    _count(found, "coverage", float((view.alpha > 0).mean()))
    _count(found, "hair share", float(view.hair.sum() / max((view.alpha > 0).sum(), 1)))
    left, top, right, bottom = view.face_box
    _count(found, "face height px", float(bottom - top))
    _count(found, "face irradiance in uniform light / pi", _uniform(view))
    rows, columns = np.mgrid[0 : view.size, 0 : view.size] + 0.5
    face = (columns > left) & (columns < right) & (rows > top) & (rows < bottom)
    face &= (view.alpha > 0.9) & (view.hair < 0.1)
    if face.any():
        skin = np.median(view.albedo[face], 0)
        for name, value in zip(("red", "green", "blue"), skin, strict=True):
            _count(found, f"face albedo {name}", float(value))


def _uniform(view: Field) -> float:
    return float(view.face_irradiance @ view.solid_angles / np.pi)


def _count(found: Audit, name: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _count(found, f"{name}.{key}", inner)
    elif isinstance(value, bool | str) or value is None:
        found.names.setdefault(name, Counter())[str(value)] += 1
    elif isinstance(value, int | float):
        found.numbers.setdefault(name, []).append(float(value))
    elif isinstance(value, list) and len(value) <= 4:
        for i, inner in enumerate(value):
            _count(found, f"{name}.{i}", inner)
