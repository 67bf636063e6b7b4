# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from export import portability
from export.measure.latency import read_models
from export.model.convert import Precision
from export.portability import STANDALONE, Difference, compare
from relight.error import RelightError

CHANNELS = {"photo": 3, "normals": 3, "skin": 1}
CALLS = [
    ("lighting", {key: np.full((1, 128, 128, n), level, np.float32) for key, n in CHANNELS.items()})
    for level in (0.2, 0.7)
]


def test_the_same_machine_agrees_with_itself(tmp_path: Path) -> None:
    there, found = compare(read_models(), CALLS, [sys.executable], {}, tmp_path)
    assert "Python 3." in there
    assert found == {"lighting: log_environment": (0.0, 0.0)}


def test_a_machine_that_computes_otherwise_is_found_out(tmp_path: Path) -> None:
    wrapper = tmp_path / "wrong.py"
    wrapper.write_text(
        "import runpy, sys, numpy as np\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "stored = dict(np.load(sys.argv[2]))\n"
        "np.savez(sys.argv[2], **{k: v + 0.25 * (k[5] == '1') for k, v in stored.items()})\n"
    )
    command = [sys.executable, str(wrapper)]
    _, found = compare(read_models(), CALLS, command, {}, tmp_path)
    far = found["lighting: log_environment"]
    assert 0.05 < far.largest <= 0.26
    assert 0.02 < far.mean < far.largest
    assert far.too_large(Precision.DYNAMIC)
    assert far.too_large(Precision.FLOAT16)


def test_rounding_is_told_from_another_result() -> None:
    assert not Difference(9e-4, 1e-5).too_large(Precision.FLOAT16)
    assert Difference(2e-3, 1e-5).too_large(Precision.FLOAT16)
    assert not Difference(0.1, 5e-3).too_large(Precision.DYNAMIC)
    for precision in Precision:
        assert Difference(float("nan"), float("nan")).too_large(precision)


def test_a_python_that_fails_costs_one_line(tmp_path: Path) -> None:
    with pytest.raises(RelightError, match=r"No module named .numpy") as caught:
        compare(read_models(), CALLS, [sys.executable, "-S"], {"PYTHONPATH": ""}, tmp_path)
    assert "\n" not in str(caught.value)


def test_the_standalone_run_needs_nothing_of_this_project() -> None:
    text = STANDALONE.read_text()
    assert "from relight" not in text
    assert "from export" not in text


def test_a_missing_emulator_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portability, "which", lambda name: None)
    done = CliRunner().invoke(portability.app, ["arm64"])
    assert done.exit_code == 1
    assert done.stderr.strip() == (
        "error: qemu-aarch64-static is missing: apt-get install qemu-user-static"
    )
