# SPDX-License-Identifier: Apache-2.0
"""Make the runtime's face template: where Face Mesh's landmarks lie on the mean head.

``python -m data_synth.head.face_template --assets DIR --out FILE`` makes
relight/face/face_template.json: it draws the mean head of ICT-FaceKit from several sides, lets
MediaPipe find its 468 landmarks in the drawings, and casts the landmarks' rays back at the head:
metric positions that any head pose can be fitted to. Triangles are the faces of MediaPipe's
published landmark graph.

References:
    Li et al. 2020, "Learning Formation of Physically-Based Face Attributes" (ICT-FaceKit).
    Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs".
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import shortest_path

from data_synth.head.head import EYE_AXIS, EYE_CENTER, LIMBUS_DEG, Head, Part
from data_synth.head.ict import make_head
from data_synth.head.ict_model import load_model
from data_synth.stage.raycast import Caster
from relight.color import linear_to_srgb, to_uint8
from relight.error import RelightError, plain_errors
from relight.face.mesh import POINTS, template, vertex_normals
from relight.face.perception import Perception
from relight.face.search import find
from relight.geometry import direction, normalize
from relight.storage import whole_file

Float = NDArray[np.float32]

VIEWS_DEG = ((0, 0), (10, 0), (-10, 0), (20, 0), (-20, 0), (0, 8), (0, -8))
LAMPS_DEG = ((12, 24), (-20, 32))
SIDE = 768
DISTANCE_CM, FIELD_OF_VIEW_DEG = 70.0, 28.0
TARGET_CM = np.array([0, 0.5, 3.0], np.float32)
SKIN, SCLERA, IRIS = (0.62, 0.42, 0.33), (0.8, 0.78, 0.75), (0.1, 0.06, 0.04)
CHEEKS = {
    "left_cheek": [347, 346, 352, 376, 411, 425],
    "right_cheek": [118, 117, 123, 147, 187, 205],
}
"""Landmarks around the flat of each cheek, above any beard: where key and fill are measured."""
LIPS, BROWS = (0.5, 0.2, 0.18), (0.1, 0.06, 0.04)
SEPARATING = ({49, 64, 129}, {279, 294, 358})
"""Cliques of three in the graph that are no faces: they enclose other faces."""
ABOUT = (
    "Mean face in the head frame (cm): the points of the ICT-FaceKit mean head (Li et al. 2020, "
    "MIT) on which MediaPipe Face Mesh puts its 468 landmarks, made symmetric. Triangles: the "
    "faces of MediaPipe's published landmark graph, with eyes and mouth closed. Made by "
    "python -m data_synth.head.face_template."
)


def main(
    assets: Annotated[Path, typer.Option(help="A checkout of ICT-FaceKit.")],
    out: Annotated[Path, typer.Option(help="The JSON file to write.")],
) -> None:
    """Make the runtime's face template from ICT-FaceKit's mean head."""
    with plain_errors():
        head = make_head(load_model(assets), np.zeros(100, np.float32), {})
        points = landmark_positions(head.vertices, head.faces, _paint(head))
        graph = landmark_graph()
        edges = {(min(e), max(e)) for e in graph["TESSELATION"]}
        points = symmetric(points, edges)
        triangles, loops = faces_of(edges, points)
        loops["lips"] = max(
            boundary_loops(graph["LIPS"]), key=lambda p: np.ptp(points[p], axis=0).sum()
        )
        for side in ("LEFT", "RIGHT"):
            brow = {v for edge in graph[f"{side}_EYEBROW"] for v in edge}
            loops[f"{side.lower()}_eyebrow"] = _around(sorted(brow), points)
        loops |= CHEEKS
        data = {
            "about": ABOUT,
            "vertices_cm": np.round(points.astype(float), 3).tolist(),
            "triangles": triangles.tolist(),
            "loops": loops,
            "log_albedo": np.round(template().log_albedo.astype(float), 3).tolist(),
        }
        with whole_file(out) as path:
            path.write_text(json.dumps(data).replace("], [", "],\n[") + "\n", "utf-8")


def landmark_graph() -> dict[str, list[tuple[int, int]]]:
    """Edges of MediaPipe's landmark graph, by part of the face."""
    from mediapipe.tasks.python.vision import FaceLandmarksConnections as Connections

    return {
        name: [(edge.start, edge.end) for edge in getattr(Connections, f"FACE_LANDMARKS_{name}")]
        for name in ("TESSELATION", "LIPS", "LEFT_EYEBROW", "RIGHT_EYEBROW")
    }


def landmark_positions(vertices: Float, faces: NDArray[np.int32], colors: Float) -> Float:
    """Points ``(468, 3)`` of a head, cm, under Face Mesh's landmarks: median over all views.

    Args:
        vertices: ``(V, 3)`` head frame, cm.
        faces: ``(F, 3)``.
        colors: ``(V, 3)`` linear albedo, with eyes and lips that can be told.

    Raises:
        RelightError: if Face Mesh finds no face in any drawing.
    """
    caster = Caster(vertices, faces)
    perception = Perception()
    found = []
    for view in VIEWS_DEG:
        origin, rays = _camera(*np.radians(view))
        hits = caster.nearest(np.broadcast_to(origin, rays.shape).reshape(-1, 3), rays)
        for lamp in LAMPS_DEG:
            drawing = _shade(vertices, faces, colors, hits, direction(*np.radians(lamp)))
            for face in find(perception, drawing)[:1]:
                pixels = (face.landmarks[:POINTS, :2] - 0.5).round().astype(int).clip(0, SIDE - 1)
                index = pixels[:, 1] * SIDE + pixels[:, 0]
                seen = hits.triangle[index] >= 0
                place = np.full((POINTS, 3), np.nan, np.float32)
                corners = vertices[faces[hits.triangle[index]]]
                place[seen] = np.einsum("pk,pkc->pc", hits.barycentric[index], corners)[seen]
                found.append(place)
    if not found:
        raise RelightError("Face Mesh finds no face in the drawings of the mean head")
    return np.nanmedian(np.stack(found), axis=0).astype(np.float32)


def symmetric(points: Float, edges: Iterable[tuple[int, int]]) -> Float:
    """Average the points with their mirror image; partners agree in place and in the graph."""
    linked = np.zeros((POINTS, POINTS))
    for a, b in edges:
        linked[a, b] = linked[b, a] = 1
    steps = shortest_path(linked, unweighted=True)
    mirror = np.array([-1, 1, 1], np.float32)
    apart = ((points * mirror)[:, None] - points[None]) ** 2
    cost = apart.sum(-1)
    partner = linear_sum_assignment(cost)[1]
    for _ in range(4):
        sure = [
            v
            for v in range(POINTS)
            if partner[partner[v]] == v
            and all(linked[partner[v], partner[n]] for n in np.nonzero(linked[v])[0])
        ]
        # Graph distances to the sure points, which their partners must mirror.
        unlike = ((steps[:, sure][:, None] - steps[:, partner[sure]][None]) ** 2).sum(-1)
        partner = linear_sum_assignment(unlike + 0.1 * cost)[1]
    return (points + points[partner] * mirror) / 2


def faces_of(
    edges: set[tuple[int, int]], points: Float
) -> tuple[NDArray[np.int32], dict[str, list[int]]]:
    """Triangles ``(898, 3)`` of the graph, eyes and mouth closed, and the loops around those."""
    linked = defaultdict(set)
    for a, b in edges:
        linked[a].add(b)
        linked[b].add(a)
    cliques = {tuple(sorted((a, b, c))) for a, b in edges for c in linked[a] & linked[b]}
    triangles = [list(clique) for clique in cliques if set(clique) not in SEPARATING]
    count = Counter((min(p), max(p)) for t in triangles for p in combinations(t, 2))
    loops: dict[str, list[int]] = {}
    for loop in boundary_loops(edge for edge, times in count.items() if times == 1):
        start = int(np.argmin(points[loop][:, 0]))
        loop = loop[start:] + loop[:start]
        name = {36: "oval", 20: "mouth"}.get(len(loop))
        loops[name or ("left_eye" if points[loop].mean(0)[0] > 0 else "right_eye")] = loop
        if name != "oval":
            triangles += _zip_up(loop)
    oriented = _oriented(np.array(triangles, np.int32), points)
    return oriented[np.lexsort(oriented.T[::-1])], loops


def boundary_loops(edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The closed loops that edges form, each as its vertices in order."""
    near = defaultdict(list)
    for a, b in sorted({(min(e), max(e)) for e in edges}):
        near[a].append(b)
        near[b].append(a)
    loops, seen = [], set()
    for start in sorted(near):
        loop: list[int] = []
        at: int | None = start
        while at is not None and at not in seen:
            seen.add(at)
            loop.append(int(at))
            at = next((v for v in near[at] if v not in seen), None)
        if len(loop) > 2:
            loops.append(loop)
    return loops


def _zip_up(loop: list[int]) -> list[list[int]]:
    """Close a hole from corner to corner with a strip of triangles."""
    upper, lower = loop[1 : len(loop) // 2 + 1], loop[: len(loop) // 2 : -1]
    strip = [[loop[0], upper[0], lower[0]]]
    i = j = 0
    while i < len(upper) - 1 or j < len(lower) - 1:
        if i < len(upper) - 1 and (i <= j or j >= len(lower) - 1):
            strip.append([upper[i], upper[i + 1], lower[j]])
            i += 1
        else:
            strip.append([lower[j], lower[j + 1], upper[i]])
            j += 1
    return strip


def _oriented(triangles: NDArray[np.int32], points: Float) -> NDArray[np.int32]:
    """Turn every triangle counter-clockwise outside, from one that surely faces the front."""
    owners = defaultdict(list)
    for index, triangle in enumerate(triangles):
        for a, b in combinations(triangle, 2):
            owners[frozenset((int(a), int(b)))].append(index)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    front = np.cross(b - a, c - a)[:, 2]
    first = int(np.argmax(np.abs(front)))
    if front[first] < 0:
        triangles[first] = triangles[first][[0, 2, 1]]
    done, waiting = {first}, [first]
    while waiting:
        triangle = triangles[waiting.pop()].tolist()
        for a_, b_ in zip(triangle, triangle[1:] + triangle[:1], strict=True):
            for other in owners[frozenset((a_, b_))]:
                if other in done:
                    continue
                turn = triangles[other].tolist()
                if turn[(turn.index(a_) + 1) % 3] == b_:  # neighbours run a shared edge oppositely
                    triangles[other] = triangles[other][[0, 2, 1]]
                done.add(other)
                waiting.append(other)
    return triangles


def _around(vertices: list[int], points: Float) -> list[int]:
    """Order vertices around their middle, seen from the front."""
    offset = points[vertices][:, :2] - points[vertices][:, :2].mean(0)
    return [vertices[k] for k in np.argsort(np.arctan2(offset[:, 1], offset[:, 0]))]


def _camera(azimuth: float, elevation: float) -> tuple[Float, Float]:
    """Position ``(3,)`` and rays ``(SIDE * SIDE, 3)`` of a camera aimed at the face."""
    back = direction(azimuth, elevation)
    right = normalize(np.cross([0, 1, 0], back))
    up = np.cross(back, right)
    x = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE * 2 - 1
    x, y = np.meshgrid(x, -x)
    half = np.tan(np.radians(FIELD_OF_VIEW_DEG / 2))
    rays = (x[..., None] * right + y[..., None] * up) * half - back
    return TARGET_CM + back * np.float32(DISTANCE_CM), normalize(rays).reshape(-1, 3)


def _paint(head: Head) -> Float:
    """Plain colours ``(V, 3)``: enough of a face for a landmark model to recognise."""
    colors = np.tile(np.array(SKIN, np.float32), (len(head.vertices), 1))
    eye = np.unique(head.faces[head.part == Part.EYE])
    side = np.sign(head.canonical[eye, :1])
    across = np.concatenate([side, np.ones_like(side), np.ones_like(side)], 1)
    look = normalize(head.canonical[eye] * across - EYE_CENTER) @ EYE_AXIS
    colors[eye] = np.where((look > np.cos(np.radians(LIMBUS_DEG)))[:, None], IRIS, SCLERA)
    skin = np.unique(head.faces[head.part == Part.FACE])
    import cv2

    outline = head.landmarks[48:60, :2].astype(np.float32)[:, None]
    inside = [
        cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0 and z > 9
        for x, y, z in head.vertices[skin]
    ]
    colors[skin[np.array(inside)]] = LIPS
    for brow in (slice(17, 22), slice(22, 27)):
        ends = head.landmarks[brow]
        line = np.stack(
            [np.interp(np.linspace(0, 4, 60), np.arange(5), ends[:, k]) for k in range(3)], 1
        )
        distance = np.linalg.norm(head.vertices[skin][:, None] - line[None], axis=2).min(1)
        colors[skin[distance < 0.45]] = BROWS
    return colors


def _shade(
    vertices: Float, faces: NDArray[np.int32], colors: Float, hits: Any, lamp: Float
) -> NDArray[np.uint8]:
    """A Lambert drawing ``(SIDE, SIDE, 3)`` of what the rays hit, on grey."""
    normals = vertex_normals(vertices, faces)
    light = 0.75 * np.maximum(normals @ lamp, 0) + 0.3 + 0.1 * normals[:, 1]
    radiance = colors * light[:, None] * 1.1
    corners = radiance[faces[np.maximum(hits.triangle, 0)]]
    linear = np.einsum("pk,pkc->pc", hits.barycentric, corners)
    linear[hits.triangle < 0] = 0.15
    return to_uint8(linear_to_srgb(linear)).reshape(SIDE, SIDE, 3)


if __name__ == "__main__":
    typer.run(main)
