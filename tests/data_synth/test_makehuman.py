# SPDX-License-Identifier: Apache-2.0
"""MakeHuman's people: what is drawn, skins, missing files; whole people where its folder is given.

``RELIGHT_MAKEHUMAN=DIR`` names the folder that ``--assets makehuman=DIR`` takes.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from data_synth.error import AssetError
from data_synth.given import makehuman_mesh
from data_synth.given.makehuman import (
    PRESETS,
    MakeHumanSource,
    expression_weights,
    identity_weights,
    make_head,
    similarity,
    warp,
)
from data_synth.given.makehuman_mesh import CHARTS, RACES, load_mesh
from data_synth.given.makehuman_skin import choose_skin, photographed_skin, skin_files
from data_synth.head.head import Part
from data_synth.skin.atlas import Atlas
from data_synth.skin.skin import skin_color
from data_synth.trait import SubjectRanges, draw_traits
from relight.face.mesh import template

SLIDERS = (
    ("nose/nose-hump-decr", "nose/nose-hump-incr"),
    ("", "head/head-oval"),
    ("ears/l-ear-scale-decr", "ears/l-ear-scale-incr"),
    ("ears/r-ear-scale-decr", "ears/r-ear-scale-incr"),
)
TRAITS = draw_traits("makehuman", 0, SubjectRanges())


def weights_of(seed: int, **traits: object) -> dict[str, float]:
    person = replace(TRAITS, **traits)  # type: ignore[arg-type]
    mesh = SimpleNamespace(sliders=SLIDERS)
    return identity_weights(mesh, 0.85, person, np.random.default_rng(seed))  # type: ignore[arg-type]


@pytest.mark.parametrize(("years", "old"), [(20, 0.0), (55, 0.5), (84, 1.0)])
def test_shapes_of_age_sex_and_origin_add_up_to_one_person(years: float, old: float) -> None:
    weights = weights_of(3, age_years=years, femininity=0.25)
    kinds = {
        n: w for n, w in weights.items() if n.startswith("macrodetails/") and "universal" not in n
    }
    assert sum(kinds.values()) == pytest.approx(1)
    assert sum(w for n, w in kinds.items() if n.endswith("-old")) == pytest.approx(old)
    assert sum(w for n, w in kinds.items() if "-female-" in n) == pytest.approx(0.25)


def test_a_slider_is_at_one_of_its_ends_and_sides_are_nearly_alike() -> None:
    left, right, ends = [], [], set()
    for seed in range(300):
        weights = weights_of(seed)
        own = {n: w for n, w in weights.items() if not n.startswith("macrodetails/")}
        assert all(0 < w <= 1 for w in own.values())
        assert len({n.removesuffix("-incr").removesuffix("-decr") for n in own}) == len(own)
        ends |= own.keys()
        for values, side in ((left, "l"), (right, "r")):
            more = own.get(f"ears/{side}-ear-scale-incr", 0)
            values.append(more - own.get(f"ears/{side}-ear-scale-decr", 0))
    assert ends == {name for slider in SLIDERS for name in slider if name}
    assert 0.9 < np.corrcoef(left, right)[0, 1] < 1


def test_expressions_are_those_of_the_persons_shapes() -> None:
    identity = {
        f"macrodetails/{race}-male-young": w for race, w in zip(RACES, (0, 1, 3), strict=True)
    }
    person = replace(TRAITS, expression="closed", expression_strength=0.4)
    assert expression_weights(person, identity) == {
        f"expression/units/{race}/eye-{side}-closure": share
        for side in ("left", "right")
        for race, share in zip(RACES, (0, 0.25, 0.75), strict=True)
    }
    assert set(PRESETS) == {name for name, _ in SubjectRanges().expression}


def test_a_similarity_is_found_and_a_warp_goes_on_beyond_its_points() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    there = 1.7 * points @ turn + [1, 2, 3]
    far = 5 * rng.normal(size=(9, 3))
    for found in (similarity(points, there), warp(points, there)):
        np.testing.assert_allclose(found(far), 1.7 * far @ turn + [1, 2, 3], atol=1e-3)


# --- Skin


@pytest.fixture
def skins(tmp_path: Path) -> Path:
    """A folder with one skin of each kind."""
    folder = tmp_path / "makehuman-assets" / "base" / "skins" / "textures"
    folder.mkdir(parents=True)
    for age in ("young", "middleage", "old"):
        for tone in ("light", "dark"):
            for sex in ("female", "male"):
                name = f"{age}_{tone}skinned_{sex}_diffuse.png"
                Image.new("RGB", (8, 8), (180, 140, 120)).save(folder / name)
    (folder / "notes_diffuse.png").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("traits", "name"),
    [
        ((20, 0.9, 0.02), "young_lightskinned_female_diffuse.png"),
        ((45, 0.1, 0.40), "middleage_darkskinned_male_diffuse.png"),
        ((70, 0.8, 0.01), "old_lightskinned_female_diffuse.png"),
    ],
)
def test_a_skin_fits_age_sex_and_tone(
    skins: Path, traits: tuple[float, float, float], name: str
) -> None:
    years, femininity, melanin = traits
    person = replace(TRAITS, age_years=years, femininity=femininity, melanin=melanin, blood=0.03)
    assert choose_skin(skin_files(skins), person, np.random.default_rng(0)).name == name


def test_a_photographed_face_has_the_drawn_tone_and_keeps_its_pattern() -> None:
    size = 64
    y, x = np.mgrid[:size, :size] / (size - 1)
    place = np.stack([16 * x / 0.53 - 8, 12 - 24 * y, np.full_like(x, 10)], -1).astype(np.float32)
    part = np.where(x < 0.53, Part.FACE, Part.NECK).astype(np.uint8)
    picture = np.full((64, 64, 3), (0.5, 0.3, 0.2), np.float32)
    picture[::2] *= 0.8
    albedo, share = photographed_skin(picture, Atlas(place, part), TRAITS)
    face = (part == Part.FACE) & (np.abs(place[..., 1] - 1) < 7)
    wanted = skin_color(TRAITS.melanin, TRAITS.blood)
    np.testing.assert_allclose(albedo[face].mean(0), wanted, rtol=0.03)
    assert albedo[face, 1].std() / albedo[face, 1].mean() > 0.04
    assert share[place[..., 1] > 11].max() == 0
    assert share[face & (place[..., 1] < 5)].min() == 1


# --- Files


def test_missing_folders_are_named_with_the_cure(tmp_path: Path) -> None:
    for call in (load_mesh, skin_files):
        with pytest.raises(AssetError, match="git clone") as caught:
            call(tmp_path)
        assert str(tmp_path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["v 0 0 0\nvt 0 0\nf 1/1 1/1 1/1\n", "v x\n", ""])
def test_another_body_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "data" / "3dobjs" / "base.obj"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(AssetError, match="not a readable body") as caught:
        load_mesh(tmp_path)
    assert str(path) in str(caught.value)


def test_charts_do_not_overlap_in_our_texture() -> None:
    covered = np.zeros((100, 100), int)
    for chart in CHARTS:
        left, low, right, high = (round(100 * edge) for edge in chart.place)
        covered[low:high, left:right] += 1
    assert covered.max() == 1


# --- Whole people


@pytest.fixture(scope="module")
def assets() -> Path:
    if "RELIGHT_MAKEHUMAN" not in os.environ:
        pytest.skip("needs MakeHuman: set RELIGHT_MAKEHUMAN to its folder")
    return Path(os.environ["RELIGHT_MAKEHUMAN"])


def test_landmarks_of_the_mean_head_are_where_face_mesh_puts_them(assets: Path) -> None:
    from data_synth.head.mesh_point import mesh_points

    mesh = load_mesh(assets)
    head = make_head(mesh, {}, TRAITS)
    away = mesh_points(replace(head, vertices=head.canonical)) - template().vertices_cm
    assert np.median(np.linalg.norm(away, axis=1)) < 0.15
    skull = head.canonical[np.unique(head.faces[head.part <= Part.NECK])]
    assert skull[:, 1].max() == pytest.approx(14.5, abs=0.5)
    assert skull[:, 2].min() == pytest.approx(-9, abs=0.7)


@pytest.mark.parametrize("seed", [1, 5])
def test_a_person_keeps_the_contract(assets: Path, seed: int) -> None:
    from test_synth_person import check

    person = MakeHumanSource().make_subject(seed, assets=assets, texture_size=96)
    check(person)
    again = MakeHumanSource().make_subject(seed, assets=assets, texture_size=96)
    np.testing.assert_array_equal(person.mesh.vertices, again.mesh.vertices)
    assert person.face_points is not None
    assert np.ptp(person.face_points[:, 1]) == pytest.approx(13.8, abs=2.5)


def test_closed_eyes_cover_the_eyeballs(assets: Path) -> None:
    mesh = load_mesh(assets)
    shown = []
    for expression in ("neutral", "closed"):
        person = replace(TRAITS, expression=expression, gaze_deg=(0.0, 0.0))
        neutral = {f"macrodetails/{race}-female-young": 1 / 3 for race in RACES}
        head = make_head(mesh, neutral | expression_weights(person, neutral), person)
        from data_synth.stage.raycast import Caster

        x, y = np.meshgrid(np.linspace(1.5, 4.7, 40), np.linspace(2, 5.2, 40))
        rays = np.broadcast_to([0.0, 0, -1], (x.size, 3))
        hits = Caster(head.vertices, head.faces).nearest(
            np.stack([x.ravel(), y.ravel(), np.full(x.size, 30.0)], 1), rays
        )
        shown.append((head.part[hits.triangle] == Part.EYE).mean())
    assert shown[0] > 0.08
    assert shown[1] < 0.25 * shown[0]


def test_a_missing_target_is_named(assets: Path) -> None:
    with pytest.raises(AssetError, match=r"nose-long\.target: not a readable target"):
        load_mesh(assets).shape("nose/nose-long")
    assert makehuman_mesh.data_folder(assets).is_dir()
