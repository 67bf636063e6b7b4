# SPDX-License-Identifier: Apache-2.0
"""Key and fill are measured on skin, whatever lies over it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from relight import Portrait, Relighter
from relight.placement.cheek import CHEEK, DARKEST, bare, cheeks, middle
from relight.stage.view import FINE, SIDE, View

RED_HAIR, BLACK_HAIR = (0.5, 0.2, 0.1), (0.1, 0.1, 0.1)


@pytest.fixture(scope="module")
def portrait(relighter: Relighter, astronaut: np.ndarray) -> Portrait:
    return relighter.look(astronaut)


@pytest.fixture(scope="module")
def view(portrait: Portrait) -> View:
    return portrait.analyses[0].view


def covered(view: View, share: float, color: tuple[float, ...] | None) -> View:
    """Hair over a share of the face's width, from image right; of no colour, hard shadow."""
    pixels = view.pixels.copy()
    columns = np.flatnonzero(view.face.any(0))
    start = int(columns[-1] - share * len(columns)) * FINE
    part = pixels[:, start:]
    part[:] = part * 0.3 if color is None else np.multiply(color, 255)
    return dataclasses.replace(view, pixels=pixels)


@pytest.mark.parametrize("color", [RED_HAIR, BLACK_HAIR])
def test_hair_over_a_cheek_is_not_measured(view: View, color: tuple[float, ...]) -> None:
    before = cheeks(view).ratio(view.linear)
    hairy = covered(view, 0.25, color)
    found = cheeks(hairy)
    assert found.ratio(hairy.linear) < 1.2 * before
    hair = np.all(hairy.linear == hairy.linear[0, -1], -1)
    assert not (hair & found.right).any()
    assert found.left.sum() == found.right.sum() == CHEEK


def test_half_a_face_in_shadow_is_measured(view: View) -> None:
    before = cheeks(view).ratio(view.linear)
    shaded = covered(view, 0.5, None)
    assert cheeks(shaded).ratio(shaded.linear) > 5 * before


def test_the_cheeks_lie_on_their_sides(view: View) -> None:
    found, columns = cheeks(view), np.arange(SIDE)
    left, right = (np.average(columns, weights=side.sum(0)) for side in found)
    assert left + 20 < right
    assert (bare(view) >= found.left).all()
    assert (bare(view) >= found.right).all()


def test_no_skin_is_no_failure(view: View) -> None:
    none = dataclasses.replace(view, skin=np.zeros_like(view.skin))
    assert bare(none).sum() == view.face.sum()
    assert cheeks(none).ratio(none.linear) >= 1
    unknown = dataclasses.replace(view, landmarks=None)
    assert cheeks(unknown).ratio(unknown.linear) == 1


def test_the_middle_leaves_out_what_stands_out() -> None:
    values = np.array([100, 1, 2, 3, 4, 5, 6, -90], np.float32)
    assert middle(values) == pytest.approx(3.5)
    assert middle(values[:1]) == 100
    assert middle(values[:0]) == DARKEST
