# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("embreex")

from synth_scene import head, metadata, shoot

from data_synth.error import FieldError
from data_synth.run.field import Field
from data_synth.stage.render import RenderSettings
from data_synth.stage.rig import Camera, Rig
from export.error import ExportError
from export.model.sample import EXAMPLE, SampleConfig, real_photos, synthetic_photos

RIG = Rig.make(24, 1)
CAMERA = Camera(0, 0, field_cm=30.0)
CONFIG = SampleConfig(verified=3, calibrated=5, side=32, pairs=2)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("set")
    view = shoot(head(), RIG.lights, RenderSettings(size=24, samples=1, bounce_rays=0), CAMERA)
    field = Field.encode(view, metadata(RIG, CAMERA))
    for subject in range(3):
        field.save(root / f"subject-{subject:05}" / "camera-00")
    return root


def test_nobody_is_in_both_sets(stored: Path) -> None:
    verified, calibrated = synthetic_photos(stored, CONFIG)
    assert (len(verified), len(calibrated)) == (3, 5)
    people = [{name.split()[0] for name in photos} for photos in (verified, calibrated)]
    assert people == [{"subject-00000"}, {"subject-00001", "subject-00002"}]
    for photo in [*verified.values(), *calibrated.values()]:
        assert (photo.shape, photo.dtype) == ((32, 32, 3), np.uint8)
    assert len({photo.tobytes() for photo in calibrated.values()}) == 5


def test_the_same_seed_gives_the_same_photos(stored: Path) -> None:
    first, again = (synthetic_photos(stored, CONFIG)[0] for _ in range(2))
    for name, photo in first.items():
        np.testing.assert_array_equal(photo, again[name])


def test_one_person_is_too_few(stored: Path, tmp_path: Path) -> None:
    shutil.copytree(stored / "subject-00000", tmp_path / "subject-00000")
    with pytest.raises(ExportError, match="one person is not enough"):
        synthetic_photos(tmp_path, CONFIG)


def test_a_folder_without_views_is_named(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=str(tmp_path)):
        synthetic_photos(tmp_path, CONFIG)


def test_the_example_is_always_there(tmp_path: Path) -> None:
    assert real_photos(None).keys() == {EXAMPLE.name}
    shutil.copy(EXAMPLE, tmp_path / "b.PNG")
    (tmp_path / "notes.txt").write_text("none")
    assert list(real_photos(tmp_path)) == [EXAMPLE.name, "b.PNG"]


@pytest.mark.parametrize("name", ["", "none"])
def test_a_folder_without_photos_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="holds no photos"):
        real_photos(tmp_path / name)
