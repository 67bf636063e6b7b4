# SPDX-License-Identifier: Apache-2.0
"""The rig: where the lights and the cameras of the Light Stage stand.

Lights are distant and evenly spread over the whole sphere; each stands for its Voronoi cell, so
that any environment becomes one weight per light. Directions point from the subject towards the
light. World frame = head frame: +z out of the nose, +y up, +x to the subject's left.

References:
    Guo et al. 2019, "The Relightables", section 3 (331 lights, 64 cameras). Gonzalez 2010,
    "Measurement of areas on a sphere using Fibonacci and latitude-longitude lattices".
"""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import SynthError
from relight.geometry import direction
from relight.storage import whole_file

Float = NDArray[np.float32]

LIGHTS = 331
"""Lights of the rig (Guo et al. 2019)."""
CAMERAS = 64
AZIMUTH_DEG = 75.0
"""Cameras stand within this angle to either side of the nose."""
ELEVATION_DEG = (-30.0, 45.0)
FIELD_CM = 48.0
"""Width of the picture at the head: the runtime's crop (2.4 faces) and a margin."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks at the head.

    Attributes:
        azimuth_deg: of the camera seen from the head, > 0 towards the subject's left.
        elevation_deg: > 0 above the head.
        roll_deg: turn of the camera about its axis, > 0 turns the picture counter-clockwise.
        distance_cm: from the target.
        field_cm: width of the square picture at the target.
        target: point looked at, head frame, cm.
    """

    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0
    roll_deg: float = 0.0
    distance_cm: float = 110.0
    field_cm: float = FIELD_CM
    target: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @functools.cached_property
    def rotation(self) -> Float:
        """``(3, 3)``; columns are the camera's right, up and back in the head frame."""
        back = direction(np.radians(self.azimuth_deg), np.radians(self.elevation_deg)).astype(float)
        right = np.cross([0.0, 1.0, 0.0], back)
        right /= np.linalg.norm(right)
        up = np.cross(back, right)
        c, s = np.cos(np.radians(self.roll_deg)), np.sin(np.radians(self.roll_deg))
        return np.stack([c * right - s * up, s * right + c * up, back], 1).astype(np.float32)

    @functools.cached_property
    def position(self) -> Float:
        """``(3,)`` in the head frame, cm."""
        return np.asarray(self.target, np.float32) + self.rotation[:, 2] * self.distance_cm

    def rays(self, columns: NDArray[Any], rows: NDArray[Any], size: int) -> Float:
        """Unit directions ``(..., 3)``, head frame, through points of a ``size`` px picture.

        Args:
            columns: pixel coordinates from the left edge; pixel centres lie at + 0.5.
            rows: the same from the top edge.
            size: side of the picture.
        """
        half = 0.5 * self.field_cm / self.distance_cm
        x = (np.asarray(columns, np.float32) / size * 2 - 1) * half
        y = (1 - np.asarray(rows, np.float32) / size * 2) * half
        local = np.stack([x, y, -np.ones_like(x)], -1)
        local /= np.linalg.norm(local, axis=-1, keepdims=True)
        result: Float = (local @ self.rotation.T).astype(np.float32)
        return result

    def project(self, points: NDArray[Any], size: int) -> Float:
        """Head-frame points ``(N, 3)`` to pixels ``(N, 2)`` (x right, y down)."""
        local = (np.asarray(points, float) - self.position) @ self.rotation
        scale = size * self.distance_cm / self.field_cm / np.maximum(-local[:, 2], 1e-6)
        return np.stack([size / 2 + local[:, 0] * scale, size / 2 - local[:, 1] * scale], 1).astype(
            np.float32
        )

    def to_camera(self, vectors: NDArray[Any]) -> Float:
        """Directions ``(..., 3)`` from the head frame to the camera frame: ``R^T v``."""
        return (np.asarray(vectors, np.float32) @ self.rotation).astype(np.float32)


@dataclass(frozen=True)
class Rig:
    """Lights and cameras.

    Attributes:
        lights: ``(L, 3)`` float32 unit vectors towards the lights, head frame.
        solid_angles: ``(L,)`` float32 steradians of each light's Voronoi cell; they sum to 4 pi.
        cameras: the poses.
    """

    lights: Float
    solid_angles: Float
    cameras: tuple[Camera, ...]

    @classmethod
    def make(cls, lights: int = LIGHTS, cameras: int = CAMERAS) -> Rig:
        """A rig of any size, always the same for the same counts.

        Raises:
            SynthError: for fewer than 4 lights or no camera.
        """
        if lights < 4:
            raise SynthError(f"a rig needs at least 4 lights, {lights} were asked for")
        if cameras < 1:
            raise SynthError(f"a rig needs at least 1 camera, {cameras} were asked for")
        directions = relaxed_sphere(lights)
        return cls(directions, voronoi_areas(directions), farthest_poses(cameras))

    def save(self, path: Path) -> None:
        """Write the rig as readable JSON, light directions in every camera's frame too."""
        document = {
            "frame": "head: +x subject's left, +y up, +z out of the nose; directions to the light",
            "lights": _rows(self.lights),
            "solid_angles_sr": [round(float(a), 6) for a in self.solid_angles],
            "cameras": [
                asdict(camera)
                | {
                    "rotation_right_up_back": _rows(camera.rotation),
                    "lights_camera_frame": _rows(camera.to_camera(self.lights)),
                }
                for camera in self.cameras
            ],
        }
        with whole_file(path) as temporary:
            temporary.write_text(_compact(document))

    @classmethod
    def load(cls, path: Path) -> Rig:
        """Read what :meth:`save` wrote.

        Raises:
            SynthError: if the file is missing or not a rig.
        """
        try:
            document = json.loads(path.read_text())
            cameras = tuple(
                Camera(**{k: _value(v) for k, v in c.items() if k in Camera.__annotations__})
                for c in document["cameras"]
            )
            lights = np.asarray(document["lights"], np.float32)
            angles = np.asarray(document["solid_angles_sr"], np.float32)
        except OSError as error:
            raise SynthError(f"{path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SynthError(f"{path}: not a rig; delete it to have it made again") from error
        if lights.ndim != 2 or lights.shape[1] != 3 or angles.shape != lights.shape[:1]:
            raise SynthError(f"{path}: not a rig; delete it to have it made again")
        lights /= np.linalg.norm(lights, axis=1, keepdims=True)
        return cls(lights, angles, cameras)


def fibonacci_sphere(count: int) -> NDArray[np.float64]:
    """``(count, 3)`` nearly even unit vectors on a spiral (Gonzalez 2010)."""
    index = np.arange(count) + 0.5
    y = 1 - 2 * index / count
    radius = np.sqrt(1 - y * y)
    turn = np.pi * (3 - np.sqrt(5)) * index
    return np.stack([radius * np.cos(turn), y, radius * np.sin(turn)], 1)


@functools.lru_cache(maxsize=8)
def relaxed_sphere(count: int, steps: int = 200) -> Float:
    """Unit vectors ``(count, 3)`` that repel each other until they are evenly spread.

    A Fibonacci spiral is relaxed by a force falling with the cube of the distance, with a step that
    shrinks to nothing; nearest neighbours of 331 lights end up 11.0 to 11.9 degrees apart.
    """
    points = fibonacci_sphere(count)
    step = 0.4 / np.sqrt(count)
    for k in range(steps):
        cosine = points @ points.T
        distance = np.sqrt(np.maximum(2 - 2 * cosine, 1e-12))
        np.fill_diagonal(distance, np.inf)
        weight = distance**-4
        force = points * weight.sum(1, keepdims=True) - weight @ points
        force -= (force * points).sum(1, keepdims=True) * points
        points = points + step * (1 - k / steps) * force / np.abs(force).max()
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    result = points.astype(np.float32)
    result.flags.writeable = False
    return result


def voronoi_areas(directions: NDArray[Any]) -> Float:
    """Solid angle ``(L,)`` of the part of the sphere nearest to each unit vector ``(L, 3)``."""
    from scipy.spatial import SphericalVoronoi

    points = np.asarray(directions, float)
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    areas: Float = SphericalVoronoi(points).calculate_areas().astype(np.float32)
    return areas


@functools.lru_cache(maxsize=8)
def farthest_poses(count: int) -> tuple[Camera, ...]:
    """Cameras in front of the head, each as far as can be from those before; the first frontal."""
    azimuth, elevation = np.meshgrid(
        np.linspace(-AZIMUTH_DEG, AZIMUTH_DEG, 61), np.linspace(*ELEVATION_DEG, 31)
    )
    candidates = np.stack([azimuth.ravel(), elevation.ravel()], 1)
    towards = direction(np.radians(candidates[:, 0]), np.radians(candidates[:, 1]))
    chosen = [int(np.argmin(np.abs(candidates).sum(1)))]
    nearest = towards @ towards[chosen[0]]
    while len(chosen) < count:
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, towards @ towards[chosen[-1]])
    return tuple(
        Camera(round(float(candidates[i, 0]), 3), round(float(candidates[i, 1]), 3)) for i in chosen
    )


def _rows(matrix: NDArray[Any]) -> list[list[float]]:
    return [[round(float(x), 6) for x in row] for row in matrix]


def _value(value: Any) -> Any:
    return tuple(float(x) for x in value) if isinstance(value, list) else value


def _compact(document: dict[str, Any]) -> str:
    """JSON with each vector on a line of its own."""
    import re

    text = json.dumps(document, indent=1)
    return re.sub(r"\[\s+((?:-?[\d.e-]+,\s+)*-?[\d.e-]+)\s+\]", _one_line, text) + "\n"


def _one_line(match: Any) -> str:
    return "[" + " ".join(match.group(1).split()) + "]"
