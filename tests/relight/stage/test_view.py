# SPDX-License-Identifier: Apache-2.0
"""What the stages see of a face."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from crop_sample import square

from relight import Face, Relighter
from relight.face.perception import Perception
from relight.stage.view import SIDE, View, look


@pytest.fixture(scope="module")
def face(relighter: Relighter, astronaut: np.ndarray) -> Face:
    return relighter.find_faces(astronaut)[0]


@pytest.fixture(scope="module")
def view(detector: Perception, astronaut: np.ndarray, face: Face) -> View:
    return look(detector, astronaut, face)


def marks(face: Face, *indices: int) -> np.ndarray:
    """Rows and columns of landmarks on the crop."""
    return face.crop_landmarks(SIDE)[list(indices), 1::-1].astype(int)


def test_everything_lies_on_one_crop(view: View) -> None:
    assert view.photo.shape == view.mesh.normals.shape == view.linear.shape == (SIDE, SIDE, 3)
    for plane in (view.face, view.inner_face, view.skin, view.person):
        assert plane.shape == (SIDE, SIDE)
    assert view.outline.shape == (2 * SIDE, 2 * SIDE)
    assert view.face.dtype == bool
    for name in ("photo", "inner_face", "skin", "person", "outline", "linear"):
        assert getattr(view, name).dtype == np.float32, name
    for name in ("photo", "inner_face", "skin", "person", "outline"):
        assert 0 <= getattr(view, name).min() <= getattr(view, name).max() <= 1, name


def test_the_photo_is_the_crop_averaged(view: View, astronaut: np.ndarray, face: Face) -> None:
    exact = face.crop.extract(astronaut.astype(np.float32), SIDE) / 255
    assert np.abs(view.photo - exact).mean() < 0.012
    assert np.abs(view.photo[::-1] - exact).mean() > 0.1


def test_the_mesh_has_normals_inside_and_none_outside(view: View) -> None:
    lengths = np.linalg.norm(view.mesh.normals, axis=2)
    np.testing.assert_allclose(lengths[view.face], 1, atol=1e-4)
    assert not view.mesh.normals[~view.face].any()
    columns = np.indices(view.face.shape)[1]
    middle = columns[view.face].mean()
    assert view.mesh.normals[view.face & (columns < middle), 0].mean() < -0.2
    assert view.mesh.normals[view.face & (columns > middle), 0].mean() > 0.2


def test_skin_is_face_without_eyes_lips_and_rim(view: View, face: Face) -> None:
    cheek_left, cheek_right = marks(face, 50, 280)
    assert view.skin[tuple(cheek_left)] == view.skin[tuple(cheek_right)] == 1
    for row, column in marks(face, 13, 468, 473, 105, 334):  # mouth, irises, eyebrows
        assert view.skin[row, column] == 0
    assert not view.skin[~view.face].any()
    assert view.skin.sum() < 0.9 * view.face.sum()
    assert (view.inner_face[~view.face] < 0.5).all()
    assert view.inner_face.sum() < view.face.sum()


def test_clipped_and_black_skin_does_not_count(
    detector: Perception, astronaut: np.ndarray, face: Face
) -> None:
    for level in (0, 255):
        flat = np.full_like(astronaut, level)
        assert not look(detector, flat, face).skin.any()
    flat = np.full_like(astronaut, 120)
    assert look(detector, flat, face).skin.any()


def test_the_face_is_always_part_of_the_person(detector: Perception, face: Face) -> None:
    nobody = np.full((512, 512, 3), 120, np.uint8)
    view = look(detector, nobody, face)
    assert (view.person[view.face] == 1).all()
    assert view.outline[:8].max() < 0.5


def test_a_crop_past_the_photos_border_is_filled_with_its_edge(
    detector: Perception, astronaut: np.ndarray, face: Face
) -> None:
    crop = square(-100, -100, 300)
    view = look(detector, astronaut, dataclasses.replace(face, crop=crop))
    np.testing.assert_allclose(view.photo[:40], view.photo[:1].repeat(40, 0), atol=0.01)
    assert np.isfinite(view.photo).all()


class Segmentation:
    """A detector that finds a given person."""

    def __init__(self, person: np.ndarray) -> None:
        self._person = person

    def person(self, crop: np.ndarray) -> np.ndarray:
        return self._person


@pytest.mark.parametrize(("seen", "rim"), [(0.99, False), (0.3, True)])
def test_an_unseen_person_is_the_whole_mesh(
    astronaut: np.ndarray, face: Face, seen: float, rim: bool
) -> None:
    person = np.full((2 * SIDE, 2 * SIDE), seen, np.float32)
    found = look(Segmentation(person), astronaut, face)  # type: ignore[arg-type]
    away = found.face & (found.mesh.normals[..., 2] < 0.3)
    assert away.any()
    certain = (found.inner_face[away] > 0.5).mean()
    assert (certain > 0.9) == rim


def test_a_mesh_drawn_past_the_face_lights_no_air(
    detector: Perception, astronaut: np.ndarray, face: Face
) -> None:
    """Near its rim the mesh needs somebody to be seen; deep inside it is right alone."""
    mask = look(detector, astronaut, face).face
    columns = np.flatnonzero(mask.any(0))
    person = np.ones((2 * SIDE, 2 * SIDE), np.float32)
    person[:, : 2 * (columns[0] + 3)] = 0  # air up to the mesh's third column
    middle = tuple(np.argwhere(mask).mean(0).astype(int))
    person[2 * middle[0] - 6 : 2 * middle[0] + 6, 2 * middle[1] - 6 : 2 * middle[1] + 6] = 0
    found = look(Segmentation(person), astronaut, face)  # type: ignore[arg-type]
    assert found.face[:, columns[0] : columns[0] + 3].any()
    assert not found.outline[:, : 2 * (columns[0] + 3)].any()
    assert found.inner_face[:, columns[0] : columns[0] + 2].max() < 0.5
    assert found.inner_face[middle] == found.person[middle] == 1
