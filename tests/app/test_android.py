# SPDX-License-Identifier: Apache-2.0
"""The Android library's own tests, by Maven: they need a JDK, but neither Android nor a phone.

With real photos, the numbers printed:
``RELIGHT_PHOTOS=DIR pytest -s tests/app/test_android.py -k real_photos``.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import agreement
import pytest

from relight import Relighter

ROOT = Path(__file__).parents[2]
ANDROID = ROOT / "app" / "android"
PAGE = ROOT / "docs" / "android.md"
WRAPPER = "55243ef57851f12b070ad14f7f5bb8302daceeebc5bce5ece5fa6edb23e1145c"
"""What Gradle publishes as the sum of 9.4.0's wrapper."""
COMPILED = ANDROID / "app/src/maven/kotlin/portrait/relight"
SNIPPETS = [COMPILED / "sample/Page.kt", COMPILED / "template/MainActivity.kt"]


def versions(path: str, pattern: str) -> dict[str, str]:
    return dict(re.findall(pattern, (ANDROID / path).read_text("utf-8")))


def test_maven_and_gradle_build_with_the_same_versions() -> None:
    maven = versions("pom.xml", r"<([a-z.]+)\.version>([^<]+)<")
    gradle = versions("gradle/libs.versions.toml", r'(?m)^([a-z-]+) = "([^"]+)"$')
    for stand_in in ("android", "tensorflow", "tensorflow.gpu.api", "desktop.compose"):
        assert maven.pop(stand_in)  # classes to compile against: Gradle has the SDK and LiteRT
    assert maven == {name.replace("-", "."): gradle[name.replace(".", "-")] for name in maven}


def test_maven_and_gradle_give_the_library_the_same_name() -> None:
    properties = versions("gradle.properties", r"(?m)^relight\.(group|version)=(.+)$")
    poms = [ANDROID / "pom.xml", *sorted(ANDROID.glob("*/pom.xml"))]
    assert len(poms) == 4
    for pom in poms:
        text = pom.read_text("utf-8")
        found = re.search(
            r"<groupId>(.+)</groupId>\s+<artifactId>relight-parent</artifactId>", text
        )
        assert found is not None, pom
        assert found[1] == properties["group"]
        assert f"<version>{properties['version']}</version>" in text, pom
    folders = r'project\(":([^"]+)"\)\.projectDir = file\("(\w+)"\)'
    projects = versions("settings.gradle.kts", folders)
    for name, folder in projects.items():
        artifact = f"<artifactId>relight-{name.removeprefix('relight-')}</artifactId>"
        assert artifact in (ANDROID / folder / "pom.xml").read_text("utf-8")
    assert len(projects) == 3
    assert f"{properties['group']}:relight-android:{properties['version']}" in PAGE.read_text(
        "utf-8"
    )


def test_the_gradle_wrapper_is_gradle_s_own() -> None:
    jar = ANDROID / "gradle" / "wrapper" / "gradle-wrapper.jar"
    assert hashlib.sha256(jar.read_bytes()).hexdigest() == WRAPPER
    properties = versions("gradle/wrapper/gradle-wrapper.properties", r"(?m)^(\w+)=(.+)$")
    gradle = re.search(r"gradle-([\d.]+)-bin", properties["distributionUrl"])
    assert gradle is not None
    assert gradle[1] == "9.4.0"  # whose wrapper that is
    assert len(properties["distributionSha256Sum"]) == 64
    assert f"Gradle {gradle[1]}" in PAGE.read_text("utf-8")
    assert (ANDROID / "gradlew").stat().st_mode & 0o111


def test_no_library_is_aligned_to_small_pages() -> None:
    for path in [*ANDROID.glob("*/build.gradle.kts"), ANDROID / "gradle" / "libs.versions.toml"]:
        assert "org.tensorflow:" not in path.read_text("utf-8"), path


def squeezed(code: str) -> list[str]:
    return [line.strip() for line in code.splitlines() if line.strip()]


def contains(whole: list[str], part: list[str]) -> bool:
    return any(whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1))


def test_the_code_of_the_page_is_compiled() -> None:
    blocks = re.findall(r"(?ms)^ *```(kotlin|java)\n(.*?)^ *```", PAGE.read_text("utf-8"))
    builds = [code for _, code in blocks if code.strip().startswith("depend")]
    assert len(builds) == 2  # Gradle's, which needs the Android SDK
    assert [len(squeezed(code)) for code in builds] == [8, 5]
    kotlin = squeezed("\n".join(path.read_text("utf-8") for path in SNIPPETS))
    java = squeezed(
        (ANDROID / "core/src/test/kotlin/portrait/relight/JavaTest.java").read_text("utf-8")
    )
    others = [(language, squeezed(code)) for language, code in blocks if code not in builds]
    assert len(others) == 7
    for language, lines in others:
        if language == "java":  # its first line is Android's
            assert contains(java, lines[1:])
        else:
            assert contains(kotlin, lines), lines


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
    maven("clean", "verify")  # a test whose source is gone must not run on
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
