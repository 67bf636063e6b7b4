# SPDX-License-Identifier: Apache-2.0
"""Normals of a whole person, extended from the face mesh to head and shoulders.

Reference: Johnston 2002, "Lumo: Illumination for Cel Animation" (normals of a shape known only by
its outline).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.geometry import normalize

Float = NDArray[np.float32]

SOLVE_SIDE = 64
"""The extension is solved at this resolution."""
SCREENING = 0.02
"""Pull towards a surface that faces the camera, per solver step."""
OUTLINE_TILT = 0.85
"""Length of the normal's image-plane part at the person's outline; 1 would be edge-on."""
EXTENSION_CONFIDENCE = 0.8
"""Trust in an extended normal, against 1 in the face mesh."""


def extended_normals(mesh_normals: Float, face: NDArray[Any], person: Float) -> tuple[Float, Float]:
    """Normals of everything that belongs to the person.

    Args:
        mesh_normals: ``(R, R, 3)`` unit normals of the face mesh, camera frame.
        face: ``(R, R)`` mask of the face mesh.
        person: ``(R, R)`` probability in [0, 1] of the person.

    Returns:
        ``(R, R, 3)`` float32 unit normals, camera frame, and ``(R, R)`` confidence in [0, 1],
        0 outside the person.
    """
    import cv2

    resolution = person.shape[0]
    face = np.asarray(face, bool)
    extended = _extend(mesh_normals, face, person)
    grown = cv2.resize(extended, (resolution, resolution), interpolation=cv2.INTER_LINEAR)
    # The mesh ends at the hairline and jaw; a soft seam hides where it does.
    inner = cv2.erode(face.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    weight = cv2.GaussianBlur(inner, (0, 0), resolution / 64)[..., None] * face[..., None]
    normals = normalize(mesh_normals * weight + normalize(grown) * (1 - weight))
    # Trust falls off over a wide band: a forehead's upper edge must not show in the gain.
    near = cv2.GaussianBlur(face.astype(np.float32), (0, 0), resolution / 24)
    trust = EXTENSION_CONFIDENCE + (1 - EXTENSION_CONFIDENCE) * near
    return normals, (trust * np.maximum(person, face)).astype(np.float32)


def _extend(mesh_normals: Float, face: NDArray[np.bool_], person: Float) -> Float:
    """Harmonic interpolation of the image-plane part, ``(S, S, 3)``, coarse to fine."""
    import cv2

    plane: Float | None = None
    size = 16
    while size <= SOLVE_SIDE:
        area = (size, size)
        coverage = cv2.resize(face.astype(np.float32), area, interpolation=cv2.INTER_AREA)
        known = coverage > 0.5
        mesh = cv2.resize(mesh_normals[..., :2], area, interpolation=cv2.INTER_AREA)
        mesh = mesh / np.maximum(coverage, 0.5)[..., None]
        soft = cv2.resize(person, area, interpolation=cv2.INTER_AREA)
        outline, outward = _outline(soft)
        outline &= ~known
        if plane is None:
            plane = np.zeros((size, size, 2), np.float32)
        else:
            plane = cv2.resize(plane, area, interpolation=cv2.INTER_LINEAR)
        for _ in range(40):
            mean = cv2.blur(plane, (3, 3), borderType=cv2.BORDER_REPLICATE)
            plane = mean * np.float32(1 - SCREENING * (16 / size) ** 2)
            plane[known] = mesh[known]
            plane[outline] = outward[outline] * np.float32(OUTLINE_TILT)
        size *= 2
    assert plane is not None  # noqa: S101
    length = np.minimum((plane**2).sum(-1), 0.98)
    return np.concatenate([plane, np.sqrt(1 - length)[..., None]], -1).astype(np.float32)


def _outline(person: Float) -> tuple[NDArray[np.bool_], Float]:
    """Pixels at the person's outline and the outward direction there (x right, y up)."""
    import cv2

    smooth = cv2.GaussianBlur(person, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    x = -cv2.Sobel(smooth, cv2.CV_32F, 1, 0, borderType=cv2.BORDER_REPLICATE)
    y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, borderType=cv2.BORDER_REPLICATE)
    steep = np.hypot(x, y)
    inside = person > 0.5
    outside = cv2.dilate((~inside).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    outward = np.stack([x, y], -1) / np.maximum(steep, 1e-6)[..., None]
    return inside & outside & (steep > 0.1), outward.astype(np.float32)
