# SPDX-License-Identifier: Apache-2.0
"""Views as pictures: what is written says what the view holds, by a reader of its own."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import ROOT
from typer.testing import CliRunner

from data_synth import Field, save_picture
from data_synth.__main__ import app
from data_synth.share.picture_file import PictureError
from data_synth.share.view_export import Kind, export_view
from relight.color import srgb_to_linear
from relight.photo import hdr

VIEW = ROOT / "examples" / "light-stage" / "subject-00001" / "camera-45"
EVERY = 110


@pytest.fixture(scope="module")
def field() -> Field:
    """A person of the sample set."""
    return Field.load(VIEW)


def read_png(path: Path) -> np.ndarray:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    values = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    return values[..., ::-1] if values.ndim == 3 else values


def olat(field: Field, number: int) -> np.ndarray:
    weights = np.zeros((len(field.lights), 3), np.float32)
    weights[number] = 1
    return field.relight(weights)


def test_exr_keeps_every_value(field: Field, tmp_path: Path) -> None:
    pytest.importorskip("OpenEXR")
    written = list(export_view(field, tmp_path, Kind.EXR, EVERY))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in written)
    about = json.loads((tmp_path / "export.json").read_text())
    assert about["lights"] == [0, 110, 220, 330]
    np.testing.assert_allclose(
        about["lights_camera_frame"], field.lights[about["lights"]], atol=1e-6
    )
    for number in about["lights"]:
        found = hdr.read(tmp_path / f"olat-{number:03d}.exr")
        np.testing.assert_allclose(found, olat(field, number), rtol=1e-5, atol=1e-7)
    for name in ("albedo", "normals"):
        np.testing.assert_array_equal(hdr.read(tmp_path / f"{name}.exr"), getattr(field, name))
    for name in ("depth", "alpha", "hair"):
        found = hdr.read(tmp_path / f"{name}.exr")[..., 0]
        np.testing.assert_allclose(found, getattr(field, name), atol=1e-6)


def test_png_is_what_its_document_says(field: Field, tmp_path: Path) -> None:
    list(export_view(field, tmp_path, Kind.PNG, EVERY))
    about = json.loads((tmp_path / "export.json").read_text())
    found = srgb_to_linear(read_png(tmp_path / "olat-110.png"))
    expected = np.clip(olat(field, 110) * about["exposure"], 0, 1)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.max() > 0.05
    normals = read_png(tmp_path / "normals.png") * 2 - 1
    np.testing.assert_allclose(normals, field.normals, atol=5e-5)
    near, far = about["depth_cm"]
    depth = read_png(tmp_path / "depth.png") * (far - near) + near
    seen = field.depth > 0
    np.testing.assert_allclose(depth[seen], field.depth[seen], atol=(far - near) / 6e4)
    np.testing.assert_allclose(read_png(tmp_path / "hair.png"), field.hair, atol=0.003)


def test_command_continues(tmp_path: Path) -> None:
    words = ["export", str(VIEW), "--out", str(tmp_path), "--format", "png", "--every", "200"]
    for _ in range(2):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
    folder = tmp_path / "camera-45"
    assert len(list(folder.glob("olat-*.png"))) == 2
    (folder / "export.json").unlink()
    (folder / "olat-000.png").unlink()
    assert CliRunner().invoke(app, words).exit_code == 0
    assert (folder / "olat-000.png").exists()


def test_pictures_say_what_is_wrong(field: Field, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"relit\.gif: pictures are saved as"):
        save_picture(field.albedo, tmp_path / "relit.gif")
    (tmp_path / "file").write_text("")
    with pytest.raises(PictureError, match=r"relit\.png: cannot be written"):
        save_picture(field.albedo, tmp_path / "file" / "relit.png")
    assert not (tmp_path / "relit.gif").exists()
