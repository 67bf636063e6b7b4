# SPDX-License-Identifier: Apache-2.0
"""The sources of subjects, and that a new one needs a file and an entry in the registry alone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from synth_scene import ToySource, head
from typer.testing import CliRunner

from data_synth import registry
from data_synth.__main__ import app
from data_synth.error import AssetError, SynthError
from data_synth.head import ict_model
from data_synth.head.ict import IctSource
from data_synth.registry import SOURCES, choose_source, parse_assets
from data_synth.run.dataset import Dataset, render_dataset
from data_synth.run.field import Field
from data_synth.run.plan import Plan
from data_synth.source import Source
from data_synth.stage.render import RenderSettings
from data_synth.subject import Subject

DOCUMENT = Path(__file__).parents[2] / "docs" / "light-stage.md"


class BallSource(ToySource):
    """A source that nothing else knows."""

    name = "ball"

    def make_subject(self, seed: int, **_: object) -> Subject:
        return replace(head(seed=seed), source=self.name)


def test_a_new_source_is_rendered_once_it_is_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SOURCES, BallSource.name, BallSource())
    plan = Plan(tmp_path, 1, 1, "ball", lights=12, settings=RenderSettings(size=24, bounce_rays=0))
    list(render_dataset(plan))
    (view,) = Dataset(tmp_path).views
    assert Field.load(view).metadata["subject"]["source"] == "ball"


def test_without_a_name_the_first_source_that_can_be_used_is(tmp_path: Path) -> None:
    assert choose_source(None, {}) == (SOURCES["builtin"], None)
    assert choose_source(None, {"ict": tmp_path}) == (SOURCES["ict"], tmp_path)
    assert choose_source(None, {"scan": tmp_path}) == (SOURCES["builtin"], None)
    judged = choose_source(None, {"scan": tmp_path}, training=False)
    assert judged == (SOURCES["scan"], tmp_path)


def test_an_unknown_source_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(SynthError, match=r"clay.*ict, makehuman, own, builtin, scan"):
        choose_source("clay", {})
    with pytest.raises(SynthError, match=r"clay.*ict, makehuman, own, builtin, scan"):
        list(render_dataset(Plan(tmp_path, 1, 1, "clay")))


def test_nothing_is_trained_on_a_source_to_judge_by(tmp_path: Path) -> None:
    with pytest.raises(SynthError, match="scan: nothing is trained on it"):
        list(render_dataset(Plan(tmp_path, 1, 1, "scan", tmp_path)))


def test_assets_are_named_by_their_source(tmp_path: Path) -> None:
    assert parse_assets([f"ict={tmp_path}"]) == {"ict": tmp_path}
    with pytest.raises(AssetError, match=r"ict=DIR or makehuman=DIR or own=DIR or scan=DIR"):
        parse_assets([f"builtin={tmp_path}"])


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_help_and_documentation_know_every_source(source: Source) -> None:
    shown = CliRunner().invoke(app, ["render", "--help"], env={"COLUMNS": "400"}).output
    assert source.name in re.search(r"--source.*", shown)[0]
    row = f"| `{source.name}` | {source.about} | {source.needs or 'nothing'} |"
    assert row in DOCUMENT.read_text("utf-8")
    assert registry.find_source(source.name) is source


# --- ICT-FaceKit's files


@pytest.fixture
def fake_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all files of the model, none of them sound."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "kit" / "FaceXModel"
    folder.mkdir(parents=True)
    for i in range(100):
        (folder / f"identity{i:03d}.obj").write_text("v 0 0 0\n")
    (folder / "generic_neutral_mesh.obj").write_text("v 0 0 0\nvt 0 0\nf 1/1 1/1 1/1\n")
    (folder / "vertex_indices.json").write_text("{}")
    ict_model.load_model.cache_clear()
    return tmp_path / "kit"


def test_ict_needs_its_model() -> None:
    with pytest.raises(AssetError, match="--assets ict=DIR"):
        IctSource().make_subject(0)


def test_a_wrong_folder_is_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(AssetError) as caught:
        IctSource().make_subject(0, assets=tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "git clone" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_shape_is_named(fake_model: Path) -> None:
    (fake_model / "FaceXModel" / "identity042.obj").unlink()
    with pytest.raises(AssetError, match=r"identity042\.obj: missing"):
        IctSource().make_subject(0, assets=fake_model)


@pytest.mark.parametrize("broken", ["v one two three\n", "", "v 0 0 0\nvt 0 0\nf 1/1 9/1 1/1\n"])
def test_a_broken_mesh_is_named(fake_model: Path, broken: str) -> None:
    neutral = fake_model / "FaceXModel" / "generic_neutral_mesh.obj"
    neutral.write_text(broken)
    with pytest.raises(AssetError) as caught:
        IctSource().make_subject(0, assets=fake_model)
    assert str(neutral) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_cache_is_read_as_absent(tmp_path: Path) -> None:
    packed = tmp_path / "ict.npz"
    for content in (b"", b"PK\x03\x04 cut short", b"not a zip file"):
        packed.write_bytes(content)
        assert ict_model._read_packed(packed) is None
    assert ict_model._read_packed(tmp_path / "absent.npz") is None
