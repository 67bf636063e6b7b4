# SPDX-License-Identifier: Apache-2.0
"""Folders of photos, for tests of what is read and written where."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
from conftest import ASTRONAUT
from PIL import Image


def pixels(source: Path | bytes) -> np.ndarray:
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        return np.array(image)


def names(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def tree(folder: Path, *places: str) -> Path:
    """A folder with copies of the portrait."""
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ASTRONAUT, folder / place)
    return folder
