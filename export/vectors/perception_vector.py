# SPDX-License-Identifier: Apache-2.0
"""Golden vectors of perception: from pixels to detections, landmarks, poses and outlines."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from export.vectors.notation import square
from export.vectors.vector import Vectors
from relight.face.detector import FULL, SHORT, Layout
from relight.face.landmark import region_of
from relight.face.perception import Perception
from relight.face.region import Pyramid, Region, whole
from relight.face.search import find
from relight.face.tone import brightened, lifted
from relight.stage.view import FINE, SIDE

Image8 = NDArray[np.uint8]

PHOTO_SIDE = 280
"""Of the photos looked at, pixels."""
DARKNESS = 12
"""The dark photo's brightness is the example's over this."""
SAMPLE_SIDE = 48
"""Side of the views that are kept pixel by pixel."""


def photos(pixels: Image8, leaning: Image8) -> dict[str, Image8]:
    """The example in small, as it is, upside down and dark, and leaning."""
    small = cv2.resize(pixels, (PHOTO_SIDE, PHOTO_SIDE), interpolation=cv2.INTER_AREA)
    return {
        "upright": np.asarray(small, np.uint8),
        "leaning": leaning,
        "upside down": np.ascontiguousarray(small[::-1, ::-1]),
        "dark": (small // DARKNESS).astype(np.uint8),
    }


def add(vectors: Vectors, pixels: Image8, leaning: Image8) -> None:
    """Add what perception says of the example.

    Args:
        vectors: to add to.
        pixels: the example, ``(H, W, 3)`` uint8 sRGB.
        leaning: its head leaning, ``(S, S, 3)`` uint8 sRGB.
    """
    shown = photos(pixels, leaning)
    vectors.array("perception/photo", shown["upright"])  # two of the others are made of it
    vectors.value("perception/darkness", DARKNESS)
    perception = Perception()
    try:
        _samples(vectors, shown)
        _detections(vectors, perception, shown)
        _faces(vectors, perception, shown)
    finally:
        perception.close()


def _samples(vectors: Vectors, shown: dict[str, Image8]) -> None:
    """What networks see: past the border black or repeated, turned, shrunk and enlarged."""
    photo = Pyramid(shown["upright"])
    middle = PHOTO_SIDE / 2
    cases = [
        (whole(photo.shape), False),
        (Region(60.3, 50.7, 130.0, 0.4), False),
        (Region(60.3, 50.7, 130.0, 0.4), True),
        (Region(middle, middle, 20.0, -2.0), True),
        (Region(middle, middle, 5.1 * PHOTO_SIDE, 1.2), True),
    ]
    vectors.value("perception/samples", [{**asdict(r), "repeat": repeat} for r, repeat in cases])
    for i, (region, repeat) in enumerate(cases):
        seen = np.asarray(photo.sample(region, SAMPLE_SIDE, repeat=repeat))
        vectors.array(f"perception/sample/{i}", seen)
    for name, tones in (("lifted", lifted), ("brightened", brightened)):
        dark = Pyramid(shown["dark"]).sample(whole(photo.shape), SAMPLE_SIDE, repeat=False)
        vectors.array(f"perception/{name}", tones(np.asarray(dark)))


def _detections(vectors: Vectors, perception: Perception, shown: dict[str, Image8]) -> None:
    """What the detectors find, and what Face Mesh says of the best of it."""
    cases: list[tuple[str, Layout, Region]] = []
    for name in ("upright", "leaning"):
        frame = whole(shown[name].shape)
        cases += [(name, FULL, frame), (name, SHORT, frame)]
    cases.append(("upside down", FULL, whole(shown["upside down"].shape, math.pi)))
    described: list[dict[str, Any]] = []
    for i, (name, layout, region) in enumerate(cases):
        found = perception.boxes(shown[name], region, layout=layout)
        fit = perception.landmarks(shown[name], region_of(found[0])) if found else None
        described.append(
            {
                "photo": name,
                "layout": layout.model,
                **asdict(region),
                "found": [asdict(one) for one in found],
                "presence": None if fit is None else fit.presence,
            }
        )
        if fit is not None:
            vectors.array(f"perception/mesh/{i}", fit.landmarks)
    vectors.value("perception/detections", described)


def _faces(vectors: Vectors, perception: Perception, shown: dict[str, Image8]) -> None:
    """All of it: the faces of each photo, and the outline of a person around one."""
    described = {}
    for name, photo in shown.items():
        faces = find(perception, photo)
        described[name] = [
            {
                "presence": face.presence,
                "head_pose": face.head_pose,
                "crop": square(face.crop),
            }
            for face in faces
        ]
        for i, face in enumerate(faces):
            vectors.array(f"perception/landmarks/{name}/{i}", face.landmarks)
        if name == "leaning":
            outline = perception.person(faces[0].crop.extract(photo, FINE * SIDE))
            vectors.array("perception/person", np.round(outline * 255).astype(np.uint8))
    vectors.value("perception/faces", described)
