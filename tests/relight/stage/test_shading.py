from __future__ import annotations

import numpy as np
from flat_mirror import flat_mirror

from relight.color import luminance
from relight.environment import Environment
from relight.stage.shading import (
    BELIEF,
    CAST,
    belief,
    cast,
    existing_shading,
    shading,
    skin_colors,
    uncovered,
)

SIDE = 32
FACE = np.ones((SIDE, SIDE), np.bool_)


def half_dark() -> np.ndarray:
    """A photo whose left half gets a quarter of the light."""
    linear = np.ones((SIDE, SIDE, 3), np.float32) * 0.4
    linear[:, : SIDE // 2] *= 0.25
    return 1.055 * linear ** (1 / 2.4) - 0.055


def test_halves_tell_the_odd_part_of_the_light() -> None:
    photo = half_dark()
    nothing = np.zeros((SIDE, SIDE, 3), np.float32)
    found = existing_shading(nothing, photo, flat_mirror(SIDE), 1.0, FACE)
    np.testing.assert_allclose(np.ptp(found), np.log(4), atol=1e-3)
    np.testing.assert_allclose(np.exp(found).mean(), 1, atol=1e-4)
    unknown = existing_shading(nothing, photo, flat_mirror(SIDE, 0.0), 1.0, FACE)
    np.testing.assert_allclose(unknown, 0, atol=1e-5)


def test_albedo_alike_on_both_halves_is_no_light() -> None:
    photo = np.full((SIDE, SIDE, 3), 0.7, np.float32)
    photo[SIDE // 2 :] = 0.3  # a beard
    nothing = np.zeros((SIDE, SIDE, 3), np.float32)
    found = existing_shading(nothing, photo, flat_mirror(SIDE), 1.0, FACE)
    np.testing.assert_allclose(found, 0, atol=1e-5)


def test_soft_light_is_believed_less_than_hard() -> None:
    ramp = np.linspace(-1, 1, SIDE, dtype=np.float32)[None, :, None]
    lit = np.broadcast_to(ramp, (SIDE, SIDE, 3))
    assert belief(lit * 0.1, FACE) == BELIEF[0]
    assert belief(lit * 1.5, FACE) == BELIEF[1]
    assert BELIEF[0] < belief(lit * 0.4, FACE) < BELIEF[1]


def test_shading_is_relative_to_the_face() -> None:
    normals = np.zeros((SIDE, SIDE, 3), np.float32)
    normals[..., 2] = 1
    found = shading(Environment.uniform(3.0), normals, FACE)
    np.testing.assert_allclose(found, 0, atol=1e-2)


SKIN = np.array([0.5, 0.3, 0.2], np.float32)


def painted(color: tuple[float, float, float]) -> np.ndarray:
    """Skin, the left quarter of it multiplied by a colour."""
    linear = np.tile(SKIN, (SIDE, SIDE, 1))
    linear[:, : SIDE // 4] *= np.array(color, np.float32)
    return linear


def test_red_shade_on_skin_is_the_light_s() -> None:
    linear, skin = painted((0.3, 0.2, 0.18)), FACE.astype(np.float32)
    found = cast(skin_colors(linear, skin))
    lit = linear * np.exp(-found)
    np.testing.assert_allclose(luminance(lit), luminance(linear), rtol=1e-4)
    redness = np.log(linear[5, 2] / linear[5, -2])
    left = np.log(lit[5, 2] / lit[5, -2])
    np.testing.assert_allclose(np.ptp(left), (1 - CAST) * np.ptp(redness), atol=0.01)
    np.testing.assert_allclose(found[:, -8:], 0, atol=1e-5)


def test_hair_over_skin_and_all_that_is_no_skin_keeps_its_colour() -> None:
    skin = FACE.astype(np.float32)
    hair = skin_colors(painted((0.5, 0.15, 0.05)), skin)
    np.testing.assert_allclose(cast(hair)[:, :6], 0, atol=1e-5)
    skin[:, : SIDE // 2] = 0
    np.testing.assert_allclose(cast(skin_colors(painted((0.3, 0.2, 0.18)), skin)), 0, atol=1e-5)
    assert not cast(skin_colors(painted((0.3, 0.2, 0.18)), np.zeros_like(skin))).any()


def test_hair_over_skin_is_not_taken_for_shadow() -> None:
    linear, skin = painted((0.5, 0.15, 0.05)), np.ones((SIDE, SIDE), np.float32)
    dark = np.full((SIDE, SIDE, 3), -1.5, np.float32)
    smooth = np.full((SIDE, SIDE, 1), -0.2, np.float32)
    found = uncovered(dark, smooth, skin_colors(linear, skin))
    np.testing.assert_allclose(found[:, :4], -0.2, atol=0.01)
    np.testing.assert_allclose(found[:, 12:], -1.5, atol=0.01)
    bright = uncovered(-dark, smooth, skin_colors(linear, skin))
    np.testing.assert_array_equal(bright, -dark)
    red = skin_colors(painted((0.3, 0.2, 0.18)), skin)  # as red as shade is
    shade = uncovered(dark, smooth, red)
    np.testing.assert_allclose(shade, dark, atol=1e-5)
    nobody = skin_colors(linear, np.zeros_like(skin))
    np.testing.assert_array_equal(uncovered(dark, smooth, nobody), dark)
