# SPDX-License-Identifier: Apache-2.0
"""How much of the photo the normals use: their error when the photo is blurred before they see it.

Stages that read shape from shading lose by a blur; stages that only pass the face mesh on do not.
The landmarks, and so the mesh, are those of the sharp photo.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relight import Relighter
from relight.geometry import normalize
from training.judge import metric, yaleb
from training.judge.yaleb import Capture

SIDES = (128, 64, 40)
"""Pixels that the whole crop keeps; a face has 0.42 of them."""
SHARP = "sharp"
RIM = 7
"""Side of the square by which the mesh is eroded."""
WHITE_OF = 99.5
"""The photo's brightest pixels, this percentile of them, become white."""


def judge_photo_use(
    relighter: Relighter, capture: Capture, truth: NDArray[np.float32]
) -> dict[str, tuple[float, float]]:
    """By blur: the normals' error in degrees, and how far they turn from the sharp photo's.

    Args:
        relighter: what is judged.
        capture: the subject, lit by all lamps at once.
        truth: normals ``(H, W, 3)``.

    Returns:
        By :data:`SHARP` and ``crop_of_N_px``; empty if no face is found.
    """
    import cv2

    ambient = capture.images.mean(0)
    photo = yaleb.as_photo(ambient / np.percentile(ambient, WHITE_OF))
    faces = relighter.find_faces(photo)
    if not faces:
        return {}
    face = faces[0]
    _, mask = yaleb.drawn_mesh(face, ambient.shape)
    inside = cv2.erode(mask.astype(np.uint8), np.ones((RIM, RIM), np.uint8)) > 0
    result: dict[str, tuple[float, float]] = {}
    sharp: NDArray[np.float32] | None = None
    for side in (0, *SIDES):
        seen = photo
        if side:
            scale = side / face.crop.size
            small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            seen = cv2.resize(small, photo.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        found = relighter.analyze(np.ascontiguousarray(seen), face).normals
        normals = normalize(yaleb.from_photo(np.nan_to_num(found)))
        sharp = normals if sharp is None else sharp
        result[f"crop_of_{side}_px" if side else SHARP] = (
            metric.normal_error_deg(normals, truth, inside),
            metric.normal_error_deg(normals, sharp, inside),
        )
    return result
