# SPDX-License-Identifier: Apache-2.0
"""What each file format keeps from reading to writing."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

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
    tiff_16,
)
from PIL import Image, JpegImagePlugin

from relight.error import UnsupportedPhotoError
from relight.photo.color.icc import srgb_profile
from relight.photo.container import jpeg
from relight.photo.file import PhotoError, load_photo, save_photo


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [60, 92])
def test_jpeg_quality_and_subsampling_are_kept(quality: int, subsampling: int) -> None:
    data = pillow_bytes(
        Image.fromarray(noise((32, 48, 3))), "JPEG", quality=quality, subsampling=subsampling
    )
    before, after = (Image.open(io.BytesIO(d)) for d in (data, saved(load_photo(data), "JPEG")))
    assert after.quantization == before.quantization
    assert JpegImagePlugin.get_sampling(after) == subsampling


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("shape", [(513, 40, 3), (1100, 333, 3), (5000, 17, 1), (270, 65500, 3)])
def test_strips_of_a_jpeg_are_what_pillow_writes_at_once(
    shape: tuple[int, int, int], subsampling: int
) -> None:
    pixels = noise(shape)
    told = {"comment": b"once", "exif": camera_exif(1)}
    written = jpeg.encode(pixels, subsampling=subsampling, told=told, quality=90)
    blocks = written[written.index(b"\xff\xdd\0\x04") + 4 :][:2]
    whole = pillow_bytes(
        Image.fromarray(pixels[..., 0] if shape[2] == 1 else pixels), "JPEG", quality=90,
        subsampling=subsampling, restart_marker_blocks=int.from_bytes(blocks), **told,
    )  # fmt: skip
    assert written == whole


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_a_jpeg_in_colour_is_decoded_as_pillow_does(subsampling: int, progressive: bool) -> None:
    data = pillow_bytes(
        Image.fromarray(noise((61, 83, 3))), "JPEG", subsampling=subsampling,
        progressive=progressive,
    )  # fmt: skip
    image = Image.open(io.BytesIO(data))
    np.testing.assert_array_equal(jpeg.decode(image, data), np.asarray(image))


def test_a_jpeg_that_is_grey_or_cut_short_is_left_to_pillow() -> None:
    grey = pillow_bytes(Image.fromarray(noise((32, 32))), "JPEG")
    whole = pillow_bytes(Image.fromarray(noise((64, 64, 3))), "JPEG")
    for data in (grey, whole[: len(whole) // 2], pillow_bytes(Image.new("CMYK", (9, 9)), "JPEG")):
        assert jpeg.decode(Image.open(io.BytesIO(data)), data) is None


def test_a_low_jpeg_has_no_markers() -> None:
    assert b"\xff\xdd\0\x04" not in jpeg.encode(noise((512, 64, 3)), told={})


def test_a_jpeg_is_written_where_no_file_can_be_kept_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = noise((1030, 64, 3))
    with_files = jpeg.encode(pixels, told={})

    def refuse() -> None:
        raise OSError

    monkeypatch.setattr(jpeg, "kept_aside", refuse)
    assert jpeg.encode(pixels, told={}) == with_files


def test_jpeg_extras_are_kept() -> None:
    record = b"8BIM\x04\x04\0\0\0\0\0\x07caption\0"
    body = b"Photoshop 3.0\0" + record
    segment = b"\xff\xed" + struct.pack(">H", len(body) + 2) + body
    data = pillow_bytes(
        Image.fromarray(GRADIENT), "JPEG", progressive=True, dpi=(300, 300), comment=b"hello",
        extra=segment,
    )  # fmt: skip
    image = Image.open(io.BytesIO(saved(load_photo(data), "JPEG")))
    assert image.info["progressive"]
    assert image.info["dpi"] == (300, 300)
    assert image.info["comment"] == b"hello"
    assert image.info["photoshop"][0x0404] == b"caption"


def test_png_to_jpeg_keeps_full_chroma() -> None:
    photo = load_photo(GRADIENT)
    image = Image.open(io.BytesIO(saved(photo, "JPEG")))
    assert JpegImagePlugin.get_sampling(image) == 0
    assert np.abs(np.asarray(image).astype(int) - GRADIENT).max() <= 4


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("shape", [(9, 7, 3), (9, 7, 4), (9, 7), (1, 7, 3), (9, 1, 4)])
def test_16_bit_round_trip_is_exact(kind: str, shape: tuple[int, ...]) -> None:
    photo = load_photo(noise(shape, np.uint16))
    data = saved(photo, kind)
    again = load_photo(data)
    assert again.rgb.dtype == np.uint16
    assert again.grey == (len(shape) == 2)
    np.testing.assert_array_equal(again.rgb, photo.rgb)
    assert (again.alpha is None) == (photo.alpha is None)
    if photo.alpha is not None:
        np.testing.assert_array_equal(again.alpha, photo.alpha)
    if kind == "PNG":  # depth and colour type
        assert data[24:26] == bytes(
            [16, {2: 0, 3: 2}.get(len(shape)) if len(shape) == 2 or shape[2] == 3 else 6]
        )


def test_16_bit_files_of_others() -> None:
    pixels = noise((5, 6, 4), np.uint16)
    np.testing.assert_array_equal(load_photo(png_16(pixels[..., :3], 2)).rgb, pixels[..., :3])
    photo = load_photo(png_16(pixels[..., :2], 4))
    np.testing.assert_array_equal(photo.rgb[..., 2], pixels[..., 0])
    np.testing.assert_array_equal(photo.alpha, pixels[..., 1])
    assert photo.grey
    again = load_photo(saved(photo, "PNG"))
    np.testing.assert_array_equal(again.rgb, photo.rgb)
    np.testing.assert_array_equal(again.alpha, photo.alpha)
    np.testing.assert_array_equal(load_photo(tiff_16(pixels[..., :3])).rgb, pixels[..., :3])
    np.testing.assert_array_equal(load_photo(tiff_16(pixels[..., :1])).rgb[..., 1], pixels[..., 0])
    inverted = load_photo(tiff_16(pixels[..., :1], "<", t262=0))
    np.testing.assert_array_equal(inverted.rgb[..., 1], 65535 - pixels[..., 0])
    unassociated = load_photo(tiff_16(pixels, t338=2))
    np.testing.assert_array_equal(unassociated.alpha, pixels[..., 3])
    np.testing.assert_array_equal(unassociated.rgb, pixels[..., :3])
    half = np.array([[[10000, 20000, 0, 32768]]], np.uint16)
    premultiplied = load_photo(tiff_16(half, t338=1))
    np.testing.assert_allclose(premultiplied.rgb[0, 0], [20000, 40000, 0], atol=1)
    assert load_photo(tiff_16(pixels, t338=0)).alpha is None
    with pytest.raises(UnsupportedPhotoError, match="interleaved"):
        load_photo(tiff_16(pixels[..., :3], t284=2))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_tiff_8_bit_round_trip(mode: str, compression: str | None) -> None:
    pixels = noise((300, 50, len(mode)))
    image = Image.fromarray(pixels if mode != "L" else pixels[..., 0], mode=None)
    data = pillow_bytes(image, "TIFF", compression=compression, dpi=(72, 72))
    photo = load_photo(data)
    again = Image.open(io.BytesIO(saved(photo, "TIFF")))
    assert again.mode == mode
    np.testing.assert_array_equal(np.asarray(again), np.asarray(image))
    assert (again.tag_v2[259] == 1) == (compression is None)
    assert again.info["dpi"] == (72, 72)


def test_16_bit_is_rounded_for_8_bit_formats() -> None:
    every = np.arange(65536, dtype=np.uint16)
    photo = load_photo(every.reshape(256, 256))
    np.testing.assert_array_equal(
        photo.rgb8[..., 1].ravel(), np.round(every / 257).astype(np.uint8)
    )
    image = Image.open(io.BytesIO(saved(photo, "JPEG")))
    assert image.mode == "L"
    assert np.abs(np.asarray(image).astype(int) - photo.rgb8[..., 0]).max() <= 6


def test_webp_stays_lossless_or_lossy() -> None:
    pixels = noise((20, 30, 4))
    data = pillow_bytes(Image.fromarray(pixels), "WEBP", lossless=True, exact=True)
    again = load_photo(saved(load_photo(data), "WEBP"))
    np.testing.assert_array_equal(again.rgb, pixels[..., :3])
    np.testing.assert_array_equal(again.alpha, pixels[..., 3])
    lossy = load_photo(pillow_bytes(Image.fromarray(GRADIENT), "WEBP", quality=80))
    result = saved(lossy, "WEBP")
    assert b"VP8L" not in result
    assert np.abs(load_photo(result).rgb.astype(int) - lossy.rgb).max() < 20


def test_lossless_webp_behind_a_long_profile() -> None:
    profile = matrix_profile(SRGB_D50, 2.2) + bytes(9000)
    image = Image.fromarray(GRADIENT)
    assert load_photo(
        pillow_bytes(image, "WEBP", lossless=True, icc_profile=profile)
    ).encoding.lossless
    assert not load_photo(pillow_bytes(image, "WEBP", icc_profile=profile)).encoding.lossless
    frames = {"save_all": True, "append_images": [Image.fromarray(255 - GRADIENT)]}
    assert load_photo(pillow_bytes(image, "WEBP", lossless=True, **frames)).encoding.lossless


def test_transparent_becomes_white_in_jpeg() -> None:
    pixels = np.zeros((16, 48, 4), np.uint8)
    pixels[:, 16:32, 3], pixels[:, 32:, 3] = 128, 255
    photo = load_photo(pillow_bytes(Image.fromarray(pixels), "PNG"))
    row = load_photo(saved(photo, "JPEG")).rgb[8].astype(int)
    assert np.abs(row[[4, 24, 44], 0] - [255, 127, 0]).max() <= 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_grey_stays_grey_unless_coloured(kind: str) -> None:
    grey = Image.fromarray(GRADIENT[..., 0])
    photo = load_photo(pillow_bytes(grey, kind))
    assert photo.grey
    assert photo.rgb.shape == GRADIENT.shape
    again = Image.open(io.BytesIO(saved(photo, kind)))
    assert again.mode == "L"
    assert np.abs(np.asarray(again).astype(int) - GRADIENT[..., 0]).max() <= 2
    warm = photo.rgb // 2 + np.array([9, 4, 0], np.uint8)
    assert Image.open(io.BytesIO(saved(photo.with_rgb(warm), kind))).mode == "RGB"
    neutral_colour_file = load_photo(pillow_bytes(grey.convert("RGB"), kind))
    assert Image.open(io.BytesIO(saved(neutral_colour_file, kind))).mode == "RGB"


def test_cmyk_with_and_without_profile(caplog: pytest.LogCaptureFixture) -> None:
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    photo = load_photo(pillow_bytes(cmyk, "JPEG"))
    assert np.abs(photo.rgb[8, 8].astype(int) - [255, 0, 0]).max() <= 3
    again = Image.open(io.BytesIO(saved(photo, "JPEG")))
    assert again.mode == "RGB"
    assert not caplog.records
    load_photo(pillow_bytes(cmyk, "JPEG", icc_profile=P3_PROFILE))
    assert "profile ignored" in caplog.text  # an RGB profile cannot describe CMYK


def test_palette_transparency_and_one_bit() -> None:
    image = Image.new("P", (4, 2))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1, 0, 1, 1, 1, 0, 0])
    photo = load_photo(pillow_bytes(image, "PNG", transparency=0))
    np.testing.assert_array_equal(photo.rgb[0, 1], [200, 100, 50])
    np.testing.assert_array_equal(photo.alpha[0], [0, 255, 0, 255])
    assert not photo.grey
    assert load_photo(pillow_bytes(image, "PNG")).alpha is None
    image.putpalette([10, 10, 10, 99, 99, 99])
    assert load_photo(pillow_bytes(image, "PNG")).grey
    bits = Image.fromarray(np.eye(5, dtype=bool))
    photo = load_photo(pillow_bytes(bits, "PNG"))
    np.testing.assert_array_equal(photo.rgb[..., 2], np.eye(5, dtype=np.uint8) * 255)
    assert photo.grey
    keyed = load_photo(
        pillow_bytes(Image.new("RGB", (2, 2), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    )
    assert not keyed.alpha.any()


def test_animated_gif_gives_its_first_frame_as_png(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (6, 4), colour) for colour in ("red", "blue")]
    (tmp_path / "a.gif").write_bytes(
        pillow_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])
    )
    photo = load_photo(tmp_path / "a.gif")
    np.testing.assert_array_equal(photo.rgb[0, 0], [255, 0, 0])
    assert photo.format == "PNG"
    with pytest.raises(PhotoError, match=r"use \.jpg"):
        save_photo(photo, tmp_path / "b.gif")


def test_bmp_is_read() -> None:
    pixels = noise((5, 7, 3))
    np.testing.assert_array_equal(
        load_photo(pillow_bytes(Image.fromarray(pixels), "BMP")).rgb, pixels
    )


def test_avif_is_read_upright_and_saved_as_png() -> None:
    pytest.importorskip("PIL.AvifImagePlugin")  # Pillow 11.3
    exif = camera_exif(6)
    data = pillow_bytes(Image.fromarray(GRADIENT), "AVIF", quality=95, exif=exif)
    photo = load_photo(data)
    assert photo.format == "PNG"
    assert photo.shape == (40, 24, 3)
    assert np.abs(photo.rgb - np.rot90(GRADIENT, -1).astype(float)).mean() < 4


def test_heic_round_trip() -> None:
    heif = pytest.importorskip("pillow_heif")
    image = Image.fromarray(GRADIENT.repeat(2, 0).repeat(2, 1))
    buffer = io.BytesIO()
    image.info["icc_profile"] = P3_PROFILE
    heif.from_pillow(image).save(buffer, quality=95, exif=camera_exif(6))
    photo = load_photo(buffer.getvalue())
    assert photo.format == "HEIF"
    assert photo.shape == (80, 48, 3)
    expected = np.rot90(p3_to_srgb(np.asarray(image) / 255) * 255, -1)
    assert np.abs(photo.rgb - expected).mean() < 4
    data = saved(photo, "HEIF")
    assert heif.open_heif(data).info["icc_profile"] == srgb_profile()
    again = load_photo(data)
    assert again.shape == photo.shape
    assert np.abs(again.rgb.astype(int) - photo.rgb).mean() < 4
    exif = Image.Exif()
    exif.load(again.exif)
    assert exif[0x010F] == "Kamera"
    alpha = load_photo(saved(load_photo(noise((32, 32, 4))), "HEIF")).alpha
    assert alpha is not None


def test_heic_without_the_extra_names_the_cure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PhotoError, match=r"pip install 'portrait-relight\[heic\]'"):
        load_photo(b"\0\0\0\x18ftypheic" + bytes(100))
    with pytest.raises(PhotoError, match=r"pip install 'portrait-relight\[heic\]'"):
        save_photo(load_photo(GRADIENT), tmp_path / "a.heic")
    assert list(tmp_path.iterdir()) == []
