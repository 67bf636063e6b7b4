# SPDX-License-Identifier: Apache-2.0
"""People photographed as a real dataset's were; a scanned head; what the truth itself leaves."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_synth.__main__ import main
from data_synth.error import AssetError
from data_synth.given.scan import COLOR, GEOMETRY, load
from data_synth.given.scan import NORMALS as DETAIL
from data_synth.head.builtin import BuiltinSource
from data_synth.run.capture import LAMPS_DEG, NORMALS, SIZE, photograph
from relight.geometry import normalize
from training.judge import metric, yaleb


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures") / "yaleB01"
    photograph(BuiltinSource().make_subject(5, texture_size=64), folder)
    return folder


def test_a_capture_reads_as_the_real_dataset_does(captured: Path) -> None:
    assert len(set(LAMPS_DEG)) == 64
    capture = yaleb.load(captured)
    assert capture.images.shape[1:] == SIZE
    assert len(capture.images) > 50  # lamps behind the head light too little to count
    right = capture.images[capture.azimuths_deg == 50].mean(0)
    half = SIZE[1] // 2
    assert right[:, half:].mean() > 1.5 * right[:, :half].mean()
    assert set(capture.photos()) == {*yaleb.MIXED_KINDS, *yaleb.HARD_KINDS}


def test_photometric_stereo_comes_close_to_the_known_normals(captured: Path) -> None:
    capture = yaleb.load(captured)
    assert capture.normals is not None
    middle = np.zeros(SIZE, bool)
    middle[60:130, 50:120] = True
    found, _ = yaleb.photometric_stereo(capture)
    assert metric.normal_error_deg(found, capture.normals, middle) < 10


def test_broken_normals_are_told_of(captured: Path, tmp_path: Path) -> None:
    folder = tmp_path / "yaleB01"
    folder.mkdir()
    for file in captured.glob("*.pgm"):
        (folder / file.name).write_bytes(file.read_bytes())
    assert yaleb.load(folder).normals is None
    np.save(folder / NORMALS, np.zeros((2, 2, 3), np.float32))
    with pytest.raises(yaleb.DatasetError, match=NORMALS):
        yaleb.load(folder)


def write_scan(folder: Path) -> None:
    """A dome before the origin, in the scan's layout."""
    side = 24
    u = np.linspace(0, 1, side)
    x, y = np.meshgrid(u * 4 - 2, u * 4 - 2)
    vertices = np.stack([x, y, np.sqrt(16 - x**2 - y**2) - 2], -1).reshape(-1, 3).astype("<f4")
    uv = np.stack(np.meshgrid(u, u), -1).reshape(-1, 2).astype("<f4")
    at = np.arange(side * side).reshape(side, side)
    a, b, c, d = at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]
    faces = np.concatenate([np.stack([a, b, d], -1), np.stack([a, d, c], -1)]).reshape(-1)
    blocks = [faces.astype("<u2").tobytes(), vertices.tobytes(), uv.tobytes()]
    offsets = np.cumsum([0, *map(len, blocks)])
    document = {
        "accessors": [
            {"bufferView": i, "count": n, "componentType": kind, "type": shape}
            for i, (n, kind, shape) in enumerate(
                (
                    (faces.size, 5123, "SCALAR"),
                    (len(vertices), 5126, "VEC3"),
                    (len(uv), 5126, "VEC2"),
                )
            )
        ],
        "bufferViews": [{"byteOffset": int(o)} for o in offsets[:-1]],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 1, "TEXCOORD_0": 2}, "indices": 0}]}
        ],
    }
    text = json.dumps(document).encode()
    body = struct.pack("<4sII", b"glTF", 2, 0) + struct.pack("<I4s", len(text), b"JSON") + text
    body += struct.pack("<I4s", int(offsets[-1]), b"BIN\0") + b"".join(blocks)
    (folder / GEOMETRY).write_bytes(body)
    Image.new("RGB", (32, 32), (180, 140, 120)).save(folder / COLOR)
    # A ripple along x: slopes of 0.3 at most.
    slope = 0.3 * np.cos(2 * np.pi * 4 * (np.arange(32) + 0.5) / 32)
    normals = normalize(np.stack([-slope, 0 * slope, 1 + 0 * slope], -1))
    image = np.repeat(((normals + 1) * 127.5).round().astype(np.uint8)[None], 32, 0)
    Image.fromarray(image).save(folder / DETAIL)


def test_a_scan_keeps_the_slopes_of_its_details(tmp_path: Path) -> None:
    write_scan(tmp_path)
    subject = load(tmp_path)
    height = next(iter(subject.textures.values())).height
    assert height.shape == (32, 32)
    assert np.abs(np.diff(height, axis=0)).max() < 1e-4
    # The dome is 16.8 cm wide; a sine of slope 0.3 and four periods rises 0.3 w / (2 pi 4).
    expected = 0.3 * 16.8 / (2 * np.pi * 4)
    assert height.max() == pytest.approx(expected, rel=0.25)


def test_a_missing_scan_is_one_line_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"glb: not a readable head .*three\.js"):
        load(tmp_path)
    write_scan(tmp_path)
    (tmp_path / COLOR).write_bytes(b"no picture")
    with pytest.raises(AssetError, match="not a readable picture"):
        load(tmp_path)


def test_the_command_photographs_a_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scan(tmp_path)
    out = tmp_path / "out"
    arguments = ["data_synth", "capture", "--assets", f"scan={tmp_path}", "--out", str(out)]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 0
    assert len(list((out / "yaleB01").glob("*.pgm"))) == 64
    monkeypatch.setattr("sys.argv", [*arguments[:3], f"scan={tmp_path / 'gone'}", *arguments[4:]])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 1
    assert "gone" in capsys.readouterr().err
