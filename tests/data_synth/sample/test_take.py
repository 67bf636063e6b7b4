# SPDX-License-Identifier: Apache-2.0
"""A synthetic person who turns their head before a camera and lights that stand still."""

from __future__ import annotations

import numpy as np
import pytest

from data_synth.registry import find_source
from data_synth.sample.take import FACE_LEVEL, Shot, film
from relight.light import Light

SIDE = 96


@pytest.fixture(scope="module")
def shots() -> list[Shot]:
    subject = find_source("builtin").make_subject(1, texture_size=128)
    return list(film(subject, (-30.0, 30.0), Light(60, 20, softness_deg=5), SIDE))


def test_the_key_stays_where_it_is_while_the_head_turns(shots: list[Shot]) -> None:
    for shot in shots:
        right = np.arange(SIDE) >= SIDE / 2
        lit = shot.key.mean(-1) * shot.face
        assert lit[:, right].sum() > lit[:, ~right].sum()


def test_the_first_picture_is_exposed_for_the_face_and_the_others_as_it_is(
    shots: list[Shot],
) -> None:
    assert shots[0].photo[shots[0].face].mean() == pytest.approx(FACE_LEVEL, rel=0.02)
    assert shots[1].photo[shots[1].face].mean() == pytest.approx(FACE_LEVEL, rel=0.4)
    for shot in shots:
        assert shot.face.sum() > 100
        assert np.isfinite(shot.photo).all()
        assert (shot.key >= 0).all()
