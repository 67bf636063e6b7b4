# SPDX-License-Identifier: Apache-2.0
"""The Android library's own tests, by Maven: they need a JDK, but neither Android nor a phone.

With real photos, the numbers printed:
``RELIGHT_PHOTOS=DIR pytest -s tests/app/test_android.py -k real_photos``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import agreement
import pytest

from relight import Relighter

ANDROID = Path(__file__).parents[2] / "app" / "android"


def versions(path: str, pattern: str) -> dict[str, str]:
    return dict(re.findall(pattern, (ANDROID / path).read_text("utf-8")))


def test_maven_and_gradle_build_with_the_same_versions() -> None:
    maven = versions("pom.xml", r"<([a-z.]+)\.version>([^<]+)<")
    gradle = versions("gradle/libs.versions.toml", r'(?m)^([a-z-]+) = "([^"]+)"$')
    assert maven.pop("android")  # Android's own classes: Gradle has the SDK
    assert maven == {name.replace("-", "."): gradle[name.replace(".", "-")] for name in maven}


def maven(*arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which("mvn")
    if found is None or shutil.which("javac") is None:
        pytest.skip("the Android library's tests need Maven and a JDK 17: apt install maven")
    command = [found, "-q", "-B", "-f", str(ANDROID / "pom.xml"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    return done


def kotlins(photos: dict[str, agreement.Bytes], folder: Path) -> dict[str, Any]:
    """What the library finds in each photo, and how it relights it."""
    agreement.hand_over(photos, folder)
    maven("test", "-pl", "core", "-Dtest=AgreementTest", f"-Dagreement.folder={folder}")
    return agreement.take_back(photos, folder)


def test_nothing_of_mediapipe_s_libraries_is_needed() -> None:
    builds = [*ANDROID.glob("*.kts"), *ANDROID.glob("*/*.kts"), *ANDROID.glob("*/pom.xml")]
    builds += [ANDROID / "pom.xml", ANDROID / "gradle" / "libs.versions.toml"]
    sources = [path for path in ANDROID.rglob("*.kt") if "target" not in path.parts]
    assert len(builds) > 5
    assert len(sources) > 40
    for path in [*builds, *sources]:
        assert "com.google.mediapipe" not in path.read_text("utf-8"), path


@pytest.mark.slow
def test_the_android_library_passes_its_tests() -> None:
    maven("clean", "test")  # a test whose source is gone must not run on
    reports = list(ANDROID.glob("*/target/surefire-reports/TEST-*.xml"))
    passed = sum(int(re.search(r'tests="(\d+)"', r.read_text("utf-8"))[1]) for r in reports)  # type: ignore[index]
    assert passed > 50


@pytest.mark.slow
def test_the_example_upright_rolled_and_dark(
    relighter: Relighter, astronaut: agreement.Bytes, tmp_path: Path
) -> None:
    agreement.check_examples(relighter, astronaut, lambda photos: kotlins(photos, tmp_path))


@pytest.mark.slow
def test_real_photos(relighter: Relighter, real_photos: Path, tmp_path: Path) -> None:
    photos = agreement.read_photos(real_photos)
    agreement.check_all(relighter, photos, kotlins(photos, tmp_path))
