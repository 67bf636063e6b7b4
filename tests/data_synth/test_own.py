# SPDX-License-Identifier: Apache-2.0
"""Heads of the user's own: glTF and OBJ, masks, and what is wrong with a folder."""

from __future__ import annotations

import base64
import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synth_scene import ball

from data_synth.error import AssetError, SynthError
from data_synth.given.mesh_file import read_mesh
from data_synth.given.own import FACE_MIDDLE, PART_COLORS, OwnSource
from data_synth.run.dataset import Dataset, render_dataset
from data_synth.run.field import Field
from data_synth.run.plan import Plan
from data_synth.stage.render import RenderSettings
from data_synth.subject import Material

METRES = 0.01
FACE = {"chin": [0, -0.07, 0.06], "hairline": [0, 0.07, 0.06], "left": [0.07, 0, 0.05]}
FACE |= {"right": [-0.07, 0, 0.05]}


def globe() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices in metres, one for each corner, triangles, and coordinates with v upwards."""
    vertices, _, faces, uv, _ = ball(radius=9.0, rings=12)
    corners = np.arange(3 * len(faces)).reshape(-1, 3)
    return (vertices[faces].reshape(-1, 3) * METRES).astype("<f4"), corners, uv.reshape(-1, 2)


def picture(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


SKIN = picture(np.full((8, 8, 3), (180, 140, 120), np.uint8))


def write_gltf(path: Path, *, binary: bool, moved: float = 0.0) -> None:
    points, corners, uv = globe()
    flat = (uv * [1, -1] + [0, 1]).astype("<f4")
    blocks = [corners.astype("<u2").tobytes(), (points - [0, moved, 0]).astype("<f4").tobytes()]
    blocks += [flat.tobytes(), SKIN + b"\0" * (-len(SKIN) % 4)]
    offsets = np.cumsum([0, *map(len, blocks)])
    names, counts = ("SCALAR", "VEC3", "VEC2"), (corners.size, len(points), len(points))
    document = {
        "asset": {"version": "2.0"},
        "buffers": [{"byteLength": int(offsets[-1])}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": int(o), "byteLength": len(b)}
            for o, b in zip(offsets[:-1], blocks, strict=True)
        ],
        "accessors": [
            {"bufferView": i, "count": n, "componentType": 5123 if i == 0 else 5126, "type": kind}
            for i, (n, kind) in enumerate(zip(counts, names, strict=True))
        ],
        "images": [{"bufferView": 3, "mimeType": "image/png"}],
        "textures": [{"source": 0}],
        "materials": [{"name": "Skin", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "meshes": [
            {
                "primitives": [
                    {"attributes": {"POSITION": 1, "TEXCOORD_0": 2}, "indices": 0, "material": 0}
                ]
            }
        ],
        "nodes": [{"translation": [0, moved, 0], "children": [1]}, {"mesh": 0}],
        "scenes": [{"nodes": [0]}],
        "scene": 0,
    }
    data = b"".join(blocks)
    if not binary:
        document["buffers"][0]["uri"] = "data:;base64," + base64.b64encode(data).decode()
        path.write_text(json.dumps(document))
        return
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text
    body += struct.pack("<II", len(data), 0x004E4942) + data
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body)


def write_obj(path: Path, divider: str = "usemtl") -> None:
    points, corners, uv = globe()
    lines = [f"v {x} {y} {z}" for x, y, z in points] + [f"vt {u} {v}" for u, v in uv]
    lower = points[corners].mean(1)[:, 1] < 0
    for name, chosen in (("Upper", ~lower), ("Lower", lower)):
        lines.append(f"{divider} {name}")
        lines += ["f " + " ".join(f"{c}/{c}" for c in corner) for corner in corners[chosen] + 1]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A head in binary glTF that holds its own colours."""
    home = tmp_path / "anna"
    home.mkdir()
    write_gltf(home / "head.glb", binary=True)
    (home / "head.json").write_text(json.dumps({"face": FACE, "licence": "CC0"}))
    return home


def test_every_form_of_a_head_is_the_same_mesh(tmp_path: Path) -> None:
    write_gltf(tmp_path / "a.glb", binary=True)
    write_gltf(tmp_path / "b.gltf", binary=False, moved=0.5)
    write_obj(tmp_path / "c.obj")
    first, *others = (read_mesh(tmp_path / name) for name in ("a.glb", "b.gltf", "c.obj"))
    order = [np.argsort(mesh.faces[:, 0]) for mesh in (first, *others)]
    for other, sort in zip(others, order[1:], strict=True):
        np.testing.assert_allclose(other.vertices, first.vertices, atol=1e-6)
        np.testing.assert_array_equal(other.faces[sort], first.faces[order[0]])
        np.testing.assert_allclose(other.uv[sort], first.uv[order[0]], atol=1e-6)
    assert others[1].names == ("Upper", "Lower")


def test_groups_of_an_obj_without_materials_are_its_parts(tmp_path: Path) -> None:
    meshes = []
    for divider in ("usemtl", "g"):
        write_obj(tmp_path / "head.obj", divider)
        meshes.append(read_mesh(tmp_path / "head.obj"))
    assert meshes[1].names == ("Upper", "Lower")
    np.testing.assert_array_equal(meshes[0].material, meshes[1].material)


def test_a_head_stands_where_the_stage_looks(folder: Path) -> None:
    person = OwnSource().make_subject(0, assets=folder)
    assert person.attributes == {"name": "anna", "licence": "CC0"}
    middle = (person.face_points.min(0) + person.face_points.max(0)) / 2
    np.testing.assert_allclose(middle, FACE_MIDDLE, atol=1e-4)
    assert np.ptp(person.mesh.vertices[:, 1]) == pytest.approx(18, rel=1e-3)
    assert set(person.textures) == {Material.SKIN}
    albedo = person.textures[Material.SKIN].albedo
    np.testing.assert_allclose(albedo[0, 0], [0.456, 0.262, 0.188], atol=2e-3)
    outwards = (person.mesh.normals * (person.mesh.vertices - person.mesh.vertices.mean(0))).sum(1)
    assert (outwards > 0).all()


def test_a_mask_tells_parts_and_so_do_names(folder: Path) -> None:
    mask = np.zeros((16, 16, 3), np.uint8)
    mask[:8] = PART_COLORS[Material.CLOTH]  # the upper half: v is up
    (folder / "parts.png").write_bytes(picture(mask))
    mesh = OwnSource().make_subject(0, assets=folder).mesh
    middle = mesh.vertices[mesh.faces].mean(1)[:, 1] - mesh.vertices[:, 1].mean()
    assert (mesh.material[middle > 1] == Material.CLOTH).all()
    assert (mesh.material[middle < -1] == Material.SKIN).all()
    (folder / "parts.png").unlink()
    (folder / "head.glb").unlink()
    write_obj(folder / "head.obj")
    (folder / "color.png").write_bytes(SKIN)
    about = {"face": FACE, "parts": {"Lower": "cloth"}}
    (folder / "head.json").write_text(json.dumps(about))
    mesh = OwnSource().make_subject(0, assets=folder).mesh
    middle = mesh.vertices[mesh.faces].mean(1)[:, 1] - mesh.vertices[:, 1].mean()
    assert (mesh.material[middle < -1] == Material.CLOTH).all()


def test_heads_are_rendered_each_once(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("embreex")
    other = tmp_path / "ben"
    other.mkdir()
    for file in folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    settings = RenderSettings(size=24, bounce_rays=0)
    plan = Plan(tmp_path / "out", 2, 1, "own", tmp_path, lights=12, settings=settings)
    list(render_dataset(plan))
    fields = [Field.load(view) for view in Dataset(plan.out).views]
    assert [f.metadata["subject"]["attributes"]["name"] for f in fields] == ["anna", "ben"]
    assert all(f.alpha.max() == 1 for f in fields)
    with pytest.raises(SynthError, match=r"holds 2 heads; give at most --subjects 2"):
        list(render_dataset(Plan(tmp_path / "more", 3, 1, "own", tmp_path, lights=12)))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("head.json", b"{", "does not say where the face's chin"),
        ("head.json", b'{"face": {"chin": [0, 0, 0]}}', "does not say where"),
        ("head.glb", b"glTF\2\0\0\0", "not a readable head"),
        ("head.glb", b"", "not a readable head"),
        ("color.png", b"no picture", "not a readable picture"),
        ("parts.png", b"no picture", "not a readable picture"),
        ("head.json", json.dumps({"face": FACE, "cm_per_unit": 1}).encode(), "cm_per_unit"),
        ("head.json", json.dumps({"face": FACE, "parts": {"X": "eye"}}).encode(), "materials are"),
    ],
)
def test_what_is_wrong_is_one_line(folder: Path, name: str, content: bytes, says: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(AssetError, match=says) as caught:
        OwnSource().make_subject(0, assets=folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_folder_without_heads_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"head\.json is missing"):
        OwnSource().make_subject(0, assets=tmp_path)
    (tmp_path / "head.json").write_text(json.dumps({"face": FACE}))
    with pytest.raises(AssetError, match=r"no head\.glb"):
        OwnSource().make_subject(0, assets=tmp_path)
