# SPDX-License-Identifier: Apache-2.0
"""Reading and relighting a stored view, by every library that is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from data_synth import Field
from data_synth.error import SynthError
from data_synth.run.light_sum import LIBRARIES, find_arrays
from data_synth.sample.illumination import EnvironmentBank
from data_synth.sample.pair import PairMaker
from relight import Environment
from relight.environment import directions
from relight.error import EnvironmentFileError

SAMPLE = ROOT / "examples" / "light-stage"


@pytest.fixture(scope="module")
def field() -> Field:
    """A person of the sample set."""
    return Field.load(str(SAMPLE / "subject-00000" / "camera-55"))


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_adds_up_the_same(field: Field, library: str) -> None:
    if library != "numpy":
        pytest.importorskip(library)
    weights = np.random.default_rng(0).random((5, len(field.lights), 3)).astype(np.float32)
    expected = np.einsum("cpl,nlc->npc", field.decode(slice(0, 300)), weights)
    found = field.light_sum(find_arrays(library))(weights)
    assert found.dtype == np.float32
    assert found.shape == (5, len(field.pixels), 3)
    np.testing.assert_allclose(found[:, :300], expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("library", LIBRARIES[1:])
def test_pairs_do_not_depend_on_the_library(field: Field, library: str) -> None:
    pytest.importorskip(library)
    bank = EnvironmentBank.make(5, np.random.default_rng(0))
    first, second = (
        PairMaker(field, bank, arrays=find_arrays(name)).make(2, np.random.default_rng(1))
        for name in ("numpy", library)
    )
    np.testing.assert_allclose(second.linear, first.linear, rtol=1e-4, atol=1e-5)
    assert np.abs(first.photo.astype(int) - second.photo.astype(int)).max() <= 2


def test_an_unknown_library_is_named() -> None:
    with pytest.raises(SynthError, match="abacus: unknown, give one of numpy"):
        find_arrays("abacus")


def test_light_from_one_side_falls_on_that_side(field: Field) -> None:
    lamp = Environment(np.where(directions(32)[..., :1] > 0.9, 10.0, 0.0) * np.ones(3, np.float32))
    lit = field.lit(lamp).sum(2)
    towards = field.camera_rotation.T @ np.array([1.0, 0, 0])
    facing = field.normals @ towards
    skin = field.alpha > 0.99
    assert lit[skin & (facing > 0.7)].mean() > 4 * lit[skin & (facing < -0.7)].mean()


def test_a_map_of_a_file_is_that_map(field: Field, tmp_path: Path) -> None:
    made = EnvironmentBank.make(1, np.random.default_rng(0)).maps[0]
    path = Environment(made).save(tmp_path / "sky.hdr")
    np.testing.assert_allclose(field.lit(path), field.lit(Environment(made)), rtol=0.02, atol=2e-3)
    with pytest.raises(EnvironmentFileError, match=r"absent\.hdr"):
        field.lit(tmp_path / "absent.hdr")


def test_even_light_gives_albedo_back_on_the_whole(field: Field) -> None:
    even = field.lit(Environment.uniform(1.0, 64), exposed=False)
    skin = (field.alpha > 0.99) & (field.hair == 0)
    ratio = even[skin].mean(0) / field.albedo[skin].mean(0)
    assert (ratio > 0.6).all()  # folds and the far side see less than the whole sphere
    assert (ratio < 1.15).all()  # skin shines a little besides


def test_exposure_follows_the_light_not_the_map(field: Field) -> None:
    bright = field.lit(Environment.uniform(50.0, 64))
    np.testing.assert_allclose(bright, field.lit(Environment.uniform(0.5, 64)), rtol=1e-4)
