# SPDX-License-Identifier: Apache-2.0
"""How the house is kept: folders one can take in, files one can read, names that mean one thing."""

from __future__ import annotations

import subprocess
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from source_tree import ROOMS, ROOT, sources

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
SHARED_NAMES = {"__init__", "__main__", "error"}
"""File names that stand in several rooms, for the same thing in each."""
MOST_FILES = {".py": 13, ".ts": 14, ".kt": 14}
"""Source files of a language in a folder."""
MOST_LINES = 400
"""Of a file."""
CROWDED: dict[str, int] = {}
"""Folders that still have more files, and how many at most: they only get emptier."""
LONG: dict[str, int] = {}
"""Files that are still longer, and how long at most: they only get shorter."""


def kept() -> list[Path]:
    """Source files under version control, or about to be."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout, so other files may lie beside the sources")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / line for line in done.stdout.splitlines()]
    return [path for path in paths if path.suffix in MOST_FILES and path.is_file()]


def over(found: dict[str, int], most: int, exceptions: dict[str, int]) -> list[str]:
    """What breaks a limit: too many without an exception, or an exception that is out of date."""
    wrong = [
        f"{name}: {count}, at most {exceptions.get(name, most)}"
        for name, count in found.items()
        if count > exceptions.get(name, most)
    ]
    return wrong + [
        f"{name}: needs no exception any more" for name in exceptions if found.get(name, 0) <= most
    ]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_a_limit_counts_exceptions_too() -> None:
    assert over({"a": 5, "b": 3}, 3, {}) == ["a: 5, at most 3"]
    assert over({"a": 5, "b": 3}, 3, {"a": 5}) == []
    assert over({"a": 6}, 3, {"a": 5}) == ["a: 6, at most 5"]
    assert over({"a": 3}, 3, {"a": 5}) == ["a: needs no exception any more"]


def test_folders_hold_about_a_dozen_files() -> None:
    found: Counter[str] = Counter()
    for suffix, most in MOST_FILES.items():
        count = Counter(name_of(path.parent) for path in kept() if path.suffix == suffix)
        found.update({name: number for name, number in count.items() if number > most})
    assert over(dict(found), 0, CROWDED) == []


def test_files_can_be_read_at_one_sitting() -> None:
    found = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in kept()}
    assert over(found, MOST_LINES, LONG) == []


def repeated(paths: Iterable[Path]) -> list[str]:
    places: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        places[path.stem].append(name_of(path))
    return [
        f"{stem}: {', '.join(names)}"
        for stem, names in places.items()
        if len(names) > 1 and stem not in SHARED_NAMES
    ]


def test_no_file_name_means_two_things() -> None:
    assert repeated(path for room in ROOMS for path in sources(room)) == []
    assert repeated((ROOT / "tests").rglob("*.py")) == []


def test_every_folder_of_the_installed_rooms_is_packaged() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found = {
        ".".join((room, *path.parent.relative_to(ROOMS[room]).parts))
        for room in ("relight", "relight_app")
        for path in ROOMS[room].rglob("__init__.py")
    }
    assert found == set(project["tool"]["setuptools"]["packages"])


def test_modules_are_named_after_what_they_hold() -> None:
    named = [path for room in ROOMS for path in sources(room) if path.stem.lower() in VAGUE]
    folders = [p for room in ROOMS for p in ROOMS[room].rglob("*") if p.name.lower() in VAGUE]
    assert not named
    assert not [p for p in folders if "node_modules" not in p.parts]
