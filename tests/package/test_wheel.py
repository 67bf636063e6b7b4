# SPDX-License-Identifier: Apache-2.0
"""What is installed: rooms under names of their own, and commands that run from any folder."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest
from conftest import ROOT

pytest.importorskip("setuptools")

from app.wheel import renamed, with_whole_links

COMMANDS = (
    "data_synth",
    "portrait_relight",
    "portrait_relight.export",
    "portrait_relight.export.benchmark",
    "portrait_relight.training.blend",
    "portrait_relight.training.data.stored_block",
    "portrait_relight.training.evaluate",
    "portrait_relight.training.scale.supervise",
    "portrait_relight.training.train",
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from training.data.block import x", "from portrait_relight.training.data.block import x"),
        ("from training import table", "from portrait_relight.training import table"),
        ("import export", "import portrait_relight.export"),
        ("``python -m export --weights``", "``python -m portrait_relight.export --weights``"),
        ('(exe, "-m", "training.train")', '(exe, "-m", "portrait_relight.training.train")'),
        ("docs/training.md and self.training.x", "docs/training.md and self.training.x"),
        ("while training. Then export it", "while training. Then export it"),
        ("import exporter, retraining.x", "import exporter, retraining.x"),
        ("def export(x): training=True", "def export(x): training=True"),
    ],
)
def test_rooms_are_renamed_and_nothing_else(source: str, expected: str) -> None:
    assert renamed(source) == expected


def test_renamed_sources_know_no_room_by_its_short_name() -> None:
    for room in ("training", "export"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(renamed(path.read_text("utf-8")))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module or ""]
                assert not [n for n in names if n.split(".")[0] in ("training", "export")], path


def test_links_work_outside_the_repository() -> None:
    text = "![a](docs/a.jpg) [b](docs/b.md#c) [d](https://e.org) [f](#g)"
    assert with_whole_links(text, "https://host/repo", "1.2") == (
        "![a](https://host/repo/raw/v1.2/docs/a.jpg) [b](https://host/repo/blob/v1.2/docs/b.md#c)"
        " [d](https://e.org) [f](#g)"
    )


def test_a_checkout_has_the_installed_names_too(tmp_path: Path) -> None:
    script = (
        "import portrait_relight.training.table as one, training.table as other\n"
        "assert one is other and one.__spec__.name == 'training.table'\n"
        "from portrait_relight.training import table\n"
        "from portrait_relight import EXAMPLES\n"
        "assert table is other and EXAMPLES.is_dir()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "app")}
    run(["-c", script], tmp_path, environment)
    shown = run(["-m", "portrait_relight.export", "--help"], tmp_path, environment)
    assert "portrait_relight.export" in shown


def test_reading_and_relighting_needs_no_extra(tmp_path: Path) -> None:
    extras = ("scipy", "embreex", "OpenEXR", "google_crc32c", "tensorflow", "keras", "ray")
    script = (
        f"import sys\nsys.modules.update(dict.fromkeys({extras}))\n"
        "from data_synth import Field, PairSet, save_picture\n"
        "from relight import Environment\n"
        f"stage = {str(ROOT / 'examples' / 'light-stage')!r}\n"
        "field = Field.load(stage + '/subject-00000/camera-55')\n"
        "save_picture(field.lit(Environment.uniform()), 'relit.png')\n"
        "PairSet(stage, 1, pairs=1)[0]\n"
    )
    run(["-c", script], tmp_path, os.environ | {"PYTHONPATH": str(ROOT)})
    assert (tmp_path / "relit.png").exists()


def run(words: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- The built files


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that is built from it."""
    pytest.importorskip("build")
    out = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def one(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


@pytest.mark.slow
def test_checkers_find_nothing(built: Path) -> None:
    for words in (["twine", "check", "--strict"], ["check_wheel_contents"]):
        pytest.importorskip(words[0])
        files = [str(p) for p in built.glob("*.whl" if "wheel" in words[0] else "*")]
        done = subprocess.run(
            [sys.executable, "-m", *words, *files], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_an_sdist_holds_all_that_is_kept(built: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout, so nobody knows what is kept")
    words = ["git", "ls-files"]
    kept = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    with tarfile.open(one(built, "*.tar.gz")) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert [name for name in kept if name not in held and (ROOT / name).exists()] == []


@pytest.mark.slow
def test_a_wheel_runs_from_any_folder(built: Path, tmp_path: Path) -> None:
    wheel, place, work = one(built, "*.whl"), tmp_path / "site", tmp_path / "work"
    work.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)  # noqa: S202 - it was made above
        names = archive.namelist()
        metadata = one_of(names, r".*dist-info/METADATA")
        about = BytesParser().parsebytes(archive.read(metadata))
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"data_synth", "portrait_relight", "relight", "relight_app"}
    pictures = re.findall(r"!\[[^]]*\]\(([^)]*)\)", about.get_payload())
    assert pictures
    assert all(link.startswith("https://") for link in pictures)
    assert any("Repository" in url for url in about.get_all("Project-URL"))
    environment = os.environ | {"PYTHONPATH": str(place)}
    for command in COMMANDS:
        if ".training" in command or ".export" in command:
            pytest.importorskip("tensorflow")
        assert command in run(["-m", command, "--help"], work, environment).replace("\n", "")
    run(["-m", "portrait_relight", "examples"], work, environment)
    assert sorted(p.name for p in (work / "examples").iterdir()) == sorted(
        p.name for p in (ROOT / "examples").iterdir()
    )
    script = (
        "from data_synth import Field, save_picture\n"
        "from relight import Environment\n"
        "Environment.uniform().save('even.hdr')\n"
        "field = Field.load('examples/light-stage/subject-00000/camera-55')\n"
        "save_picture(field.lit('even.hdr'), 'relit.png')\n"
        "import data_synth\n"
        f"assert data_synth.__file__.startswith({str(place)!r})\n"
    )
    run(["-c", script], work, environment)
    assert (work / "relit.png").stat().st_size > 1000


def one_of(names: list[str], pattern: str) -> str:
    (name,) = [n for n in names if re.fullmatch(pattern, n)]
    return name
