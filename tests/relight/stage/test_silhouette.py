# SPDX-License-Identifier: Apache-2.0
"""What two looks at a person make of them together."""

from __future__ import annotations

import numpy as np
import pytest

from relight.gain.guide import SURE
from relight.geometry import Crop
from relight.stage.silhouette import DOUBT, SEEN_SIDE, Look, agreed, settled, silhouette

SKIN, WALL = (200, 150, 120), (90, 110, 140)
INSIDE = slice(60, 196), slice(60, 196)
"""Where the person of the drawn picture is."""
HOLE, LEAK = (slice(110, 140), slice(100, 130)), (slice(100, 140), slice(196, 240))


def drawn(noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A square person before a wall, and who is one for certain."""
    pixels = np.full((SEEN_SIDE, SEEN_SIDE, 3), WALL, np.float32)
    pixels[INSIDE] = SKIN
    pixels += np.random.default_rng(1).normal(0, noise, pixels.shape)
    person = np.zeros((SEEN_SIDE, SEEN_SIDE), np.float32)
    person[INSIDE] = 1
    return np.clip(pixels, 0, 255).astype(np.uint8), person


def test_who_is_certain_decides() -> None:
    one, other = np.float32([1, 0, 0.5, 0.5, 0.6]), np.float32([0.5, 0.5, 0.02, 0.97, 0.6])
    found = agreed(one, other)
    np.testing.assert_allclose(found, [1, 0, 0.02, 0.97, 0.6], atol=0.01)
    np.testing.assert_allclose(agreed(other, one), found, atol=1e-4)


def test_of_looks_that_contradict_each_other_the_nearer_one_leads_and_doubt_is_left() -> None:
    for near in (0.0, 1.0):
        found = agreed(np.float32([near]), np.float32([1 - near]))[0]
        assert abs(found - near) < 0.25
        assert abs(2 * found - 1) < DOUBT[1] - 0.2


@pytest.mark.parametrize("noise", [0.0, 6.0])
@pytest.mark.parametrize("doubt", [0.35, 0.5, 0.7])
def test_colours_fill_holes_and_take_leaks_back(noise: float, doubt: float) -> None:
    pixels, person = drawn(noise)
    person[HOLE] = person[LEAK] = doubt
    found = settled(pixels, person)
    assert found[HOLE].min() > 0.9
    assert found[LEAK].max() < SURE[0]  # where light begins


def test_what_is_certain_stays_bit_for_bit() -> None:
    pixels, person = drawn(6)
    np.testing.assert_array_equal(settled(pixels, person), person)
    person[HOLE] = 0.5
    found = settled(pixels, person)
    outside = np.ones(person.shape, bool)
    outside[HOLE] = False
    np.testing.assert_array_equal(found[outside], person[outside])


def test_where_colours_tell_nothing_doubt_stays() -> None:
    _, person = drawn()
    person[:, 40:80] = np.linspace(0, 1, 40)
    person[:60], person[196:] = 0.5, 0.5
    found = settled(np.full((SEEN_SIDE, SEEN_SIDE, 3), 128, np.uint8), person)
    assert found.min() >= 0
    assert found.max() <= 1
    middle = found[90:160]
    assert (np.diff(middle[:, 40:80].mean(0)) > -0.02).all()


def test_a_leak_of_one_look_is_denied_by_the_other() -> None:
    pixels, person = drawn()
    near, wide = Crop(500, 500, 256), Crop(500, 500, 512)
    grey = np.full_like(pixels, 128)  # colours do not help
    small = np.zeros_like(person)
    small[94:162, 94:162] = 1
    leaky = person.copy()
    leaky[LEAK] = 0.6
    on_near, on_wide = silhouette(Look(near, grey, leaky), Look(wide, grey, small))
    assert on_near[LEAK][:, 4:].max() < 0.1
    assert on_near[65:190, 65:190].min() > 0.95
    # Of the wider look's pixels at its rim the nearer one sees parts.
    np.testing.assert_allclose(on_wide, small, atol=0.1)
    assert np.abs(on_wide - small).mean() < 1e-3
