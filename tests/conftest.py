# SPDX-License-Identifier: Apache-2.0
"""Shared by several test modules: the example portrait, a way to run the command line, models."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from relight_app.cli import app
from typer.testing import CliRunner, Result

from relight import Relighter
from relight.face.perception import Perception

ASTRONAUT = Path(__file__).parents[1] / "examples" / "astronaut.png"
FACE = (slice(90, 170), slice(190, 265))
"""Rows and columns inside the astronaut's face."""
RAY = pytest.mark.skipif(
    not os.environ.get("RELIGHT_LONG_TESTS") or importlib.util.find_spec("ray") is None,
    reason="needs ray and RELIGHT_LONG_TESTS; takes minutes",
)
"""Marks tests that start a cluster."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in a shell's background, pytest is deaf to Ctrl-C, and so were the programs it tests.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """The example portrait's pixels, ``(512, 512, 3)`` uint8, read-only."""
    pixels = np.array(Image.open(ASTRONAUT))
    pixels.flags.writeable = False
    return pixels


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    """A copy of the example portrait."""
    return Path(shutil.copy(ASTRONAUT, tmp_path / "portrait.png"))


@pytest.fixture
def run() -> Callable[..., Result]:
    """Runs the command line in this process: ``run("photo.jpg", "--quiet", input=b"")``."""

    def call(*arguments: Any, **options: Any) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in arguments], **options)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture(scope="session")
def detector() -> Iterator[Perception]:
    """MediaPipe's models, loaded once for all tests."""
    made = Perception()
    yield made
    made.close()


@pytest.fixture(scope="session")
def relighter() -> Iterator[Relighter]:
    """Models loaded once for all tests."""
    with Relighter() as shared:
        yield shared


@pytest.fixture(scope="session")
def real_photos() -> Path:
    """A folder of real photos, named by the environment variable RELIGHT_PHOTOS."""
    folder = os.environ.get("RELIGHT_PHOTOS", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("RELIGHT_PHOTOS names no folder of photos")
    return Path(folder)
