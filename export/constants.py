# SPDX-License-Identifier: Apache-2.0
"""The library's constants for the web page: ``python -m export.constants`` writes them.

The page has the same formulas in TypeScript; a number both need stands in Python alone.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from relight.light import Light, PlacementConfig

MODULES = (
    "stage.cast_shadow",
    "color",
    "environment",
    "face.face",
    "geometry",
    "gain.guide",
    "light",
    "face.mesh",
    "portrait",
    "gain.apply",
    "stage.shading",
    "stage.stages",
    "stage.view",
    "stage.analysis",
)
"""Modules of the library whose public constants are written."""
OUTPUT = Path(__file__).parents[1] / "app" / "web" / "src" / "constants.json"


def constants() -> dict[str, dict[str, Any]]:
    """Public constants by module, JSON-ready; a module's own win over those it imports."""
    found: dict[str, dict[str, Any]] = {}
    for name in MODULES:
        module = importlib.import_module(f"relight.{name}")
        public = {k: v for k, v in vars(module).items() if k.isupper() and not k.startswith("_")}
        values = {key: _plain(value) for key, value in public.items()}
        found[name.rpartition(".")[2]] = {
            key: value for key, value in sorted(values.items()) if value is not None
        }
    placement = dataclasses.asdict(PlacementConfig())
    found["placement"] = {key: _plain(value) for key, value in placement.items()}
    found["light"]["SOFTNESS_DEG"] = Light.softness_deg
    return found


def _plain(value: Any) -> Any:
    """Numbers, texts and tuples of them as JSON has them; None for anything else."""
    if isinstance(value, np.ndarray | np.generic):
        # The shortest decimal that is the same float32: no digit is made up.
        flat = [float(str(item)) for item in np.ravel(value)]
        return flat if np.ndim(value) else flat[0]
    if isinstance(value, tuple):
        items = [_plain(item) for item in value]
        return None if None in items else items
    return value if isinstance(value, int | float | str) else None


def text() -> str:
    """What the file holds."""
    return json.dumps(constants(), indent=1) + "\n"


if __name__ == "__main__":
    OUTPUT.write_text(text(), "utf-8")
