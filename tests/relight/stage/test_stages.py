# SPDX-License-Identifier: Apache-2.0
"""What the networks are given and what is made of their answers."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from relight import Environment, Light
from relight.face.mesh import Surface
from relight.stage.cast_shadow import unshadowed
from relight.stage.quotient import FLOOR, SHINE, Existing, between, shading_inputs
from relight.stage.shading import belief, cast, shading, skin_colors, uncovered
from relight.stage.stages import NetworkStages, mirrored
from relight.stage.tflite import TfliteStages
from relight.stage.view import FINE, SIDE, View


def view(person: np.ndarray | None = None) -> View:
    rng = np.random.default_rng(2)
    face = np.zeros((SIDE, SIDE), bool)
    face[40:90, 45:85] = True
    normals = rng.normal(size=(SIDE, SIDE, 3)).astype(np.float32)
    normals[..., 2] = np.abs(normals[..., 2]) + 1
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    outline = np.ones((SIDE, SIDE), np.float32) if person is None else person
    pixels = rng.integers(0, 256, (FINE * SIDE, FINE * SIDE, 3), np.uint8)
    pixels[:, : SIDE // 4] = 0  # brighter to image right: the networks see it as it is
    return View(
        pixels=pixels,
        mesh=Surface(normals * face[..., None], np.zeros(face.shape, np.float32), face),
        inner_face=face.astype(np.float32),
        skin=face.astype(np.float32),
        outline=outline.repeat(2, 0).repeat(2, 1),
    )


class Answers(NetworkStages):
    """Remembers what it was asked and gives prepared answers."""

    def __init__(self, **outputs: Any) -> None:
        self.outputs = outputs
        self.asked: dict[str, dict[str, np.ndarray]] = {}
        self.runs: list[str] = []

    def run(self, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.asked[name] = inputs
        self.runs.append(name)
        return self.outputs

    def close(self) -> None:
        pass


def unit_normals() -> np.ndarray:
    normals = np.random.default_rng(3).normal(size=(SIDE, SIDE, 3)).astype(np.float32)
    return normals / np.linalg.norm(normals, axis=2, keepdims=True)


def left_half() -> np.ndarray:
    person = np.zeros((SIDE, SIDE), np.float32)
    person[:, : SIDE // 2] = 1
    person[:, SIDE // 2] = 0.5
    return person


# --- Normals


def test_the_normals_network_sees_photo_mesh_and_mask() -> None:
    stages = Answers(normals=unit_normals(), confidence=np.ones((SIDE, SIDE, 1), np.float32))
    seen = view()
    normals, trust = stages.normals(seen)
    asked = stages.asked["normals"]
    np.testing.assert_array_equal(asked["photo"], seen.photo)
    np.testing.assert_array_equal(asked["mesh"][..., :3], seen.mesh.normals)
    np.testing.assert_array_equal(asked["mesh"][..., 3], seen.face)
    np.testing.assert_array_equal(normals, unit_normals())
    np.testing.assert_allclose(trust, 1, atol=1e-5)


@pytest.mark.parametrize(("quality", "expected"), [(0.05, 0), (0.3, 0.5), (0.6, 1), (1.0, 1)])
def test_trust_grows_with_the_quality_expected(quality: float, expected: float) -> None:
    confidence = np.full((SIDE, SIDE, 1), quality, np.float32)
    _, trust = Answers(normals=unit_normals(), confidence=confidence).normals(view())
    np.testing.assert_allclose(trust, expected, atol=1e-5)


def test_nothing_is_trusted_off_the_person_and_trust_has_no_edge() -> None:
    confidence = np.zeros((SIDE, SIDE, 1), np.float32)
    confidence[:64] = 1
    stages = Answers(normals=unit_normals(), confidence=confidence)
    _, trust = stages.normals(view(left_half()))
    assert not trust[:, SIDE // 2 + 1 :].any()
    inside = trust[:, 10]
    assert inside[40] == pytest.approx(1, abs=1e-3)
    assert inside[90] == pytest.approx(0, abs=1e-3)
    assert np.abs(np.diff(inside)).max() < 0.15


# --- Lighting


def test_the_environment_is_the_exponential_of_the_answer() -> None:
    log = np.random.default_rng(1).normal(size=(16, 32, 3)).astype(np.float32)
    stages = Answers(log_environment=log)
    normals, seen = unit_normals(), view(left_half())
    environment = stages.lighting(seen, normals)
    np.testing.assert_allclose(environment.data, np.exp(log), rtol=1e-5)
    asked = stages.asked["lighting"]
    np.testing.assert_array_equal(asked["photo"], seen.photo)
    np.testing.assert_array_equal(asked["normals"][:, :60], normals[:, :60])
    assert not asked["normals"][:, 65:].any()
    np.testing.assert_array_equal(asked["normals"][:, 64], normals[:, 64] / 2)


@pytest.mark.parametrize("extreme", [-1e30, 1e30, 200.0])
def test_an_extreme_answer_is_still_an_environment(extreme: float) -> None:
    log = np.full((16, 32, 3), extreme, np.float32)
    assert isinstance(Answers(log_environment=log).lighting(view(), unit_normals()), Environment)


# --- Gain

PLAIN = np.zeros((SIDE, SIDE, 3), np.float32)


def answers(log_shading: np.ndarray = PLAIN) -> Answers:
    """Prepared answers of the shading and key networks."""
    key = np.random.default_rng(1).uniform(size=(SIDE, SIDE, 2)).astype(np.float32)
    return Answers(log_shading=log_shading, key=key)


def test_the_key_network_sees_the_shape_and_the_light_and_no_photo() -> None:
    stages = answers()
    light = Light(40, 20, 3.0, (1, 0.5, 0), softness_deg=30)
    normals, seen = unit_normals(), view(left_half())
    stages.gain(seen, normals, Environment.uniform(), light)
    asked = stages.asked["key"]
    assert asked.keys() == {"normals", "unshadowed", "face", "light"}
    np.testing.assert_allclose(asked["light"], [*light.direction, math.radians(30)], atol=1e-6)
    np.testing.assert_array_equal(asked["normals"], between(seen, normals))
    expected = unshadowed(seen.mesh, light.direction, math.radians(30))[..., None]
    np.testing.assert_array_equal(asked["unshadowed"], expected)
    np.testing.assert_array_equal(asked["face"][..., 0], seen.face)
    assert {array.dtype for array in asked.values()} == {np.dtype(np.float32)}


def test_the_shading_network_sees_photo_and_existing_light() -> None:
    stages, normals, seen = answers(), unit_normals(), view(left_half())
    around = np.random.default_rng(4).uniform(size=(16, 32, 3)).astype(np.float32)
    environment = Environment(around)
    stages.gain(seen, normals, environment, Light(40, 20))
    asked = stages.asked["shading"]
    np.testing.assert_array_equal(asked["photo"], seen.photo)
    surface = between(seen, normals)
    lit = shading(environment, surface, seen.face)
    np.testing.assert_array_equal(asked["normals"], surface)
    np.testing.assert_array_equal(asked["shading"], lit)
    assert asked["mirrored"].shape == (SIDE, SIDE, 5)
    assert asked["belief"] == pytest.approx(belief(lit, seen.face))
    assert {array.dtype for array in asked.values()} == {np.dtype(np.float32)}


def test_the_shading_is_found_once_for_each_of_two_faces() -> None:
    """Lights that are moved on the faces of a group in turn leave it alone."""
    stages = answers()
    faces = [(view(), unit_normals(), Environment.uniform(level)) for level in (0.5, 1.0)]
    for azimuth in (0, 30, 60):
        for seen, normals, environment in faces:
            stages.gain(seen, normals, environment, Light(azimuth, 20))
    assert sorted(stages.runs) == ["key"] * 6 + ["shading"] * 2


def test_the_shading_follows_the_light_and_the_normals() -> None:
    stages, seen = answers(), view()
    lit = np.random.default_rng(4).uniform(size=(2, 16, 32, 3)).astype(np.float32)
    given = unit_normals()
    for environment in (Environment(lit[0]), Environment(lit[1])):
        for normals in (given, given[::-1].copy()):
            stages.gain(seen, normals, environment, Light(0, 0))
            expected = shading(environment, between(seen, normals), seen.face)
            np.testing.assert_array_equal(stages.asked["shading"]["shading"], expected)


def test_the_gain_is_the_key_over_the_shading_and_its_gloss_over_the_photo() -> None:
    log_shading = np.random.default_rng(5).normal(size=(SIDE, SIDE, 3)).astype(np.float32)
    stages, seen, normals = answers(log_shading), view(), unit_normals()
    environment = Environment.uniform(0.7)
    key = stages.outputs["key"]
    matte = stages.gain(seen, normals, environment, Light(40, 20, gloss=0))
    told = shading_inputs(seen, between(seen, normals), environment)
    smooth = told["belief"] * told["shading"].mean(-1, keepdims=True)
    colors = skin_colors(seen.linear, seen.skin)
    known = uncovered(log_shading, smooth, colors) + cast(colors)
    np.testing.assert_allclose(matte, key[..., :1] / np.exp(known), rtol=1e-5)
    for gloss in (1.0, 0.5):
        whole = stages.gain(seen, normals, environment, Light(40, 20, gloss=gloss))
        shine = (whole - matte) * np.maximum(seen.linear, FLOOR)
        expected = gloss * SHINE * 0.7 * key[..., 1:].repeat(3, -1)
        np.testing.assert_allclose(shine, expected, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize(("levels", "grey"), [(0, True), (1, True), (3, False)])
def test_a_grey_photo_s_gain_is_grey(levels: int, grey: bool) -> None:
    log_shading = np.random.default_rng(1).uniform(size=(SIDE, SIDE, 3)).astype(np.float32)
    pixels = np.full((FINE * SIDE, FINE * SIDE, 3), 128, np.uint8)
    pixels[80:82, 150:152, 0] += np.uint8(levels)
    seen = dataclasses.replace(view(), pixels=pixels, skin=np.zeros((SIDE, SIDE), np.float32))
    light = Light(40, 20, gloss=0)
    stages = answers(log_shading)
    gain = stages.gain(seen, unit_normals(), Environment.uniform(), light)
    used = log_shading.mean(-1, keepdims=True).repeat(3, -1) if grey else log_shading
    np.testing.assert_allclose(gain, stages.outputs["key"][..., :1] / np.exp(used), rtol=1e-5)
    assert (np.ptp(gain, axis=-1).max() < 1e-6) == grey


# --- Mirror images


def flipped(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values[:, ::-1])


def sided(vectors: np.ndarray) -> np.ndarray:
    return flipped(vectors) * np.array([-1, 1, 1], np.float32)


def of_mirror_image(seen: View) -> View:
    drawn = Surface(sided(seen.mesh.normals), flipped(seen.mesh.depth), flipped(seen.mesh.mask))
    arrays = {name: flipped(getattr(seen, name)) for name in ("pixels", "inner_face", "skin")}
    return dataclasses.replace(seen, mesh=drawn, outline=flipped(seen.outline), **arrays)


def test_a_face_and_its_mirror_image_are_judged_alike() -> None:
    stages = TfliteStages()
    seen = view()
    other = of_mirror_image(seen)
    normals, trust = stages.normals(seen)
    reversed_normals, reversed_trust = stages.normals(other)
    np.testing.assert_array_equal(reversed_normals, sided(normals))
    np.testing.assert_allclose(reversed_trust, flipped(trust), atol=1e-6)
    around = stages.lighting(seen, normals)
    opposite = stages.lighting(other, reversed_normals)
    np.testing.assert_allclose(opposite.data, flipped(around.data), rtol=1e-4)
    surface, even = between(seen, normals), np.ones((SIDE, SIDE, 3), np.float32)
    gain = stages.gain_over(Existing(surface, even, even), seen, Light(40, 20))
    there = Existing(sided(surface), even, even)
    found = stages.gain_over(there, other, Light(-40, 20))
    np.testing.assert_allclose(found, flipped(gain), atol=1e-5)
    stages.close()


def test_networks_may_see_the_mirror_image() -> None:
    light = np.array([0.6, 0.3, 0.7, 0.1], np.float32)
    seen = view()
    found = mirrored({"light": light, "normals": seen.mesh.normals, "photo": seen.photo})
    np.testing.assert_allclose(found["light"], [-0.6, 0.3, 0.7, 0.1])
    np.testing.assert_array_equal(found["normals"], sided(seen.mesh.normals))
    np.testing.assert_array_equal(found["photo"], flipped(seen.photo))


def test_the_packages_networks_make_all_estimates() -> None:
    stages, seen = TfliteStages(), view()
    normals, trust = stages.normals(seen)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=2), 1, atol=1e-3)
    assert trust.shape == (SIDE, SIDE)
    environment = stages.lighting(seen, normals)
    assert environment.data.shape == (16, 32, 3)
    gain = stages.gain(seen, normals, environment, Light(30, 20))
    assert gain.shape == (SIDE, SIDE, 3)
    assert gain.min() >= 0
    assert gain.max() > 0.2
