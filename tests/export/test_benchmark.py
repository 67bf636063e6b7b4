# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from export import benchmark
from export.measure.cold_start import largest_imports
from export.measure.pace import pace_table


def test_imports_are_summed_by_package_largest_first() -> None:
    trace = """import time: self [us] | cumulative | imported package
import time:      1500 |       1500 |   numpy.core
import time:       500 |       2000 | numpy
import time:      3000 |       9000 | cv2
"""
    assert largest_imports(trace) == [("cv2", 3.0), ("numpy", 2.0)]


def test_the_example_has_the_size_asked_for() -> None:
    with Image.open(io.BytesIO(benchmark.example((640, 480)))) as image:
        assert (image.format, image.size) == ("JPEG", (640, 480))


def test_stages_are_told_as_ratios_to_pillow() -> None:
    table = benchmark.stage_table(benchmark.example((800, 600)), rounds=3, threads=1)
    rows = dict(zip(*(list(table.columns[k].cells) for k in (0, 3)), strict=True))
    assert rows["Pillow: decode and encode"] == "1.00"
    parts = [float(rows[name]) for name in ("load", "relight", "save", "  model inference")]
    assert all(part > 0 for part in parts)
    total = float(rows["all but model inference"])
    assert np.isclose(total, sum(parts[:3]) - parts[3], rtol=0.5)
    assert "in all <= 2.2: " in str(table.caption)


def test_a_missing_photo_costs_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(benchmark.app, ["runtime", "--photo", str(tmp_path / "no.jpg")])
    assert done.exit_code == 1
    assert "no.jpg" in "".join(done.stderr.split())
    assert "Traceback" not in done.output


def test_a_clip_is_relit_in_turns_with_copying_it() -> None:
    pytest.importorskip("av")
    table = pace_table(None, pictures=4, rounds=1, threads=1)
    assert table.title.startswith("A clip of 4 pictures, 1280 x 720")
    (_, copied, one, *_), (_, relit, over, *_) = table.rows
    assert one == "1.0"
    assert float(over) > 1
    assert float(relit) > float(copied) > 0


def test_a_missing_clip_costs_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(benchmark.app, ["clip", "--clip", str(tmp_path / "no.mp4")])
    assert done.exit_code == 1
    assert "no.mp4" in "".join(done.stderr.split())
    assert "Traceback" not in done.output
