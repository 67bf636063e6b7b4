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
from relight.stage import stages as stage
from relight.stage.shading import shading
from relight.stage.stages import NetworkStages
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
    return View(
        pixels=rng.integers(0, 256, (FINE * SIDE, FINE * SIDE, 3), np.uint8),
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

    def run(self, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.asked[name] = inputs
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
    np.testing.assert_array_equal(asked["photo"], seen.fine_photo)
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


def test_the_quotient_network_sees_the_light_as_direction_and_radius() -> None:
    answer = np.random.default_rng(1).uniform(size=(SIDE, SIDE, 3)).astype(np.float32)
    stages = Answers(gain=answer)
    light = Light(40, 20, 3.0, (1, 0.5, 0), softness_deg=30)
    normals, seen = unit_normals(), view(left_half())
    gain = stages.gain(seen, normals, Environment.uniform(), light)
    np.testing.assert_array_equal(gain, answer)
    asked = stages.asked["quotient"]
    np.testing.assert_array_equal(asked["photo"], seen.fine_photo)
    np.testing.assert_allclose(asked["light"], [*light.direction, math.radians(30)], atol=1e-6)
    given = normals * left_half()[..., None]
    np.testing.assert_array_equal(asked["normals"], given)
    expected = np.maximum(given @ light.direction, 0)[..., None]
    np.testing.assert_allclose(asked["visibility"], expected, atol=1e-6)
    assert {array.dtype for array in asked.values()} == {np.dtype(np.float32)}


def test_the_existing_shading_is_found_once_for_each_of_two_faces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lights that are moved on the faces of a group in turn leave it alone."""
    found: list[Environment] = []

    def counted(environment: Environment, *rest: np.ndarray) -> np.ndarray:
        found.append(environment)
        return shading(environment, *rest)

    monkeypatch.setattr(stage, "shading", counted)
    stages = Answers(gain=np.ones((SIDE, SIDE, 3), np.float32))
    faces = [(view(), unit_normals(), Environment.uniform(level)) for level in (0.5, 1.0)]
    for azimuth in (0, 30, 60):
        for seen, normals, environment in faces:
            stages.gain(seen, normals, environment, Light(azimuth, 20))
    assert found == [environment for _, _, environment in faces]


def test_the_shading_follows_the_light_and_the_normals() -> None:
    stages, seen = Answers(gain=np.ones((SIDE, SIDE, 3), np.float32)), view()
    lit = np.random.default_rng(4).uniform(size=(2, 16, 32, 3)).astype(np.float32)
    given = unit_normals()
    for environment in (Environment(lit[0]), Environment(lit[1])):
        for normals in (given, given[::-1].copy()):
            stages.gain(seen, normals, environment, Light(0, 0))
            expected = shading(environment, normals * seen.person[..., None], seen.face)
            np.testing.assert_array_equal(stages.asked["quotient"]["shading"], expected)


@pytest.mark.parametrize(("levels", "grey"), [(0, True), (1, True), (3, False)])
def test_a_grey_photo_s_gain_is_grey(levels: int, grey: bool) -> None:
    answer = np.random.default_rng(1).uniform(size=(SIDE, SIDE, 3)).astype(np.float32)
    pixels = np.full((FINE * SIDE, FINE * SIDE, 3), 128, np.uint8)
    pixels[80:82, 100:102, 0] += np.uint8(levels)
    seen = dataclasses.replace(view(), pixels=pixels)
    gain = Answers(gain=answer).gain(seen, unit_normals(), Environment.uniform(), Light(40, 20))
    expected = answer.mean(-1, keepdims=True).repeat(3, -1) if grey else answer
    np.testing.assert_allclose(gain, expected, atol=1e-6)


def test_the_packages_networks_make_all_three_estimates() -> None:
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
