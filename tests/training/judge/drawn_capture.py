# SPDX-License-Identifier: Apache-2.0
"""A person of Extended Yale B that is drawn: the example's face, shaded by its own mesh."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from relight import Relighter
from relight.color import luminance, srgb_to_linear
from relight.face import mesh
from relight.geometry import direction

ASTRONAUT = Path(__file__).parents[3] / "examples" / "astronaut.png"


def draw_capture(
    folder: Path, relighter: Relighter, lamps: Iterable[tuple[int, int]], bright: float = 1.0
) -> None:
    """Write a subject's captures in CroppedYale's layout.

    Args:
        folder: its name is the subject's, for example ``yaleB01``.
        relighter: finds the face.
        lamps: azimuth > 0 to image right and elevation, degrees.
        bright: factor on the albedo.
    """
    folder.mkdir(parents=True)
    rgb = np.asarray(Image.open(ASTRONAUT).convert("RGB"))
    face = relighter.find_faces(rgb)[0]
    left, top, width, height = (round(value) for value in face.box)
    cut = rgb[top - 8 : top + height + 8, left - 5 : left + width + 5]
    scale = 192 / cut.shape[0]
    albedo = bright * luminance(srgb_to_linear(cv2.resize(cut, (168, 192))))
    marks = face.landmarks.copy()
    marks[:, 0] = (marks[:, 0] - left + 5) * 168 / cut.shape[1]
    marks[:, 1] = (marks[:, 1] - top + 8) * scale
    marks[:, 2] *= scale
    normals, _, mask = mesh.surface(marks, face.head_pose, 192)
    normals[~mask] = (0, 0, 1)
    for azimuth, elevation in lamps:
        lamp = direction(*np.radians([azimuth, elevation]))
        shaded = albedo * (np.maximum(normals[:, :168] @ lamp, 0) + 0.03)
        name = f"{folder.name}_P00A{-azimuth:+04d}E{elevation:+03d}.pgm"
        Image.fromarray((shaded.clip(0, 1) * 255).astype(np.uint8)).save(folder / name)
