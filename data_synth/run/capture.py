# SPDX-License-Identifier: Apache-2.0
"""Synthetic people photographed as those of Extended Yale B were, in that dataset's own layout.

They show how much of a method's error comes from the protocol itself (64 lamps, grey, 8 bit, tight
crops), without what real skin, lamps and cameras add. Their true normals are known, too.

Reference: Georghiades et al. 2001, "From Few to Many: Illumination Cone Models for Face
Recognition under Variable Lighting and Pose"; Lee et al. 2005, "Acquiring Linear Subspaces for
Face Recognition under Variable Lighting".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from data_synth.run.capture_file import NORMALS, capture_name
from data_synth.stage.render import RenderSettings, Stage, View
from data_synth.stage.rig import Camera
from data_synth.subject import Subject
from relight.color import luminance, to_uint8
from relight.geometry import direction
from relight.storage import whole_file

Float = NDArray[np.float32]

SIZE = (192, 168)
"""Rows and columns of a capture."""
FIELD_CM = 15.5
"""Height of what a capture shows: from the hairline to the chin."""
DEPTH_CM = 4.0
"""Of the face, before the head's centre."""
EXPOSED = (98, 0.85)
"""Percentile of the frontal capture's middle that is brought to this level."""
SAMPLES = 6

_HALF = (
    (0, (0, 20, 45, 90, -20, -35)),
    (5, (10, -10)),
    (10, (0, -20)),
    (15, (20,)),
    (20, (10, -10, -40)),
    (25, (0,)),
    (35, (15, 40, 65, -20)),
    (50, (0, -40)),
    (60, (20, -20)),
    (70, (0, 45, -35)),
    (85, (20, -20)),
    (95, (0,)),
    (110, (15, 40, 65, -20)),
    (120, (0,)),
    (130, (20,)),
)
LAMPS_DEG = tuple(
    (side * azimuth, elevation)
    for azimuth, elevations in _HALF
    for elevation in elevations
    for side in ((1, -1) if azimuth else (1,))
)
"""Azimuth, > 0 to the image's right, and elevation of the 64 lamps."""


def photograph(subject: Subject, folder: Path) -> None:
    """Write a person's captures and true normals.

    Args:
        subject: who, looked at from the front.
        folder: named as the subject; made if it is missing.
    """
    points = subject.face_points
    middle = 0.0 if points is None else float(points[:, 1].min() + points[:, 1].max()) / 2
    camera = Camera(field_cm=FIELD_CM, target=(0.0, middle, DEPTH_CM))
    lamps = direction(*np.radians(np.array(LAMPS_DEG, float).T))
    stage = Stage(subject, lamps, RenderSettings(size=SIZE[0], samples=SAMPLES))
    view = stage.render(camera, np.random.default_rng([subject.seed, 3]))
    aside = (SIZE[0] - SIZE[1]) // 2
    columns = slice(aside, aside + SIZE[1])
    images = _grey(view)[:, :, columns]
    centre = images[LAMPS_DEG.index((0, 0)), SIZE[0] // 4 : -SIZE[0] // 4, 40:-40]
    images = images * (EXPOSED[1] / max(float(np.percentile(centre, EXPOSED[0])), 1e-6))
    folder.mkdir(parents=True, exist_ok=True)
    for (azimuth, elevation), image in zip(LAMPS_DEG, images, strict=True):
        with whole_file(folder / capture_name(folder.name, azimuth, elevation)) as path:
            Image.fromarray(to_uint8(image)).save(path)
    with whole_file(folder / NORMALS) as path, path.open("wb") as file:
        np.save(file, view.normals[:, columns])


def _grey(view: View) -> Float:
    """Luminance ``(L, S, S)`` under each lamp."""
    size = view.alpha.shape[0]
    result = np.zeros((view.olat.shape[2], size * size), np.float32)
    result[:, view.pixels] = luminance(view.olat.transpose(2, 1, 0))
    return result.reshape(-1, size, size)
