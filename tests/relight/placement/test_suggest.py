# SPDX-License-Identifier: Apache-2.0
"""Whole setups on photos: what is said is what is seen."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from relight import (
    Analysis,
    Environment,
    Face,
    Light,
    NoFaceError,
    PhotoError,
    Portrait,
    Relighter,
    load_photo,
)
from relight.face.mesh import surface
from relight.face.mirror import partners
from relight.placement.recipe import PATTERNS
from relight.placement.rule import suggest
from relight.stage.view import SIDE, View


@pytest.fixture(scope="module")
def portrait(relighter: Relighter, astronaut: np.ndarray) -> Portrait:
    return relighter.look(astronaut)


@pytest.fixture(scope="module")
def dim(relighter: Relighter, astronaut: np.ndarray) -> Portrait:
    """The example, two and a half stops darker."""
    linear = (astronaut / 255.0) ** 2.2 * 0.17
    return relighter.look((linear ** (1 / 2.2) * 255).astype(np.uint8))


def promised(reason: str) -> tuple[float, float]:
    found = re.search(r"key-to-fill ([\d.]+):1 becomes ([\d.]+):1", reason)
    assert found, reason
    return float(found[1]), float(found[2])


@pytest.mark.parametrize("pattern", [None, "loop", "rembrandt", "split"])
def test_what_is_said_is_measured_on_the_pixels(portrait: Portrait, pattern: str | None) -> None:
    setup = portrait.suggest(pattern)
    face = portrait.render(setup).report()["faces"][0]
    before, after = promised(setup.reason)
    assert face["key_to_fill_before"] == pytest.approx(before, abs=0.06)
    assert face["key_to_fill_after"] == pytest.approx(after, rel=0.15)


def test_the_automatic_light_is_noticed(portrait: Portrait, astronaut: np.ndarray) -> None:
    result = portrait.render(portrait.suggest())
    left, top, width, height = (round(value) for value in result.faces[0].box)
    face = (slice(top, top + height), slice(left, left + width))
    change = np.abs(result.image[face].astype(int) - astronaut[face]).mean()
    assert change >= 8
    hot = [(image[face].max(-1) >= 245).mean() for image in (astronaut, result.image)]
    assert hot[1] <= hot[0] + 0.02
    assert 0.85 < result.image[face].mean() / astronaut[face].mean() < 1.15


def test_a_dim_face_is_raised(dim: Portrait) -> None:
    result = dim.render(dim.suggest())
    left, top, width, height = (round(value) for value in result.faces[0].box)
    face = (slice(top, top + height), slice(left, left + width))
    assert result.image[face].mean() > 1.2 * dim.photo.rgb8[face].mean()
    assert "raised" in result.reason


def mirrored(analysis: Analysis) -> Analysis:
    """What a look at the mirrored photo would tell if models were as symmetric as faces are."""
    landmarks = analysis.face.landmarks.copy()
    landmarks[:, 0] = analysis.photo_rgb.shape[1] - landmarks[:, 0]
    landmarks = landmarks[[*partners(), *range(473, 478), *range(468, 473)]]
    face, view = Face.from_landmarks(landmarks, analysis.photo_rgb.shape), analysis.view
    drawn = face.crop_landmarks(SIDE)
    flipped = {
        name: np.ascontiguousarray(getattr(view, name)[:, ::-1])
        for name in ("pixels", "inner_face", "skin", "outline")
    }
    return replace(
        analysis,
        face=face,
        view=View(mesh=surface(drawn, face.crop_pose, SIDE), landmarks=drawn, **flipped),
        crop_environment=Environment(analysis.crop_environment.data[:, ::-1]),
    )


@pytest.mark.parametrize("pattern", [None, *PATTERNS])
def test_a_mirrored_face_gets_the_mirrored_setup(portrait: Portrait, pattern: str | None) -> None:
    falling = np.linspace(2, -0.5, SIDE, dtype=np.float32).clip(0.2, 1)[None, :, None]
    gain = np.repeat(np.repeat(falling, SIDE, 0), 3, 2)

    def gains(light: Light) -> list[np.ndarray]:
        return [gain if light.azimuth_deg < 0 else gain[:, ::-1]]

    (analysis,) = portrait.analyses
    one = suggest([analysis], gains, pattern)
    two = suggest([mirrored(analysis)], gains, pattern)
    for light, other in zip(one.lights, two.lights, strict=True):
        assert other.azimuth_deg == pytest.approx(-light.azimuth_deg, abs=2)
        assert other.elevation_deg == pytest.approx(light.elevation_deg, abs=2)
        assert other.intensity == pytest.approx(light.intensity, rel=0.05, abs=1e-6)
    assert two.fill == pytest.approx(one.fill, rel=0.05)


def check_mirrored(
    relighter: Relighter, pixels: np.ndarray, degrees: float, share: float, name: str = ""
) -> None:
    """A photo and its mirror image get the same light, mirrored; in degrees and in share of it."""
    one = relighter.look(pixels).suggest()
    two = relighter.look(np.ascontiguousarray(pixels[:, ::-1])).suggest()
    light, other = one.lights[0], two.lights[0]
    assert other.azimuth_deg == pytest.approx(-light.azimuth_deg, abs=degrees), name
    assert other.elevation_deg == pytest.approx(light.elevation_deg, abs=degrees), name
    assert other.intensity == pytest.approx(light.intensity, rel=share, abs=1e-6), name
    assert two.fill == pytest.approx(one.fill, rel=share), name


def test_a_mirrored_photo_gets_the_mirrored_setup(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    check_mirrored(relighter, astronaut, 0.5, 0.03)


def test_mirrored_real_photos_get_the_mirrored_setup(
    relighter: Relighter, real_photos: Path
) -> None:
    for path in sorted(real_photos.iterdir()):
        try:
            check_mirrored(relighter, load_photo(path).rgb8, 2, 0.05, path.name)
        except (NoFaceError, PhotoError):
            continue  # nobody, or a list beside the photos


@pytest.mark.parametrize("pattern", list(PATTERNS))
def test_every_pattern_has_its_reason(portrait: Portrait, pattern: str) -> None:
    setup = portrait.suggest(pattern)
    assert setup.reason
    if setup.changes:
        assert PATTERNS[pattern].gist in setup.reason
        assert setup.lights[0].softness_deg == PATTERNS[pattern].softness_deg
    else:
        assert pattern == "balance"  # she is lit evenly


def test_an_unknown_pattern_is_refused(portrait: Portrait) -> None:
    with pytest.raises(ValueError, match="rembrandt"):
        portrait.suggest("disco")
    with pytest.raises(ValueError, match="exclude"):
        portrait.suggest("loop", like=portrait)


def test_light_is_copied_from_another_portrait(
    relighter: Relighter, portrait: Portrait, astronaut: np.ndarray
) -> None:
    steep = 1 / (1 + np.exp(-(np.linspace(0, 512, 512) - 224) / 20))  # her nose is at 224
    warm = astronaut * (0.2 + 0.8 * steep)[None, :, None] * [1.0, 0.85, 0.6]
    reference = relighter.look(warm.astype(np.uint8))
    setup = portrait.suggest(like=reference)
    assert setup.lights[0].azimuth_deg > 5, "lit from image right"
    red, _, blue = setup.lights[0].color
    assert red > 1.1 * blue
    mirrored = relighter.look(np.ascontiguousarray(warm[:, ::-1]).astype(np.uint8))
    other = portrait.suggest(like=mirrored)
    assert other.lights[0].azimuth_deg < -5


@pytest.fixture(scope="module")
def group(relighter: Relighter, astronaut: np.ndarray) -> Portrait:
    """The example, once as it is and once harshly lit and smaller."""
    steep = np.linspace(0, 1, 512)[None, :, None]
    harsh = (astronaut * (0.12 + 1.1 / (1 + np.exp(-(steep - 0.44) * 60)))).clip(0, 255)
    canvas = np.full((512, 900, 3), 110, np.uint8)
    canvas[:, :512] = astronaut
    canvas[100:488, 512:] = cv2.resize(harsh.astype(np.uint8), (388, 388))
    return relighter.look(canvas)


def test_a_face_of_a_group_that_is_lit_well_gets_nothing(group: Portrait) -> None:
    assert len(group.faces) == 2
    setup = group.suggest()
    ratios = [face["key_to_fill_before"] for face in group.render([]).report()["faces"]]
    assert ratios[0] < 3 < ratios[1]
    assert setup.shares == (1.0, 0.0)
    assert "1 of 2 faces" in setup.reason
    result = group.render(setup)
    np.testing.assert_array_equal(result.image[:, 640:], group.photo.rgb8[:, 640:])
    assert [face["share"] for face in result.report()["faces"]] == [1, 0]


def test_only_the_largest_faces_are_lit_unless_all_are_asked_for(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    face = cv2.resize(astronaut[:300, 80:380], (160, 160))
    five = np.concatenate([cv2.resize(face, (160, 160)) for _ in range(5)], 1)
    portrait = relighter.look(five)
    assert len(portrait.faces) == 5
    assert portrait.suggest().shares[4] == 0
    assert sum(share > 0 for share in portrait.suggest().shares) == 4
    assert min(portrait.suggest(most=None).shares_of(5)) > 0
