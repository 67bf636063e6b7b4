# SPDX-License-Identifier: Apache-2.0
"""The product's own modules and what each imports, read from their source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import relight

ROOT = Path(relight.__file__).parents[1]
ROOMS = {
    "relight": ROOT / "relight",
    "relight_app": ROOT / "app" / "relight_app",
    "portrait_relight": ROOT / "app" / "portrait_relight",
    "data_synth": ROOT / "data_synth",
    "training": ROOT / "training",
    "export": ROOT / "export",
}


def sources(room: str) -> list[Path]:
    """Python files of a room, in order."""
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


def modules() -> dict[str, Path]:
    """All modules by their importable names."""
    return {
        ".".join((room, *path.relative_to(folder).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path
        for room, folder in ROOMS.items()
        for path in sources(room)
    }


def import_graph(known: Mapping[str, Path]) -> dict[str, set[str]]:
    """Which of our modules each imports, at its top or inside a function."""
    return {name: set(_targets(name, path, known)) for name, path in known.items()}


def _targets(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    named = imported(path)
    for target in named:
        # `from a import b` names both a and a.b: where a.b is a module, that is what is meant.
        if any(other.startswith(f"{target}.") and other in known for other in named):
            continue
        while target and target not in known:
            target = target.rpartition(".")[0]
        if target and target != name:
            yield target


def circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Groups of modules that reach one another: the strongly connected components (Tarjan 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        stack.append(name)
        for target in graph.get(name, ()):
            if target not in order:
                visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in stack:
                lowest[name] = min(lowest[name], order[target])
        if lowest[name] == order[name]:
            at = stack.index(name)
            group = set(stack[at:])
            del stack[at:]
            if len(group) > 1:
                found.append(group)

    for name in graph:
        if name not in order:
            visit(name)
    return found
