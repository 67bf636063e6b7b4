# SPDX-License-Identifier: Apache-2.0
"""The body below a face: its shape from its outline, and the key on it."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from relight import Analysis, Face, Light, Relighter, Setup
from relight.face.perception import Perception
from relight.stage import body as bodies
from relight.stage.analysis import key_gain
from relight.stage.body import Body, inflated
from relight.stage.silhouette import settled
from relight.stage.tflite import TfliteStages

KEY = Light(45, 30)
SIDE = 64


def block(left: int, right: int, top: int = 0, bottom: int = SIDE) -> np.ndarray:
    person = np.zeros((SIDE, SIDE), np.float32)
    person[top:bottom, left:right] = 1
    return person


def lit(body: Body, face: Face, head_gain: np.ndarray, light: Light) -> np.ndarray:
    gain = body.gain(face.crop, head_gain, light).body
    assert gain is not None
    return gain


@pytest.fixture(scope="module")
def body(analysis: Analysis) -> Body:
    assert analysis.body is not None
    return analysis.body


# --- Shape


def test_a_wide_body_faces_the_camera_and_turns_away_at_its_outline() -> None:
    normals = inflated(block(8, 56, 20), 5)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-5)
    assert normals[..., 2].min() > 0
    assert normals[45, 32, 2] > 0.97
    assert abs(normals[45, 32, 0]) < 0.02
    assert normals[45, 8, 0] < -0.5
    assert normals[45, 55, 0] > 0.5
    assert normals[20, 32, 1] > 0.5


def test_an_arm_is_round() -> None:
    row = inflated(block(27, 37), 5)[32, 27:37, 0]
    assert (np.diff(row) > 0).all()
    np.testing.assert_allclose(row, -row[::-1], atol=1e-3)
    assert row[7] > 0.25


def test_where_the_picture_ends_the_surface_goes_on() -> None:
    normals = inflated(block(8, 56, 20, 64), 5)
    np.testing.assert_allclose(normals[-1, 20:44], normals[-8, 20:44], atol=0.05)


@pytest.mark.parametrize("person", [np.zeros, np.ones])
@pytest.mark.parametrize("radius", [0.5, 5.0, 60.0])
def test_nobody_and_everybody_face_the_camera(person: type, radius: float) -> None:
    normals = inflated(person((SIDE, SIDE), np.float32), radius)
    assert np.isfinite(normals).all()
    assert normals[..., 2].min() > 0.95


def test_the_mirrored_outline_gives_the_mirrored_surface() -> None:
    person = block(5, 30, 10)
    person[40:, 30:50] = 1
    one, other = inflated(person, 4), inflated(person[:, ::-1].copy(), 4)[:, ::-1]
    np.testing.assert_allclose(one * np.float32([-1, 1, 1]), other, atol=1e-4)


# --- What is seen


def test_the_body_below_the_example_s_face_is_seen(body: Body, analysis: Analysis) -> None:
    assert body.person.shape == (256, 256)
    assert body.normals.shape == body.existing.shape == (SIDE, SIDE, 3)
    mask = analysis.mask
    assert mask[330:400, 120:260].mean() > 0.95  # the suit's chest, below the head's crop
    assert mask[40:200, 420:500].mean() < 0.05
    normals = analysis.normals
    assert np.nanmean(normals[350:450, 30:70, 0]) < -0.2
    assert np.nanmean(normals[330:400, 160:220, 2]) > 0.9


def test_where_only_a_face_is_seen_there_is_no_body(
    relighter: Relighter, astronaut: np.ndarray, face: Face
) -> None:
    rows, columns = face.crop.visible(astronaut.shape)
    tight = np.ascontiguousarray(
        astronaut[rows.start + 45 : rows.stop - 45, columns.start + 45 : columns.stop - 45]
    )
    found = relighter.find_faces(tight)
    assert relighter.analyze(tight, found[0]).body is None


class Blind(Perception):
    """Sees nobody in wide squares."""

    def person(self, image: np.ndarray) -> np.ndarray:
        """Nobody."""
        return np.zeros(image.shape[:2], np.float32)


def test_a_person_who_is_not_found_is_lit_as_before(
    analysis: Analysis, astronaut: np.ndarray, face: Face
) -> None:
    seen = bodies.see(Blind(), astronaut, face)
    assert seen is not None
    person, found = bodies.body_of(
        seen,
        face.crop,
        analysis.view,
        analysis.crop_normals,
        analysis.crop_confidence,
        analysis.crop_environment,
    )
    assert found is None
    np.testing.assert_array_equal(person, settled(analysis.view.pixels, analysis.view.outline))


# --- The key on it


def test_the_key_lights_its_own_side_of_the_body(body: Body, face: Face) -> None:
    flat = np.zeros((128, 128, 3), np.float32)
    for azimuth, sign in ((60, 1), (-60, -1)):
        gain = lit(body, face, flat, Light(azimuth, 20)).mean(-1)
        assert gain.min() >= 0
        assert np.isfinite(gain).all()
        right = gain[body.normals[..., 0] > 0.4].mean()
        left = gain[body.normals[..., 0] < -0.4].mean()
        assert math.log(right / left) * sign > 0.5


def test_the_body_s_level_is_the_head_s_where_they_meet(body: Body, face: Face) -> None:
    """Times as bright a head makes a body that is as many times as bright, within limits."""
    weight = body.meeting[..., None]
    dim, bright = (
        (lit(body, face, np.full((128, 128, 3), level, np.float32), KEY) * weight).sum()
        / weight.sum()
        / 3
        for level in (0.5, 0.8)
    )
    assert dim == pytest.approx(0.5, rel=0.15)
    assert bright == pytest.approx(0.8, rel=0.15)


def test_the_light_dies_away_over_two_face_heights(body: Body, face: Face) -> None:
    height = face.crop.size / 2.4
    rows = (np.arange(128) + 0.5) / 128 * body.crop.size + body.crop.y - body.crop.size / 2
    below = (rows - face.crop.y) / height - 0.5  # face heights under the chin
    fade = body.trust.max(1)
    assert fade[(below > 0.3) & (below < 0.6)].min() > 0.8
    assert fade[below > 2.3].max() == 0
    assert (np.diff(fade[below > 0.6]) <= 1e-3).all()


def test_a_face_s_gain_is_left_alone_by_the_body(analysis: Analysis) -> None:
    stages = TfliteStages()
    with_body = key_gain(stages, analysis, KEY)
    without = key_gain(stages, replace(analysis, body=None), KEY)
    sure = analysis.view.inner_face == 1
    np.testing.assert_array_equal(with_body.head[sure], without.head[sure])
    assert without.body is None
    assert with_body.body is not None


def test_where_a_head_s_shape_is_not_known_the_body_s_light_takes_over(
    analysis: Analysis, face: Face
) -> None:
    """Clothes beside a face get no dark hole where the network doubts its normals."""
    seen = bodies.see(Perception(), analysis.photo_rgb, face)
    nothing = np.zeros((128, 128), np.float32)
    _, body = bodies.body_of(
        seen, face.crop, analysis.view, analysis.crop_normals, nothing, analysis.crop_environment
    )
    assert body is not None
    cloth = slice(110, 120), slice(30, 98)
    assert body.share[cloth].min() == 1
    assert body.on_head[cloth].min() > 0.8
    gain = body.gain(face.crop, np.zeros((128, 128, 3), np.float32), KEY)
    assert gain.head[cloth].min() > 0
    drawn = body.crop.onto_crop(gain.body, face.crop, 128)
    np.testing.assert_allclose(gain.head[cloth], drawn[cloth], atol=1e-6)


def test_added_light_falls_on_the_chest_and_fill_on_the_whole_person(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    portrait = relighter.look(astronaut)
    chest, lap = (slice(300, 340), slice(150, 230)), (slice(430, 460), slice(120, 230))
    key = portrait.render(KEY).image.astype(int) - astronaut
    assert key[chest].mean() > 3
    assert key[lap].mean() < 1
    dimmed = portrait.render(Setup((), 0.5)).image / np.maximum(astronaut, 1)
    for place in (chest, lap):
        assert np.median(dimmed[place]) == pytest.approx(0.5 ** (1 / 2.2), abs=0.06)


@pytest.mark.parametrize("cut", [100, 160, 190])
def test_a_person_cut_by_the_photo_s_border_is_dimmed_up_to_it(
    relighter: Relighter, astronaut: np.ndarray, cut: int
) -> None:
    part = np.ascontiguousarray(astronaut[:, cut:])
    portrait = relighter.look(part)
    image = portrait.render(Setup((), 0.5)).image
    mask = portrait.analyses[0].mask[:, :1]
    inside = cv2.erode(mask, np.ones((15, 1)))[:, 0] > 0.95
    assert inside.sum() > 80
    ratio = image[inside, 0].mean() / part[inside, 0].mean()
    assert ratio == pytest.approx(0.5 ** (1 / 2.2), abs=0.06)
    outside = cv2.dilate(mask, np.ones((41, 1)))[:, 0] < 0.01
    np.testing.assert_array_equal(image[outside, 0], part[outside, 0])


def test_in_the_mirrored_photo_the_body_is_lit_from_the_other_side(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    chest = slice(290, 420)
    one = relighter.look(astronaut).render(Light(45, 30, 2)).image[chest].astype(int)
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    other = relighter.look(mirrored).render(Light(-45, 30, 2)).image[chest, ::-1]
    added = one - astronaut[chest]
    assert np.abs(one - other).mean() < 0.3 * added.mean()
