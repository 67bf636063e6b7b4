# SPDX-License-Identifier: Apache-2.0
"""Make the table that says where MakeHuman's head lies on the mean head.

``python -m data_synth.given.makehuman_mark --assets DIR --ict DIR --out FILE`` makes
data_synth/given/makehuman_mark.json. Face Mesh finds its landmarks in drawings of MakeHuman's mean
adult; they are known on the mean head of ICT-FaceKit (relight/face/face_template.json). Skull, neck
and chest are then laid onto that head's surface, point by nearest point, and ears by their ends.
What is kept are the numbers of some hundred vertices and their places on the mean head, mirrored.

Reference:
    Besl & McKay 1992, "A Method for Registration of 3-D Shapes" (nearest points, repeatedly).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from data_synth.given.makehuman import MARKS_FILE, MEAN_ADULT, similarity, warp
from data_synth.given.makehuman_mesh import CHARTS, MakeHumanMesh, load_mesh
from data_synth.given.makehuman_skin import read_picture, skin_files
from data_synth.head.face_template import landmark_graph, landmark_positions, symmetric
from data_synth.head.head import EYE_CENTER, LIMBUS_DEG, Part
from data_synth.head.ict import make_head
from data_synth.head.ict_model import load_model
from relight.error import plain_errors
from relight.face.mesh import template
from relight.storage import whole_file

Float = NDArray[np.float64]

LARGEST_CM = 1.5
"""Landmarks further from their places after a similarity slipped over the drawing's rim."""
ROUNDS, MARKS = 12, 500
CLEAR_CM = 2.0
"""Skin nearer to landmarks follows these alone."""
SCLERA, IRIS = (0.8, 0.78, 0.75), (0.1, 0.06, 0.04)
EAR = np.array([[7.0, -4.5, -5.0], [11.0, 5.5, 4.5]])
"""Box of the left ear on the mean head."""
ABOUT = (
    "Vertices of MakeHuman's mesh hm08 (CC0) and their places, in hundredths of a centimetre, on"
    " the mean head of ICT-FaceKit (Li et al. 2020, MIT). Made by"
    " python -m data_synth.given.makehuman_mark."
)


def main(
    assets: Annotated[Path, typer.Option(help="MakeHuman's folder.")],
    ict: Annotated[Path, typer.Option(help="A checkout of ICT-FaceKit.")],
    out: Annotated[Path, typer.Option(help="The JSON file to write.")] = MARKS_FILE,
) -> None:
    """Make the table of MakeHuman's vertices on the mean head."""
    with plain_errors():
        mesh = load_mesh(assets)
        placed = mesh.morphed(MEAN_ADULT)
        eyes = (placed[mesh.eyes[0]].mean(0) + placed[mesh.eyes[1]].mean(0)) / 2
        placed = placed - eyes + EYE_CENTER * np.array([0, 1, 1])
        edges = {(min(e), max(e)) for e in landmark_graph()["TESSELATION"]}
        found = landmark_positions(
            placed.astype(np.float32), _with_balls(mesh), _colors(mesh, placed, assets)
        )
        points = symmetric(found, edges).astype(float)
        there = template().vertices_cm.astype(float)
        move = similarity(points, there)
        sure = np.linalg.norm(move(points) - there, axis=1) < LARGEST_CM
        face = points[sure], there[sure]
        head = make_head(load_model(ict), np.zeros(100, np.float32), {})
        skin = np.unique(head.faces[head.part <= Part.NECK])
        canonical = _laid(mesh, placed, face, head.canonical[skin].astype(float))
        chosen = _spread(mesh, canonical)
        vertex = {int(r): int(v) for v, r in enumerate(mesh.row) if r >= 0}
        rows = [[vertex[r], *np.round(canonical[r] * 100).astype(int).tolist()] for r in chosen]
        with whole_file(out) as path:
            text = json.dumps({"about": ABOUT, "marks": sorted(rows)})
            path.write_text(text.replace("], [", "],\n[") + "\n", "utf-8")


def _with_balls(mesh: MakeHumanMesh) -> NDArray[np.int32]:
    """Triangles to draw: the skin, and the file's own eyeballs, which are left out elsewhere."""
    from data_synth.given.mesh_file import read_mesh

    given = read_mesh(mesh.folder / "3dobjs" / "base.obj")
    group = np.array(given.names)[given.material]
    balls = given.faces[np.isin(group, ("helper-l-eye", "helper-r-eye"))]
    return np.concatenate([mesh.faces, mesh.row[balls]]).astype(np.int32)


def _colors(mesh: MakeHumanMesh, placed: Float, assets: Path) -> NDArray[np.float32]:
    """Colours of the vertices: a photographed skin, and irises."""
    picture = read_picture(skin_files(assets)[0])
    side = picture.shape[0]
    colors = np.full((len(placed), 3), 0.5, np.float32)
    for chart in CHARTS:
        chosen = mesh.part == chart.part
        uv = chart.origin(mesh.uv[chosen])
        at = np.clip(np.stack([1 - uv[..., 1], uv[..., 0]]) * side, 0, side - 1).astype(int)
        colors[mesh.faces[chosen]] = picture[at[0], at[1]]
    for ball in mesh.eyes:
        ray = placed[ball] - placed[ball].mean(0)
        front = ray[:, 2] / np.linalg.norm(ray, axis=1) > np.cos(np.radians(LIMBUS_DEG))
        colors[ball] = np.where(front[:, None], IRIS, SCLERA)
    return colors


def _laid(mesh: MakeHumanMesh, placed: Float, face: tuple[Float, Float], surface: Float) -> Float:
    """Places of all vertices on the mean head."""
    chart = np.unique(mesh.faces[mesh.part <= Part.NECK])
    canonical = warp(*face)(placed)
    left = _extremes(canonical[chart]), _extremes(surface)
    ears = placed[chart[left[0]]], surface[left[1]]
    tree = cKDTree(surface)
    near_ear = _in_ear(canonical[chart])
    away = cKDTree(face[0]).query(placed[chart])[0]
    free = chart[(away > CLEAR_CM) & ~near_ear]
    pairs = np.concatenate([face[0], ears[0]]), np.concatenate([face[1], ears[1]])
    for _ in range(ROUNDS):
        _, nearest = tree.query(canonical[free])
        canonical = warp(
            np.concatenate([pairs[0], placed[free]]), np.concatenate([pairs[1], surface[nearest]])
        )(placed)
    return canonical


def _in_ear(points: Float) -> NDArray[np.bool_]:
    folded = points.copy()
    folded[:, 0] = np.abs(folded[:, 0])
    return ((folded > EAR[0]) & (folded < EAR[1])).all(1)


def _extremes(points: Float) -> list[int]:
    """The outermost, the highest, the lowest and the rearmost point of either ear."""
    found = []
    for side in (1, -1):
        ear = np.flatnonzero(_in_ear(points) & (points[:, 0] * side > 0))
        at = points[ear] * [side, 1, 1]
        found += [
            ear[np.argmax(at @ way)] for way in ([1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, -1])
        ]
    return [int(k) for k in found]


def _spread(mesh: MakeHumanMesh, canonical: Float) -> list[int]:
    """Rows that lie evenly over head and face, the face more densely."""
    skin = np.unique(mesh.faces[mesh.part <= Part.SOCKET])
    points = canonical[skin]
    dense = np.where(points[:, 2] > 4.0, 1.0, 0.4)
    chosen = [int(np.argmax(points[:, 2]))]
    away: Any = np.full(len(skin), np.inf)
    while len(chosen) < MARKS:
        away = np.minimum(away, np.linalg.norm(points - points[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(away * dense)))
    return [int(skin[k]) for k in chosen]


if __name__ == "__main__":
    typer.run(main)
