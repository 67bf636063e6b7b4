# SPDX-License-Identifier: Apache-2.0
"""Photos that keep their own colours: Display P3, Adobe RGB, ProPhoto and grey profiles."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from photo_sample import (
    GRADIENT,
    P3,
    SRGB_D50,
    camera_exif,
    matrix_profile,
    noise,
    pillow_bytes,
    png_16,
    saved,
)
from PIL import Image, ImageOps

from relight import Light, Photo, Relighter, Setup
from relight.photo.color.gamut import Gamut
from relight.photo.color.icc import SRGB_CURVE, build_profile, srgb_profile
from relight.photo.container import png
from relight.photo.file import load_photo

ADOBE = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
PROPHOTO = np.array([[0.79767, 0.13519, 0.03134], [0.28804, 0.71188, 0.00009], [0, 0, 0.82491]])
PROFILES = {
    "Display P3": build_profile("Display P3", P3, SRGB_CURVE),
    "Adobe RGB": matrix_profile(ADOBE, 563 / 256),
    "ProPhoto": matrix_profile(PROPHOTO, 1.8),
}
SPACES = {"Display P3": (P3, None), "Adobe RGB": (ADOBE, 563 / 256), "ProPhoto": (PROPHOTO, 1.8)}
KEY = Light(45, 30, 0.8)


def profile_in(data: bytes) -> bytes:
    if data[4:8] == b"ftyp":
        pytest.importorskip("pillow_heif").register_heif_opener()
    with Image.open(io.BytesIO(data)) as image:
        return image.info["icc_profile"]


def linear_srgb(samples: np.ndarray, name: str) -> np.ndarray:
    """Samples in [0, 1] -> linear sRGB, below 0 and above 1 where a colour is outside of it."""
    primaries, gamma = SPACES[name]
    curved = np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)
    light = curved if gamma is None else samples**gamma
    return light @ (np.linalg.inv(SRGB_D50) @ primaries).T


WRITTEN = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "TIFF": {},
    "WEBP": {"lossless": True},
}


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("kind", WRITTEN)
def test_the_files_own_values_and_profile_are_kept(kind: str, name: str) -> None:
    profile = PROFILES[name]
    exif = camera_exif(6, t40961=65535)
    data = pillow_bytes(
        Image.fromarray(GRADIENT), kind, exif=exif, icc_profile=profile, **WRITTEN[kind]
    )
    photo = load_photo(data, keep_profile=True)
    assert photo.gamut is not None
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(photo.rgb, np.asarray(upright.convert("RGB")))
    np.testing.assert_array_equal(photo.rgb8, load_photo(data).rgb8)
    for to in WRITTEN:
        again = saved(photo, to)
        assert profile_in(again) == profile
        camera = Image.open(io.BytesIO(again)).getexif().get_ifd(0x8769)
        assert camera[0xA001] == 65535, "not sRGB"
        pixels = load_photo(again, keep_profile=True).rgb
        if to in ("PNG", "TIFF") or (to == kind and to == "WEBP"):
            np.testing.assert_array_equal(pixels, photo.rgb)
        else:
            assert np.abs(pixels.astype(int) - photo.rgb).mean() < 3


@pytest.mark.parametrize("name", PROFILES)
def test_16_bits_are_kept_in_their_own_colours(name: str) -> None:
    pixels, profile = noise((9, 7, 3), np.uint16), PROFILES[name]
    data = png_16(pixels, 2, (b"iCCP", b"x\0\0" + zlib.compress(profile)))
    photo = load_photo(data, keep_profile=True)
    for kind in ("PNG", "TIFF"):
        again = saved(photo, kind)
        assert profile_in(again) == profile
        np.testing.assert_array_equal(load_photo(again, keep_profile=True).rgb, pixels)
    np.testing.assert_array_equal(photo.rgb8, load_photo(data).rgb8)


@pytest.mark.parametrize("deep", [False, True])
def test_heic_keeps_them_too(deep: bool) -> None:
    heif = pytest.importorskip("pillow_heif")
    large = GRADIENT.repeat(3, 0).repeat(3, 1)
    image = heif.from_bytes("RGB", large.shape[1::-1], large.tobytes())
    if deep:
        wide = large.astype(np.uint16) * 257
        image = heif.from_bytes("RGB;16", large.shape[1::-1], wide.tobytes())
    image.info["icc_profile"] = PROFILES["Display P3"]
    buffer = io.BytesIO()
    image.save(buffer, quality=95)
    photo = load_photo(buffer.getvalue(), keep_profile=True)
    assert photo.rgb.dtype == (np.uint16 if deep else np.uint8)
    eight = (photo.rgb // 257) if deep else photo.rgb
    assert np.abs(eight.astype(int) - large).mean() < 3
    again = saved(photo, "HEIF")
    assert profile_in(again) == PROFILES["Display P3"]
    difference = load_photo(again, keep_profile=True).rgb8.astype(int) - photo.rgb8
    assert np.abs(difference).mean() < 3


def test_avif_keeps_them_in_png() -> None:
    pytest.importorskip("PIL.AvifImagePlugin")  # Pillow 11.3
    profile = PROFILES["Adobe RGB"]
    data = pillow_bytes(Image.fromarray(GRADIENT), "AVIF", quality=100, icc_profile=profile)
    photo = load_photo(data, keep_profile=True)
    assert photo.format == "PNG"
    assert profile_in(saved(photo, "PNG")) == profile


def test_colours_told_without_a_profile_get_one() -> None:
    exif = camera_exif(1, t40961=65535, t40965={1: "R03"})
    camera = pillow_bytes(Image.fromarray(GRADIENT), "JPEG", exif=exif, quality=100)
    by_code = png.add_chunks(
        pillow_bytes(Image.fromarray(GRADIENT), "PNG"), [(b"cICP", bytes([12, 13, 0, 1]))]
    )
    for data in (camera, by_code):
        photo = load_photo(data, keep_profile=True)
        assert photo.gamut is not None
        np.testing.assert_array_equal(photo.rgb, np.asarray(Image.open(io.BytesIO(data))))
        assert (b"R03" in saved(photo, "PNG")) == (data is camera)
        again = load_photo(saved(photo, "PNG"))
        assert np.abs(again.rgb.astype(int) - load_photo(data).rgb).max() <= 1


GREY_PROFILE = build_profile("dot gain", None, (0, 1.75))


def test_grey_profiles_fit_coloured_light_too() -> None:
    data = pillow_bytes(Image.fromarray(GRADIENT[..., 0]), "PNG", icc_profile=GREY_PROFILE)
    photo = load_photo(data, keep_profile=True)
    assert photo.gamut is not None
    assert photo.gamut.name == "dot gain"
    np.testing.assert_array_equal(photo.rgb[..., 2], GRADIENT[..., 0])
    assert profile_in(saved(photo, "PNG")) == GREY_PROFILE
    warm = photo.with_rgb((photo.rgb * [0.9, 0.8, 0.6]).astype(np.uint8))
    again = saved(warm, "PNG")
    assert Image.open(io.BytesIO(again)).mode == "RGB"
    assert np.abs(load_photo(again).rgb.astype(int) - warm.rgb8).max() <= 1


def test_a_grey_photo_with_an_rgb_profile_gets_a_grey_one() -> None:
    profile = PROFILES["ProPhoto"]
    data = pillow_bytes(Image.fromarray(GRADIENT[..., 0]), "PNG", icc_profile=profile)
    photo = load_photo(data, keep_profile=True)
    again = saved(photo, "PNG")
    assert profile_in(again)[16:20] == b"GRAY"
    np.testing.assert_array_equal(load_photo(again, keep_profile=True).rgb, photo.rgb)
    assert np.abs(load_photo(again).rgb.astype(int) - load_photo(data).rgb).max() <= 2


@pytest.mark.parametrize("kind", ["lookup tables", "CMYK"])
def test_what_cannot_be_kept_is_said_and_made_srgb(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    image, profile = Image.fromarray(GRADIENT), PROFILES["Adobe RGB"]
    if kind == "CMYK":
        image = image.convert("CMYK")
    else:
        profile = profile.replace(b"wtpt", b"A2B0")
    data = pillow_bytes(image, "JPEG", icc_profile=profile)
    photo = load_photo(data, name="a.jpg", keep_profile=True)
    assert photo.gamut is None
    assert sum("made sRGB" in text for text in caplog.messages) == 1
    assert profile_in(saved(photo, "JPEG")) == srgb_profile()


@pytest.mark.parametrize("profile", [b"", srgb_profile(), b"damaged", GREY_PROFILE])
def test_srgb_and_what_is_broken_have_nothing_to_keep(profile: bytes) -> None:
    data = pillow_bytes(Image.fromarray(GRADIENT), "PNG", icc_profile=profile)
    photo = load_photo(data, keep_profile=True)
    assert photo.gamut is None
    np.testing.assert_array_equal(photo.rgb, GRADIENT)


@pytest.mark.parametrize("curve", [(0, 1.0), (0, 2.6), (3, 2.0, 0.9, 0.1, 0.4205, 0.05)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_does_not_change_keeps_its_value(dtype: type, curve: tuple[float, ...]) -> None:
    gamut = Gamut.of(build_profile("x", PROPHOTO, curve))
    assert gamut is not None
    rgb = noise((80, 70, 3), dtype)
    encoded = gamut.encode(rgb)
    changed = encoded.copy()
    changed[::2] //= 2
    result = gamut.decode(changed, encoded, rgb)
    np.testing.assert_array_equal(result[1::2], rgb[1::2])
    assert (result[::2] <= rgb[::2]).all()
    back = gamut.encode(result)[::2].astype(int) - changed[::2]
    step = 65536 // np.iinfo(dtype).max * 6
    assert np.abs(back)[changed[::2] > 6000].max() <= step


# What is done to a photo


@pytest.fixture(scope="module", params=PROFILES)
def kept(request: pytest.FixtureRequest, astronaut: np.ndarray) -> tuple[str, Photo, Photo]:
    """The example portrait, more colourful and in a wider profile: kept, and as sRGB."""
    grey = astronaut.mean(axis=2, keepdims=True)
    vivid = np.clip(grey + 1.8 * (astronaut - grey), 0, 255).astype(np.uint8)
    profile = PROFILES[request.param]
    data = pillow_bytes(Image.fromarray(vivid), "PNG", icc_profile=profile)
    return request.param, load_photo(data, keep_profile=True), load_photo(data)


def test_relit_colours_are_not_clipped(
    relighter: Relighter, kept: tuple[str, Photo, Photo]
) -> None:
    name, photo, clipped = kept
    portrait = relighter.look(photo)
    result = portrait.render(KEY)
    assert result.report()["profile"] == (photo.gamut and photo.gamut.name)
    before, after = (linear_srgb(x / 255, name) for x in (photo.rgb, result.image))
    changed = (result.image != photo.rgb).any(axis=2)
    assert changed.mean() > 0.05
    outside = changed & ((before < -0.01) | (before > 1.01)).any(axis=2)
    assert outside.sum() > 1000
    assert ((after < -0.005) | (after > 1.005)).any(axis=2)[outside].mean() > 0.99
    # What sRGB holds, below the highlights' shoulder, looks as it does in a photo made sRGB; a gain
    # that differs between channels acts on other primaries, though.
    other = relighter.relight(clipped, KEY).image
    inside = changed & ((before > 0) & (before < 1) & (after > 0) & (after < 0.55)).all(axis=2)
    difference = np.abs(result.relit.rgb8.astype(int) - other)[inside]
    assert inside.sum() > 1000
    assert difference.mean() < 0.7
    assert np.percentile(difference, 99) <= 5


def test_strength_0_and_what_lies_outside_the_person_keep_the_files_values(
    relighter: Relighter, kept: tuple[str, Photo, Photo]
) -> None:
    _, photo, _ = kept
    portrait = relighter.look(photo)
    for setup in (KEY, Setup((KEY,), 0.5)):
        np.testing.assert_array_equal(portrait.render(setup, 0).image, photo.rgb)
        image = portrait.render(setup).image
        np.testing.assert_array_equal(image[:100, :60], photo.rgb[:100, :60])
        np.testing.assert_array_equal(image[:100, 440:], photo.rgb[:100, 440:])


def test_white_light_is_white_and_a_preview_is_srgb(
    relighter: Relighter, kept: tuple[str, Photo, Photo]
) -> None:
    _, photo, clipped = kept
    assert photo.gamut is not None
    np.testing.assert_allclose(photo.gamut.adapt(np.ones(3)), 1, atol=1e-6)
    red = photo.gamut.adapt(np.array([1, 0.2, 0.2]))
    assert 1 > red[0] > red[1] >= 0.19
    small = relighter.look(photo).render(KEY, side=128)
    assert small.relit.gamut is None
    other = relighter.look(clipped).render(KEY, side=128).image
    assert np.abs(small.image.astype(int) - other).mean() < 1
