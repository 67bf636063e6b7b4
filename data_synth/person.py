# SPDX-License-Identifier: Apache-2.0
"""Makes whole people: a head from any source, then skin, hair, clothes and what they wear."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_synth.error import AssetError
from data_synth.hair.facial_hair import brow_curve, grow_beard, grow_brows, grow_lashes
from data_synth.hair.hair import Obstacle, grow_hair, hide_below
from data_synth.head import builtin, ict
from data_synth.head.eye import paint_eye
from data_synth.head.head import PART_MATERIAL, Head, vertex_normals
from data_synth.head.mouth import paint_gums, paint_teeth
from data_synth.skin.atlas import bake_atlas
from data_synth.skin.skin import tone_label
from data_synth.skin.skin_texture import paint_skin
from data_synth.subject import Material, Mesh, Strands, Subject, Texture
from data_synth.trait import SubjectRanges, Traits, draw_traits, generator
from data_synth.wear.cloth import paint_cloth
from data_synth.wear.garment import Bust, Piece, make_garment
from data_synth.wear.wear import Wear, dress

Float = NDArray[np.float32]

SOURCES = ("ict", "builtin")

__all__ = ["SOURCES", "SubjectRanges", "draw_attributes", "make_subject"]


def make_subject(
    source: str,
    seed: int,
    *,
    assets: Path | None = None,
    ranges: SubjectRanges | None = None,
    texture_size: int = 512,
) -> Subject:
    """Make one person; the same arguments make the same person again.

    Args:
        source: one of :data:`SOURCES`.
        seed: of the person, >= 0.
        assets: folder of the source's model (for ``ict``: a checkout of ICT-FaceKit).
        ranges: what to draw from; ``None``: the defaults.
        texture_size: height of the skin's texture in pixels.

    Raises:
        AssetError: the model is missing or broken.
        ValueError: no such source.
    """
    ranges = ranges or SubjectRanges()
    traits = draw_traits(source, seed, ranges)
    head = _make_head(source, seed, assets, ranges, traits)
    normals = vertex_normals(head.vertices, head.faces, weld=head.canonical)
    bust = Bust(head, traits, generator(source, seed, "bust"))
    garment = make_garment(head, bust, traits, generator(source, seed, "garment shape"))
    wear = dress(head, bust, traits, generator(source, seed, "wear shape"))
    strands = _grow(source, seed, head, normals, [*garment, *wear.cloth], wear, traits)
    return Subject(
        seed=seed,
        source=source,
        mesh=_assemble(head, normals, [*garment, *wear.cloth], wear.frames),
        textures=_paint(source, seed, head, traits, wear, texture_size),
        strands=strands,
        attributes=draw_attributes(source, seed, ranges),
        face_points=head.landmarks.astype(np.float32),
    )


def draw_attributes(
    source: str, seed: int, ranges: SubjectRanges | None = None
) -> dict[str, object]:
    """What :func:`make_subject` would draw, JSON-ready, without making any geometry."""
    traits = draw_traits(source, seed, ranges or SubjectRanges())
    return {**traits.to_json(), "skin_tone": tone_label(traits.melanin, traits.blood)}


def _make_head(
    source: str, seed: int, assets: Path | None, ranges: SubjectRanges, traits: Traits
) -> Head:
    rng = generator(source, seed, "identity")
    if source == "ict":
        if assets is None:
            raise AssetError(f"the source ict needs its model: {ict.CURE}")
        identity = ranges.identity_deviation * rng.standard_normal(ict.IDENTITIES)
        extra = generator(source, seed, "extra expression")
        weights = ict.expression_weights(traits, ranges.extra_expression, extra)
        return ict.make_head(ict.load_model(assets), identity.astype(np.float32), weights)
    if source == "builtin":
        return builtin.make_head(traits, ranges.identity_deviation, rng)
    raise ValueError(f"no source of people is called {source!r}; there are {', '.join(SOURCES)}")


def _grow(
    source: str,
    seed: int,
    head: Head,
    normals: Float,
    cloth: list[Piece],
    wear: Wear,
    traits: Traits,
) -> list[Strands]:
    """All fibres."""
    brow = brow_curve(traits, generator(source, seed, "brow"))
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
    source: str, seed: int, head: Head, traits: Traits, wear: Wear, size: int
) -> dict[Material, Texture]:
    brow = brow_curve(traits, generator(source, seed, "brow"))
    small = max(32, size // 4)
    textures = {
        Material.SKIN: paint_skin(bake_atlas(head, size), traits, brow, source, seed),
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
