# SPDX-License-Identifier: Apache-2.0
"""Which room may import which, and what stays unloaded until it is needed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import relight

ROOT = Path(relight.__file__).parents[1]
ROOMS = {
    "relight": ROOT / "relight",
    "relight_app": ROOT / "app" / "relight_app",
    "data_synth": ROOT / "data_synth",
    "training": ROOT / "training",
    "export": ROOT / "export",
}
FORBIDDEN_ROOMS = {
    "relight": {"relight_app", "training", "export", "data_synth"},
    "relight_app": {"training", "export", "data_synth"},
    "data_synth": {"relight_app", "training", "export"},
    "training": {"relight_app", "export"},
    "export": {"relight_app"},
}
HEAVY = ("tensorflow", "keras", "jax", "torch", "mediapipe")
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}


def modules(room: str) -> list[Path]:
    return sorted(ROOMS[room].rglob("*.py"))


def imported(path: Path, root: Path = ROOT) -> dict[str, int]:
    """Full names of what a module imports, anywhere in it, with the line."""
    names: dict[str, int] = {}
    package = path.relative_to(root).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names.update((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level]) if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names[stem] = node.lineno
            names.update((f"{stem}.{alias.name}", node.lineno) for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name | ast.Attribute)
            and (getattr(node.func, "attr", None) or getattr(node.func, "id", None))
            in ("import_module", "__import__", "find_spec")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            names[str(node.args[0].value)] = node.lineno
    return names


def test_the_search_for_imports_sees_every_form(tmp_path: Path) -> None:
    """The tests below are worth what this one is."""
    source = tmp_path / "x.py"
    source.write_text(
        "import a.b\nfrom c import d\ndef f():\n    import e\n    importlib.import_module('g')\n"
    )
    assert {"a.b", "c", "c.d", "e", "g"} <= set(imported(source, tmp_path))
    assert "relight.environment.Environment" in imported(ROOT / "relight" / "__init__.py")


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_between_rooms_point_one_way(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(room)
        for name, line in imported(path).items()
        if name.split(".")[0] in FORBIDDEN_ROOMS[room]
        and not (path == ROOT / "relight" / "__main__.py" and name.startswith("relight_app"))
    ]
    assert not wrong


def test_the_library_knows_no_training_framework() -> None:
    banned = {"tensorflow", "keras", "jax", "jaxlib", "torch", "flax"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for room in ("relight", "relight_app")
        for path in modules(room)
        for name, line in imported(path).items()
        if name.split(".")[0] in banned
    ]
    assert not wrong


def test_one_module_of_the_library_and_one_of_the_exporter_know_mediapipe() -> None:
    users = {
        path.stem
        for room in ROOMS
        for path in modules(room)
        if any(name.split(".")[0] == "mediapipe" for name in imported(path))
    }
    assert users <= {"detector", "mediapipe_package"}


def test_modules_are_named_after_what_they_hold() -> None:
    named = [path for room in ROOMS for path in modules(room) if path.stem.lower() in VAGUE]
    folders = [p for room in ROOMS for p in ROOMS[room].rglob("*") if p.name.lower() in VAGUE]
    assert not named
    assert not [p for p in folders if "node_modules" not in p.parts]


def loaded_by(*arguments: str) -> list[str]:
    """Heavy packages in memory after Python ran something, as it exits."""
    watch = (
        "import atexit, json, sys\n"
        f"atexit.register(lambda: print(json.dumps([m for m in {HEAVY!r} if m in sys.modules])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watch + "\n".join(arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    result: list[str] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_importing_the_library_loads_nothing_heavy() -> None:
    assert loaded_by("import relight", "assert relight.Relighter and relight.Light") == []


def test_the_watch_sees_what_is_loaded() -> None:
    assert loaded_by("import sys, types", "sys.modules['jax'] = types.ModuleType('jax')") == ["jax"]


def test_making_a_relighter_or_a_light_loads_nothing_heavy() -> None:
    script = (
        "from relight import Environment, Light, Relighter",
        "with Relighter() as relighter: pass",
        "Light(40, 30), Environment.uniform().spheres(8)",
    )
    assert loaded_by(*script) == []


@pytest.mark.skipif(
    not (ROOT / "relight" / "__main__.py").exists(), reason="there is no command line yet"
)
def test_asking_for_the_version_loads_nothing_heavy() -> None:
    script = (
        "import contextlib, runpy",
        "sys.argv = ['relight', '--version']",
        "with contextlib.suppress(SystemExit): runpy.run_module('relight', run_name='__main__')",
    )
    assert loaded_by(*script) == []


@pytest.mark.parametrize("name", relight.__all__)
def test_everything_announced_is_there(name: str) -> None:
    assert hasattr(relight, name)


def test_the_public_names_of_the_design_are_there() -> None:
    wanted = {
        "Relighter",
        "Light",
        "Environment",
        "Photo",
        "load_photo",
        "save_photo",
        "NoFaceError",
    }
    assert wanted <= set(relight.__all__)
