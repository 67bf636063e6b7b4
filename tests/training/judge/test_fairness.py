# SPDX-License-Identifier: Apache-2.0
"""Groups: who is in which, and when one of them is worse off."""

from __future__ import annotations

import numpy as np
import pytest

from relight.geometry import direction
from training.judge.fairness import (
    SECTORS,
    THIRDS,
    Scale,
    exposure_verdict,
    sector,
    thirds,
    verdict,
)


@pytest.mark.parametrize("count", [3, 10, 20, 38])
def test_thirds_follow_the_albedo_and_are_about_equal(count: int) -> None:
    albedo = np.random.default_rng(count).permutation(count)
    found = thirds({f"person {i}": float(value) for i, value in enumerate(albedo)})
    ranks = {
        third: [albedo[i] for i in range(count) if found[f"person {i}"] == third]
        for third in THIRDS
    }
    sizes = [len(members) for members in ranks.values()]
    assert sum(sizes) == count
    assert max(sizes) - min(sizes) <= 2
    assert max(ranks["darkest"]) < min(ranks["middle"])
    assert max(ranks["middle"]) < min(ranks["lightest"])


def test_thirds_of_few() -> None:
    assert thirds({}) == {}
    assert thirds({"a": 0.3}) == {"a": "middle"}
    assert thirds({"a": 0.3, "b": 0.1}) == {"b": "darkest", "a": "lightest"}


@pytest.mark.parametrize(
    ("azimuth", "elevation", "expected"),
    [
        (0, 0, "front"),
        (30, 20, "front"),
        (60, 10, "side"),
        (-85, -10, "side"),
        (10, 60, "top"),
        (-50, -40, "below"),
        (120, 0, "behind"),
        (180, 60, "behind"),
    ],
)
def test_sectors(azimuth: float, elevation: float, expected: str) -> None:
    light = direction(np.radians(azimuth), np.radians(elevation))
    assert sector(light) == expected
    mirrored = light * np.array([-1, 1, 1])
    assert sector(mirrored) == expected
    assert expected in SECTORS


def test_verdict_on_errors() -> None:
    close = verdict({"darkest": 1.2, "middle": 1.0, "lightest": 0.8}, 1.0)
    assert close.worst == "darkest"
    assert close.excess == pytest.approx(0.2)
    assert close.passed
    assert not verdict({"darkest": 1.26, "lightest": 0.74}, 1.0).passed
    # What is better than the mean is no reason to fail.
    assert verdict({"darkest": 1.0, "lightest": 0.1}, 1.0).passed


def test_verdict_on_what_grows_with_quality() -> None:
    ssim = verdict({"darkest": 0.84, "lightest": 0.96}, 0.9, Scale.SIMILARITY)
    assert ssim.worst == "darkest"
    assert ssim.excess == pytest.approx(0.6)
    # 6.02 dB less is twice the error.
    psnr = verdict({"darkest": 20.0, "lightest": 29.0}, 26.0206, Scale.DECIBEL)
    assert psnr.worst == "darkest"
    assert psnr.excess == pytest.approx(1, rel=1e-4)


def test_groups_without_pairs_are_left_out() -> None:
    found = verdict({"front": 1.0, "below": float("nan")}, 1.0)
    assert found.worst == "front"
    assert found.empty == ("below",)
    assert found.passed is None
    with pytest.raises(ValueError, match="no group"):
        verdict({"front": float("nan")}, 1.0)


def test_exposure_counts_every_person_alike() -> None:
    third = {"a": "darkest", "b": "darkest", "c": "lightest"}
    ratios = {"a": [0.5] * 9, "b": [2.0], "c": [1.05, float("nan")]}
    found = exposure_verdict(ratios, third)
    assert found.ratio["darkest"] == pytest.approx(1)
    assert np.isnan(found.ratio["middle"])
    assert found.dark_to_light == pytest.approx(1 / 1.05)
    assert found.passed
    assert not exposure_verdict(ratios | {"b": [1.0]}, third).passed
    assert exposure_verdict({"a": [1.0]}, third).passed is None  # nobody to compare with
