# SPDX-License-Identifier: Apache-2.0
"""People of MakeHuman: its shapes of age, sex and face, its expressions, its photographed skin.

Reference:
    https://github.com/makehumancommunity/makehuman and .../makehuman-assets: mesh, shapes and skins
    are under CC0.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_synth.given.makehuman_mesh import (
    AGES,
    CURE,
    GENDERS,
    RACES,
    WEIGHTS,
    MakeHumanMesh,
    load_mesh,
)
from data_synth.given.makehuman_skin import (
    choose_skin,
    photographed_skin,
    read_picture,
    skin_files,
)
from data_synth.head.builtin import follow, guide_lashes
from data_synth.head.head import EYE_CENTER, Head, Part, eye_uv
from data_synth.head.mean_head import EYEBALL_CM, eyeball, turned
from data_synth.person import HeadSource
from data_synth.skin.atlas import bake_atlas
from data_synth.skin.skin_texture import paint_skin
from data_synth.subject import Texture
from data_synth.trait import SubjectRanges, Traits, generator
from data_synth.wear.garment import AXIS_Z

Float = NDArray[np.float64]
Motion = Callable[[Float], Float]

MARKS_FILE = Path(str(resources.files("data_synth.given").joinpath("makehuman_mark.json")))
SMOOTHING = 0.02
"""Of the warp onto the mean head: Face Mesh's marks are good to about a millimetre."""
SLIDER = 0.24
"""Deviation of a slider at identity deviation 1, of its way: beyond 0.35 faces turn grotesque."""
ONE_SIDED = 0.2
"""Share of a slider's deviation that left and right do not have in common."""
WEIGHT = 0.35
"""Deviation of the shapes thin and fat."""
MEAN_ADULT = {f"macrodetails/{race}-{gender}-young": 1 / 6 for race in RACES for gender in GENDERS}
"""Shapes of which the mean head is made."""
OLDEST_YEARS, GROWN_YEARS = 80.0, 30.0
"""Where MakeHuman's shapes of age are reached and begin."""

TORSO_CM = (13.0, 7.0, 7.2)
"""Half width, front and back about the neck's axis of what the slimmest torso covers."""
DRAWN_IN_CM, LOOSE = (-17.0, -14.5), 1.6
"""Heights below which skin keeps within the torso, and from which it is left as it is; the share of
the torso's radii allowed there."""

PRESETS: dict[str, dict[str, float]] = {
    "neutral": {},
    "smile": {"mouth-corner-puller": 0.7, "eye-slit": 0.15},
    "grin": {"mouth-corner-puller": 0.8, "mouth-part-later": 0.35, "eye-slit": 0.25},
    "frown": {"eyebrows-down": 0.8, "mouth-depression": 0.4},
    "surprise": {"eyebrows-up": 0.7, "eye-opened-up": 0.6, "mouth-open": 0.25},
    "smirk": {"mouth-corner-puller": 0.35, "mouth-retraction": 0.2},
    "pucker": {"mouth-pursing": 0.6},
    "squint": {"eye-slit": 0.7, "eyebrows-down": 0.4, "nose-compression": 0.3},
    "speak": {"mouth-open": 0.25},
    "closed": {"eye-closure": 1.0},
}
"""Expressions as MakeHuman's units; eyes and brows stand for both sides."""


class MakeHumanSource(HeadSource):
    """Heads of MakeHuman with its photographed skins."""

    name = "makehuman"
    about = "heads of MakeHuman with photographed skin"
    needs = "checkouts of MakeHuman and of its assets"
    cure = CURE

    def make_head(
        self, seed: int, assets: Path | None, ranges: SubjectRanges, traits: Traits
    ) -> Head:
        """See :meth:`HeadSource.make_head`."""
        mesh = load_mesh(self.folder(assets))
        rng = generator(self.name, seed, "identity")
        weights = identity_weights(mesh, ranges.identity_deviation, traits, rng)
        return make_head(mesh, weights | expression_weights(traits, weights), traits)

    def paint_skin(
        self,
        seed: int,
        head: Head,
        traits: Traits,
        brow: NDArray[np.float64],
        size: int,
        assets: Path | None,
    ) -> Texture:
        """See :meth:`HeadSource.paint_skin`."""
        files = skin_files(self.folder(assets))
        path = choose_skin(files, traits, generator(self.name, seed, "photographed skin"))
        atlas = bake_atlas(head, size)
        skin = photographed_skin(read_picture(path), atlas, traits)
        return paint_skin(atlas, traits, brow, self.name, seed, skin)


def identity_weights(
    mesh: MakeHumanMesh, deviation: float, traits: Traits, rng: np.random.Generator
) -> dict[str, float]:
    """Weights of the shapes that make a person.

    Args:
        mesh: whose sliders are drawn.
        deviation: of identity, 1 for people as they differ.
        traits: age and femininity.
        rng: draws the rest.
    """
    weights: dict[str, float] = {}
    old = float(np.clip((traits.age_years - GROWN_YEARS) / (OLDEST_YEARS - GROWN_YEARS), 0, 1))
    sexes = dict(zip(GENDERS, (traits.femininity, 1 - traits.femininity), strict=True))
    ages = dict(zip(AGES, (1 - old, old), strict=True))
    mixed = rng.dirichlet(np.full(len(RACES), 0.6))
    fat = float(np.clip(rng.normal(0, WEIGHT) * deviation, -1, 1))
    builds = dict(zip(WEIGHTS, (max(-fat, 0), 1 - abs(fat), max(fat, 0)), strict=True))
    for sex, share in sexes.items():
        for age, years in ages.items():
            for race, part in zip(RACES, mixed, strict=True):
                weights[f"macrodetails/{race}-{sex}-{age}"] = share * years * float(part)
            for build, kilos in builds.items():
                name = f"macrodetails/universal-{sex}-{age}-averagemuscle-{build}weight"
                weights[name] = share * years * kilos
    common: dict[str, float] = {}
    for low, high in mesh.sliders:
        own = float(rng.normal())
        group, _, name = high.rpartition("/")
        both = common.setdefault(f"{group}/{name.removeprefix('l-').removeprefix('r-')}", own)
        drawn = both if both == own else both + ONE_SIDED * own
        value = float(np.clip(SLIDER * deviation * drawn, -1, 1))
        chosen = low if value < 0 else high
        if chosen and value:
            weights[chosen] = abs(value)
    return {name: weight for name, weight in weights.items() if weight}


def expression_weights(traits: Traits, identity: dict[str, float]) -> dict[str, float]:
    """Weights of the expression's shapes; each race has its own."""
    shares = dict.fromkeys(RACES, 0.0)
    for race in RACES:
        shares[race] = sum(w for n, w in identity.items() if n.startswith(f"macrodetails/{race}-"))
    total = sum(shares.values())
    strength = 1.0 if traits.expression == "closed" else traits.expression_strength
    weights = {}
    for name, weight in PRESETS[traits.expression].items():
        group, _, kind = name.partition("-")
        sides = [f"{group}-{side}-{kind}" for side in ("left", "right")]
        for unit in sides if group in ("eye", "eyebrows") else [name]:
            for race, share in shares.items():
                weights[f"expression/units/{race}/{unit}"] = weight * strength * share / total
    return weights


def make_head(mesh: MakeHumanMesh, weights: dict[str, float], traits: Traits) -> Head:
    """One person's head.

    Args:
        mesh: from :func:`load_mesh`.
        weights: of its shapes.
        traits: where the eyes look.
    """
    canonical, place = registration(mesh)
    points = mesh.morphed(weights)
    balls = [points[ball] for ball in mesh.eyes]
    middle = (balls[0].mean(0) + balls[1].mean(0)) / 2
    moved = place(points - middle)
    moved += EYE_CENTER * np.array([0, 1, 1]) - place(np.zeros((1, 3)))
    vertices, places = [_drawn_in(moved)], [canonical]
    faces, uv, part = [mesh.faces], [mesh.uv], [mesh.part]
    count = len(moved)
    for side, ball in zip((1, -1), mesh.eyes, strict=True):
        rest, triangles = eyeball(side)
        center = EYE_CENTER * [side, 1, 1]
        there = moved[ball]
        size = np.ptp(there[:, 0]) / 2 / EYEBALL_CM
        vertices.append(there.mean(0) + size * turned(rest - center, traits.gaze_deg))
        places.append(rest)
        faces.append((triangles + count).astype(np.int32))
        uv.append(eye_uv(rest.astype(np.float32))[triangles])
        part.append(np.full(len(triangles), Part.EYE, np.uint8))
        count += len(rest)
    posed = np.round(np.concatenate(vertices), 5).astype(np.float32)
    mean = np.concatenate(places).astype(np.float32)
    parts = np.concatenate(part)
    triangles = np.concatenate(faces)
    behind = (parts == Part.FACE) & (mean[triangles].mean(1)[:, 2] < 0)
    skin = np.unique(triangles[parts <= Part.NECK])
    lashes, lid = guide_lashes(mean[skin], posed[skin])
    return Head(
        vertices=posed,
        canonical=mean,
        faces=triangles,
        uv=np.concatenate(uv),
        part=np.where(behind, Part.NECK, parts).astype(np.uint8),
        landmarks=follow(mean[skin], posed[skin]),
        lashes=lashes,
        lash_lid=lid,
        aspect=1,
    )


def _drawn_in(points: Float) -> Float:
    """Vertices of which the lowest are drawn in to where clothes cover them.

    The rim of the mesh would else stand out of a torso, and clothes would have a step there.
    """
    x, z = points[:, 0], points[:, 2] - AXIS_Z
    side, front, back = TORSO_CM
    radius = np.maximum(np.hypot(x / side, z / np.where(z > 0, front, back)), 1e-6)
    most = np.interp(points[:, 1], DRAWN_IN_CM, [1.0, LOOSE])
    factor = np.where(points[:, 1] < DRAWN_IN_CM[1], np.minimum(1, most / radius), 1.0)
    return np.stack([x * factor, points[:, 1], z * factor + AXIS_Z], 1)


@functools.lru_cache(maxsize=1)
def registration(mesh: MakeHumanMesh) -> tuple[Float, Motion]:
    """Where all vertices lie on the mean head, and how MakeHuman's frame becomes the head frame."""
    table = json.loads(MARKS_FILE.read_text("utf-8"))["marks"]
    rows = mesh.row[[mark[0] for mark in table]]
    there = np.array([mark[1:] for mark in table]) / 100.0
    adult = mesh.morphed(MEAN_ADULT)
    known = rows >= 0
    here = adult[rows[known]]
    face = there[known][:, 2] > 5.0
    place = similarity(here[face], there[known][face])
    canonical = warp(here, there[known])(adult)
    return np.round(canonical, 4), place


def similarity(points: Float, targets: Float) -> Motion:
    """The turn, scale and shift that bring points nearest to others (Umeyama 1991)."""
    center, there = points.mean(0), targets.mean(0)
    left, stretch, right = np.linalg.svd((points - center).T @ (targets - there))
    turn = left @ right
    scale = stretch.sum() / ((points - center) ** 2).sum()
    return lambda given: scale * (given - center) @ turn + there


def warp(points: Float, targets: Float) -> Motion:
    """The smoothest map of space that brings points about to others."""
    from scipy.interpolate import RBFInterpolator

    found: Motion = RBFInterpolator(points, targets, kernel="linear", degree=1, smoothing=SMOOTHING)
    return found
