# SPDX-License-Identifier: Apache-2.0
"""Golden vectors: written and read, compared, and not stale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from export import golden
from export.vectors.vector import Vectors, difference
from relight.models.library import Models, read_manifest

TOLERANCE = 0.02
"""Other processors sum in another order, and a rim of the face's mesh may fall the other way."""


def sample() -> Vectors:
    made = Vectors()
    made.array("a/floats", np.linspace(0, 1, 6).reshape(2, 3))
    made.array("a/mask", np.array([True, False, True]))
    made.array("whole", np.arange(4))
    made.value("text", {"why": "because", "numbers": np.float32([1, 2.5]), "none": None})
    return made


def test_vectors_survive_writing_and_reading(tmp_path: Path) -> None:
    made = sample()
    made.write(tmp_path)
    back = Vectors.read(tmp_path)
    assert back.values == {"text": {"why": "because", "numbers": [1.0, 2.5], "none": None}}
    assert {n: (a.dtype.name, a.shape) for n, a in back.arrays.items()} == {
        "a/floats": ("float32", (2, 3)),
        "a/mask": ("uint8", (3,)),
        "whole": ("int32", (4,)),
    }
    assert list(difference(made, back, 0)) == []


def test_a_name_is_given_once_and_odd_types_are_refused() -> None:
    made = sample()
    with pytest.raises(ValueError, match="already"):
        made.array("whole", np.zeros(1))
    with pytest.raises(ValueError, match="already"):
        made.value("text", 1)
    with pytest.raises(ValueError, match="complex"):
        made.array("odd", np.zeros(1, complex))


def test_every_kind_of_difference_is_told() -> None:
    old, new = sample(), sample()
    new.arrays["a/floats"] = new.arrays["a/floats"] * np.float32(1.5)
    new.arrays["whole"] = new.arrays["whole"][:3]
    new.arrays["extra"] = np.zeros(1, np.float32)
    new.values["text"] = {"why": "why not", "numbers": [1.0, 2.6], "none": None}
    told = "\n".join(difference(old, new, 0.01))
    for part in ("a/floats differs", "whole: int32", "extra is in one", "text.why", "numbers[1]"):
        assert part in told


def test_a_number_that_is_none_is_a_difference() -> None:
    old, new = sample(), sample()
    new.arrays["a/floats"] = np.full((2, 3), np.nan, np.float32)
    assert list(difference(old, new, 0.5))


@pytest.fixture(scope="module")
def committed() -> Vectors:
    return Vectors.read(golden.DEFAULT_OUT)


def test_the_vectors_are_of_the_shipped_models(committed: Vectors) -> None:
    entries = read_manifest(Models().folder)[1]
    wanted = {name: entry.sha256 for name, entry in entries.items()}
    assert committed.values["models"] == wanted, "run python -m export.golden"


def test_the_vectors_are_fresh(committed: Vectors, tmp_path: Path) -> None:
    golden.write(tmp_path)
    stale = list(difference(committed, Vectors.read(tmp_path), TOLERANCE))
    assert not stale, f"run python -m export.golden: {stale[:5]}"
    old, new = (
        np.asarray(Image.open(folder / golden.RELIT), float)
        for folder in (golden.DEFAULT_OUT, tmp_path)
    )
    assert np.abs(old - new).mean() < 0.3


def test_the_vectors_are_small() -> None:
    sizes = [path.stat().st_size for path in golden.DEFAULT_OUT.iterdir()]
    assert sum(sizes) < 5e6
