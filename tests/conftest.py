# SPDX-License-Identifier: Apache-2.0
"""Shared by several test modules: the example portrait, a way to run the command line, models."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from relight_app.cli import app
from typer.testing import CliRunner
from typer.testing import Result as CommandResult

from relight import Analysis, Face, Light, Relighter, Result
from relight.face.perception import Perception

pytest_plugins = ["editing"]

ROOT = Path(__file__).parents[1]
ASTRONAUT = ROOT / "examples" / "astronaut.png"
WEB = ROOT / "app" / "web"
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


def bundled(name: str, folder: Path, platform: str) -> Path:
    """A script of ``app/web/test`` with all of the page that it needs, for node or a browser."""
    node, rolldown = shutil.which("node"), WEB / "node_modules" / "rolldown" / "bin" / "cli.mjs"
    if node is None or not rolldown.exists():
        pytest.skip("this check needs Node and app/web/node_modules: npm ci in app/web")
    script = folder / (f"{name}.mjs" if platform == "node" else f"{name}.js")
    kind = "esm" if platform == "node" else "iife"
    options = [f"test/{name}.ts", "-p", platform, "-f", kind, "-o", str(script)]
    subprocess.run([node, str(rolldown), *options], cwd=WEB, check=True, capture_output=True)
    return script


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
def run() -> Callable[..., CommandResult]:
    """Runs the command line in this process: ``run("photo.jpg", "--quiet", input=b"")``."""

    def call(*arguments: Any, **options: Any) -> CommandResult:
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
def face(relighter: Relighter, astronaut: np.ndarray) -> Face:
    """The example portrait's face."""
    return relighter.find_faces(astronaut)[0]


@pytest.fixture(scope="session")
def analysis(relighter: Relighter, astronaut: np.ndarray, face: Face) -> Analysis:
    """What is estimated of it."""
    return relighter.analyze(astronaut, face)


def halves(analysis: Analysis) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the middle of the face: its image-left and image-right halves."""
    left, top, width, height = (round(v) for v in analysis.face.box)
    masks = []
    for start in (left + width // 8, left + width // 2):
        mask = np.zeros(analysis.photo_rgb.shape[:2], bool)
        mask[top + height // 4 : top + height * 3 // 4, start : start + width * 3 // 8] = True
        masks.append(mask)
    return masks[0], masks[1]


@pytest.fixture(scope="session")
def relit(relighter: Relighter, astronaut: np.ndarray) -> Result:
    """The example portrait under a key from image right."""
    return relighter.relight(astronaut, Light(45, 30, 0.8))


@pytest.fixture(scope="session")
def automatic(relighter: Relighter, astronaut: np.ndarray) -> Result:
    """The example portrait under the automatic light."""
    return relighter.relight(astronaut)


def chromium() -> str:
    """The browser's program."""
    named = os.environ.get("CHROMIUM", "")
    found = named or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("there is no Chromium: apt install chromium, or name one in CHROMIUM")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, on a screen with sRGB's colours."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with playwright.sync_playwright() as started:
        arguments = ["--no-sandbox", "--force-color-profile=srgb"]
        made = started.chromium.launch(executable_path=chromium(), args=arguments)
        yield made
        made.close()


@pytest.fixture(scope="session")
def real_photos() -> Path:
    """A folder of real photos, named by the environment variable RELIGHT_PHOTOS."""
    folder = os.environ.get("RELIGHT_PHOTOS", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("RELIGHT_PHOTOS names no folder of photos")
    return Path(folder)
