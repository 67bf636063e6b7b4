# SPDX-License-Identifier: Apache-2.0
"""The web page's files, and its code against Python's: stage by stage, and from pixels to photo.

The page's code runs in Node with the page's own WebAssembly. Photos are decoded by Python: browsers
round JPEG in their own way. With real photos, the numbers printed:
``RELIGHT_PHOTOS=DIR pytest -s tests/app/test_web.py -k real_photos``.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import agreement
import numpy as np
import pytest
from conftest import ASTRONAUT, ROOT, WEB, bundled
from numpy.typing import NDArray
from PIL import Image

from relight import Relighter
from relight.video.smoothing import OneEuro

Bytes = NDArray[np.uint8]

PAGE = ROOT / "app" / "relight_app" / "page"
MODELS = ROOT / "relight" / "models"
GOLDEN = ROOT / "app" / "android" / "core" / "src" / "test" / "resources" / "golden"
REBUILD = "run npm ci && npm run build in app/web"


# === The page's files ===


def test_the_page_is_built_from_its_source() -> None:
    names = ["index.html", "package-lock.json", "package.json", "vite.config.ts"]
    for folder in ("public", "src"):
        files = (path for path in (WEB / folder).rglob("*") if path.is_file())
        names += sorted(path.relative_to(WEB).as_posix() for path in files)
    digest = hashlib.sha256()
    for name in [*names, "../../relight/face/face_template.json"]:
        digest.update(f"{name}\n".encode() + (WEB / name).read_bytes())
    built = json.loads((PAGE / "source.json").read_text())["sha256"]
    assert built == digest.hexdigest(), REBUILD


def test_the_page_is_small_enough_and_whole() -> None:
    files = [path for path in PAGE.rglob("*") if path.is_file()]
    # LiteRT's WebAssembly lies there twice, for clients that know Brotli and for all others.
    assert sum(path.stat().st_size for path in files) < 6e6
    assert not [path for path in files if path.suffix == ".tflite"]  # the library has them
    service = (PAGE / "service.js").read_text()
    lists = re.findall(r"(?:FILES|LATER) = (\[.*?\]);", service, re.DOTALL)
    kept = {name for text in lists for name in json.loads(text) if name != "./"}
    served = {re.sub(r"\.(br|gz)$", "", path.relative_to(PAGE).as_posix()) for path in files}
    wanted = {name for name in served if re.fullmatch(r"samples/[a-z]+\.jpg|icon-.+\.png", name)}
    assert len(wanted) == 7  # fetched when somebody wants a sample, or installs the page
    assert served - kept - wanted == {"index.html", "service.js", "source.json"}


def test_the_page_ships_in_the_wheel() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    shipped = {
        p for pattern in settings["package-data"]["relight_app"] for p in PAGE.parent.glob(pattern)
    }
    assert {path for path in PAGE.rglob("*") if path.is_file()} <= shipped


def test_the_page_names_no_other_host() -> None:
    text = (PAGE / "index.html").read_text() + (PAGE / "service.js").read_text()
    assert not re.findall(r"https?://|src=\"//", text)


# === Stage by stage ===


def run_script(name: str, folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a script of ``app/web/test`` in Node."""
    command = ["node", str(bundled(name, folder, "node")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check_golden(folder: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    if not (folder / "golden.json").exists():
        pytest.skip("there are no golden vectors: python -m export.golden")
    pictures = [tmp_path / "example.rgb", tmp_path / "leaning.rgb"]
    for path, source in zip(pictures, (ASTRONAUT, folder / "leaning.png"), strict=True):
        path.write_bytes(np.array(Image.open(source).convert("RGB")).tobytes())
    return run_script("golden", tmp_path, folder, *pictures, PAGE, MODELS)


def test_every_stage_equals_python(tmp_path: Path) -> None:
    done = check_golden(GOLDEN, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d{3} checks, 0 failures", done.stdout)


def test_the_check_of_the_stages_can_fail(tmp_path: Path) -> None:
    """Numbers that are not what they should be are seen, whichever stage they belong to."""
    broken = tmp_path / "golden"
    if GOLDEN.exists():
        shutil.copytree(GOLDEN, broken)
        index = json.loads((broken / "golden.json").read_text())
        content = bytearray(gzip.decompress((broken / "golden.bin.gz").read_bytes()))
        start = index["arrays"]["relight/gain_map"]["offset"]
        content[start : start + 40_000] = bytes(40_000)
        (broken / "golden.bin.gz").write_bytes(gzip.compress(content))
        index["values"]["placement/words"]["group"][0] = "because"
        (broken / "golden.json").write_text(json.dumps(index))
    done = check_golden(broken, tmp_path)
    assert done.returncode == 1
    assert "relight/gain_map: mean difference" in done.stdout
    assert 'against "because"' in done.stdout


def test_points_are_smoothed_over_time_as_python_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    course = np.cumsum(rng.normal(0, 2, (12, 5, 3)), 0).astype(np.float32)
    course[6:] += 40  # it jumps
    seconds = rng.uniform(0.01, 0.2, 12)
    steps = [
        {"seconds": float(step), "points": points.ravel().tolist()}
        for step, points in zip(seconds, course, strict=True)
    ]
    path = tmp_path / "course.json"
    path.write_text(json.dumps({"size": 80, "steps": steps}))
    done = run_script("smoothing_check", tmp_path, path)
    assert done.returncode == 0, done.stderr
    smooth = OneEuro()
    known = [smooth(points, 80, float(s)) for points, s in zip(course, seconds, strict=True)]
    found = np.reshape(json.loads(done.stdout), course.shape)
    np.testing.assert_allclose(found, known, rtol=0, atol=1e-4)
    assert np.abs(found - course).max() > 1


# === From pixels to the relit photo ===


def pages(photos: dict[str, Bytes], folder: Path) -> dict[str, Any]:
    """What the page finds in each photo, and how it relights it; None where it finds no face."""
    agreement.hand_over(photos, folder)
    done = run_script("agreement", folder, PAGE, MODELS, folder)
    assert done.returncode == 0, done.stderr
    return agreement.take_back(photos, folder)


@pytest.mark.slow
def test_the_example_upright_rolled_and_dark(
    relighter: Relighter, astronaut: Bytes, tmp_path: Path
) -> None:
    agreement.check_examples(relighter, astronaut, lambda photos: pages(photos, tmp_path))


@pytest.mark.slow
def test_real_photos(relighter: Relighter, real_photos: Path, tmp_path: Path) -> None:
    photos = agreement.read_photos(real_photos)
    agreement.check_all(relighter, photos, pages(photos, tmp_path))
