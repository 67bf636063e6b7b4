# SPDX-License-Identifier: Apache-2.0
"""A synthetic person filmed as they turn their head, with what one more key light would add.

Room and lights stand still before the camera while the head turns. What the key adds is known for
each picture, so that a method for clips can be judged: by what flickers, and by what lags.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_synth.stage.render import RenderSettings, Stage, View
from data_synth.stage.rig import Camera
from data_synth.subject import Subject
from relight.geometry import direction
from relight.light import Light

Float = NDArray[np.float32]

ROOM_DEG = ((-30, 25), (60, 15), (0, 70), (150, 30), (-110, 10), (20, -40))
"""Where the lights of the room stand, azimuth and elevation in camera frame,"""
ROOM_SHARES = (0.32, 0.18, 0.2, 0.12, 0.1, 0.08)
"""and what each adds to the light on a surface that faces it."""
FACE_LEVEL = 0.22
"""Linear luminance of the face in the room's light."""
WALL = 0.25
"""Linear radiance of what stands behind."""
FIELD_CM = 52.0
"""Height of the picture at the head."""
SAMPLES = 3


@dataclass(frozen=True)
class Shot:
    """One picture of a take, without noise.

    Attributes:
        photo: ``(S, S, 3)`` float32 linear, in the room's light.
        key: ``(S, S, 3)`` float32 linear, what the key adds at intensity 1.
        face: ``(S, S)`` bool, skin inside the face's box.
        yaw_deg: of the head, > 0 towards image right.
    """

    photo: Float
    key: Float
    face: NDArray[np.bool_]
    yaw_deg: float


def film(
    subject: Subject, yaws_deg: Sequence[float], light: Light, size: int = 320
) -> Iterator[Shot]:
    """Film a person who turns their head.

    Args:
        subject: who.
        yaws_deg: the head's turn in each picture, > 0 towards image right.
        light: the key, camera frame.
        size: side of the pictures, pixels.
    """
    at = [direction(*np.radians(angles)) for angles in ROOM_DEG] + [light.direction]
    lights: Float = np.array(at, np.float32)
    settings = RenderSettings(
        size, SAMPLES, light_radius=np.radians(light.softness_deg), bounce_rays=0
    )
    stage = Stage(subject, lights, settings)
    shares = np.array(ROOM_SHARES, np.float32)
    level: float | None = None
    unit: float | None = None
    for number, yaw_deg in enumerate(yaws_deg):
        camera = Camera(azimuth_deg=-yaw_deg, field_cm=FIELD_CM)
        stage.place(lights @ camera.rotation.T)
        view = stage.render(camera, np.random.default_rng([subject.seed, 7, number]))
        room = _picture(view, view.olat[..., :-1] @ shares)
        key = _picture(view, view.olat[..., -1])
        face = _face(view)
        if level is None or unit is None:
            level = FACE_LEVEL / max(float(room[face].mean()), 1e-6)
            unit = float(view.face_irradiance[:-1] @ shares)
        wall = np.float32(WALL) * (1 - view.alpha[..., None])
        yield Shot(room * level + wall, key * np.float32(level * unit), face, float(yaw_deg))


def _picture(view: View, values: Float) -> Float:
    """Values ``(3, P)`` of the covered pixels as a picture ``(S, S, 3)``, black elsewhere."""
    size = view.alpha.shape[0]
    flat = np.zeros((size * size, 3), np.float32)
    flat[view.pixels] = values.T
    return flat.reshape(size, size, 3)


def _face(view: View) -> NDArray[np.bool_]:
    """The visible face ``(S, S)``: no hair, inside the face's box."""
    left, top, right, bottom = view.face_box
    y, x = np.mgrid[: len(view.alpha), : len(view.alpha)] + 0.5
    inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    return inside & (view.alpha > 0.99) & (view.hair < 0.1)
