# SPDX-License-Identifier: Apache-2.0
import errno
import json
import shutil

import numpy as np
import pytest

pytest.importorskip("embreex")

from synth_scene import head, metadata, picture, shoot

from data_synth.error import FieldError
from data_synth.run import field as field_module
from data_synth.run.field import Field, find_views, read_metadata
from data_synth.stage.render import RenderSettings
from data_synth.stage.rig import Camera, Rig

RIG = Rig.make(64, 1)
CAMERA = Camera(15, 5, field_cm=30.0)


@pytest.fixture(scope="module")
def view():
    return shoot(head(), RIG.lights, RenderSettings(size=40, bounce_rays=16), CAMERA)


@pytest.fixture
def stored(view, tmp_path):
    return Field.encode(view, metadata(RIG, CAMERA)).save(tmp_path / "subject-00000" / "camera-00")


def test_round_trip(view, stored):
    field = Field.load(stored)
    assert (field.pixels == view.pixels).all()
    np.testing.assert_allclose(field.alpha, view.alpha, atol=1 / 254)
    np.testing.assert_allclose(field.normals, view.normals, atol=1e-3)
    np.testing.assert_allclose(field.albedo, view.albedo, atol=1e-3)
    np.testing.assert_allclose(field.depth, view.depth, rtol=1e-3)
    np.testing.assert_allclose(field.face_box, view.face_box)
    np.testing.assert_allclose(field.face_irradiance, view.face_irradiance, atol=1e-6)
    np.testing.assert_allclose(field.lights, CAMERA.to_camera(RIG.lights), atol=1e-6)
    assert field.metadata["subject"]["attributes"] == {"skin": {"melanin": 0.1}}


def test_codes_lose_less_than_half_a_step(view, stored):
    field = Field.load(stored)
    scale = view.olat.max(2, keepdims=True)
    root = np.sqrt(np.maximum(scale, 1e-12))
    error = np.sqrt(field.decode()) - np.sqrt(view.olat)
    assert np.abs(error / root).max() < 0.51 / 255


def test_relit_field_is_the_sum_of_its_lights(view, stored):
    field = Field.load(stored)
    rng = np.random.default_rng(0)
    weights = rng.random((3, 64, 3)).astype(np.float32)
    result = field.relight(weights)
    assert result.shape == (3, 40, 40, 3)
    for k in range(3):
        for c in range(3):
            expected = picture(view, weights[k, :, c])[..., c]
            np.testing.assert_allclose(result[k, ..., c], expected, atol=4e-3 * expected.max())
    assert not result[:, field.alpha == 0].any()


def test_superposition_is_exact(stored):
    field = Field.load(stored)
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 64, 3)).astype(np.float32)
    both = field.relight(a) + 3 * field.relight(b)
    np.testing.assert_allclose(field.relight(a + 3 * b), both, rtol=1e-4, atol=1e-5)


def test_a_changed_byte_is_noticed(stored):
    path = stored / "olat.npy"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(FieldError, match=r"camera-00.*olat\.npy is corrupt.*render again"):
        Field.load(stored)


@pytest.mark.parametrize("name", ["olat.npy", "normals.npy", "metadata.json"])
def test_a_missing_or_cut_file_is_noticed(stored, name):
    path = stored / name
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(FieldError, match="not a whole view"):
        Field.load(stored)
    path.unlink()
    with pytest.raises(FieldError, match="No such file"):
        Field.load(stored)


def test_another_version_is_refused(stored):
    document = json.loads((stored / "metadata.json").read_text())
    document["version"] = 99
    (stored / "metadata.json").write_text(json.dumps(document))
    with pytest.raises(FieldError, match="version 99"):
        read_metadata(stored)


def test_half_written_views_are_not_listed(stored, tmp_path):
    shutil.copytree(stored, stored.with_name(".part-camera-01-abc"))
    empty = stored.with_name("camera-02")
    empty.mkdir()
    shutil.copy(stored / "olat.npy", empty)
    assert find_views(tmp_path) == [stored]


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(FieldError, match="nowhere"):
        find_views(tmp_path / "nowhere")


def test_full_disk_leaves_nothing_behind(view, tmp_path, monkeypatch):
    written = []

    def full(path, data):
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        path.write_bytes(data)

    monkeypatch.setattr(field_module, "_write", full)
    folder = tmp_path / "subject" / "camera-00"
    with pytest.raises(FieldError, match=r"No space left.*free space"):
        Field.encode(view, metadata(RIG, CAMERA)).save(folder)
    assert list((tmp_path / "subject").iterdir()) == []


def test_saving_again_replaces(view, stored):
    field = Field.encode(view, metadata(RIG, CAMERA) | {"note": 1})
    field.save(stored)
    assert Field.load(stored).metadata["note"] == 1
    assert [p.name for p in stored.parent.iterdir()] == ["camera-00"]
