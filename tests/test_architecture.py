# SPDX-License-Identifier: Apache-2.0
"""Which room may import which, and what stays unloaded until it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from source_tree import ROOMS, ROOT, circles, import_graph, imported, modules, sources

import relight

FORBIDDEN_ROOMS = {
    "relight": {"relight_app", "training", "export", "data_synth"},
    "relight_app": {"training", "export", "data_synth"},
    "portrait_relight": {"training", "export", "data_synth", "relight_app"},
    "data_synth": {"relight_app", "training", "export"},
    "training": {"relight_app", "export"},
    "export": {"relight_app"},
}
HEAVY = ("tensorflow", "keras", "jax", "torch", "mediapipe")

LAYERS = (
    {"error", "color", "geometry", "opencv", "storage"},
    {"photo", "models", "environment", "light", "setup"},
    {"face", "gain"},
    {"stage"},
    {"placement"},
    {"portrait", "relighter", "result", "video"},
)
"""Inside ``relight``: a module or folder imports from its own row and those above it."""
STANDS_APART = {"work": {"error"}}
"""Nothing in ``relight`` imports these, and they import only what is named."""
UPWARD: set[str] = set()
"""Arrows inside ``relight`` that still point the wrong way."""
CIRCLES: tuple[set[str], ...] = ()
"""Circular imports that are still to be untied."""


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
        for path in sources(room)
        for name, line in imported(path).items()
        if name.split(".")[0] in FORBIDDEN_ROOMS[room]
    ]
    assert not wrong


def test_the_library_knows_no_training_framework() -> None:
    banned = {"tensorflow", "keras", "jax", "jaxlib", "torch", "flax"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for room in ("relight", "relight_app")
        for path in sources(room)
        for name, line in imported(path).items()
        if name.split(".")[0] in banned
    ]
    assert not wrong


def test_the_library_does_not_know_mediapipe() -> None:
    """Nor does training; the exporter and the maker of the face template use what it publishes."""
    users = {
        path.stem
        for room in ROOMS
        for path in sources(room)
        if any(name.split(".")[0] == "mediapipe" for name in imported(path))
    }
    assert users <= {"face_template", "mediapipe_package"}


def test_the_library_draws_nothing_on_a_terminal() -> None:
    """Commands do; who imports the library gets values, errors and log messages."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sources("relight")
        for name, line in imported(path).items()
        if name.split(".")[0] in {"typer", "rich", "click"}
    ]
    assert not wrong


def layer(name: str) -> int | None:
    """The row of a part of ``relight`` in :data:`LAYERS`; None for its front door and ``work``."""
    return next((row for row, parts in enumerate(LAYERS) if name in parts), None)


def may_import(own: str, other: str) -> bool:
    """Whether a part of ``relight`` may import another."""
    if own == other:
        return True
    if own in STANDS_APART or other in STANDS_APART:
        return other in STANDS_APART.get(own, ())
    above, below = layer(own), layer(other)
    return above is None or (below is not None and below <= above)


def test_arrows_inside_the_library_point_one_way() -> None:
    wrong = {
        f"{name} imports {target}"
        for name, targets in import_graph(modules()).items()
        for target in targets
        if name.startswith("relight.") and target.split(".")[0] == "relight"
        if not may_import(name.split(".")[1], (*target.split("."), "")[1])
    }
    assert sorted(wrong - UPWARD) == []
    assert sorted(UPWARD - wrong) == []


def test_every_part_of_the_library_has_its_layer() -> None:
    parts = {p.stem for p in (ROOT / "relight").glob("*.py")} | {
        p.parent.name for p in (ROOT / "relight").glob("*/__init__.py")
    }
    assert parts - {"__init__", "__main__"} <= set.union(*LAYERS) | set(STANDS_APART)


def test_no_modules_import_each_other() -> None:
    """Inside functions neither: what is only needed there still belongs together."""
    found = circles(import_graph(modules()))
    assert [sorted(group) for group in found if group not in CIRCLES] == []
    assert [sorted(group) for group in CIRCLES if group not in found] == []


def test_the_search_for_circles_finds_them() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a", "d"}}
    assert circles(graph) == [{"b", "c"}]
    graph["d"] = {"a"}
    assert circles(graph) == [{"a", "b", "c", "d"}]


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


@pytest.mark.parametrize("name", ["relight", "relight_app"])
def test_asking_for_the_version_loads_nothing_heavy(name: str) -> None:
    script = (
        "import contextlib, runpy",
        "sys.argv = ['relight', '--version']",
        "with contextlib.suppress(SystemExit):",
        f"    runpy.run_module({name!r}, run_name='__main__')",
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
