# SPDX-License-Identifier: Apache-2.0
"""Setups: what they are made of, and each face's share."""

from __future__ import annotations

import math

import pytest

from relight import Light
from relight.setup import Setup


@pytest.mark.parametrize("fill", [0, -1, 1.001, math.nan, math.inf])
def test_a_fill_out_of_range_is_refused(fill: float) -> None:
    with pytest.raises(ValueError, match="fill lies in"):
        Setup((), fill)


def test_a_setup_is_made_of_one_light_or_several_or_another() -> None:
    key, rim = Light(45, 30), Light(-120, 10)
    assert Setup.of(key).lights == (key,)
    assert Setup.of([key, rim]).lights == (key, rim)
    assert Setup.of(iter([key])).fill == 1
    made = Setup((key,), 0.5, "because")
    assert Setup.of(made) is made
    assert Setup.of(made, 0.7) == Setup((key,), 0.7)
    assert Setup.of(made, 0.7).reason == "because"


def test_faces_without_a_share_of_their_own_get_all() -> None:
    assert Setup((Light(45, 30),)).shares_of(2) == (1, 1)
    assert Setup((), 0.5, shares=(0.5,)).shares_of(3) == (0.5, 1, 1)
    assert Setup((), 0.5, shares=(0.5, 0, 1)).shares_of(2) == (0.5, 0)


@pytest.mark.parametrize("shares", [(-0.1,), (1.1,), (math.nan,)])
def test_a_share_out_of_range_is_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="shares lie in"):
        Setup((), shares=shares)


def test_a_setup_knows_whether_it_changes_anything() -> None:
    assert not Setup().changes
    assert not Setup((Light(45, 30, 0),)).changes
    assert Setup((Light(45, 30, 0.1),)).changes
    assert Setup((), 0.9).changes
