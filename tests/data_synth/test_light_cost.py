# SPDX-License-Identifier: Apache-2.0
"""Costs beside other renderers': told for those that are installed, and none is made up."""

from __future__ import annotations

import pytest
from synth_scene import head
from typer.testing import CliRunner

pytest.importorskip("embreex")

from data_synth import registry
from data_synth.__main__ import app
from data_synth.error import AssetError
from data_synth.rival import light_cost
from data_synth.rival.growth import grow
from data_synth.rival.light_cost import Cost, compare
from data_synth.source import Source


def absent(*_: object) -> light_cost.Draw:
    raise AssetError("It is missing: pip install it")


def test_ours_comes_first_and_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(light_cost, "_mitsuba", absent)
    monkeypatch.setattr(light_cost, "_cycles", absent)
    ours, *others = compare(head(), size=24, lights=12, samples=2, paths=1)
    assert isinstance(ours, Cost)
    assert ours.light_s > 0
    assert 0 < ours.noise < 1
    assert ours.like(ours) == pytest.approx(ours.light_s)
    assert others == [
        "Mitsuba 3 is left out. It is missing: pip install it",
        "Cycles is left out. It is missing: pip install it",
    ]


def test_more_samples_are_less_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(light_cost, "_mitsuba", absent)
    monkeypatch.setattr(light_cost, "_cycles", absent)
    few, many = (next(compare(head(), 24, 12, samples, 1)) for samples in (1, 9))
    assert isinstance(few, Cost)
    assert isinstance(many, Cost)
    assert many.noise < 0.7 * few.noise


def test_a_cost_at_like_noise_goes_with_its_square() -> None:
    ours = Cost("a", 4, 0.002, 0.05, 1.0)
    assert Cost("b", 16, 0.1, 0.1, 1.0).like(ours) == pytest.approx(0.4)


def test_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(light_cost, "_mitsuba", absent)
    monkeypatch.setattr(light_cost, "_cycles", absent)

    class Ball(Source):
        name = "builtin"
        about = "balls"

        def make_subject(self, seed: int, **_: object):
            return head(seed=seed)

    monkeypatch.setitem(registry.SOURCES, "builtin", Ball())
    words = ["compare", "--size", "24", "--lights", "12"]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    assert "Light Stage" in done.output


@pytest.mark.slow
def test_mitsuba_sees_the_same_person() -> None:
    pytest.importorskip("mitsuba")
    found = list(compare(head(), size=32, lights=12, samples=4, paths=16))
    by_name = {cost.name: cost for cost in found if isinstance(cost, Cost)}
    assert by_name["Mitsuba 3"].brightness == pytest.approx(1, abs=0.3)


def test_cost_grows_with_pixels_and_lights() -> None:
    class Balls(Source):
        name = "builtin"
        about = "balls"

        def make_subject(self, seed: int, **_: object):
            return head(seed=seed)

    found = list(grow(Balls(), None, [0, 1], [24, 48], [12, 48]))
    assert [(g.seed, g.lights, g.size) for g in found[:5]] == [
        (0, 12, 24),
        (0, 12, 48),
        (0, 48, 24),
        (0, 48, 48),
        (1, 12, 24),
    ]
    assert found[1].bytes == pytest.approx(4 * found[0].bytes, rel=0.3)
    assert found[2].bytes == 4 * found[0].bytes
    assert all(g.view_s > 0 and g.pairs_per_s > 0 for g in found)
