# SPDX-License-Identifier: Apache-2.0
"""Makes whole people around a bare head: skin, hair, clothes and accessories."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.hair.facial_hair import brow_curve, grow_beard, grow_brows, grow_lashes
from data_synth.hair.hair import Obstacle, grow_hair, hide_below
from data_synth.head.eye import paint_eye
from data_synth.head.head import PART_MATERIAL, Head, vertex_normals
from data_synth.head.mouth import paint_gums, paint_teeth
from data_synth.skin.atlas import bake_atlas
from data_synth.skin.skin import tone_label
from data_synth.skin.skin_texture import paint_skin
from data_synth.source import TEXTURE_SIZE, Source
from data_synth.subject import Material, Mesh, Strands, Subject, Texture
from data_synth.trait import SubjectRanges, Traits, draw_traits, generator
from data_synth.wear.cloth import paint_cloth
from data_synth.wear.garment import Bust, Piece, make_garment
from data_synth.wear.wear import Wear, dress

Float = NDArray[np.float32]


class HeadSource(Source):
    """A source that makes bare heads; skin, hair, clothes and accessories are added here."""

    @abstractmethod
    def make_head(
        self, seed: int, assets: Path | None, ranges: SubjectRanges, traits: Traits
    ) -> Head:
        """One person's head with its expression on.

        Args:
            seed: of the person.
            assets: the folder of files that the source needs.
            ranges: deviations of identity and expression.
            traits: expression, gaze and what else was drawn.

        Raises:
            AssetError: if files are missing or broken.
        """

    def paint_skin(
        self,
        seed: int,
        head: Head,
        traits: Traits,
        brow: NDArray[np.float64],
        size: int,
        assets: Path | None,
    ) -> Texture:
        """The skin's maps, made in code.

        Args:
            seed: of the person.
            head: with its coordinates in the skin's texture.
            traits: tone, age and what is worn on the skin.
            brow: ``(N, 2)`` middle line of the left brow.
            size: height of the texture in pixels.
            assets: the folder of files that the source needs.
        """
        return paint_skin(bake_atlas(head, size), traits, brow, self.name, seed)

    def draw_traits(self, seed: int, ranges: SubjectRanges) -> Traits:
        """Who the person of a seed is."""
        return draw_traits(self.name, seed, ranges)

    def attributes(self, seed: int, ranges: SubjectRanges | None = None) -> dict[str, Any]:
        """What a person's :attr:`Subject.attributes` will be, without making any geometry."""
        traits = self.draw_traits(seed, ranges or SubjectRanges())
        return {**traits.to_json(), "skin_tone": tone_label(traits.melanin, traits.blood)}

    def make_subject(
        self,
        seed: int,
        *,
        assets: Path | None = None,
        ranges: SubjectRanges | None = None,
        texture_size: int = TEXTURE_SIZE,
    ) -> Subject:
        """See :meth:`Source.make_subject`."""
        source, ranges = self.name, ranges or SubjectRanges()
        traits = self.draw_traits(seed, ranges)
        head = self.make_head(seed, assets, ranges, traits)
        normals = vertex_normals(head.vertices, head.faces, weld=head.canonical)
        bust = Bust(head, traits, generator(source, seed, "bust"))
        garment = make_garment(head, bust, traits, generator(source, seed, "garment shape"))
        wear = dress(head, bust, traits, generator(source, seed, "wear shape"))
        brow = brow_curve(traits, generator(source, seed, "brow"))
        skin = self.paint_skin(seed, head, traits, brow, texture_size, assets)
        cloth = [*garment, *wear.cloth]
        return Subject(
            seed=seed,
            source=source,
            mesh=_assemble(head, normals, cloth, wear.frames),
            textures=_paint(source, seed, skin, traits, wear, texture_size),
            strands=_grow(source, seed, head, normals, cloth, wear, traits, brow),
            attributes=self.attributes(seed, ranges),
            face_points=head.landmarks.astype(np.float32),
        )


def _grow(
    source: str,
    seed: int,
    head: Head,
    normals: Float,
    cloth: list[Piece],
    wear: Wear,
    traits: Traits,
    brow: NDArray[np.float64],
) -> list[Strands]:
    """All fibres."""
    grown = [
        grow_brows(head, normals, traits, brow, generator(source, seed, "brow hair")),
        grow_beard(head, normals, traits, generator(source, seed, "beard hair")),
        grow_lashes(head, generator(source, seed, "lash"), traits.makeup > 0.3),
    ]
    if not wear.hides_hair:
        skin = np.unique(head.faces[head.skin])
        points, directions = [head.vertices[skin]], [normals[skin]]
        for piece in cloth:
            points.append(piece.vertices)
            directions.append(vertex_normals(piece.vertices, piece.faces))
        body = Obstacle(np.concatenate(points), np.concatenate(directions))
        hair = grow_hair(head, normals, body, traits, generator(source, seed, "hair strand"))
        if hair is not None and wear.covers is not None:
            hair = hide_below(hair, wear.covers(hair.points))
        grown.append(hair)
    return [g for g in grown if g is not None and len(g.points)]


def _paint(
    source: str, seed: int, skin: Texture, traits: Traits, wear: Wear, size: int
) -> dict[Material, Texture]:
    small = max(32, size // 4)
    textures = {
        Material.SKIN: skin,
        Material.EYE: paint_eye(traits, max(128, size // 2), generator(source, seed, "iris")),
        Material.CLOTH: paint_cloth(traits, size, generator(source, seed, "cloth")),
        Material.TEETH: paint_teeth(traits, small, generator(source, seed, "teeth")),
        Material.GUM: paint_gums(traits, small, generator(source, seed, "gum")),
    }
    if wear.frames:
        textures[Material.FRAME] = wear.frame_texture
    return textures


def _assemble(head: Head, normals: Float, cloth: list[Piece], frames: list[Piece]) -> Mesh:
    vertices, all_normals = [head.vertices], [normals]
    faces, uv = [head.faces], [head.uv]
    material = [PART_MATERIAL[head.part]]
    count = len(head.vertices)
    for kind, pieces in ((Material.CLOTH, cloth), (Material.FRAME, frames)):
        for piece in pieces:
            vertices.append(piece.vertices)
            all_normals.append(vertex_normals(piece.vertices, piece.faces, weld=piece.vertices))
            faces.append((piece.faces + count).astype(np.int32))
            uv.append(piece.uv)
            material.append(np.full(len(piece.faces), kind, np.uint8))
            count += len(piece.vertices)
    return Mesh(
        vertices=np.concatenate(vertices).astype(np.float32),
        normals=np.concatenate(all_normals).astype(np.float32),
        faces=np.concatenate(faces),
        uv=np.clip(np.concatenate(uv), 0, 1).astype(np.float32),
        material=np.concatenate(material),
    )
