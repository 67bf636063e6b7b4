# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from relight.color import srgb_to_linear
from training.split.real import portraits
from training.split.real.portrait_sample import ARRAYS, PortraitDraw, cut, photograph

app = portraits.typer.Typer()
app.command()(portraits.main)
WEIGHTS = Path(__file__).parents[4] / "training/weights"


def test_samples_of_a_portrait(tmp_path: Path, astronaut: np.ndarray) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    Image.fromarray(astronaut).save(photos / "face.png")
    Image.fromarray(np.full((90, 80, 3), 99, np.uint8)).save(photos / "wall.png")
    (photos / "broken.jpg").write_bytes(b"no picture")
    arguments = ["--photos", photos, "--weights", WEIGHTS, "--out", out, "--samples", 2]
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    assert "broken.jpg" in done.output
    with np.load(out / "face-0.npz") as kept:
        arrays = {name: kept[name] for name in kept.files}
    assert set(arrays) == set(ARRAYS)
    count = len(arrays["photo"])
    assert 1 <= count <= 2
    for name, (kind, shape) in ARRAYS.items():
        assert arrays[name].dtype == kind
        assert len(arrays[name]) == count
        sides = arrays[name].shape[1:]
        assert all(a == b or b == -1 for a, b in zip(sides, shape, strict=True))
        assert np.isfinite(arrays[name].astype(np.float32)).all()
    # The photo is what is told of it, noise and tone apart; its keys add light to the face.
    seen = srgb_to_linear(arrays["photo"][0])
    face = arrays["face"][0, ..., 0] > 0
    known = arrays["linear"][0].astype(np.float32)
    assert np.corrcoef(seen[face].ravel(), known[face].ravel())[0, 1] > 0.9
    assert (arrays["key"][0].astype(np.float32)[:, face].mean((1, 2)) > 0).all()
    for name in ("wall-0.npz", "broken-0.npz"):
        with np.load(out / name) as kept:
            assert len(kept["photo"]) == 0
    before = (out / "face-0.npz").stat().st_mtime_ns
    again = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert again.exit_code == 0
    assert (out / "face-0.npz").stat().st_mtime_ns == before


def test_a_folder_without_photos_is_one_sentence(tmp_path: Path) -> None:
    arguments = ["--photos", tmp_path, "--weights", WEIGHTS, "--out", tmp_path / "out"]
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code != 0
    assert "no photos here" in done.output


def test_a_grey_photo_stays_grey() -> None:
    grey = np.repeat(np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64, 1), 3, -1)
    taken = photograph(grey, np.random.default_rng(0), PortraitDraw())
    assert np.ptp(taken.astype(int), axis=-1).max() == 0
    assert taken[0].mean() < 70 < 200 < taken[-1].mean()


def test_a_cut_photo_keeps_its_face_where_the_box_says() -> None:
    picture = np.zeros((200, 160, 4), np.float32)
    picture[80:120, 60:100] = 1
    found, box = cut(picture, (60, 80, 40, 40), np.random.default_rng(0))
    left, top = round(box[0]), round(box[1])
    assert found[top : top + 40, left : left + 40].min() == 1
    assert found.sum() >= picture.sum()
    assert box[2:] == (40, 40)
    assert found[0, 0] == pytest.approx(found[3, 3])
