# SPDX-License-Identifier: Apache-2.0
"""Rendered views made ready for the GPU: reflectance field, surface, and the mesh as it is misread.

A view's lights stay apart on the GPU, 40 MB at 256 pixels and 200 lights, so that every sample
has a light of its own. Its face mesh is not searched for but known
(:func:`data_synth.head.mesh_point.mesh_points`), and disturbed as much as Face Mesh errs on real
people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import SynthError
from data_synth.head.mesh_point import mesh_points
from data_synth.person import HeadSource
from data_synth.registry import find_source
from data_synth.run.field import Field, read_metadata
from data_synth.stage.rig import Camera
from data_synth.trait import SubjectRanges
from relight.face import mesh
from relight.face.mirror import mirror
from relight.geometry import Crop
from training.data.pattern import places

Float = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Misreading:
    """How far a face mesh strays from the true landmarks, by standard deviation.

    Chosen so that the mesh's normals err on rendered people as Face Mesh's do on ten people of
    Extended Yale B (15 degrees).

    Attributes:
        readings: meshes drawn of each view.
        shift: of all landmarks together, over the face's height.
        bend: of a smooth error across the face, over its height.
        bend_depth: the same along the camera's axis.
        depth: of the logarithm of the factor on the relief.
        turn_deg: of the head's pose, about the image's axes.
    """

    readings: int = 3
    shift: float = 0.008
    bend: float = 0.016
    bend_depth: float = 0.02
    depth: float = 0.2
    turn_deg: float = 5.0


def load_view(
    folder: Path, assets: Mapping[str, Path], misreading: Misreading, seed: int = 0
) -> Arrays:
    """A view's arrays.

    Args:
        folder: of a whole view.
        assets: folders of files by source, at least that of the view's own.
        misreading: of the mesh.
        seed: of the misreadings, with the view's name.

    Returns:
        ``codes`` uint8 ``(3, S * S, L)`` and ``scale`` float32 ``(3, S * S)``: OLAT values are
        ``(codes / 255)^2 scale``; ``surface`` float16 ``(S, S, 5)``: true normals in camera frame,
        coverage, share of hair; ``meshes`` float16 ``(M, S, S, 10)``: normals, depth in pixels,
        coverage, x and y of the mirror image in pixels, trust in it, x and y in a pattern of
        :mod:`training.data.skin_table`; ``lights`` float32 ``(L, 3)``
        camera frame; ``power`` float32 ``(L,)`` what the mean face gets of each light; ``angles``
        float32 ``(L,)`` their solid angles; ``crop`` float32 ``(3,)`` middle and side of the
        runtime's crop.

    Raises:
        FieldError: if the view is not whole.
        AssetError: if its source's files are not given.
        SynthError: if its people have no known landmarks.
    """
    field = Field.load(folder)
    size, count = field.size, len(field.lights)
    codes = np.zeros((3, size * size, count), np.uint8)
    scale = np.zeros((3, size * size), np.float32)
    codes[:, field.pixels], scale[:, field.pixels] = field.codes, field.scale
    surface = [field.normals, field.alpha[..., None], field.hair[..., None]]
    points, pose = true_landmarks(folder, assets)
    rng = np.random.default_rng([seed, int(field.metadata["subject"]["seed"]) % 2**31])
    meshes = [
        draw(misread(points, pose, misreading, rng), size) for _ in range(misreading.readings)
    ]
    crop = Crop.around(points)
    return {
        "codes": codes,
        "scale": scale,
        "surface": np.concatenate(surface, -1).astype(np.float16),
        "meshes": np.stack(meshes).astype(np.float16),
        "lights": field.lights,
        "power": field.face_irradiance,
        "angles": field.solid_angles,
        "crop": np.array([crop.x, crop.y, crop.size], np.float32),
    }


def true_landmarks(folder: Path, assets: Mapping[str, Path]) -> tuple[Float, Float]:
    """A view's landmarks ``(468, 3)`` in its pixels, and its head pose ``(3, 3)``.

    Args:
        folder: of the view.
        assets: folders of files by source, at least that of the view's own.

    Raises:
        FieldError: if the folder is no view.
        AssetError: if its source's files are not given.
        SynthError: if its people have no known landmarks.
    """
    metadata = read_metadata(folder)
    size, subject = int(metadata["size"]), metadata["subject"]
    given = {k: v for k, v in metadata["camera"].items() if k in Camera.__annotations__}
    camera = Camera(**given)
    source, seed = find_source(subject["source"]), int(subject["seed"])
    if not isinstance(source, HeadSource):
        raise SynthError(f"{folder}: people of the source {source.name} have no known landmarks")
    ranges = SubjectRanges()
    head = source.make_head(seed, assets.get(source.name), ranges, source.draw_traits(seed, ranges))
    points = mesh_points(head)
    local = (points - camera.position) @ camera.rotation
    depth = -local[:, 2:] * (size / camera.field_cm)
    return (
        np.concatenate([camera.project(points, size), depth], 1).astype(np.float32),
        camera.rotation.T,
    )


def misread(
    points: Float, pose: Float, misreading: Misreading, rng: np.random.Generator
) -> tuple[Float, Float]:
    """Landmarks and head pose as Face Mesh might see them."""
    height = float(np.ptp(points[:, 1]))
    middle = points.mean(0)
    place = mesh.template().vertices_cm / 8
    error = np.zeros_like(points)
    for _ in range(6):
        center = place[rng.integers(len(place))] + rng.normal(0, 0.3, 3)
        reach = np.exp(-(((place - center) ** 2).sum(1)) / rng.uniform(0.1, 0.6))
        error += reach[:, None] * rng.normal(0, 1, 3)
    spread = np.array([misreading.bend, misreading.bend, misreading.bend_depth])
    shift = np.array([*rng.normal(0, misreading.shift, 2), 0])
    factor = np.array([1, 1, np.exp(rng.normal(0, misreading.depth))])
    seen = middle + (points - middle) * factor + (error * spread / 1.5 + shift) * height
    pitch, yaw = np.radians(rng.normal(0, misreading.turn_deg, 2))
    about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    turned = np.array(about_x) @ np.array(about_y) @ pose
    return seen.astype(np.float32), turned.astype(np.float32)


def draw(reading: tuple[Float, Float], size: int) -> Float:
    """A face mesh drawn on a view, ``(S, S, 10)``, see :func:`load_view`."""
    landmarks, pose = reading
    drawn = mesh.surface(landmarks, pose, size)
    found = mirror(landmarks, size)
    skin, _ = mesh.rasterize(landmarks, places(), size)
    planes = [drawn.normals, drawn.depth[..., None], drawn.mask[..., None]]
    planes += [found.position, found.trust[..., None], skin]
    return np.concatenate(planes, -1).astype(np.float32)
