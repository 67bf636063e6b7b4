# SPDX-License-Identifier: Apache-2.0
"""Colour: profiles are applied, recognised and embedded."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from photo_sample import (
    GRADIENT,
    P3_PROFILE,
    SRGB_D50,
    camera_exif,
    matrix_profile,
    noise,
    p3_to_srgb,
    pillow_bytes,
    png_16,
    saved,
)
from PIL import Image, ImageCms

from relight.photo.color.icc import build_profile, is_srgb, srgb_profile
from relight.photo.file import load_photo


def icc_name(data: bytes) -> str:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(Image.open(io.BytesIO(data)).info["icc_profile"]))
    return ImageCms.getProfileDescription(profile).strip()


def test_display_p3_is_converted() -> None:
    pixels = noise((16, 16, 3)) // 2 + 64
    photo = load_photo(pillow_bytes(Image.fromarray(pixels), "PNG", icc_profile=P3_PROFILE))
    expected = p3_to_srgb(pixels / 255) * 255
    assert np.abs(photo.rgb - expected).max() <= 1.5
    assert np.abs(photo.rgb.astype(int) - pixels).max() > 10


def test_16_bit_display_p3_is_converted_in_16_bit() -> None:
    pixels = noise((16, 70, 3), np.uint16)
    profile = (b"iCCP", b"P3\0\0" + zlib.compress(P3_PROFILE))
    photo = load_photo(png_16(pixels, 2, profile))
    assert photo.rgb.dtype == np.uint16
    assert np.abs(photo.rgb - p3_to_srgb(pixels / 65535) * 65535).max() <= 8


def test_16_bit_with_a_table_profile_falls_back_to_8_bit(caplog: pytest.LogCaptureFixture) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    photo = load_photo(
        png_16(noise((4, 4, 3), np.uint16), 2, (b"iCCP", b"x\0\0" + zlib.compress(lab)))
    )
    assert photo.rgb.dtype == np.uint16  # not a profile for RGB pixels: ignored, nothing lost
    assert "profile" in caplog.text


def test_adobe_rgb_announced_in_exif_only() -> None:
    exif = camera_exif(t40961=65535, t40965={1: "R03"})
    grey_green = np.full((16, 16, 3), (100, 180, 100), np.uint8)
    data = pillow_bytes(Image.fromarray(grey_green), "JPEG", quality=100, subsampling=0, exif=exif)
    photo = load_photo(data)
    red, green, blue = photo.rgb[8, 8].astype(int)
    # Adobe RGB (1998) to sRGB by hand: G 180 -> 182, R 100 -> clipped low since green is wider.
    linear = (np.array([100, 180, 100]) / 255) ** (563 / 256)
    adobe = np.array(
        [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
    )
    mixed = np.maximum(np.linalg.inv(SRGB_D50) @ adobe @ linear, 0)
    expected = np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * mixed ** (1 / 2.4) - 0.055) * 255
    assert np.abs(np.array([red, green, blue]) - expected).max() <= 3
    assert red < 80
    again = load_photo(saved(photo, "JPEG"))
    assert np.abs(again.rgb[8, 8].astype(int) - photo.rgb[8, 8]).max() <= 3
    camera = Image.open(io.BytesIO(saved(photo, "JPEG"))).getexif().get_ifd(0x8769)
    assert camera[0xA001] == 1


@pytest.mark.parametrize("grey", [False, True])
def test_our_profiles_are_srgb_to_littlecms(grey: bool) -> None:
    mode = "L" if grey else "RGB"
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None].repeat(2, 0)).convert(mode)
    ours = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile(grey)))
    theirs = ImageCms.createProfile("sRGB")
    result = ImageCms.profileToProfile(ramp, ours, theirs, outputMode="RGB")
    assert result is not None
    assert np.abs(np.asarray(result).astype(int) - np.asarray(ramp.convert("RGB"))).max() <= 1
    assert is_srgb(srgb_profile(grey))
    assert not is_srgb(P3_PROFILE)
    assert not is_srgb(matrix_profile(SRGB_D50, 2.2))
    assert is_srgb(ImageCms.ImageCmsProfile(theirs).tobytes())


def test_srgb_input_is_not_changed_by_a_single_bit() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = noise((16, 16, 3))
    photo = load_photo(pillow_bytes(Image.fromarray(pixels), "PNG", icc_profile=profile))
    np.testing.assert_array_equal(photo.rgb, pixels)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_srgb_profile_is_embedded(kind: str) -> None:
    assert icc_name(saved(load_photo(GRADIENT), kind)) == "sRGB"
    grey = "sRGB" if kind == "WEBP" else "sRGB grey"
    assert icc_name(saved(load_photo(GRADIENT[..., 0]), kind)) == grey


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_srgb_profile_is_embedded_in_16_bit(kind: str) -> None:
    assert icc_name(saved(load_photo(noise((3, 4, 3), np.uint16)), kind)) == "sRGB"
    assert icc_name(saved(load_photo(noise((3, 4), np.uint16)), kind)) == "sRGB grey"


@pytest.mark.parametrize("profile", [b"no profile at all", P3_PROFILE[:200], bytes(400)])
def test_broken_profile_is_ignored(profile: bytes, caplog: pytest.LogCaptureFixture) -> None:
    pixels = noise((8, 8, 3))
    photo = load_photo(pillow_bytes(Image.fromarray(pixels), "PNG", icc_profile=profile))
    np.testing.assert_array_equal(photo.rgb, pixels)
    assert "profile ignored" in caplog.text


def test_grey_profile_is_applied_and_stays_neutral() -> None:
    linear = build_profile("linear", None, (0, 1.0))
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    photo = load_photo(pillow_bytes(Image.fromarray(ramp), "PNG", icc_profile=linear))
    x = ramp / 255
    expected = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055) * 255
    assert np.abs(photo.rgb[..., 0] - expected).max() <= 1
    assert np.ptp(photo.rgb, axis=2).max() == 0
    assert photo.grey


def test_grey_file_with_rgb_profile() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    data = pillow_bytes(Image.fromarray(ramp), "JPEG", quality=100, icc_profile=P3_PROFILE)
    photo = load_photo(data)
    expected = p3_to_srgb(np.repeat(ramp[..., None] / 255, 3, axis=2)) * 255
    assert np.abs(photo.rgb - expected).max() <= 3
    assert Image.open(io.BytesIO(saved(photo, "PNG"))).mode == "L"
