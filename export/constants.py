# SPDX-License-Identifier: Apache-2.0
"""The library's constants for its ports: ``python -m export.constants`` writes them.

The page and the Android library have the same formulas in TypeScript and Kotlin; a number that
they need too stands in Python alone. Written are a module's own public constants, as they are
after it is loaded, with the docstrings below them.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from relight.light import Light

MODULES = (
    "color",
    "environment",
    "face.detector",
    "face.landmark",
    "face.mesh",
    "face.mirror",
    "face.pose",
    "face.search",
    "face.segmentation",
    "face.tone",
    "gain.apply",
    "gain.canvas",
    "gain.cell",
    "gain.edge",
    "gain.grain",
    "gain.guide",
    "gain.reach",
    "geometry",
    "light",
    "placement.cheek",
    "placement.direction",
    "placement.likeness",
    "placement.intent",
    "placement.reading",
    "placement.recipe",
    "placement.rule",
    "placement.solution",
    "placement.wording",
    "portrait",
    "stage.analysis",
    "stage.body",
    "stage.cast_shadow",
    "stage.fine_shading",
    "stage.key",
    "stage.quotient",
    "stage.shading",
    "stage.silhouette",
    "stage.stages",
    "stage.view",
    "video.smoothing",
    "video.steady",
    "video.tracker",
)
"""Modules of the library whose constants are written."""
DOUBLE = frozenset(
    {
        "analysis",
        "cheek",
        "detector",
        "direction",
        "environment",
        "geometry",
        "landmark",
        "light",
        "likeness",
        "intent",
        "pose",
        "reading",
        "recipe",
        "search",
        "smoothing",
        "solution",
        "steady",
        "tone",
        "tracker",
        "wording",
    }
)
"""Groups whose numbers Kotlin works with in double precision; with the others in single."""
LINE = 110
"""Kotlin's comments are broken at so many characters."""
ROOT = Path(__file__).parents[1]
TYPESCRIPT = ROOT / "app" / "web" / "src" / "constants.json"
KOTLIN = (
    ROOT / "app" / "android" / "core" / "src" / "main" / "kotlin" / "portrait" / "relight"
) / "Constants.kt"


class Constant(NamedTuple):
    """A constant of the library.

    Attributes:
        value: number, text, or a list or a dictionary of them, JSON-ready.
        words: what its docstring says; may be empty.
    """

    value: Any
    words: str = ""


def constants() -> dict[str, dict[str, Constant]]:
    """Constants by group and name; a group is the last part of a module's name."""
    found: dict[str, dict[str, Constant]] = {}
    for name in MODULES:
        module = importlib.import_module(f"relight.{name}")
        source = Path(str(module.__file__)).read_text("utf-8")
        every = {
            key: Constant(_plain(getattr(module, key)), words)
            for key, words in documented(source)
            if not key.startswith("_")
        }
        found[name.rpartition(".")[2]] = {
            key: constant for key, constant in every.items() if constant.value is not None
        }
    found["light"]["SOFTNESS_DEG"] = Constant(_plain(Light.softness_deg))
    found["light"]["GLOSS"] = Constant(_plain(Light.gloss))
    return found


def documented(source: str) -> Iterator[tuple[str, str]]:
    """Constants assigned in a module's text, each with the docstring below it or no words."""
    body = ast.parse(source).body
    for statement, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign):
            targets: list[ast.expr] = [statement.target]
        elif isinstance(statement, ast.Assign):
            targets = list(statement.targets)
        else:
            continue
        words = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            words = " ".join(str(after.value.value).split())
        for target in targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            for name in names:
                if isinstance(name, ast.Name) and name.id.isupper():
                    yield name.id, words


def _plain(value: Any) -> Any:
    """Numbers, texts, tuples and dataclasses of them as JSON has them; None for anything else."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {key: _plain(part) for key, part in vars(value).items()}
        return None if None in parts.values() else parts
    if isinstance(value, np.ndarray | np.generic):
        # The shortest decimal that is the same float32: no digit is made up.
        flat = [float(str(item)) for item in np.ravel(value)]
        return flat if np.ndim(value) else flat[0]
    if isinstance(value, tuple):
        items = [_plain(item) for item in value]
        return None if None in items else items
    return value if isinstance(value, int | float | str) else None


def typescript() -> str:
    """What the page's file holds."""
    plain = {
        group: {name: constant.value for name, constant in found.items()}
        for group, found in constants().items()
    }
    return json.dumps(plain, indent=1) + "\n"


def kotlin() -> str:
    """What the Android library's file holds."""
    lines = [
        "// Generated by `python -m export.constants` from the Python constants: change those.",
        "// SPDX-License-Identifier: Apache-2.0",
        "package portrait.relight",
        "",
        "/** Numbers of the library that its ports share, by the Python module they stand in. */",
        "public object Constants {",
    ]
    for group, found in constants().items():
        lines += [f"    public object {_title(group)} {{"]
        for name, constant in found.items():
            lines += [*_comment(constant.words), *_declared(group, name.upper(), constant.value)]
        lines += ["    }", ""]
    return "\n".join([*lines[:-1], "}", ""])


def _comment(words: str) -> Iterable[str]:
    """A docstring as Kotlin has it."""
    if not words:
        return []
    words = re.sub(r":\w+:`([^`]+)`", r"[\1]", words).replace("``", "`")
    if len(words) + 15 <= LINE:
        return [f"        /** {words} */"]
    broken = textwrap.wrap(words, LINE - 11)
    return ["        /**", *(f"         * {line}" for line in broken), "         */"]


def _declared(group: str, name: str, value: Any) -> Iterable[str]:
    """A constant's declaration in Kotlin; a dictionary becomes an object."""
    if isinstance(value, dict):
        parts = [line for k, v in value.items() for line in _declared(group, k.upper(), v)]
        return [
            f"        public object {_title(name)} {{",
            *(f"    {p}" for p in parts),
            "        }",
        ]
    kind = _kind(group, value)
    const = "" if isinstance(value, list) else "const "
    return [f"        public {const}val {name}: {kind} = {_literal(value, kind)}"]


def _kind(group: str, value: Any) -> str:
    """Kotlin's type of a value."""
    if isinstance(value, list):
        kinds = {_kind(group, item) for item in value}
        return f"List<{kinds.pop() if len(kinds) == 1 else _kind(group, 0.5)}>"
    if isinstance(value, float):
        return "Double" if group in DOUBLE else "Float"
    return "Int" if isinstance(value, int) else "String"


def _literal(value: Any, kind: str) -> str:
    """A value as Kotlin writes one of this type."""
    if isinstance(value, list):
        inner = kind.removeprefix("List<").removesuffix(">")
        return f"listOf({', '.join(_literal(item, inner) for item in value)})"
    if kind == "String":
        return json.dumps(value)
    return repr(int(value) if kind == "Int" else float(value)) + ("f" if kind == "Float" else "")


def _title(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))


def write() -> None:
    """Write both files."""
    TYPESCRIPT.write_text(typescript(), "utf-8")
    KOTLIN.write_text(kotlin(), "utf-8")


if __name__ == "__main__":
    write()
