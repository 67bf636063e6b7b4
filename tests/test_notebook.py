# SPDX-License-Identifier: Apache-2.0
"""The notebooks run, and show a picture wherever they say they do."""

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = Path(__file__).parents[1] / "examples"


def run(source: str, names: dict[str, Any]) -> Any:
    """What a cell shows: the value of its last line, as Jupyter does."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307


def run_all(notebook: Path) -> tuple[dict[str, Any], int]:
    """What all cells leave behind, and how many pictures they showed."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    names: dict[str, Any] = {"__name__": "__main__"}
    pictures = 0
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        shown = run("".join(cell["source"]), names)
        kept = {kind for output in cell["outputs"] for kind in output.get("data", {})}
        assert isinstance(shown, Image.Image) == ("image/jpeg" in kept)
        pictures += isinstance(shown, Image.Image)
    return names, pictures


def test_the_walk_through_the_stages_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DOCS)
    names, pictures = run_all(DOCS / "walkthrough.ipynb")
    assert pictures >= 7
    plain, filled = (names["portrait"].render(s).image for s in (names["key"], names["lit"][2]))
    assert filled.mean() < plain.mean()


def test_the_walk_from_the_light_stage_to_a_photo_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From any folder, as an installation brings it."""
    pytest.importorskip("tensorflow")
    monkeypatch.chdir(tmp_path)
    names, pictures = run_all(EXAMPLES / "light-stage.ipynb")
    assert pictures == 5
    assert names["after"] < names["before"]
    assert (names["relit"] != np.asarray(Image.open(EXAMPLES / "astronaut.png"))).any()
