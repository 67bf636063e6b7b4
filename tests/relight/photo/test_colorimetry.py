# SPDX-License-Identifier: Apache-2.0
"""Colour told by codes and numbers: PNG chunks, HEIC and AVIF boxes.

What browsers show was read from a canvas of Chromium 156 with the profile of its screen set to
sRGB; HDR has our own curve, see ``relight.photo.color.colorimetry``.
"""

from __future__ import annotations

import contextlib
import io
import struct

import numpy as np
import pytest
from photo_sample import GRADIENT, P3_PROFILE, camera_exif, noise, pillow_bytes, png_16, saved
from PIL import Image

from relight.photo.color.colorimetry import WHITE, from_boxes
from relight.photo.container import png
from relight.photo.file import load_photo

PATCHES = [10, 10, 10], [64, 64, 64], [128, 128, 128], [200, 60, 90], [30, 180, 40], [240, 240, 240]
SRGB_XY = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
P3_XY = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)


def gamma(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 1e5))


def chromaticities(*values: float) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(value * 1e5) for value in values))


def codes(primaries: int, transfer: int) -> tuple[bytes, bytes]:
    return b"cICP", bytes([primaries, transfer, 0, 1])


SRGB_CHUNK = b"sRGB", b"\0"
UNCHANGED = [*PATCHES]
LINEAR = [[56] * 3, [137] * 3, [188] * 3, [229, 133, 160], [96, 219, 110], [248] * 3]
POWER = [[3] * 3, [62] * 3, [129] * 3, [201, 57, 90], [24, 181, 35], [240] * 3]
IN_CHROMIUM = {
    "gamma 1/2.2 alone": ([gamma(0.45455)], UNCHANGED),
    "gamma 1/2.2 with primaries": ([gamma(0.45455), chromaticities(*SRGB_XY)], POWER),
    "linear": ([gamma(1)], LINEAR),
    "linear with primaries": ([gamma(1), chromaticities(*SRGB_XY)], LINEAR),
    "primaries alone": ([chromaticities(*P3_XY)], UNCHANGED),
    "gamma with P3 primaries": (
        [gamma(0.45455), chromaticities(*P3_XY)],
        [[3] * 3, [62] * 3, [129] * 3, [219, 37, 87], [0, 185, 0], [240] * 3],
    ),
    "sRGB wins": ([SRGB_CHUNK, gamma(1)], UNCHANGED),
    "P3": (
        [codes(12, 13), gamma(1)],
        [[10] * 3, [64] * 3, [128] * 3, [217, 42, 88], [0, 183, 0], [240] * 3],
    ),
    "BT.709": (
        [codes(1, 1)],
        [[1] * 3, [54] * 3, [121] * 3, [197, 49, 81], [18, 176, 28], [239] * 3],
    ),
    "BT.2020": (
        [codes(9, 14)],
        [[1] * 3, [54] * 3, [121] * 3, [244, 0, 79], [0, 186, 0], [239] * 3],
    ),
    "linear by code": ([codes(1, 8)], LINEAR),
    "gamma 2.2 by code": ([codes(1, 4)], POWER),
    "unspecified": ([codes(2, 2)], UNCHANGED),
}


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("name", IN_CHROMIUM)
def test_png_chunks_mean_what_a_browser_shows(name: str, depth: int) -> None:
    chunks, expected = IN_CHROMIUM[name]
    pixels = np.array([PATCHES], np.uint8)
    if depth == 8:
        data = png.add_chunks(pillow_bytes(Image.fromarray(pixels), "PNG"), chunks)
    else:
        data = png_16(pixels.astype(np.uint16) * 257, 2, *chunks)
    photo = load_photo(data)
    assert photo.rgb.dtype == (np.uint8 if depth == 8 else np.uint16)
    assert np.abs(photo.rgb8[0].astype(int) - expected).max() <= 1
    again = Image.open(io.BytesIO(saved(photo, "PNG")))
    assert "gamma" not in again.info
    np.testing.assert_array_equal(load_photo(saved(photo, "PNG")).rgb, photo.rgb)


def test_codes_win_over_a_profile_and_a_profile_over_numbers() -> None:
    image = Image.fromarray(GRADIENT)
    data = pillow_bytes(image, "PNG", icc_profile=P3_PROFILE)
    converted = load_photo(data).rgb
    np.testing.assert_array_equal(load_photo(png.add_chunks(data, [gamma(1)])).rgb, converted)
    np.testing.assert_array_equal(load_photo(png.add_chunks(data, [codes(1, 13)])).rgb, GRADIENT)


@pytest.mark.parametrize("grey_depth", [np.uint8, np.uint16])
def test_grey_stays_grey(grey_depth: type) -> None:
    ramp = np.linspace(0, np.iinfo(grey_depth).max, 64).astype(grey_depth).reshape(8, 8)
    chunks = [codes(12, 8)]
    if grey_depth is np.uint8:
        data = png.add_chunks(pillow_bytes(Image.fromarray(ramp), "PNG"), chunks)
    else:
        data = png_16(ramp, 0, *chunks)
    photo = load_photo(data)
    assert photo.grey
    assert np.ptp(photo.rgb, axis=2).max() == 0
    assert photo.rgb8.mean() > load_photo(ramp).rgb8.mean() + 20
    assert Image.open(io.BytesIO(saved(photo, "PNG"))).mode in ("L", "I;16")


@pytest.mark.parametrize("chunk", [codes(200, 13), codes(1, 99), gamma(0), (b"cICP", b"\1")])
def test_numbers_that_mean_nothing_are_named(
    chunk: tuple[bytes, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    data = png.add_chunks(pillow_bytes(Image.fromarray(GRADIENT), "PNG"), [chunk])
    np.testing.assert_array_equal(load_photo(data).rgb, GRADIENT)
    assert "taken as sRGB" in caplog.text


def test_primaries_on_a_line_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    flat = chromaticities(0.3, 0.3, 0.1, 0.1, 0.2, 0.2, 0.4, 0.4)
    data = png.add_chunks(pillow_bytes(Image.fromarray(GRADIENT), "PNG"), [gamma(1), flat])
    np.testing.assert_array_equal(load_photo(data).rgb, GRADIENT)
    assert "taken as sRGB" in caplog.text


# HDR

TO_BT2020 = np.array(  # ITU-R BT.2087, from BT.709
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)


def linear(encoded: np.ndarray) -> np.ndarray:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def to_pq(light: np.ndarray) -> np.ndarray:
    """Light in cd/m² by SMPTE ST 2084."""
    root = (light / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * root) / (1 + 18.6875 * root)) ** 78.84375


def to_hlg(light: np.ndarray) -> np.ndarray:
    """Light in cd/m² in BT.2020 by ITU-R BT.2100, for a display of 1000 cd/m²."""
    share = light / 1000
    luminance = np.maximum(share @ [0.2627, 0.6780, 0.0593], 1e-9)
    scene = share * luminance[..., None] ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    high = a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
    return np.where(scene <= 1 / 12, np.sqrt(3 * np.maximum(scene, 0)), high)


CURVES = {16: to_pq, 18: to_hlg}


def hdr_samples(srgb: np.ndarray, transfer: int, brightness: float = 1) -> np.ndarray:
    light = np.maximum(linear(srgb / 255) @ TO_BT2020.T, 0) * WHITE * brightness
    return CURVES[transfer](light)


@pytest.mark.parametrize("transfer", CURVES)
def test_an_hdr_png_without_highlights_is_the_sdr_picture(transfer: int) -> None:
    samples = hdr_samples(GRADIENT, transfer)
    photo = load_photo(png_16(np.round(samples * 65535).astype(np.uint16), 2, codes(9, transfer)))
    assert photo.rgb.dtype == np.uint16
    assert np.abs(photo.rgb8.astype(int) - GRADIENT).max() <= 1
    eight = pillow_bytes(Image.fromarray(np.round(samples * 255).astype(np.uint8)), "PNG")
    photo = load_photo(png.add_chunks(eight, [codes(9, transfer)]))
    assert np.abs(photo.rgb.astype(int) - GRADIENT).mean() < 2.5


@pytest.mark.parametrize("transfer", CURVES)
def test_highlights_keep_their_order_and_hue_and_leave_faces_alone(transfer: int) -> None:
    stops = np.linspace(-6, 2, 200)
    warm = np.array([1, 0.8, 0.6])
    light = 2.0 ** stops[None, :, None] * warm * WHITE  # up to four times white
    samples = CURVES[transfer](light @ TO_BT2020.T)
    photo = load_photo(png_16(np.round(samples * 65535).astype(np.uint16), 2, codes(9, transfer)))
    found = linear(photo.rgb[0] / 65535)
    assert (np.diff(found[:, 0]) > 0).all()
    dark = 2.0**stops < 0.7
    np.testing.assert_allclose(found[dark], (2.0 ** stops[:, None] * warm)[dark], rtol=0.02)
    np.testing.assert_allclose(found / found[:, :1], np.ones((200, 1)) * warm, atol=0.02)
    assert 0.99 <= found.max() <= 1


# HEIC and AVIF


def avif(pixels: np.ndarray, primaries: int, transfer: int) -> bytes:
    pytest.importorskip("PIL.AvifImagePlugin")  # Pillow 11.3
    image = Image.fromarray(pixels)
    data = pillow_bytes(image, "AVIF", quality=100, subsampling="4:4:4")
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


AVIF_IN_CHROMIUM = {
    (1, 13): UNCHANGED,
    (1, 1): UNCHANGED,
    (1, 2): UNCHANGED,
    (12, 13): [[10] * 3, [64] * 3, [128] * 3, [217, 43, 88], [0, 183, 0], [240] * 3],
    (9, 14): [[10] * 3, [64] * 3, [128] * 3, [246, 0, 89], [0, 190, 0], [240] * 3],
    (5, 6): [[10] * 3, [64] * 3, [128] * 3, [204, 61, 90], [0, 180, 45], [240] * 3],
}


@pytest.mark.parametrize("pair", AVIF_IN_CHROMIUM)
def test_avif_codes_mean_what_a_browser_shows(pair: tuple[int, int]) -> None:
    pixels = np.array([PATCHES], np.uint8).repeat(16, 0).repeat(16, 1)
    photo = load_photo(avif(pixels, *pair))
    assert np.abs(photo.rgb[8, 8::16].astype(int) - AVIF_IN_CHROMIUM[pair]).max() <= 2


@pytest.mark.parametrize("transfer", CURVES)
def test_hdr_avif(transfer: int) -> None:
    samples = np.round(hdr_samples(GRADIENT, transfer) * 255).astype(np.uint8)
    photo = load_photo(avif(samples, 9, transfer))
    assert np.abs(photo.rgb.astype(int) - GRADIENT).mean() < 4


def heic(samples: np.ndarray, mode: str, **options: object) -> bytes:
    heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    size = samples.shape[1::-1]
    heif.from_bytes(mode, size, samples.tobytes()).save(buffer, quality=-1, chroma=444, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("transfer", CURVES)
def test_hdr_heic_of_ten_bits(transfer: int) -> None:
    large = GRADIENT.repeat(3, 0).repeat(3, 1)
    samples = np.round(hdr_samples(large, transfer) * 65535).astype(np.uint16)
    data = heic(
        samples, "RGB;16", color_primaries=9, transfer_characteristics=transfer,
        matrix_coefficients=9, full_range_flag=1,
    )  # fmt: skip
    photo = load_photo(data)
    assert photo.rgb.dtype == np.uint16
    assert np.abs(photo.rgb8.astype(int) - large).mean() < 1.5


def test_p3_heic_by_codes() -> None:
    pixels = np.array([PATCHES], np.uint8).repeat(32, 0).repeat(32, 1)
    photo = load_photo(heic(pixels, "RGB", color_primaries=12, transfer_characteristics=13))
    expected = AVIF_IN_CHROMIUM[12, 13]
    assert np.abs(photo.rgb[16, 16::32].astype(int) - expected).max() <= 3


@pytest.mark.parametrize("mode", ["L;16", "RGB;16", "RGBA;16"])
def test_heic_of_ten_bits_keeps_them(mode: str) -> None:
    channels = {"L": 1, "RGB": 3, "RGBA": 4}[mode[:-3]]
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64, 1)
    photo = load_photo(heic(ramp.repeat(channels, 2), mode))
    assert photo.rgb.dtype == np.uint16
    assert photo.grey == (channels == 1)
    assert (photo.alpha is not None) == (channels == 4)
    assert photo.rgb.max() == 65535
    assert len(np.unique(photo.rgb[..., 1])) > 600
    assert np.abs(photo.rgb[..., 1] - ramp[..., 0].astype(int)).mean() < 200
    again = load_photo(saved(photo, "HEIF"))
    assert again.rgb.dtype == np.uint16
    assert np.abs(again.rgb.astype(int) - photo.rgb).mean() < 400


def test_heic_of_ten_bits_is_turned_upright_once() -> None:
    large = GRADIENT.repeat(3, 0).repeat(3, 1)
    data = heic(large.astype(np.uint16) * 257, "RGB;16", exif=camera_exif(6))
    photo = load_photo(data)
    assert photo.shape == (120, 72, 3)
    assert np.abs(photo.rgb8.astype(int) - np.rot90(large, -1)).mean() < 2
    again = load_photo(saved(photo, "HEIF"))
    assert again.shape == photo.shape
    assert again.exif is not None
    assert b"Kamera" in again.exif


def test_boxes_that_are_damaged_tell_nothing() -> None:
    data = avif(noise((16, 16, 3)), 12, 13)
    for at in range(len(data) // 2):
        changed = bytearray(data)
        changed[at] ^= 0xFF
        with contextlib.suppress(ValueError):
            from_boxes(bytes(changed))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("depth", [10, 12])
def test_avif_of_more_than_8_bits_keeps_them(depth: int, channels: int) -> None:
    pixels = np.linspace(0, 2**depth - 1, 64 * 64).astype(np.uint16).reshape(64, 64)
    data = deep_avif(np.dstack([pixels, pixels // 2, pixels[::-1], pixels][:channels]), depth)
    photo = load_photo(data)
    assert photo.rgb.dtype == np.uint16
    assert (photo.grey, photo.alpha is not None) == (channels == 1, channels == 4)
    expected = np.round(pixels * (65535 / (2**depth - 1)))
    assert np.abs(photo.rgb[..., 2 if channels > 1 else 1] - expected).max() <= 1 << (16 - depth)
    assert len(np.unique(photo.rgb[..., 2])) == min(2**depth, 64 * 64)
    again = load_photo(saved(photo, photo.format))
    np.testing.assert_array_equal(again.rgb, photo.rgb)


def deep_avif(pixels: np.ndarray, depth: int) -> bytes:
    """Lossless; channels as OpenCV orders them."""
    cv2 = pytest.importorskip("cv2")
    options = [cv2.IMWRITE_AVIF_DEPTH, depth, cv2.IMWRITE_AVIF_QUALITY, 100]
    try:
        return bytes(cv2.imencode(".avif", pixels, options)[1].data)
    except cv2.error:
        pytest.skip("this OpenCV writes no AVIF")


def test_avif_of_ten_bits_may_keep_its_colours() -> None:
    samples = GRADIENT.astype(np.uint16)[..., ::-1] * 4
    data = deep_avif(np.ascontiguousarray(samples), 10)
    at = data.index(b"colrnclx") + 8
    wide = data[:at] + struct.pack(">HH", 12, 13) + data[at + 4 :]
    own = load_photo(wide, keep_profile=True)
    assert own.gamut is not None
    assert np.abs(own.rgb // 64 - samples[..., ::-1].astype(int)).max() <= 1
    assert (load_photo(wide).rgb != load_photo(data).rgb).any()


@pytest.mark.parametrize("transfer", CURVES)
def test_hdr_avif_of_ten_bits(transfer: int) -> None:
    samples = np.round(hdr_samples(GRADIENT, transfer) * 1023).astype(np.uint16)
    data = deep_avif(np.ascontiguousarray(samples[..., ::-1]), 10)
    at = data.index(b"colrnclx") + 8
    photo = load_photo(data[:at] + struct.pack(">HH", 9, transfer) + data[at + 4 :])
    assert np.abs(photo.rgb8.astype(int) - GRADIENT).mean() < 1


def test_avif_is_read_in_8_bits_where_opencv_cannot(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data = deep_avif(GRADIENT.astype(np.uint16) * 4, 10)
    monkeypatch.setattr("relight.photo.deep._opencv_reads_avif", lambda: False)
    assert load_photo(data, name="a.avif").rgb.dtype == np.uint8
    assert caplog.messages == ["a.avif: read in 8 bits, since this OpenCV reads no AVIF"]


def test_heic_of_twelve_bits_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    heif = pytest.importorskip("pillow_heif")
    monkeypatch.setattr(heif.options, "SAVE_HDR_TO_12_BIT", True)
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64, 1).repeat(3, 2)
    try:
        data = heic(ramp, "RGB;16")
    except (RuntimeError, ValueError):
        pytest.skip("this libheif writes no 12 bits")
    photo = load_photo(data)
    assert np.abs(photo.rgb.astype(int) - ramp).max() <= 64
    assert len(np.unique(photo.rgb[..., 1])) > 2000
