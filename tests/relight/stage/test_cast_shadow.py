# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from relight import Light
from relight.face import mesh
from relight.face.mesh import Surface
from relight.stage.cast_shadow import light_visibility, unshadowed
from relight.stage.view import SIDE

WALL = 20
"""Height in pixels of the wall that throws a shadow."""


def surface(depth: np.ndarray, mask: np.ndarray | None = None) -> Surface:
    flat = np.zeros(depth.shape, np.float32)
    normals = np.stack([flat, flat, flat + 1], -1)
    whole = np.ones(depth.shape, bool) if mask is None else mask
    return Surface(normals, depth.astype(np.float32), whole)


def wall() -> Surface:
    """A plane, and a wall in its middle, four pixels wide."""
    depth = np.zeros((SIDE, SIDE), np.float32)
    depth[:, 62:66] = WALL
    return surface(depth)


def face(turn: np.ndarray | None = None) -> Surface:
    pose = np.eye(3) if turn is None else turn
    points = mesh.template().vertices_cm @ pose.T * (SIDE / 42) * [1, -1, -1]
    points = (points + np.array([SIDE / 2, SIDE / 2, 0])).astype(np.float32)
    return mesh.surface(points, pose, SIDE)


def light(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    return Light(azimuth_deg, elevation_deg).direction


@pytest.mark.parametrize("azimuth_deg", [-60, -45, 45, 60])
def test_a_walls_shadow_is_as_long_as_its_height_over_the_lights_slope(azimuth_deg: float) -> None:
    free = unshadowed(wall(), light(azimuth_deg, 0), 0.0)[SIDE // 2]
    length = WALL * math.tan(math.radians(abs(azimuth_deg)))  # light z over x is 1 over that
    dark = np.flatnonzero(free[(np.arange(SIDE) < 62) | (np.arange(SIDE) >= 66)] < 0.5)
    assert len(dark) == pytest.approx(length, abs=3)
    behind = slice(48, 62) if azimuth_deg > 0 else slice(66, 80)
    before = slice(66, 127) if azimuth_deg > 0 else slice(1, 62)
    assert free[behind].max() < 0.1
    assert free[before].min() == 1


def test_light_from_above_throws_shadows_down() -> None:
    depth = np.zeros((SIDE, SIDE), np.float32)
    depth[60:64] = WALL
    free = unshadowed(surface(depth), light(0, 45), 0.0)
    assert free[66:78].max() < 0.2
    assert free[:60].min() == 1


def test_a_larger_light_has_a_wider_penumbra() -> None:
    def width(radius: float) -> int:
        free = unshadowed(wall(), light(50, 0), radius)[SIDE // 2]
        return int(((free > 0.05) & (free < 0.95)).sum())

    assert width(0.4) > width(0.2) > width(0.0) > 0


def test_a_light_at_the_camera_throws_no_shadow() -> None:
    np.testing.assert_array_equal(unshadowed(wall(), light(0, 0), 0.1), 1)


def test_an_empty_mesh_and_what_lies_beside_it_hide_nothing() -> None:
    depth = wall().depth
    nothing = surface(depth, np.zeros(depth.shape, bool))
    np.testing.assert_array_equal(unshadowed(nothing, light(50, 0), 0.1), 1)
    part = np.ones(depth.shape, bool)
    part[:, 60:] = False  # the wall is not on the mesh
    np.testing.assert_array_equal(unshadowed(surface(depth, part), light(50, 0), 0.1), 1)


def test_the_nose_darkens_the_cheek_away_from_the_light() -> None:
    drawn = face()
    rows, columns = np.nonzero(drawn.mask)
    middle, nose = columns.mean(), np.unravel_index(np.argmax(drawn.depth), drawn.depth.shape)
    beside = np.zeros(drawn.mask.shape, bool)
    beside[nose[0] - 3 : nose[0] + 3] = True
    for azimuth_deg in (-50, 50):
        free = unshadowed(drawn, light(azimuth_deg, 20), 0.05)
        dark = (free < 0.3) & beside & drawn.mask & (drawn.normals @ light(azimuth_deg, 20) > 0.2)
        assert dark.sum() > 10
        away = np.nonzero(dark)[1] - middle
        assert (np.sign(away) == -np.sign(azimuth_deg)).mean() > 0.9
    assert len(rows) > 1000


def test_a_mirrored_face_has_mirrored_shadows() -> None:
    drawn = face()
    normals, depth, mask = (plane[:, ::-1] for plane in drawn)
    mirrored = Surface(normals * [-1, 1, 1], depth, mask)
    one = unshadowed(drawn, light(40, 30), 0.1)
    other = unshadowed(mirrored, light(-40, 30), 0.1)
    np.testing.assert_allclose(one, other[:, ::-1], atol=1e-3)


def test_visibility_is_lamberts_cosine_where_nothing_hides_the_light() -> None:
    drawn, direction = face(), light(35, 25)
    seen = light_visibility(drawn, drawn.normals, direction, 0.1)
    cosine = np.maximum(drawn.normals @ direction, 0)
    free = unshadowed(drawn, direction, 0.1)
    np.testing.assert_allclose(seen, cosine * free, atol=1e-6)
    assert (seen <= cosine + 1e-6).all()
    assert (free[drawn.mask] == 1).mean() > 0.6
