# SPDX-License-Identifier: Apache-2.0
"""What the Light Stage photographs: one synthetic person, from any source.

Everything stands in the head frame: origin at the head's centre, +z out of the nose, +y up, +x to
the subject's left, centimetres. Colours are linear sRGB primaries, albedo in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


class Material(IntEnum):
    """What a surface is made of, which decides how it reflects light; stored per triangle."""

    SKIN = 0
    EYE = 1
    TEETH = 2
    GUM = 3
    CLOTH = 4
    FRAME = 5
    """Glossy plastic or metal: glasses' rims, earrings."""


@dataclass(frozen=True)
class Texture:
    """Surface maps over one material's UV square, row 0 at v = 1 (image order).

    Attributes:
        albedo: ``(H, W, 3)`` float32.
        roughness: ``(H, W)`` float32, perceptual roughness (GGX alpha = its square).
        specular: ``(H, W)`` float32 factor on the Fresnel reflectance at normal incidence.
        height: ``(H, W)`` float32 bump in centimetres.
    """

    albedo: Float
    roughness: Float
    specular: Float
    height: Float


@dataclass(frozen=True)
class Mesh:
    """All solid surfaces of a subject as one triangle mesh.

    Attributes:
        vertices: ``(V, 3)`` float32.
        normals: ``(V, 3)`` float32 unit, smooth within a surface.
        faces: ``(F, 3)`` int32, counter-clockwise seen from outside.
        uv: ``(F, 3, 2)`` float32 per corner, in the square of the face's material.
        material: ``(F,)`` uint8, :class:`Material`.
    """

    vertices: Float
    normals: Float
    faces: NDArray[np.int32]
    uv: Float
    material: NDArray[np.uint8]


@dataclass(frozen=True)
class Strands:
    """Fibres of one kind: hair, beard, brows or lashes.

    Attributes:
        points: ``(S, K, 3)`` float32 polylines, root first.
        radius: ``(S, K)`` float32.
        albedo: ``(S, 3)`` float32 fibre colour.
    """

    points: Float
    radius: Float
    albedo: Float


@dataclass(frozen=True)
class Subject:
    """One synthetic person.

    Attributes:
        seed: makes the same person again from the same source and ranges.
        source: name of the source, for example ``ict`` or ``builtin``.
        mesh: solid surfaces.
        textures: maps of every material that the mesh uses.
        strands: fibres, possibly none.
        attributes: what was drawn, JSON-ready: skin, hair, accessories, expression.
        face_points: ``(N, 3)`` float32 points that span the face as the landmarks of a face mesh
            do (hairline to chin, ear to ear), for framing; ``None``: found from the skin.
    """

    seed: int
    source: str
    mesh: Mesh
    textures: dict[Material, Texture]
    strands: list[Strands] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    face_points: Float | None = None
