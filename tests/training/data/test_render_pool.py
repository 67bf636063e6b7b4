# SPDX-License-Identifier: Apache-2.0
"""Views made ready for training: their people's own source is asked, with the folder it needs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from data_synth.error import AssetError, SynthError
from data_synth.head.builtin import BuiltinSource
from data_synth.head.head import Head
from data_synth.person import HeadSource
from data_synth.registry import SOURCES
from data_synth.run.dataset import render_dataset
from data_synth.run.field import METADATA, Field, find_views
from data_synth.run.plan import Plan
from data_synth.stage.render import RenderSettings
from data_synth.trait import SubjectRanges, Traits
from training.data.render_pool import Misreading, load_view, true_landmarks

SIZE, LIGHTS = 64, 12


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A builtin person's view, 64 pixels, 12 lights."""
    out = tmp_path_factory.mktemp("stage")
    settings = RenderSettings(size=SIZE, samples=1)
    list(render_dataset(Plan(out=out, subjects=1, lights=LIGHTS, settings=settings)))
    return find_views(out)[0]


def of_source(view: Path, name: str, folder: Path) -> Path:
    """A copy of a view that says its person is of another source."""
    copy = Path(shutil.copytree(view, folder / name))
    metadata = json.loads((copy / METADATA).read_text())
    metadata["subject"]["source"] = name
    (copy / METADATA).write_text(json.dumps(metadata))
    return copy


def test_a_view_has_what_the_pool_holds(view: Path) -> None:
    misreading = Misreading(readings=2)
    arrays = load_view(view, {}, misreading)
    assert arrays["codes"].shape == (3, SIZE * SIZE, LIGHTS)
    assert arrays["meshes"].shape == (2, SIZE, SIZE, 10)
    # The mesh lies on the person.
    seen = arrays["meshes"][..., 4] > 0.5
    assert (arrays["surface"][..., 3] > 0.5)[seen.all(0)].mean() > 0.9
    # The same seed misreads alike.
    np.testing.assert_array_equal(arrays["meshes"], load_view(view, {}, misreading)["meshes"])


@pytest.mark.parametrize("name", ["ict", "makehuman"])
def test_the_views_own_source_gets_its_own_folder(
    view: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Path | None] = []

    def make_head(seed: int, assets: Path | None, ranges: SubjectRanges, traits: Traits) -> Head:
        given.append(assets)
        return BuiltinSource().make_head(seed, None, ranges, traits)

    source = SOURCES[name]
    assert isinstance(source, HeadSource)
    monkeypatch.setattr(source, "make_head", make_head)
    assets = {"ict": tmp_path / "first", "makehuman": tmp_path / "second"}
    points, pose = true_landmarks(of_source(view, name, tmp_path), assets)
    assert given == [assets[name]]
    assert points.shape == (468, 3)
    np.testing.assert_allclose(pose @ pose.T, np.eye(3), atol=1e-5)
    inside = Field.load(view).alpha[tuple(np.rint(points[:, 1::-1]).astype(int).T)]
    assert inside.mean() > 0.9


def test_what_is_missing_is_named(view: Path, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="makehuman needs"):
        true_landmarks(of_source(view, "makehuman", tmp_path), {"ict": tmp_path})
    with pytest.raises(SynthError, match="no known landmarks"):
        true_landmarks(of_source(view, "own", tmp_path), {})
