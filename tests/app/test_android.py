# SPDX-License-Identifier: Apache-2.0
"""The Android library's own tests, by Maven: they need a JDK, but neither Android nor a phone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ANDROID = Path(__file__).parents[2] / "app" / "android"


def versions(path: str, pattern: str) -> dict[str, str]:
    return dict(re.findall(pattern, (ANDROID / path).read_text("utf-8")))


def test_maven_and_gradle_build_with_the_same_versions() -> None:
    maven = versions("pom.xml", r"<([a-z.]+)\.version>([^<]+)<")
    gradle = versions("gradle/libs.versions.toml", r'(?m)^([a-z-]+) = "([^"]+)"$')
    assert maven.pop("android")  # Android's own classes: Gradle has the SDK
    assert maven == {name.replace("-", "."): gradle[name.replace(".", "-")] for name in maven}


@pytest.mark.slow
def test_the_android_library_passes_its_tests() -> None:
    maven = shutil.which("mvn")
    if maven is None or shutil.which("javac") is None:
        pytest.skip("the Android library's tests need Maven and a JDK 17: apt install maven")
    command = [maven, "-q", "-B", "-f", str(ANDROID / "pom.xml"), "test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    reports = list(ANDROID.glob("*/target/surefire-reports/TEST-*.xml"))
    passed = sum(int(re.search(r'tests="(\d+)"', r.read_text("utf-8"))[1]) for r in reports)  # type: ignore[index]
    assert passed > 50
