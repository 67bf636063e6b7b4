# SPDX-License-Identifier: Apache-2.0
"""Noise in the colours of dark places, which light that is added does not lift."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight.gain import apply as quotient
from relight.gain.apply import GainMap
from relight.gain.edge import LUMA
from relight.gain.grain import DIM, Grain, calmed, grain_of, noise

SIZE = (128, 160)


def scene(brightness: float, deviation: float, seed: int, dtype: type = np.uint8) -> np.ndarray:
    """Two smooth patches of skin and cloth with detail in brightness alone, and noise."""
    rng = np.random.default_rng(seed)
    picture = np.full((*SIZE, 3), (1.2, 0.95, 0.8), np.float32)
    picture[:, 90:] = (0.8, 0.95, 1.2)
    picture += 0.15 * np.sin(np.arange(SIZE[1]) / 2)[:, None]
    picture *= brightness
    levels = picture * 255 + rng.normal(0, deviation, picture.shape)
    scale = np.iinfo(dtype).max / 255
    return np.round(np.clip(levels, 0, 255) * scale).astype(dtype)


def on_cells(photo: np.ndarray, step: int) -> np.ndarray:
    size = (photo.shape[1] // step, photo.shape[0] // step)
    levels = photo.astype(np.float32) / np.iinfo(photo.dtype).max
    return cv2.resize(levels, size, interpolation=cv2.INTER_AREA)


def flat(photo: np.ndarray, step: int, gain: float) -> GainMap:
    shape = (photo.shape[0] // step, photo.shape[1] // step, 3)
    return GainMap(0, 0, step, np.full(shape, gain, np.float32))


def grain_on(photo: np.ndarray, step: int) -> Grain | None:
    rgb8 = photo if photo.dtype == np.uint8 else (photo >> 8).astype(np.uint8)
    return grain_of(noise(rgb8), on_cells(photo, step), step)


def luma(photo: np.ndarray) -> np.ndarray:
    return np.asarray(photo.astype(float) @ np.array(LUMA))


def chroma_deviation(photo: np.ndarray) -> float:
    """Of colours about their smooth course, within the left patch."""
    inside = photo[:, 10:80].astype(float) * 255 / np.iinfo(photo.dtype).max
    chroma = inside - luma(inside)[..., None]
    along = chroma.mean(0, keepdims=True)  # the scene does not change from row to row
    return float((chroma - along).std())


# --- How much noise there is


@pytest.mark.parametrize("deviation", [2.0, 4.0, 8.0])
def test_noise_is_measured(deviation: float) -> None:
    """The deviation of a difference of two channels is the root of 2 times that of each."""
    assert noise(scene(0.25, deviation, 1)) == pytest.approx(2**0.5 * deviation, rel=0.12)


def test_texture_and_grain_of_film_are_no_noise() -> None:
    photo = scene(0.25, 0, 1).astype(int)
    photo += np.random.default_rng(2).normal(0, 9, SIZE).astype(int)[..., None]  # grey
    assert grain_on(np.clip(photo, 0, 255).astype(np.uint8), 1) is None


@pytest.mark.parametrize("shape", [(5, 3), (1, 40), (40, 1), (1, 1), (300, 9)])
def test_pictures_of_any_size_are_measured(shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 90, (*shape, 3), np.uint8)
    assert noise(photo) >= 0
    assert noise(np.full((*shape, 3), 255, np.uint8)) == 0


# --- Taking it back


@given(
    seed=st.integers(0, 99),
    deviation=st.floats(3, 12),
    brightness=st.floats(0.12, 0.3),
    lift=st.floats(1.3, 3),
    step=st.sampled_from([1, 2, 4]),
    dtype=st.sampled_from([np.uint8, np.uint16]),
)
@settings(max_examples=40, deadline=None)
def test_lifted_noise_is_no_more_colourful_and_keeps_its_detail(
    seed: int, deviation: float, brightness: float, lift: float, step: int, dtype: type
) -> None:
    photo = scene(brightness, deviation, seed, dtype)
    added = flat(photo, step, lift - 1)
    grain = grain_on(photo, step)
    assert grain is not None
    relit, plain = quotient.apply(photo, added, grain=grain), quotient.apply(photo, added)
    assert chroma_deviation(relit) <= 1.2 * chroma_deviation(photo)
    # All detail in brightness, noise included, is what it is without.
    scale = np.iinfo(dtype).max / 255
    assert np.abs(luma(relit) - luma(plain)).mean() < 0.02 * luma(plain).mean() + scale
    bright = [luma(image)[:, 10:80] for image in (relit, plain)]
    assert np.corrcoef(bright[0].ravel(), bright[1].ravel())[0, 1] > 0.97


def test_a_clean_photo_is_lit_as_before() -> None:
    photo = scene(0.25, 0, 1)
    assert grain_on(photo, 1) is None
    faint = scene(0.25, 0.9, 1)
    grain = grain_on(faint, 1)
    relit = quotient.apply(faint, flat(faint, 1, 1.0), grain=grain).astype(int)
    assert np.abs(relit - quotient.apply(faint, flat(faint, 1, 1.0))).max() <= 1


def test_without_added_light_nothing_changes() -> None:
    photo = scene(0.2, 6, 3)
    grain = grain_on(photo, 2)
    assert grain is not None
    added = flat(photo, 2, 0)
    added.gain[:20] = 1
    relit = quotient.apply(photo, added, grain=grain)
    np.testing.assert_array_equal(relit[42:], photo[42:])
    dimmed, taken = flat(photo, 2, 0.1), np.full((64, 80), 0.6, np.float32)
    np.testing.assert_array_equal(
        quotient.apply(photo, dimmed, taken=taken, grain=grain),
        quotient.apply(photo, dimmed, taken=taken),
    )


def test_bright_places_and_edges_of_colour_stay() -> None:
    photo = scene(0.7, 6, 4)
    grain = Grain(on_cells(photo, 1), np.zeros(SIZE, np.float32), 10 / 255)
    added = flat(photo, 1, 0.3)
    np.testing.assert_array_equal(
        quotient.apply(photo, added, grain=grain), quotient.apply(photo, added)
    )
    assert DIM[0] < 0.5 < DIM[1]
    pixel, around = np.full((1, 1, 3), (200, 20, 20), np.uint8), np.zeros((1, 1, 3), np.float32)
    share = np.ones((1, 1), np.float32)
    np.testing.assert_allclose(calmed(pixel, around, share, 20, 255), pixel, atol=1e-4)


def test_colours_stay_between_black_and_white() -> None:
    photo = np.random.default_rng(5).integers(0, 2, (*SIZE, 3), np.uint8) * 255
    grain = Grain(on_cells(photo, 1), np.ones(SIZE, np.float32), 0.3)
    relit = quotient.apply(photo, flat(photo, 1, 2.0), grain=grain)
    plain = quotient.apply(photo, flat(photo, 1, 2.0))
    assert relit[plain == 0].max() < 200  # nothing wraps round
    assert relit[plain == 255].min() > 50
