# SPDX-License-Identifier: Apache-2.0
"""The face mesh: its mean shape, its triangles, and drawing its normals."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight.geometry import normalize, shrink

Float = NDArray[np.float32]

POINTS = 468
"""Landmarks on the face's surface; the ten after them are the irises."""


TEMPLATE_SHARE = 0.5
"""Weight of the mean face's normals against those of the landmarks."""
SAMPLES = 2
"""Normals are drawn at this many times the resolution and averaged: lips and nostrils are thin."""
FINENESS = 4
"""Corners of triangles are drawn to this power of two of a pixel's parts, as OpenCV counts them."""
COVERED = 0.5
"""Share of a pixel that the mesh covers if the pixel is on the face."""
FLAT = 1e-9
"""Twice the area, in pixels, that a triangle seen edge-on counts as."""


@dataclass(frozen=True)
class FaceTemplate:
    """The mean face that landmarks are fitted to.

    Attributes:
        vertices_cm: ``(468, 3)`` float32, head frame (+z out of the nose, +y up, +x to the
            subject's left).
        triangles: ``(898, 3)`` int32, counter-clockwise seen from outside; eyes and mouth closed.
        loops: landmark indices around ``oval``, ``lips``, ``mouth`` (the lips' inner edge),
            ``left_eye``, ``right_eye``, ``left_eyebrow``, ``right_eyebrow``, ``left_cheek`` and
            ``right_cheek``; sides are the subject's.
        log_albedo: ``(468,)`` float32 natural logarithm of the albedo that faces usually have at
            each landmark, against all of the face; see :mod:`training.data.usual_albedo`.
    """

    vertices_cm: Float
    triangles: NDArray[np.int32]
    loops: dict[str, NDArray[np.int32]]
    log_albedo: Float


@functools.cache
def template() -> FaceTemplate:
    """The template that comes with the package."""
    text = resources.files("relight.face").joinpath("face_template.json").read_text("utf-8")
    data = json.loads(text)
    return FaceTemplate(
        np.array(data["vertices_cm"], np.float32),
        np.array(data["triangles"], np.int32),
        {name: np.array(loop, np.int32) for name, loop in data["loops"].items()},
        np.array(data["log_albedo"], np.float32),
    )


def vertex_normals(vertices: NDArray[Any], triangles: NDArray[np.int32]) -> Float:
    """Area-weighted unit normals ``(V, 3)`` of a mesh ``(V, 3)``, counter-clockwise outside."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    total = np.zeros((len(vertices), 3), np.float64)
    for k in range(3):
        np.add.at(total, triangles[:, k], face)
    return normalize(total)


def rasterize(
    points: NDArray[Any], attributes: NDArray[Any], resolution: int
) -> tuple[Float, NDArray[np.bool_]]:
    """Draw the face mesh, interpolating values between its vertices.

    Args:
        points: ``(468+, 3)`` landmarks in pixels of the drawing: x right, y down, pixel (i, j)
            covers [j, j + 1) x [i, i + 1); z smaller is nearer.
        attributes: ``(468, C)`` values at the vertices.
        resolution: side of the square drawing.

    Returns:
        ``(R, R, C)`` float32 values, 0 outside the mesh, and the ``(R, R)`` mask. The nearest
        triangle wins; those facing away are left out.
    """
    import cv2

    triangles = template().triangles
    corners = points[:POINTS].astype(np.float32)[triangles]
    u, v = corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2]
    facing = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0] < 0  # y points down here
    order = np.argsort(-corners[:, :, 2].mean(1), kind="stable")
    order = order[facing[order]]
    owner = np.full((resolution, resolution), -1, np.int32)
    fixed = np.clip(_fixed(corners[:, :, :2]), -(2**20), 2**20).astype(np.int32)
    for index in order:
        cv2.fillConvexPoly(owner, fixed[index], int(index), shift=FINENESS)
    mask = owner >= 0
    rows, columns = np.nonzero(mask)
    index = owner[rows, columns]
    centres = np.stack([columns + 0.5, rows + 0.5], 1).astype(np.float32)
    weights = _barycentric(centres, corners[index][:, :, :2])
    values = np.einsum("pk,pkc->pc", weights, attributes.astype(np.float32)[triangles[index]])
    result = np.zeros((resolution, resolution, attributes.shape[1]), np.float32)
    result[rows, columns] = values
    return result, mask


def _fixed(points: NDArray[Any]) -> NDArray[Any]:
    """Pixels as OpenCV draws them: from the centre of pixel (0, 0), in parts of a pixel."""
    return np.round((points - 0.5) * 2**FINENESS)


def _barycentric(p: Float, triangle: Float) -> Float:
    """Weights ``(N, 3)`` of points ``(N, 2)`` in triangles ``(N, 3, 2)``, clipped to inside."""
    a, b, c = triangle[:, 0], triangle[:, 1], triangle[:, 2]
    ab, ac, ap = b - a, c - a, p - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < FLAT, -FLAT, area)
    v = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
    w = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area
    weights = np.clip(np.stack([1 - v - w, v, w], 1), 0, 1)
    return weights / np.maximum(weights.sum(1, keepdims=True), FLAT)


class Surface(NamedTuple):
    """The face mesh drawn into a square.

    Attributes:
        normals: ``(R, R, 3)`` float32 unit normals, camera frame, 0 outside.
        depth: ``(R, R)`` float32 position along the camera's axis in pixels of the drawing, larger
            nearer, about the mean of the mesh; 0 outside.
        mask: ``(R, R)`` bool, the face.
    """

    normals: Float
    depth: Float
    mask: NDArray[np.bool_]


def surface(landmarks: NDArray[Any], head_pose: NDArray[Any], resolution: int) -> Surface:
    """Draw the face mesh's normals and depth into a square.

    Face Mesh knows this face's expression but flattens its relief; the mean face, turned as this
    head is, has true relief but no expression. Halfway between them lies closer to the truth than
    either (on Extended Yale B: 15.7 degrees for the landmarks' normals, 14.6 for the mixture).
    A pixel is on the face if half of it is.

    Args:
        landmarks: ``(468+, 3)`` in pixels of the drawing, z in the same scale, smaller nearer.
        head_pose: ``(3, 3)`` rotation head to camera.
        resolution: side of the square.
    """
    camera = landmarks[:POINTS].astype(np.float32) * np.array([1, -1, -1], np.float32)
    pose = np.asarray(head_pose, np.float32)
    own = vertex_normals(camera, template().triangles)
    mean = _template_normals() @ pose.T
    own_depth = camera[:, 2] - camera[:, 2].mean()
    depth = _mixed(own_depth, _template_depth(camera, pose))
    fine, covered = rasterize(
        landmarks * np.float32(SAMPLES),
        np.concatenate([_mixed(own, mean), depth[:, None]], 1),
        resolution * SAMPLES,
    )
    share = shrink(covered.astype(np.float32), SAMPLES)
    mask = share >= COVERED
    normals = normalize(shrink(normalize(fine[..., :3]), SAMPLES)) * mask[..., None]
    near = shrink(fine[..., 3], SAMPLES) / np.maximum(share, COVERED) * mask
    return Surface(normals, near, mask)


def _mixed(own: Float, mean: Float) -> Float:
    """What the landmarks say and what the mean face says."""
    return own * (1 - TEMPLATE_SHARE) + mean * TEMPLATE_SHARE


def _template_depth(camera: Float, head_pose: Float) -> Float:
    """Depth ``(468,)`` of the mean face, as large as landmarks ``(468, 3)`` in camera frame are."""
    posed = template().vertices_cm @ head_pose.T
    shape, seen = posed - posed.mean(0), camera - camera.mean(0)
    scale = (shape[:, :2] * seen[:, :2]).sum() / (shape[:, :2] ** 2).sum()
    return np.asarray(shape[:, 2] * scale, np.float32)


@functools.cache
def _template_normals() -> Float:
    return vertex_normals(template().vertices_cm, template().triangles)


def region(landmarks: NDArray[Any], names: tuple[str, ...], resolution: int) -> NDArray[np.bool_]:
    """Mask ``(R, R)`` of the polygons of some of the template's loops, landmarks as above."""
    import cv2

    mask = np.zeros((resolution, resolution), np.uint8)
    for name in names:
        polygon = _fixed(landmarks[template().loops[name], :2]).astype(np.int32)
        cv2.fillPoly(mask, [polygon], 1, shift=FINENESS)
    return mask > 0
