# SPDX-License-Identifier: Apache-2.0
"""The sRGB curve against its standard, and the product with a gain in the encoded domain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from relight.color import (
    OFFSET,
    change_encoded,
    channel_mean,
    curved_from,
    encoded_gain,
    linear_to_srgb,
    luminance,
    over_channels,
    srgb_to_linear,
    to_uint8,
)

UNIT = st.floats(0, 1, width=32)
UNIT_ARRAYS = hnp.arrays(np.float32, hnp.array_shapes(max_dims=3, max_side=5), elements=UNIT)


def exact_decode(encoded: float | np.ndarray) -> np.ndarray:
    """IEC 61966-2-1 in double precision."""
    x = np.asarray(encoded, float)
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def exact_encode(linear: float | np.ndarray) -> np.ndarray:
    x = np.asarray(linear, float)
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)


@given(UNIT_ARRAYS)
@settings(deadline=None)
def test_decoding_then_encoding_gives_the_value_back(encoded: np.ndarray) -> None:
    back = linear_to_srgb(srgb_to_linear(encoded))
    assert back.dtype == np.float32
    assert back.shape == encoded.shape
    np.testing.assert_allclose(back, encoded, atol=2e-6)


@given(UNIT_ARRAYS)
@settings(deadline=None)
def test_encoding_then_decoding_gives_the_light_back(linear: np.ndarray) -> None:
    np.testing.assert_allclose(srgb_to_linear(linear_to_srgb(linear)), linear, atol=2e-6)


@given(st.floats(0, 4, width=32))
@settings(deadline=None)
def test_both_curves_follow_the_standard_also_above_white(value: float) -> None:
    one = np.array([value], np.float32)
    np.testing.assert_allclose(srgb_to_linear(one), exact_decode(one), rtol=2e-6, atol=1e-7)
    np.testing.assert_allclose(linear_to_srgb(one), exact_encode(one), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("encoded", "linear"),
    [(0.0, 0.0), (1.0, 1.0), (0.5, 0.2140411), (0.04045, 0.0031308), (0.02, 0.02 / 12.92)],
)
def test_known_values(encoded: float, linear: float) -> None:
    assert srgb_to_linear(np.array(encoded, np.float32)) == pytest.approx(linear, abs=2e-7)
    assert linear_to_srgb(np.array(linear, np.float32)) == pytest.approx(encoded, abs=2e-6)


def test_every_byte_decodes_to_the_standard_and_comes_back() -> None:
    codes = np.arange(256, dtype=np.uint8)
    linear = srgb_to_linear(codes)
    np.testing.assert_allclose(linear, exact_decode(codes / 255), rtol=1e-5, atol=1e-8)
    np.testing.assert_array_equal(to_uint8(linear_to_srgb(linear)), codes)


def test_sixteen_bits_decode_over_their_full_range() -> None:
    codes = np.arange(0, 65536, 17, dtype=np.uint16)
    np.testing.assert_allclose(
        srgb_to_linear(codes), exact_decode(codes / 65535), rtol=1e-5, atol=1e-8
    )
    # 257 spreads a byte over 16 bits: the same light.
    bytes_ = np.arange(256, dtype=np.uint8)
    np.testing.assert_allclose(
        srgb_to_linear(bytes_.astype(np.uint16) * 257), srgb_to_linear(bytes_), rtol=1e-5
    )


def test_negative_values_are_black() -> None:
    below = np.array([-1.0, -1e-6], np.float32)
    np.testing.assert_array_equal(srgb_to_linear(below), 0)
    np.testing.assert_array_equal(linear_to_srgb(below), 0)


def test_bytes_round_and_clip() -> None:
    values = np.array([-0.5, 0, 99.4 / 255, 99.6 / 255, 1, 7], np.float32)
    np.testing.assert_array_equal(to_uint8(values), [0, 0, 99, 100, 255, 255])


def test_luminance_of_white_is_one_and_green_weighs_most() -> None:
    assert luminance(np.ones(3)) == pytest.approx(1, abs=1e-6)
    red, green, blue = luminance(np.eye(3))
    assert green > red > blue > 0
    assert luminance(np.zeros((4, 5, 3))).shape == (4, 5)


@given(st.floats(0, 1, width=32), st.floats(1, 3, width=32))
@settings(deadline=None)
def test_scaling_encoded_values_is_decoding_multiplying_encoding(s: float, q: float) -> None:
    encoded, gain = np.array([s], np.float32), np.array([q], np.float32)
    scaled = change_encoded(encoded, gain, encoded_gain(gain))
    true = float(exact_encode(exact_decode(s) * q))
    crossing = s <= 0.04045 < s * q
    # Only a pixel that leaves the straight part is off, and by about one step of a byte.
    assert float(scaled[0]) - true <= (1.2 / 255 if crossing else 2e-6)
    assert float(scaled[0]) - true >= -2e-5  # the standard's own two branches' gap


def test_scaling_encoded_values_is_never_off_by_more_than_it_states() -> None:
    s = np.linspace(0, 1, 2001, dtype=np.float32)[:, None]
    q = np.linspace(1, 3, 201, dtype=np.float32)[None]
    excess = change_encoded(s, q, encoded_gain(q)) - exact_encode(exact_decode(s) * q)
    assert excess.max() * 255 <= 1.2
    assert excess[s[:, 0] >= 11 / 255].max() < 2e-6


@given(st.floats(0, 1, width=32))
@settings(deadline=None)
def test_unit_gain_changes_nothing(s: float) -> None:
    one = np.ones(1, np.float32)
    scaled = change_encoded(np.array([s], np.float32), one, encoded_gain(one))
    assert float(scaled[0]) == pytest.approx(s, abs=1e-7)


def test_the_power_law_part_alone_is_right_from_where_it_says() -> None:
    s = np.linspace(0, 1, 4001, dtype=np.float32)
    for least in (0.05, 0.3, 0.9, 1.0):
        q = np.linspace(least, 3, 101, dtype=np.float32)[:, None]
        power = (s + np.float32(OFFSET)) * encoded_gain(q) - np.float32(OFFSET)
        off = np.abs(power - change_encoded(s, q, encoded_gain(q))).max(0)
        assert off[s >= curved_from(least)].max() < 1e-6
        assert off[s < 0.8 * curved_from(least)].max() > 1e-4


def test_darkening_encoded_values_is_decoding_multiplying_encoding() -> None:
    s = np.linspace(0, 1, 2001, dtype=np.float32)[:, None]
    q = np.linspace(0.02, 3, 301, dtype=np.float32)[None]
    error = change_encoded(s, q, encoded_gain(q)) - exact_encode(exact_decode(s) * q)
    assert np.abs(error).max() * 255 <= 2.2
    curved = (exact_decode(s) * np.minimum(q, 1)) > 0.0031308
    assert np.abs(error)[curved].max() < 3e-5


@pytest.mark.parametrize("shape", [(3,), (5, 3), (16, 9, 3)])
def test_channels_are_reduced_as_numpy_does(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(over_channels(np.maximum, values), values.max(-1))
    np.testing.assert_array_equal(channel_mean(values), values.mean(-1))
