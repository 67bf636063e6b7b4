# SPDX-License-Identifier: Apache-2.0
"""Where each point of a face has its mirror image: the same place on the other half of the face.

Both halves of a face have nearly the same albedo, so what differs between a point and its mirror
image is light, cast shadows included.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight.face.mesh import POINTS, rasterize, region, template, vertex_normals
from relight.geometry import smoothstep

Float = NDArray[np.float32]

TURNED_AWAY = (0.05, 0.35)
"""Cosine to the camera of the mirror image's surface between which trust in it grows to 1: on a
turned head the far half is seen edge on, or hidden."""
OPENINGS = ("left_eye", "right_eye", "mouth")
"""What looks aside or shows teeth: it has no mirror image, and no usual albedo."""
RIM = 1.0
"""Width in pixels over which these end."""
IRISES = (473, 476, 475, 474, 477, 468, 471, 470, 469, 472)
"""Mirror images of the landmarks after the face's surface: middle, image right, up, left and down
of the subject's right iris, then of the left one."""


def brighter_left(pixels: NDArray[np.uint8]) -> bool:
    """Whether a picture ``(H, W, 3)`` is brighter to image left than to image right.

    Trained networks are not symmetric: asked about a photo and about its mirror image, they
    disagree, by 0.3 stops on the side that the light favours, and the setups made of what they say
    by a tenth in intensity. So they are asked about one of the two alone, the one that is brighter
    to image right. Sums of whole numbers, so that all languages choose alike.
    """
    width = pixels.shape[1]
    half = width // 2
    return bool(pixels[:, :half].sum() > pixels[:, width - half :].sum())


def mirrored_landmarks(landmarks: Float, width: int) -> Float:
    """The landmarks ``(478, 3)`` of a photo's mirror image, of those of the photo.

    Args:
        landmarks: pixels of the photo.
        width: of the photo.
    """
    result = landmarks[[*partners(), *IRISES]]
    result[:, 0] = width - result[:, 0]
    return result


class Mirror(NamedTuple):
    """The mirror images of a face's points, drawn into a square.

    Attributes:
        position: ``(R, R, 2)`` float32 x and y, in pixels of the drawing, of each point's mirror
            image; pixel (i, j) covers [j, j + 1) x [i, i + 1). 0 outside the mesh.
        trust: ``(R, R)`` float32 in [0, 1]: 0 outside the mesh and where the mirror image is
            turned away from the camera.
        albedo: ``(R, R)`` float32 natural logarithm of the albedo that faces usually have there.
        open: ``(R, R)`` float32 in [0, 1], eyes and an open mouth.
    """

    position: Float
    trust: Float
    albedo: Float
    open: Float


@functools.cache
def partners() -> NDArray[np.int64]:
    """``(468,)``: each landmark's mirror image among the landmarks."""
    points = template().vertices_cm
    apart = ((points * np.array([-1, 1, 1], np.float32))[:, None] - points[None]) ** 2
    found: NDArray[np.int64] = np.argmin(apart.sum(-1), 1)
    return found


def mirror(landmarks: NDArray[Any], resolution: int) -> Mirror:
    """Draw where the mirror images of a face's points lie.

    Args:
        landmarks: ``(468+, 3)`` in pixels of the drawing, z in the same scale, smaller nearer.
        resolution: side of the square.
    """
    import cv2

    points = np.asarray(landmarks[:POINTS], np.float32)
    camera = points * np.array([1, -1, -1], np.float32)
    facing = vertex_normals(camera, template().triangles)[partners(), 2:]
    known = points[partners(), :2], facing, template().log_albedo[:, None]
    drawn, mask = rasterize(points, np.concatenate(known, 1), resolution)
    hollow = region(points, OPENINGS, resolution).astype(np.float32)
    return Mirror(
        drawn[..., :2],
        smoothstep(drawn[..., 2], *TURNED_AWAY) * mask,
        drawn[..., 3],
        cv2.GaussianBlur(hollow, (0, 0), RIM),
    )


def reflect(values: Float, found: Mirror) -> Float:
    """Each point's mirror image of some values.

    Args:
        values: ``(R, R)`` or ``(R, R, C)`` float32 on the drawing.
        found: the mirror images.

    Returns:
        Values of the same shape, bilinear between pixels; outside the mesh they say nothing.
    """
    side = len(values)
    place = np.clip(found.position - np.float32(0.5), 0, side - 1)
    low = np.minimum(place.astype(np.int32), side - 2)  # OpenCV's remap knows 1/32 pixel alone
    part = (place - low).astype(np.float32)
    u, v = np.moveaxis(part, -1, 0).reshape(2, side, side, *[1] * (values.ndim - 2))
    at, flat = low[..., 1] * side + low[..., 0], values.reshape(-1, *values.shape[2:])
    upper = flat.take(at, 0) * (1 - u) + flat.take(at + 1, 0) * u
    lower = flat.take(at + side, 0) * (1 - u) + flat.take(at + side + 1, 0) * u
    return np.asarray(upper * (1 - v) + lower * v, np.float32)
