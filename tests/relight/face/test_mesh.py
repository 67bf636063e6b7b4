# SPDX-License-Identifier: Apache-2.0
"""The template face and its drawing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight.face import mesh
from relight.geometry import angle_between

SIDE = 160


@pytest.fixture(scope="module")
def template() -> mesh.FaceTemplate:
    return mesh.template()


def rotation(yaw_deg: float, pitch_deg: float = 0.0) -> np.ndarray:
    """Head to camera: nose turned by yaw (> 0 image right) and raised by pitch (> 0 up)."""
    y, p = math.radians(yaw_deg), math.radians(pitch_deg)
    turn = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    nod = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    return turn @ nod


def landmarks(pose: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The template, turned, as landmarks of a square drawing, seen from far away."""
    scale = side / 22
    turned = mesh.template().vertices_cm @ pose.T * scale
    return (turned * [1, -1, -1] + [side / 2, side / 2, 0]).astype(np.float32)


def projected_area(points: np.ndarray) -> float:
    """Pixels that a convex-enough face covers: the signed areas of its front-facing triangles."""
    a, b, c = (points[mesh.template().triangles[:, k], :2] for k in range(3))
    twice = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return float(-twice[twice < 0].sum() / 2)


# --- Template


def test_template_has_the_face_meshs_size(template: mesh.FaceTemplate) -> None:
    assert template.vertices_cm.shape == (468, 3)
    assert template.triangles.shape == (898, 3)
    assert sorted(np.unique(template.triangles)) == list(range(468))
    assert np.isfinite(template.vertices_cm).all()


def test_template_is_one_oriented_disc_bounded_by_its_oval(template: mesh.FaceTemplate) -> None:
    t = template.triangles
    directed = [tuple(e) for pair in ((0, 1), (1, 2), (2, 0)) for e in t[:, pair].tolist()]
    assert len(directed) == len(set(directed))  # neighbours agree on which side is outside
    edges = set(directed)
    border = {e for e in edges if (e[1], e[0]) not in edges}
    assert {v for e in border for v in e} == set(template.loops["oval"].tolist())
    undirected = {frozenset(e) for e in edges}
    assert len(template.vertices_cm) - len(undirected) + len(t) == 1  # Euler: no holes


def test_template_is_the_size_of_a_head(template: mesh.FaceTemplate) -> None:
    v, loops = template.vertices_cm, template.loops
    left, right = v[loops["left_eye"]].mean(0), v[loops["right_eye"]].mean(0)
    assert 5.5 < np.linalg.norm(left - right) < 7.0  # human eyes are about 6.3 cm apart
    width, height, depth = np.ptp(v, axis=0)
    assert 12 < width < 17
    assert 13 < height < 20
    assert 6 < depth < 14


def test_template_is_symmetric(template: mesh.FaceTemplate) -> None:
    v = template.vertices_cm
    mirrored = v * [-1, 1, 1]
    nearest = np.linalg.norm(mirrored[:, None] - v[None], axis=2).min(1)
    assert nearest.max() < 0.3


def test_template_stands_in_the_head_frame(template: mesh.FaceTemplate) -> None:
    v = template.vertices_cm
    centre = {name: v[loop].mean(0) for name, loop in template.loops.items()}
    assert centre["left_eye"][0] > 2.5 > -2.5 > centre["right_eye"][0]  # +x: the subject's left
    assert centre["left_eyebrow"][1] > centre["left_eye"][1] > centre["lips"][1]  # +y: up
    nose = v[v[:, 2].argmax()]
    assert abs(nose[0]) < 0.3  # +z: out of the nose
    assert centre["lips"][1] < nose[1] < centre["left_eye"][1]


def test_loops_are_closed_walks_along_edges_of_the_face(template: mesh.FaceTemplate) -> None:
    assert set(template.loops) == {
        "oval",
        "lips",
        "mouth",
        "left_eye",
        "right_eye",
        "left_eyebrow",
        "right_eyebrow",
        "left_cheek",
        "right_cheek",
    }
    t = template.triangles
    edges = {frozenset(e) for pair in ((0, 1), (1, 2), (2, 0)) for e in t[:, pair].tolist()}
    for name in ("oval", "lips", "mouth", "left_eye", "right_eye"):
        loop = template.loops[name].tolist()
        assert len(set(loop)) == len(loop)
        for a, b in itertools.pairwise([*loop, loop[0]]):
            assert frozenset((a, b)) in edges, name


def test_template_faces_the_viewer(template: mesh.FaceTemplate) -> None:
    n = mesh.vertex_normals(template.vertices_cm, template.triangles)
    np.testing.assert_allclose(np.linalg.norm(n, axis=1), 1, atol=1e-5)
    assert (n[:, 2] > 0).mean() > 0.99
    assert n[template.vertices_cm[:, 2].argmax(), 2] > 0.8  # the tip of the nose
    # Outward: the cheeks' normals point to their own sides.
    side = np.abs(template.vertices_cm[:, 0]) > 4
    assert (np.sign(n[side, 0]) == np.sign(template.vertices_cm[side, 0])).mean() > 0.95


def test_normals_of_a_plane_are_its_own() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    np.testing.assert_allclose(mesh.vertex_normals(vertices, triangles), [[0, 0, 1]] * 4)
    np.testing.assert_allclose(mesh.vertex_normals(vertices, triangles[:, ::-1]), [[0, 0, -1]] * 4)


# --- Drawing


@pytest.mark.parametrize("yaw", [-35, 0, 35])
def test_drawing_covers_the_face_and_nothing_else(yaw: float) -> None:
    points = landmarks(rotation(yaw))
    _, mask = mesh.rasterize(points, np.ones((468, 1)), SIDE)
    rows, columns = np.nonzero(mask)
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    assert columns.min() >= low[0] - 1.5
    assert columns.max() + 1 <= high[0] + 1.5
    assert rows.min() >= low[1] - 1.5
    assert rows.max() + 1 <= high[1] + 1.5
    # Overlapping triangles of a turned nose make the sum of areas a little larger.
    assert mask.sum() == pytest.approx(projected_area(points), rel=0.08)


def test_drawing_has_no_holes() -> None:
    oval = mesh.region(landmarks(np.eye(3)), ("oval",), SIDE)
    _, mask = mesh.rasterize(landmarks(np.eye(3)), np.ones((468, 1)), SIDE)
    assert (mask ^ oval).sum() < 0.02 * oval.sum()
    # Away from the outline there is no difference at all.
    inner = oval.copy()
    for axis, step in itertools.product((0, 1), (-3, 3)):
        inner &= np.roll(oval, step, axis)
    assert mask[inner].all()


@given(st.tuples(*[st.floats(-2, 2)] * 3), st.floats(-30, 30))
@settings(max_examples=15, deadline=None)
def test_values_that_vary_linearly_over_the_image_are_drawn_so(
    slope: tuple[float, float, float], yaw: float
) -> None:
    points = landmarks(rotation(yaw))
    values = points[:, :2] @ slope[:2] + slope[2]
    drawn, mask = mesh.rasterize(points, np.stack([values, np.ones(468)], 1), SIDE)
    rows, columns = np.nonzero(mask)
    expected = (columns + 0.5) * slope[0] + (rows + 0.5) * slope[1] + slope[2]
    error = np.abs(drawn[mask][:, 0] - expected)
    # A pixel on the edge between two triangles may take the nearest point of the other one, which
    # is further off only where slivers turn away at the outline.
    per_pixel = abs(slope[0]) + abs(slope[1])
    assert np.median(error) < 0.3 * per_pixel + 1e-3
    assert np.percentile(error, 98) < 1.2 * per_pixel + 1e-3
    np.testing.assert_allclose(drawn[mask][:, 1], 1, atol=1e-5)
    assert not drawn[~mask].any()


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def test_the_nearest_surface_wins() -> None:
    """A head turned far: the nose covers the far cheek, so what is drawn is the nearer depth."""
    points = landmarks(rotation(55))
    drawn, mask = mesh.rasterize(points, points[:, 2:3], SIDE)
    triangles = mesh.template().triangles
    checked = 0
    rng = np.random.default_rng(2)
    rows, columns = np.nonzero(mask)
    for k in rng.choice(len(rows), 400, replace=False):
        p = np.array([columns[k] + 0.5, rows[k] + 0.5])
        a, b, c = (points[triangles[:, i]].astype(float) for i in range(3))
        area = cross(b - a, c - a)
        v, w = cross(p - a[:, :2], c - a) / area, cross(b - a, p - a[:, :2]) / area
        inside = (v >= 0) & (w >= 0) & (v + w <= 1) & (area < 0)
        if not inside.any():
            continue
        depth = (a[:, 2] + v * (b[:, 2] - a[:, 2]) + w * (c[:, 2] - a[:, 2]))[inside].min()
        checked += abs(drawn[rows[k], columns[k], 0] - depth) < 1.0
    assert checked > 380


def test_triangles_facing_away_are_left_out() -> None:
    back = landmarks(rotation(180))
    _, mask = mesh.rasterize(back, np.ones((468, 1)), SIDE)
    _, front = mesh.rasterize(landmarks(np.eye(3)), np.ones((468, 1)), SIDE)
    assert mask.sum() < 0.1 * front.sum()


def test_a_face_far_outside_the_square_is_not_drawn() -> None:
    for shift in ([5 * SIDE, 0, 0], [0, -1e7, 0]):
        points = landmarks(np.eye(3)) + np.array(shift, np.float32)
        drawn, mask = mesh.rasterize(points, np.ones((468, 3)), SIDE)
        assert not mask.any()
        assert not drawn.any()


def test_irises_are_no_part_of_the_surface() -> None:
    points = landmarks(np.eye(3))
    with_irises = np.concatenate([points, np.full((10, 3), 3, np.float32)])
    one = mesh.surface(points, np.eye(3), SIDE)
    other = mesh.surface(with_irises, np.eye(3), SIDE)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


# --- Normals and depth


def test_normals_of_a_frontal_face_face_the_camera() -> None:
    drawn, _, mask = mesh.surface(landmarks(np.eye(3)), np.eye(3), SIDE)
    assert drawn.shape == (SIDE, SIDE, 3)
    np.testing.assert_allclose(np.linalg.norm(drawn[mask], axis=1), 1, atol=1e-4)
    assert not drawn[~mask].any()
    assert (drawn[mask][:, 2] > 0).all()
    assert drawn[mask][:, 2].mean() > 0.7
    columns = np.nonzero(mask)[1]
    assert drawn[mask][columns > 0.7 * SIDE][:, 0].mean() > 0.3  # +x at image right
    assert drawn[mask][columns < 0.3 * SIDE][:, 0].mean() < -0.3
    forehead = mask & (np.arange(SIDE)[:, None] < 0.25 * SIDE)
    chin = mask & (np.arange(SIDE)[:, None] > 0.8 * SIDE)
    assert drawn[forehead][:, 1].mean() > drawn[chin][:, 1].mean()


@pytest.mark.parametrize(("yaw", "pitch"), [(25, 0), (-25, 0), (0, 20), (0, -20), (20, 10)])
def test_turning_the_head_turns_its_normals(yaw: float, pitch: float) -> None:
    pose = rotation(yaw, pitch)
    straight, _, straight_mask = mesh.surface(landmarks(np.eye(3)), np.eye(3), SIDE)
    turned, _, turned_mask = mesh.surface(landmarks(pose), pose, SIDE)
    # Compare at the same points of the face: where vertices land in either drawing.
    errors = []
    for a, b in zip(landmarks(np.eye(3)), landmarks(pose), strict=True):
        p, q = a[:2].astype(int), b[:2].astype(int)
        if straight_mask[p[1], p[0]] and turned_mask[q[1], q[0]]:
            expected = pose @ straight[p[1], p[0]]
            if expected[2] > 0.5:  # away from the outline, and not hidden behind the nose
                errors.append(angle_between(expected, turned[q[1], q[0]]))
    assert len(errors) > 200
    assert math.degrees(float(np.median(errors))) < 4


def test_a_mirrored_face_has_mirrored_normals() -> None:
    pose = rotation(20, -5)
    mirror = np.diag([-1.0, 1.0, 1.0])
    drawn, depth, mask = mesh.surface(landmarks(pose), pose, SIDE)
    other, other_depth, other_mask = mesh.surface(
        landmarks(mirror @ pose @ mirror), mirror @ pose @ mirror, SIDE
    )
    both = mask & other_mask[:, ::-1]
    assert both.sum() > 0.97 * mask.sum()
    flipped = other[:, ::-1] * [-1, 1, 1]
    angles = np.degrees(angle_between(drawn[both], flipped[both]))
    assert np.percentile(angles, 95) < 6
    assert np.percentile(np.abs(depth - other_depth[:, ::-1])[both], 95) < 0.01 * SIDE


def test_the_nose_is_nearest_and_depth_is_in_the_drawings_pixels() -> None:
    points = landmarks(np.eye(3))
    _, depth, mask = mesh.surface(points, np.eye(3), SIDE)
    assert not depth[~mask].any()
    row, column = np.unravel_index(np.argmax(depth), depth.shape)
    assert np.hypot(*(points[1, :2] - (column + 0.5, row + 0.5))) < 0.08 * SIDE  # the nose's tip
    seen = points[:468, :2].astype(int)
    true = points[:468, 2].mean() - points[:468, 2]  # larger nearer
    inside = mask[tuple(seen.T[::-1])]
    errors = np.abs(depth[tuple(seen.T[::-1])] - true)[inside]
    assert inside.sum() > 400
    assert np.median(errors) < 0.01 * SIDE


def test_depth_is_between_the_landmarks_and_the_mean_faces() -> None:
    points = landmarks(np.eye(3))
    flattened = points * np.array([1, 1, 0.2], np.float32)
    _, true, mask = mesh.surface(points, np.eye(3), SIDE)
    _, mixed, _ = mesh.surface(flattened, np.eye(3), SIDE)
    spread = np.ptp(mixed[mask]) / np.ptp(true[mask])
    assert spread == pytest.approx((1 + 0.2) / 2, abs=0.05)


def test_regions_lie_where_their_loops_are() -> None:
    points = landmarks(np.eye(3))
    left = mesh.region(points, ("left_eye",), SIDE)
    right = mesh.region(points, ("right_eye",), SIDE)
    assert np.nonzero(left)[1].min() > SIDE / 2 > np.nonzero(right)[1].max()
    both = mesh.region(points, ("left_eye", "right_eye"), SIDE)
    np.testing.assert_array_equal(both, left | right)
    assert not mesh.region(points, (), SIDE).any()
