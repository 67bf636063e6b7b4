# SPDX-License-Identifier: Apache-2.0
"""How Extended Yale B names its files, which give the light; captures made here are named alike.

Reference: Georghiades et al. 2001, "From Few to Many: Illumination Cone Models for Face
Recognition under Variable Lighting and Pose".
"""

from __future__ import annotations

import re

NORMALS = "normals.npy"
"""File of the true normals, ``(192, 168, 3)`` float32, camera frame, 0 outside the person; only
synthetic people have it."""

_NAME = re.compile(r"P\d\dA([+-]\d{3})E([+-]\d{2})\.pgm$")


def capture_name(subject: str, azimuth_deg: int, elevation_deg: int) -> str:
    """The name of a person's capture under a lamp.

    Args:
        subject: for example ``yaleB01``.
        azimuth_deg: of the lamp, > 0 towards image right. The name counts it towards the left.
        elevation_deg: > 0 up.
    """
    return f"{subject}_P00A{-azimuth_deg:+04d}E{elevation_deg:+03d}.pgm"


def lamp_deg(name: str) -> tuple[float, float] | None:
    """Azimuth, > 0 towards image right, and elevation of the lamp that a file's name tells.

    ``None`` if it tells none: the capture without any lamp.
    """
    match = _NAME.search(name)
    return (-float(match[1]), float(match[2])) if match else None
