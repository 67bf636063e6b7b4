# SPDX-License-Identifier: Apache-2.0
"""What the documents tell to type does what they say: it is read from them and run, made small."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from page import Snippet, mentions, snippets

from relight import Environment

DOCS = ROOT / "docs"
RUN = {
    "field-format": DOCS / "field-format.md",
    "light-stage": DOCS / "light-stage.md",
    "training": DOCS / "training.md",
    "scale": DOCS / "scale.md",
    "distributed-training": DOCS / "distributed-training.md",
    "two people": ROOT / "examples" / "light-stage" / "README.md",
}
"""Pages whose commands are run."""
LONG = {"scale", "distributed-training"}
"""Pages that take many minutes."""
NOT_HERE = {
    "pip install": "changes the environment that tests run in; its extras are looked up instead",
    "python -m portrait_relight.training.scale.supervise --cluster": "needs two machines",
    "--address auto": "needs a cluster",
    "pytest": "runs tests",
    "ict=": "needs ICT-FaceKit",
    "makehuman=": "needs MakeHuman",
    "own=": "needs heads of the reader's own",
}
"""Commands that are not run, by a part of them, and why."""
SMALLER = (
    (r"(data_synth render.*)", r"\1 --size 128 --lights 40 --samples 1"),
    (r"(data_synth compare.*)", r"\1 --size 24 --lights 8 --paths 1"),
    (r"(data_synth growth.*)", r"\1 --size 32 --lights 12 --subjects 1"),
    (r"(data_synth scaling.*)", r"\1 --subjects 2 --cameras 1 --size 32 --lights 12"),
    (r"(training\.data\.stored_block.*)", r"\1 --views 1 --pairs 2"),
    (r"(training\.train .*--profile)", r"\1 --steps 21 --epoch-steps 21 --batch 2"),
    (r"(training\.(train|scale\.supervise) (?!.*--profile).*)", r"\1 --steps 2 --batch 4"),
    (r"(training\.scale\.throughput)", r"\1 --steps 1 --rounds 1 --batch 2"),
)
"""What is made of commands so that they take seconds; of an option given twice, the last counts."""
BEFORE = (
    Snippet("sh", "python -m portrait_relight examples"),
    Snippet("sh", "python -m data_synth render --subjects 4 --out DATA --runner ray --jobs 2"),
)
"""What a page takes for done if it does not say it itself."""
BACKENDS = {"KERAS_BACKEND=jax": "jax", "KERAS_BACKEND=torch": "torch", "--runner ray": "ray"}
"""What commands need besides, by a part of them."""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder as a reader's, with an HDR map."""
    Environment(np.ones((64, 128, 3), np.float32)).save(tmp_path / "studio.hdr")
    return tmp_path


def environment() -> dict[str, str]:
    """A reader's: it knows no room of the checkout but by ``portrait_relight``, nor tests."""
    paths = os.pathsep.join([str(ROOT / "app"), str(ROOT)])
    return os.environ | {"PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"}


def reason(command: str) -> str | None:
    """Why a command is not run here, or None."""
    return next((why for part, why in NOT_HERE.items() if part in command), None)


def perform(folder: Path, snippet: Snippet) -> None:
    text = snippet.text
    if snippet.kind == "python":
        words = [sys.executable, "-c", text]
    else:
        for pattern, small in SMALLER:
            text = re.sub(pattern, small, text)
        text = re.sub(r"^relight\b", "python -m relight", text)
        text = re.sub(r"(^|\s)python\b", rf"\1{sys.executable}", text)
        words = ["bash", "-ec", text]
    done = subprocess.run(
        words, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{snippet.text}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_commands_of_a_page_run(name: str, work: Path) -> None:
    pytest.importorskip("tensorflow")
    pytest.importorskip("embreex")
    if name in LONG and not os.environ.get("RELIGHT_LONG_TESTS"):
        pytest.skip("takes many minutes: set RELIGHT_LONG_TESTS")
    found = snippets(RUN[name])
    for before in BEFORE:
        if before not in found and (name in LONG or "examples" in before.text):
            perform(work, before)
    for snippet in found:
        if snippet.kind == "sh" and reason(snippet.text):
            continue
        needs = [module for part, module in BACKENDS.items() if part in snippet.text]
        if all(importlib.util.find_spec(module) for module in needs):
            perform(work, snippet)


def pages() -> list[Path]:
    """All that is written for readers."""
    return [*ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md"), *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_and_extras_that_a_page_names_are_there(page: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = set(project["project"]["optional-dependencies"])
    commands = mentions(page) + [s.text for s in snippets(page) if s.kind == "sh"]
    for command in commands:
        for module in re.findall(r"python3? -m ([\w.]+)", command):
            if module not in ("venv", "pip"):
                assert importlib.util.find_spec(module), f"{page.name}: {command}"
                assert module.split(".")[0] not in ("training", "export"), command
        for named in re.findall(r"portrait-relight\[([\w,]+)\]", command):
            assert set(named.split(",")) <= extras, command


def test_every_page_for_researchers_is_run() -> None:
    theirs = ("data_synth", "portrait_relight.training")
    found = {
        page
        for page in pages()
        if any(s.kind == "sh" and part in s.text for s in snippets(page) for part in theirs)
    }
    assert found <= set(RUN.values())


def test_what_is_left_out_is_needed() -> None:
    text = "\n".join(s.text for page in RUN.values() for s in snippets(page))
    assert [part for part in NOT_HERE if part not in text] == []
