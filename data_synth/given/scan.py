# SPDX-License-Identifier: Apache-2.0
"""A real person's scanned head, for judging: its shape is no model's and its normals are known.

Reference: "Infinite, 3D Head Scan" by Lee Perry-Smith, http://www.ir-ltd.net (CC BY 3.0), in the
edition of McGuire and Cardenas that three.js distributes. Nothing is trained on it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_synth.error import AssetError
from data_synth.given.mesh_file import read_mesh
from data_synth.head.head import triangle_areas, vertex_normals
from data_synth.source import TEXTURE_SIZE, Source
from data_synth.subject import Material, Mesh, Subject, Texture
from data_synth.trait import SubjectRanges
from relight.color import srgb_to_linear

Float = NDArray[np.float32]

GEOMETRY = "LeePerrySmith.glb"
COLOR = "Map-COL.jpg"
NORMALS = "bump-lowRes-normal-generated.png"
CURE = "pass its files, as three.js distributes them, by --assets scan=DIR"

CM_PER_UNIT = 4.2
"""Makes the scan's face as long as that of the mean head."""
FACE_POINTS = np.array([[0, -2.4, 7], [0, 10, 7], [-6.5, 4, 3], [6.5, 4, 3]], np.float32)
"""Chin, hairline and sides of the face, centimetres."""
ROUGHNESS = 0.45
STEEPEST = 0.2
"""Least z of a normal in the map of details: steeper ones are flaws of the map."""
FRONT = 80
"""Percentile of depth from which triangles count as the face's."""


class ScanSource(Source):
    """The scanned head; every seed gives the same person."""

    name = "scan"
    about = "Lee Perry-Smith's scanned head, one real person"
    needs = "Lee Perry-Smith's head as three.js distributes it"
    cure = CURE
    judging_only = True

    def count(self, assets: Path | None) -> int | None:
        """One."""
        return 1

    def make_subject(
        self,
        seed: int,
        *,
        assets: Path | None = None,
        ranges: SubjectRanges | None = None,
        texture_size: int = TEXTURE_SIZE,
    ) -> Subject:
        """The scan, as it was photographed: neither seed nor ranges nor size change it."""
        return load(self.folder(assets))


def load(folder: Path) -> Subject:
    """Read the scan.

    Args:
        folder: with :data:`GEOMETRY`, :data:`COLOR` and :data:`NORMALS`.

    Raises:
        AssetError: a file is missing or unreadable.
    """
    vertices, faces, uv = _geometry(folder / GEOMETRY)
    albedo = srgb_to_linear(_picture(folder / COLOR)).astype(np.float32)
    detail = _picture(folder / NORMALS) * 2 - 1
    mesh = Mesh(
        vertices=vertices,
        normals=vertex_normals(vertices, faces, weld=vertices),
        faces=faces,
        uv=np.clip(uv, 0, 1).astype(np.float32),
        material=np.full(len(faces), Material.SKIN, np.uint8),
    )
    texture = Texture(
        albedo=albedo,
        roughness=np.full(albedo.shape[:2], ROUGHNESS, np.float32),
        specular=np.ones(albedo.shape[:2], np.float32),
        height=_height(detail, _face_width_cm(mesh)),
    )
    attributes = {"name": "Lee Perry-Smith", "licence": "CC BY 3.0, http://www.ir-ltd.net"}
    return Subject(0, "scan", mesh, {Material.SKIN: texture}, [], attributes, FACE_POINTS)


def _height(normals: Float, width_cm: float) -> Float:
    """The relief whose slopes come closest to a map of tangent-space normals, in centimetres.

    Reference: Frankot & Chellappa 1988, "A Method for Enforcing Integrability in Shape from
    Shading Algorithms", section III.

    Args:
        normals: ``(H, W, 3)``, x to the right, y up.
        width_cm: of the whole map.
    """
    rows, columns = normals.shape[:2]
    slope = -normals[..., :2] / np.maximum(normals[..., 2:], STEEPEST)
    right = np.fft.fft2(slope[..., 0] - slope[..., 0].mean())
    down = np.fft.fft2(slope[..., 1].mean() - slope[..., 1])
    x, y = np.meshgrid(2 * np.pi * np.fft.fftfreq(columns), 2 * np.pi * np.fft.fftfreq(rows))
    power = x**2 + y**2
    power[0, 0] = 1
    height = np.fft.ifft2(-1j * (x * right + y * down) / power).real
    return (height * (width_cm / columns)).astype(np.float32)


def _face_width_cm(mesh: Mesh) -> float:
    """Width of the whole texture at the scale that it has on the face."""
    middle = mesh.vertices[mesh.faces].mean(1)
    front = middle[:, 2] > np.percentile(middle[:, 2], FRONT)
    flat = np.concatenate([mesh.uv, np.zeros_like(mesh.uv[..., :1])], -1)
    corners = np.arange(3 * len(mesh.faces)).reshape(-1, 3)
    on_map = triangle_areas(flat.reshape(-1, 3), corners)
    in_space = triangle_areas(mesh.vertices, mesh.faces)
    return float(np.sqrt(in_space[front].sum() / max(on_map[front].sum(), 1e-12)))


def _geometry(path: Path) -> tuple[Float, NDArray[np.int32], Float]:
    """Vertices in centimetres, triangles and their texture coordinates."""
    try:
        given = read_mesh(path)
    except (OSError, ValueError) as error:
        raise AssetError(f"{path}: not a readable head ({error}); {CURE}") from error
    # This file's coordinates count from the picture's bottom, which glTF's do not.
    uv = np.stack([given.uv[..., 0], 1 - given.uv[..., 1]], -1)
    return given.vertices * np.float32(CM_PER_UNIT), given.faces, uv


def _picture(path: Path) -> Float:
    """An image ``(H, W, 3)`` in [0, 1]."""
    from PIL import Image

    try:
        with Image.open(path) as file:
            return np.asarray(file.convert("RGB"), np.float32) / 255
    except (OSError, ValueError) as error:
        raise AssetError(f"{path}: not a readable picture ({error}); {CURE}") from error
