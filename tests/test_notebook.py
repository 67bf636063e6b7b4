# SPDX-License-Identifier: Apache-2.0
"""The notebook runs, and shows a picture wherever it says it does."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

DOCS = Path(__file__).parents[1] / "docs"


def run(source: str, names: dict[str, Any]) -> Any:
    """What a cell shows: the value of its last line, as Jupyter does."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307


def test_the_walk_through_the_stages_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DOCS)
    cells = json.loads((DOCS / "walkthrough.ipynb").read_text("utf-8"))["cells"]
    names: dict[str, Any] = {"__name__": "__main__"}
    pictures = 0
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        shown = run("".join(cell["source"]), names)
        kept = {kind for output in cell["outputs"] for kind in output.get("data", {})}
        assert isinstance(shown, Image.Image) == ("image/jpeg" in kept)
        pictures += isinstance(shown, Image.Image)
    assert pictures >= 7
    plain, filled = (names["portrait"].render(s).image for s in (names["key"], names["lit"][2]))
    assert filled.mean() < plain.mean()
