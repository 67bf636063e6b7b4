# SPDX-License-Identifier: Apache-2.0
"""Golden vectors of meshes and light: drawing, shadows, environments."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from export.vectors.notation import Float, Image8, described, smooth, square
from export.vectors.vector import Vectors
from relight import Environment, Light, geometry
from relight.face import mesh, mirror
from relight.face.face import Face
from relight.face.pose import head_from_camera
from relight.stage.cast_shadow import unshadowed
from relight.stage.view import FEATURES, SIDE

SPHERE = 24
"""Side of the spheres drawn."""
ROLL = 0.6
"""Radians that environments are turned by."""


def _mesh(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    vectors.array("mesh/landmarks", landmarks)
    face = Face.from_landmarks(landmarks, pixels.shape)
    drawing = face.crop_landmarks(SIDE)
    vectors.array("mesh/crop_landmarks", drawing)
    own = mesh.vertex_normals(drawing[: mesh.POINTS] * [1, -1, -1], mesh.template().triangles)
    vectors.array("mesh/vertex_normals", own)
    drawn = mesh.surface(drawing, face.crop_pose, 64)
    for name, values in drawn._asdict().items():
        vectors.array(f"mesh/{name}", values)
    for name, values in mirror.mirror(face.crop_landmarks(64), 64)._asdict().items():
        vectors.array(f"mirror/{name}", values)
    vectors.array("mirror/partners", mirror.partners())
    vectors.array("mesh/region", mesh.region(drawing, FEATURES, SIDE))
    shape, poses = (480, 640), []
    for i, (yaw, pitch, roll) in enumerate(((0, 0, 0), (35, 10, 5), (-50, -20, -15), (10, 40, 30))):
        rotation = np.eye(3)
        for turn in ((0, 0, roll), (-pitch, 0, 0), (0, yaw, 0)):
            rotation = rotation @ cv2.Rodrigues(np.radians(np.array(turn, float)))[0]
        points = mesh.template().vertices_cm @ rotation.T + [5 * i - 6, 3 - 2 * i, -60.0]
        focal = 1.2 * max(shape)
        seen = np.stack(
            [
                shape[1] / 2 + focal * points[:, 0] / -points[:, 2],
                shape[0] / 2 - focal * points[:, 1] / -points[:, 2],
                -points[:, 2] * focal / 60,
            ],
            1,
        ).astype(np.float32)
        seen += np.random.default_rng(i).normal(0, 0.5, seen.shape).astype(np.float32)
        found = Face.from_landmarks(seen, shape)
        vectors.array(f"mesh/posed/{i}", seen)
        poses.append(
            {
                "head_from_cam": head_from_camera(seen, shape),
                "head_pose": found.head_pose,
                "crop": square(found.crop),
                "angles_deg": geometry.head_angles(found.head_pose),
            }
        )
    vectors.value("mesh/shape", shape)
    vectors.value("mesh/poses", poses)


def _shadow(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    face = Face.from_landmarks(landmarks, pixels.shape)
    drawn = mesh.surface(face.crop_landmarks(SIDE // 2), face.crop_pose, SIDE // 2)
    lights = [Light(40, 30), Light(-60, 10, softness_deg=3), Light(10, -50), Light(0, 0)]
    vectors.value("shadow/lights", [described(light) for light in lights])
    for name, values in drawn._asdict().items():
        vectors.array(f"shadow/{name}", values)
    for i, light in enumerate(lights):
        radius = float(np.radians(light.softness_deg))
        vectors.array(f"shadow/unshadowed/{i}", unshadowed(drawn, light.direction, radius))


def _environments() -> dict[str, Environment]:
    base = smooth((16, 32, 3), 5, 2.0) + np.float32(0.1)
    made = {"uniform": Environment.uniform((0.5, 0.6, 0.7)), "soft": Environment(base)}
    for name, row, column, power in (("left", 5, 21, 40.0), ("right", 4, 9, 90.0)):
        data = base.copy()
        data[row : row + 2, column : column + 2] += np.array([1, 0.9, 0.7], np.float32) * power
        made[name] = Environment(data)
    return made


def poses() -> list[Float]:
    """Rotations head to camera, turned to both sides, up and down."""
    return [
        cv2.Rodrigues(np.radians(np.array([pitch, yaw, 0.0])))[0].astype(np.float32)
        for pitch, yaw in ((0, 0), (-12, 25), (15, -20))
    ]


def _environment(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    normals = geometry.normalize(np.random.default_rng(6).normal(size=(60, 3)))
    vectors.array("environment/normals", normals)
    vectors.value("environment/head_poses", poses())
    for name, environment in _environments().items():
        path = f"environment/{name}"
        vectors.array(path, environment.data)
        vectors.array(f"{path}/irradiance", environment.irradiance(normals))
        vectors.array(f"{path}/sample", environment.sample(normals))
        vectors.array(f"{path}/rolled", environment.roll(ROLL).data)
        vectors.array(f"{path}/spheres", np.stack(environment.spheres(SPHERE)))
        vectors.value(
            path,
            {
                "dominant_direction": environment.dominant_direction(),
                "power": environment.power(),
                "key_to_fill": environment.key_to_fill(),
                "cheeks": [environment.cheek_irradiance(pose) for pose in poses()],
            },
        )


STAGES: tuple[Callable[[Vectors, Image8, Float], None], ...] = (
    _mesh,
    _shadow,
    _environment,
)
"""Each adds its vectors, given the example's pixels and landmarks."""
