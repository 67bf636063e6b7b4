# SPDX-License-Identifier: Apache-2.0
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from data_synth.hair.hair_style import STYLES
from data_synth.head.builtin import BuiltinSource
from data_synth.head.ict import IctSource
from data_synth.subject import Material, Subject
from data_synth.trait import SubjectRanges, Traits, draw_traits

SIZE = 64


BUILTIN = BuiltinSource()


def make(seed: int, **traits: object) -> Subject:
    """A built-in person whose traits are partly prescribed."""

    class Prescribed(BuiltinSource):
        def draw_traits(self, seed: int, ranges: SubjectRanges) -> Traits:
            return replace(super().draw_traits(seed, ranges), **traits)  # type: ignore[arg-type]

    return Prescribed().make_subject(seed, texture_size=SIZE)


def check(subject: Subject) -> None:
    """The contract of :mod:`data_synth.subject`."""
    mesh = subject.mesh
    count = len(mesh.vertices)
    assert mesh.vertices.dtype == mesh.normals.dtype == mesh.uv.dtype == np.float32
    assert mesh.faces.dtype == np.int32
    assert mesh.material.dtype == np.uint8
    assert mesh.normals.shape == (count, 3)
    assert mesh.uv.shape == (*mesh.faces.shape, 2)
    assert mesh.material.shape == (len(mesh.faces),)
    assert mesh.faces.min() >= 0
    assert mesh.faces.max() < count
    assert np.isfinite(mesh.vertices).all()
    assert np.isfinite(mesh.uv).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
    assert mesh.uv.min() >= 0
    assert mesh.uv.max() <= 1
    used = {Material(m) for m in np.unique(mesh.material)}
    assert used <= set(subject.textures)
    for texture in subject.textures.values():
        shape = texture.roughness.shape
        assert texture.albedo.shape == (*shape, 3)
        assert texture.specular.shape == texture.height.shape == shape
        for values in (texture.albedo, texture.roughness, texture.specular, texture.height):
            assert values.dtype == np.float32
            assert np.isfinite(values).all()
        assert texture.albedo.min() >= 0
        assert texture.albedo.max() <= 1
        assert texture.roughness.min() > 0
        assert texture.roughness.max() <= 1
        assert texture.specular.min() >= 0
    for group in subject.strands:
        number, steps = group.points.shape[:2]
        assert group.points.dtype == group.radius.dtype == group.albedo.dtype == np.float32
        assert group.radius.shape == (number, steps)
        assert group.albedo.shape == (number, 3)
        assert np.isfinite(group.points).all()
        assert group.radius.min() > 0
        assert 0 <= group.albedo.min() <= group.albedo.max() <= 1
        assert np.abs(group.points).max() < 60
    assert subject.face_points is not None
    json.dumps(subject.attributes)


def outward_share(subject: Subject, material: Material) -> float:
    """Share of the area whose winding agrees with the direction from the subject's middle."""
    mesh = subject.mesh
    corner = mesh.vertices[mesh.faces[mesh.material == material]].astype(float)
    cross = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    middle = corner.mean(1)
    axis = np.stack([0 * middle[:, 0], np.clip(middle[:, 1], -30, 3), 0 * middle[:, 0]], 1)
    outwards = (cross * (middle - axis)).sum(1) > 0
    area = np.linalg.norm(cross, axis=1)
    return float(area[outwards].sum() / area.sum())


@pytest.mark.parametrize("seed", [0, 2])
def test_builtin_keeps_the_contract_without_assets(seed: int) -> None:
    subject = BUILTIN.make_subject(seed, texture_size=SIZE)
    check(subject)
    assert outward_share(subject, Material.SKIN) > 0.9
    assert outward_share(subject, Material.CLOTH) > 0.75
    assert subject.attributes == BUILTIN.attributes(seed)


def test_normals_agree_with_the_winding() -> None:
    mesh = make(4, hair_style="buzz").mesh
    corner = mesh.vertices[mesh.faces].astype(float)
    cross = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    smooth = mesh.normals[mesh.faces].mean(1)
    area = np.linalg.norm(cross, axis=1)
    assert area[(cross * smooth).sum(1) > 0].sum() / area.sum() > 0.97


def test_the_same_seed_makes_the_same_person() -> None:
    first, second = (make(7, hair_style="crew", headwear="none") for _ in range(2))
    np.testing.assert_array_equal(first.mesh.vertices, second.mesh.vertices)
    # The last bit of vector instructions may depend on the alignment of memory.
    for kind, texture in first.textures.items():
        np.testing.assert_allclose(texture.albedo, second.textures[kind].albedo, atol=1e-5)
    for a, b in zip(first.strands, second.strands, strict=True):
        np.testing.assert_allclose(a.points, b.points, atol=1e-3)
    other = BUILTIN.attributes(8)
    assert other != BUILTIN.attributes(7)


def test_what_is_worn_changes_neither_face_nor_skin() -> None:
    bare = make(3, glasses="none", earrings="none", headwear="none", hair_style="buzz")
    worn = make(3, glasses="round", earrings="hoop", headwear="beanie", hair_style="buzz")
    skin = bare.mesh.material == Material.SKIN
    count = int(bare.mesh.faces[skin].max()) + 1
    np.testing.assert_array_equal(bare.mesh.vertices[:count], worn.mesh.vertices[:count])
    skins = [s.textures[Material.SKIN].albedo for s in (bare, worn)]
    np.testing.assert_allclose(skins[0], skins[1], atol=1e-5)
    ranges = SubjectRanges(glasses=1.0, hair_coverage=1.0)
    plain = draw_traits("builtin", 3, SubjectRanges())
    dressed = draw_traits("builtin", 3, ranges)
    for part in ("melanin", "age_years", "hair_style", "expression", "beard"):
        assert getattr(plain, part) == getattr(dressed, part)


@pytest.mark.parametrize("style", sorted(STYLES))
def test_every_hair_style_can_be_made(style: str) -> None:
    texture = {"afro": "coily", "curly": "curly", "wavy": "wavy"}.get(style, "straight")
    subject = make(
        5, hair_style=style, hair_texture=texture, headwear="none", beard="none", receding=0.2
    )
    check(subject)
    scalp = max((len(g.points) for g in subject.strands), default=0)
    assert (scalp > 4000) == (style != "bald")


@pytest.mark.parametrize("headwear", ["headscarf", "turban", "beanie", "cap", "brimmed hat"])
def test_every_headwear_can_be_worn_over_hair(headwear: str) -> None:
    subject = make(6, headwear=headwear, hair_style="parted", garment="crew neck")
    check(subject)
    assert outward_share(subject, Material.CLOTH) > 0.7


@pytest.mark.parametrize(
    ("glasses", "earrings", "beard", "garment"),
    [
        ("round", "stud", "full", "shirt"),
        ("rectangular", "hoop", "goatee", "jacket"),
        ("cat eye", "drop", "moustache", "turtleneck"),
        ("wire", "none", "stubble", "hoodie"),
        ("none", "none", "chin strap", "v neck"),
        ("none", "stud", "short full", "scoop neck"),
    ],
)
def test_every_other_accessory_can_be_made(
    glasses: str, earrings: str, beard: str, garment: str
) -> None:
    subject = make(
        9, glasses=glasses, earrings=earrings, beard=beard, garment=garment, hair_style="buzz"
    )
    check(subject)
    worn = glasses != "none" or earrings != "none"
    assert (Material.FRAME in subject.mesh.material) == worn
    if worn:
        assert len(subject.mesh.faces[subject.mesh.material == Material.FRAME]) > 100


@pytest.mark.parametrize("pattern", ["plain", "stripes", "checks", "heather", "dots"])
def test_every_pattern_and_expression(pattern: str) -> None:
    expressions = ["grin", "frown", "surprise", "squint", "smirk"]
    expression = expressions[["plain", "stripes", "checks", "heather", "dots"].index(pattern)]
    check(make(2, pattern=pattern, expression=expression, hair_style="buzz"))


def test_skin_texture_follows_melanin() -> None:
    light = make(11, melanin=0.02, hair_style="buzz").textures[Material.SKIN].albedo
    dark = make(11, melanin=0.4, hair_style="buzz").textures[Material.SKIN].albedo
    assert dark.mean() < 0.5 * light.mean()


def test_traits_cover_their_ranges() -> None:
    ranges = SubjectRanges()
    drawn = [draw_traits("ict", seed, ranges) for seed in range(600)]
    melanin = np.array([t.melanin for t in drawn])
    low, high = ranges.melanin
    assert low <= melanin.min() < 1.2 * low
    assert 0.8 * high < melanin.max() <= high
    ages = [t.age_years for t in drawn]
    assert ranges.age_years[0] <= min(ages) < 22
    assert 68 < max(ages) <= ranges.age_years[1]
    for field, names in (
        ("hair_style", set(STYLES)),
        ("expression", {name for name, _ in ranges.expression}),
        ("garment", {name for name, _ in ranges.garment}),
        ("pattern", {name for name, _ in ranges.pattern}),
        ("headwear", {name for name, _ in ranges.headwear} | {"none"}),
        ("beard", {name for name, _ in ranges.beard} | {"none"}),
        ("glasses", {"round", "rectangular", "cat eye", "wire", "none"}),
        ("earrings", {"stud", "hoop", "drop", "none"}),
    ):
        assert set(Counter(getattr(t, field) for t in drawn)) == names, field
    tones = {IctSource().attributes(seed)["skin_tone"] for seed in range(200)}
    assert {"light", "intermediate", "tan", "brown", "dark"} <= tones
    assert all(isinstance(t, Traits) for t in drawn)


def test_narrow_ranges_are_kept() -> None:
    ranges = SubjectRanges(melanin=(0.1, 0.11), age_years=(30, 31), hair_coverage=0, glasses=0)
    for seed in range(30):
        traits = draw_traits("ict", seed, ranges)
        assert 0.1 <= traits.melanin <= 0.11
        assert 30 <= traits.age_years <= 31
        assert traits.headwear == traits.glasses == "none"
