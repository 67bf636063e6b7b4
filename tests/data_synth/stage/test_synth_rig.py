# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

pytest.importorskip("scipy")

from data_synth.error import SynthError
from data_synth.stage.rig import AZIMUTH_DEG, ELEVATION_DEG, Camera, Rig
from relight.geometry import angle_between


@pytest.fixture(scope="module")
def rig():
    return Rig.make()


def test_lights_are_spread_evenly(rig):
    assert rig.lights.shape == (331, 3)
    np.testing.assert_allclose(np.linalg.norm(rig.lights, axis=1), 1, atol=1e-6)
    cosine = rig.lights @ rig.lights.T
    np.fill_diagonal(cosine, -1)
    nearest = np.degrees(np.arccos(cosine.max(1)))
    assert nearest.min() > 10.5
    assert nearest.max() < 12.5


def test_solid_angles_cover_the_sphere(rig):
    assert rig.solid_angles.sum() == pytest.approx(4 * np.pi, rel=1e-5)
    assert rig.solid_angles.std() / rig.solid_angles.mean() < 0.03


def test_first_moment_of_even_light_vanishes(rig):
    assert np.abs(rig.solid_angles @ rig.lights).max() < 0.01


def test_cameras_stand_in_front_and_apart(rig):
    assert len(rig.cameras) == 64
    azimuth = np.array([c.azimuth_deg for c in rig.cameras])
    elevation = np.array([c.elevation_deg for c in rig.cameras])
    assert np.abs(azimuth).max() <= AZIMUTH_DEG
    assert elevation.min() >= ELEVATION_DEG[0]
    assert elevation.max() <= ELEVATION_DEG[1]
    assert (azimuth[0], elevation[0]) == (0, 0)
    back = np.stack([c.rotation[:, 2] for c in rig.cameras])
    cosine = back @ back.T
    np.fill_diagonal(cosine, -1)
    assert np.degrees(np.arccos(cosine.max(1))).min() > 8


@pytest.mark.parametrize(
    "camera", [Camera(), Camera(40, -20), Camera(-75, 45, 12.0, 60.0, 30.0, (1.0, 2.0, 3.0))]
)
def test_camera_rotation_is_a_rotation_and_projection_inverts_rays(camera):
    np.testing.assert_allclose(camera.rotation.T @ camera.rotation, np.eye(3), atol=1e-6)
    assert np.linalg.det(camera.rotation) == pytest.approx(1, abs=1e-5)
    pixels = np.array([[3.0, 5.0], [40.5, 17.25], [63.0, 1.0]])
    rays = camera.rays(pixels[:, 0], pixels[:, 1], 64)
    np.testing.assert_allclose(camera.project(camera.position + rays * 80, 64), pixels, atol=2e-3)


def test_frontal_camera_has_the_head_frame():
    np.testing.assert_allclose(Camera().rotation, np.eye(3), atol=1e-6)


def test_camera_to_the_subjects_left_sees_the_nose_at_image_left():
    nose = Camera(azimuth_deg=40).to_camera([0, 0, 1])
    assert nose[0] < -0.5


def test_positive_roll_turns_the_picture_counter_clockwise():
    up = Camera(roll_deg=10).to_camera([0, 1, 0])
    assert up[0] < -0.1


def test_saved_rig_is_readable_and_comes_back(rig, tmp_path):
    path = tmp_path / "rig.json"
    rig.save(path)
    again = Rig.load(path)
    np.testing.assert_allclose(again.lights, rig.lights, atol=2e-6)
    np.testing.assert_allclose(again.solid_angles, rig.solid_angles, atol=2e-6)
    assert again.cameras == rig.cameras
    document = json.loads(path.read_text())
    view = document["cameras"][7]
    rotation = np.array(view["rotation_right_up_back"])
    np.testing.assert_allclose(
        view["lights_camera_frame"], np.array(document["lights"]) @ rotation, atol=1e-5
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"lights": 3, "cameras": []}'])
def test_broken_rig_is_named(tmp_path, text):
    path = tmp_path / "rig.json"
    path.write_text(text)
    with pytest.raises(SynthError, match=r"rig\.json"):
        Rig.load(path)


def test_smaller_rigs_and_impossible_ones():
    rig = Rig.make(20, 3)
    assert len(rig.lights) == 20
    assert len(rig.cameras) == 3
    assert rig.solid_angles.sum() == pytest.approx(4 * np.pi, rel=1e-4)
    for lights, cameras in ((3, 1), (20, 0)):
        with pytest.raises(SynthError, match="at least"):
            Rig.make(lights, cameras)


def test_rig_is_always_the_same(rig):
    again = Rig.make()
    assert (again.lights == rig.lights).all()
    assert angle_between(rig.lights[0], again.lights[0]) == 0
