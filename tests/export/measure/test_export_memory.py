# SPDX-License-Identifier: Apache-2.0
"""The memory that the command needs for a large photo, per pixel, is bounded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from export.benchmark import app, example
from export.measure.memory import KINDS, command_megabytes, photo_megabytes
from relight import load_photo
from relight.error import RelightError

PER_PIXEL = {"JPEG": 12, "JPEG, Adobe RGB kept": 15, "PNG, 16 bits": 27, "TIFF, 16 bits": 20}
"""Bytes that a photo's pixels may cost at most, as stated in docs/scale.md."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_memory_grows_no_faster_than_stated(kind: str, tmp_path: Path) -> None:
    sizes = ((1200, 800), (6000, 4000))
    peaks = [photo_megabytes(kind, load_photo(example(size)).rgb, tmp_path) for size in sizes]
    grown = (peaks[1] - peaks[0]) / (np.prod(sizes[1]) - np.prod(sizes[0])) * 1e6
    assert grown <= PER_PIXEL[kind]


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    Image.new("RGB", (64, 64)).save(photo)
    with pytest.raises(RelightError, match="no face found"):
        command_megabytes(photo)


def test_the_table_names_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.measure.memory.command_megabytes", lambda photo, options: 123)
    done = CliRunner().invoke(app, ["memory", "--megapixels", "0.2"])
    assert done.exit_code == 0, done.output
    assert all(kind in done.output for kind in KINDS)
    assert "123" in done.output
