# SPDX-License-Identifier: Apache-2.0
"""Face Mesh V2: 478 landmarks of a face whose place is roughly known.

Reference: Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile
GPUs"; Grishchenko et al. 2020, "Attention Mesh"; the regions are those of MediaPipe's graphs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight.face.detector import Detection
from relight.face.region import Pyramid, Region
from relight.face.tone import Tones
from relight.models.library import Models

Float = NDArray[np.float32]

LANDMARKS = 478
"""468 points of the face's surface and 5 of each iris."""
MODEL, INPUT, POINTS, PRESENCE = "face_mesh", "input_12", "Identity", "Identity_1"
SIDE = 256
"""Of the network's input, pixels."""
MARGIN = 1.5
"""Side of the region over the box's: a quarter of the box all round."""
EYES = (33, 263)
"""Outer corners of the subject's right and left eye."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Landmarks of a face, and how sure the network is that one is there.

    Attributes:
        landmarks: ``(478, 3)`` float32; x right and y down in pixels of the photo, z in the same
            scale, smaller is nearer.
        presence: in [0, 1].
    """

    landmarks: Float
    presence: float


def region_of(detection: Detection) -> Region:
    """Where to look for a detected face, upright by its eyes."""
    right, left = detection.points[:2]
    side = MARGIN * max(detection.width, detection.height)
    return Region(
        detection.x, detection.y, side, math.atan2(left[1] - right[1], left[0] - right[0])
    )


def region_again(landmarks: Float) -> Region:
    """Where to look for a face whose landmarks are known, upright by its eyes."""
    right, left = landmarks[EYES[0], :2].astype(float), landmarks[EYES[1], :2].astype(float)
    angle = math.atan2(left[1] - right[1], left[0] - right[0])
    cos, sin = math.cos(angle), math.sin(angle)
    across = landmarks[:, :2].astype(float) @ np.array([[cos, -sin], [sin, cos]])
    low, high = across.min(0), across.max(0)
    u, v = (low + high) / 2
    return Region(u * cos - v * sin, u * sin + v * cos, MARGIN * float((high - low).max()), angle)


def fit(
    models: Models,
    photo: Pyramid,
    region: Region,
    tones: Tones | None = None,
) -> Fit | None:
    """Landmarks of the face in a region, or ``None`` if they are not finite.

    Args:
        models: what runs the network.
        photo: the photo.
        region: where to look; outside the photo its edge repeats.
        tones: changes what the network sees, values from 0 to 255.
    """
    seen = photo.sample(region, SIDE, repeat=True)
    if seen is None:
        return None
    if tones is not None:
        seen = tones(seen)
    found = models.run(MODEL, {INPUT: seen / np.float32(255)})
    points = found[POINTS].reshape(LANDMARKS, 3).astype(float) / SIDE
    if not np.isfinite(points).all():
        return None
    landmarks = np.concatenate([region.to_photo(points[:, :2]), points[:, 2:] * region.side], 1)
    presence = 1 / (1 + math.exp(-float(np.clip(found[PRESENCE].ravel()[0], -100, 100))))
    return Fit(landmarks.astype(np.float32), presence)
