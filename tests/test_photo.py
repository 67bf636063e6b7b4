# SPDX-License-Identifier: Apache-2.0
"""Photos in and out: pixels, colour, metadata, damage, and files that are never half-written."""

from __future__ import annotations

import errno
import io
import logging
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps, JpegImagePlugin

from relight import raster
from relight.photo import Photo, PhotoError, load_photo, save_photo

RNG_SEED = 7
# Quantised so that JPEG at quality 95 keeps it within a few steps.
GRADIENT = np.stack(np.broadcast_arrays(
    np.linspace(20, 230, 40)[None, :], np.linspace(30, 200, 24)[:, None], np.float64(90)
), axis=-1).round().astype(np.uint8)  # fmt: skip


def noise(shape: tuple[int, ...], dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(RNG_SEED).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def pillow_bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def saved(photo: Photo, kind: str) -> bytes:
    buffer = io.BytesIO()
    assert save_photo(photo, buffer, format=kind) is None
    return buffer.getvalue()


def png_16(pixels: np.ndarray, colour_type: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A 16-bit PNG written here, so that reading is not tested against our own writer."""
    height, width = pixels.shape[:2]
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff_16(pixels: np.ndarray, order: str = ">", **tags: int) -> bytes:
    """An uncompressed 16-bit TIFF, one strip. Tags are named ``t<number>``."""
    height, width, channels = pixels.shape
    entries = {256: width, 257: height, 258: 16, 259: 1, 262: 2 if channels > 2 else 1}
    entries |= {277: channels, 278: height, 279: pixels.size * 2}
    entries |= {int(name[1:]): value for name, value in tags.items()}
    entries |= {273: 0}
    offset = 8 + 2 + 12 * len(entries) + 4
    directory = struct.pack(order + "H", len(entries))
    for tag, value in sorted(entries.items()):
        if tag == 258 and channels > 2:
            directory += struct.pack(order + "HHII", tag, 3, channels, offset)
        elif tag == 273:
            directory += struct.pack(order + "HHII", tag, 4, 1, offset + 2 * channels)
        else:
            directory += struct.pack(order + "HHIHH", tag, 3, 1, value, 0) if value < 65536 else (
                struct.pack(order + "HHII", tag, 4, 1, value))  # fmt: skip
    bits = struct.pack(f"{order}{channels}H", *[16] * channels)
    head = struct.pack(order + "2sHI", {">": b"MM", "<": b"II"}[order], 42, 8)
    return head + directory + bytes(4) + bits + pixels.astype(order + "u2").tobytes()


def matrix_profile(primaries: np.ndarray, gamma: float) -> bytes:
    """A minimal ICC v2 display profile. Columns of ``primaries``: XYZ at D50."""

    def xyz(values: np.ndarray) -> bytes:
        return (
            b"XYZ "
            + bytes(4)
            + struct.pack(">3i", *np.round(np.asarray(values) * 65536).astype(int))
        )

    curve = b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(gamma * 256))
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = {b"desc": name + bytes(3), b"wtpt": xyz([0.9642, 1, 0.8249])}
    for index, channel in enumerate((b"r", b"g", b"b")):
        tags[channel + b"XYZ"], tags[channel + b"TRC"] = xyz(primaries[:, index]), curve
    start, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for tag, value in tags.items():
        table += struct.pack(">4sII", tag, start + len(body), len(value))
        body += value
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


# Display P3 primaries, D50 adapted (SMPTE EG 432-1), here with gamma 2.2.
P3 = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
P3_PROFILE = matrix_profile(P3, 2.2)
SRGB_D50 = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)


def p3_to_srgb(encoded: np.ndarray) -> np.ndarray:
    linear = (encoded ** (563 / 256)) @ (np.linalg.inv(SRGB_D50) @ P3).T
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def camera_exif(orientation: int = 1, **more: object) -> bytes:
    """EXIF of a camera; ``more``: further tags of the camera's own directory, as ``t<number>``."""
    camera = {0x9003: "2024:05:06 07:08:09", 0x927C: b"maker note", 0xA002: 40, 0xA003: 24}
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Kamera", orientation
    exif[0x8769] = camera | {int(name[1:]): value for name, value in more.items()}
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.5)}
    return exif.tobytes()


def exif_with_thumbnail(order: str) -> tuple[bytes, bytes]:
    """A hand-made EXIF block with a preview image in IFD1, and the preview."""
    preview = b"\xff\xd8preview of the unedited photo\xff\xd9"
    mark = {"<": b"II", ">": b"MM"}[order]
    short = lambda tag, v: struct.pack(order + "HHIHH", tag, 3, 1, v, 0)  # noqa: E731
    long = lambda tag, v: struct.pack(order + "HHII", tag, 4, 1, v)  # noqa: E731
    main = struct.pack(order + "H", 1) + short(0x0112, 6) + struct.pack(order + "I", 26)
    first = struct.pack(order + "H", 2) + long(0x0201, 56) + long(0x0202, len(preview)) + bytes(4)
    block = mark + struct.pack(order + "HI", 42, 8) + main + first
    return b"Exif\0\0" + block + preview, preview


def file_format(path: Path) -> str | None:
    with Image.open(path) as image:
        return image.format


def icc_name(data: bytes) -> str:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(Image.open(io.BytesIO(data)).info["icc_profile"]))
    return ImageCms.getProfileDescription(profile).strip()


# -- Orientation and EXIF -------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "JPEG"])
def test_orientation_is_applied_and_reset(kind: str, orientation: int) -> None:
    stored = Image.fromarray(GRADIENT)
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    data = pillow_bytes(stored, kind, exif=camera_exif(orientation), **options)
    photo = load_photo(data)
    tagged = stored.copy()
    tagged.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(tagged))
    assert photo.shape == expected.shape
    assert np.abs(photo.rgb.astype(int) - expected).max() <= (3 if kind == "JPEG" else 0)
    again = Image.open(io.BytesIO(saved(photo, kind)))
    assert again.size == (photo.width, photo.height)
    exif = again.getexif()
    assert exif.get(0x0112, 1) == 1
    assert exif[0x010F] == "Kamera"
    camera = exif.get_ifd(0x8769)
    assert (camera[0xA002], camera[0xA003]) == (photo.width, photo.height)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_orientation_of_16_bit_files(kind: str, orientation: int) -> None:
    stored = noise((3, 5, 3), np.uint16)
    exif = camera_exif(orientation)
    if kind == "PNG":
        data = png_16(stored, 2, (b"eXIf", exif[6:]))
    else:
        data = tiff_16(stored, t274=orientation)
    index = Image.fromarray(np.arange(15, dtype=np.uint8).reshape(3, 5))
    index.getexif()[0x0112] = orientation
    order = np.asarray(ImageOps.exif_transpose(index))
    photo = load_photo(data)
    np.testing.assert_array_equal(photo.rgb, stored.reshape(15, 3)[order])
    assert photo.rgb.flags.c_contiguous


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_is_kept_across_formats(kind: str) -> None:
    photo = load_photo(pillow_bytes(Image.fromarray(GRADIENT), "JPEG", exif=camera_exif()))
    exif = Image.open(io.BytesIO(saved(photo, kind))).getexif()
    camera, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    assert exif[0x010F] == "Kamera"
    assert camera[0x9003] == "2024:05:06 07:08:09"
    assert camera[0x927C] == b"maker note"
    assert gps[1] == "N"
    assert tuple(map(float, gps[2])) == (52.0, 31.0, 12.5)


def test_maker_notes_do_not_move() -> None:
    data = pillow_bytes(Image.fromarray(GRADIENT), "JPEG", exif=camera_exif(6))
    assert load_photo(data).exif is not None
    before = Image.open(io.BytesIO(data)).info["exif"].index(b"maker note")
    after = Image.open(io.BytesIO(saved(load_photo(data), "JPEG"))).info["exif"]
    assert after.index(b"maker note") == before


@pytest.mark.parametrize("order", ["<", ">"])
def test_thumbnail_is_dropped_and_the_rest_stays_readable(order: str) -> None:
    block, preview = exif_with_thumbnail(order)
    data = pillow_bytes(Image.fromarray(GRADIENT), "JPEG", exif=block)
    assert preview in data
    photo = load_photo(data)
    assert photo.shape == (40, 24, 3)
    result = saved(photo, "JPEG")
    assert preview not in result
    assert Image.open(io.BytesIO(result)).getexif().get_ifd(1) == {}


def test_thumbnail_that_does_not_stand_last_is_blanked() -> None:
    block, preview = exif_with_thumbnail("<")
    tiff = bytearray(block[6:])
    # One more entry in IFD0 whose value stands behind the preview.
    value = b"A name longer than four bytes\0"
    main = struct.pack("<H", 2) + struct.pack("<HHII", 0x010F, 2, len(value), 0) + tiff[10:26]
    main = bytearray(main)
    first = bytearray(tiff[26:56])
    struct.pack_into("<I", main, 26, 38)
    struct.pack_into("<I", first, 10, 68)
    struct.pack_into("<I", main, 10, 68 + len(preview))
    block = b"Exif\0\0" + bytes(tiff[:8] + main + first + preview + value)
    photo = load_photo(pillow_bytes(Image.fromarray(GRADIENT), "JPEG", exif=block))
    assert photo.exif is not None
    assert preview not in photo.exif
    exif = Image.Exif()
    exif.load(photo.exif)
    assert exif[0x010F] == "A name longer than four bytes"


def test_unreadable_exif_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    data = pillow_bytes(Image.fromarray(GRADIENT), "WEBP", exif=b"II*\0\xff\xff\xff\x7fjunk")
    photo = load_photo(data)
    assert photo.exif is None
    assert photo.shape == GRADIENT.shape
    assert "EXIF" in caplog.text


def test_huge_exif_fits_png_and_is_left_out_of_jpeg(caplog: pytest.LogCaptureFixture) -> None:
    exif = camera_exif(t37500=b"n" * 100_000)
    photo = load_photo(pillow_bytes(Image.fromarray(GRADIENT), "PNG", exif=exif))
    again = Image.open(io.BytesIO(saved(photo, "PNG"))).getexif()
    assert len(again.get_ifd(0x8769)[0x927C]) == 100_000
    jpeg = Image.open(io.BytesIO(saved(photo, "JPEG")))
    assert not jpeg.getexif()
    assert "does not fit" in caplog.text


XMP = (
    b"<?xpacket begin='' id='x'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Description"
    b' xmp:Rating="5" tiff:Orientation="6" exif:PixelXDimension="40">'
    b"<dc:title>Anna</dc:title><tiff:ImageWidth>40</tiff:ImageWidth>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_xmp_is_kept_without_contradicting(kind: str) -> None:
    data = pillow_bytes(Image.fromarray(GRADIENT), "WEBP", lossless=True, xmp=XMP)
    photo = load_photo(data)  # no EXIF: the XMP orientation counts, as in Pillow
    np.testing.assert_array_equal(photo.rgb, np.rot90(GRADIENT, -1))
    image = Image.open(io.BytesIO(saved(photo, kind)))
    xmp = image.tag_v2[700] if kind == "TIFF" else image.info["xmp"]
    assert b'tiff:Orientation="1"' in xmp
    assert b"<dc:title>Anna</dc:title>" in xmp
    assert b"PixelXDimension" not in xmp
    assert b"ImageWidth" not in xmp
    assert load_photo(saved(photo, kind)).shape == photo.shape


def test_exif_orientation_wins_over_xmp() -> None:
    data = pillow_bytes(
        Image.fromarray(GRADIENT), "WEBP", lossless=True, xmp=XMP, exif=camera_exif(1)
    )
    np.testing.assert_array_equal(load_photo(data).rgb, GRADIENT)


def test_xmp_about_a_gain_map_that_is_not_carried_over_is_dropped() -> None:
    xmp = XMP.replace(b'xmp:Rating="5"', b'hdrgm:Version="1.0"')
    photo = load_photo(pillow_bytes(Image.fromarray(GRADIENT), "PNG"))
    assert photo.encoding.xmp is None
    photo = load_photo(pillow_bytes(Image.fromarray(GRADIENT), "WEBP", xmp=xmp))
    assert photo.encoding.xmp is None


# -- Colour ---------------------------------------------------------------------------------------


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
    ours = ImageCms.ImageCmsProfile(io.BytesIO(raster.srgb_profile(grey)))
    theirs = ImageCms.createProfile("sRGB")
    result = ImageCms.profileToProfile(ramp, ours, theirs, outputMode="RGB")
    assert result is not None
    assert np.abs(np.asarray(result).astype(int) - np.asarray(ramp.convert("RGB"))).max() <= 1
    assert raster.is_srgb(raster.srgb_profile(grey))
    assert not raster.is_srgb(P3_PROFILE)
    assert not raster.is_srgb(matrix_profile(SRGB_D50, 2.2))
    assert raster.is_srgb(ImageCms.ImageCmsProfile(theirs).tobytes())


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
    linear = raster._build_profile("linear", None, (0, 1.0))
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


# -- Formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [60, 92])
def test_jpeg_quality_and_subsampling_are_kept(quality: int, subsampling: int) -> None:
    data = pillow_bytes(
        Image.fromarray(noise((32, 48, 3))), "JPEG", quality=quality, subsampling=subsampling
    )
    before, after = (Image.open(io.BytesIO(d)) for d in (data, saved(load_photo(data), "JPEG")))
    assert after.quantization == before.quantization
    assert JpegImagePlugin.get_sampling(after) == subsampling


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
    with pytest.raises(PhotoError, match="interleaved"):
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
    assert heif.open_heif(data).info["icc_profile"] == raster.srgb_profile()
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


# -- Arrays and Photo -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4)])
def test_arrays(shape: tuple[int, ...], dtype: type) -> None:
    array = noise(shape, dtype)
    photo = load_photo(array)
    assert photo.shape == (4, 5, 3)
    assert (photo.height, photo.width) == (4, 5)
    assert photo.rgb.dtype == dtype
    assert photo.grey == (len(shape) == 2 or shape[2] == 1)
    assert (photo.alpha is not None) == (shape[-1] == 4)
    assert (photo.name, photo.source, photo.format) == ("<array>", None, "PNG")
    assert photo.rgb8.dtype == np.uint8
    np.testing.assert_array_equal(photo.rgb[..., 0], array if len(shape) == 2 else array[..., 0])
    assert load_photo(array[::-1, ::2]).rgb.flags.c_contiguous


def test_wrong_arrays_are_refused() -> None:
    with pytest.raises(TypeError, match="float32"):
        load_photo(np.zeros((4, 4, 3), np.float32))
    for shape in ((4,), (4, 4, 2), (2, 4, 4, 3), (0, 4, 3), (4, 0)):
        with pytest.raises(ValueError, match=r"shape \(" + str(shape[0])):
            load_photo(np.zeros(shape, np.uint8))
    with pytest.raises(TypeError, match="got int"):
        load_photo(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="binary"):
        load_photo(io.StringIO("text"))  # type: ignore[arg-type]


def test_with_rgb_keeps_the_rest_and_checks_pixels() -> None:
    photo = load_photo(pillow_bytes(Image.fromarray(GRADIENT), "JPEG", exif=camera_exif()))
    assert photo.rgb8 is photo.rgb
    other = photo.with_rgb(255 - photo.rgb)
    assert other.exif == photo.exif
    assert other.encoding == photo.encoding
    np.testing.assert_array_equal(other.rgb8, 255 - photo.rgb8)
    with pytest.raises(ValueError, match=r"\(24, 40, 3\), got \(24, 39, 3\)"):
        photo.with_rgb(photo.rgb[:, 1:])
    with pytest.raises(TypeError, match="uint8 pixels, got uint16"):
        photo.with_rgb(photo.rgb.astype(np.uint16))


# -- Damage and strangers -------------------------------------------------------------------------


def small_files() -> dict[str, bytes]:
    image, exif = Image.fromarray(noise((24, 24, 3))), camera_exif(6)
    files = {
        kind: pillow_bytes(image, kind, exif=exif, icc_profile=P3_PROFILE)
        for kind in ("JPEG", "PNG", "WEBP", "TIFF")
    }
    files["TIFF-LZW"] = pillow_bytes(image, "TIFF", compression="tiff_lzw")
    files["GIF"] = pillow_bytes(image, "GIF")
    profile = (b"iCCP", b"P3\0\0" + zlib.compress(P3_PROFILE))
    files["PNG-16"] = png_16(noise((12, 12, 3), np.uint16), 2, profile, (b"eXIf", exif[6:]))
    files["TIFF-16"] = tiff_16(noise((12, 12, 3), np.uint16))
    files["JPEG-progressive"] = pillow_bytes(image, "JPEG", progressive=True)
    return files


FILES = small_files()
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def load_or_reason(data: bytes) -> Photo | str:
    try:
        return load_photo(data, max_megapixels=4)
    except PhotoError as error:
        return str(error)


@pytest.mark.parametrize("kind", FILES)
def test_any_cut_either_loads_or_says_why(kind: str) -> None:
    data = FILES[kind]

    @FUZZ
    @given(st.integers(0, len(data) - 1))
    def check(length: int) -> None:
        result = load_or_reason(data[:length])
        if isinstance(result, str):
            assert result.startswith("<bytes>")
            assert "\n" not in result
        else:  # only bytes behind the pixels may be missing
            np.testing.assert_array_equal(result.rgb, load_photo(data).rgb)

    check()


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.filterwarnings("ignore")  # Pillow warns of odd tags
def test_any_damage_either_loads_or_says_why(kind: str) -> None:
    data = FILES[kind]

    @FUZZ
    @given(
        st.lists(
            st.tuples(st.integers(0, min(len(data), 900) - 1), st.integers(0, 255)), max_size=6
        )
    )
    def check(changes: list[tuple[int, int]]) -> None:
        damaged = bytearray(data)
        for position, value in changes:
            damaged[position] = value
        result = load_or_reason(bytes(damaged))
        if isinstance(result, str):
            assert "\n" not in result
        else:
            np.testing.assert_array_equal(load_photo(saved(result, "PNG")).rgb, result.rgb)

    check()


@given(st.binary(max_size=400), st.integers(1, 5000), st.integers(1, 5000))
@settings(max_examples=200, deadline=None)
def test_any_exif_bytes_are_cleaned_or_dropped(noise: bytes, width: int, height: int) -> None:
    for block in (noise, b"II*\0\x08\0\0\0" + noise, b"Exif\0\0MM\0*\0\0\0\x08" + noise):
        cleaned = raster.clean_exif(block, width, height)
        assert cleaned.orientation in range(9)
        if cleaned.block is not None:
            assert raster.clean_exif(cleaned.block, width, height).orientation in (0, 1)


@pytest.mark.parametrize("kind", ["JPEG", "JPEG-progressive", "PNG", "PNG-16", "WEBP", "GIF"])
def test_a_cut_photo_is_called_so(kind: str) -> None:
    data = FILES[kind]
    with pytest.raises(PhotoError, match=r"is (cut short|damaged).*; get a complete copy"):
        load_photo(data[: len(data) * 3 // 4])
    if kind.startswith(("JPEG", "PNG")):
        with pytest.raises(PhotoError, match="is cut short"):
            load_photo(data[: len(data) * 3 // 4])


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "JPEG", "WEBP"])
def test_bombs_are_refused_before_decoding(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pillow_bytes(Image.new("RGB", (1200, 1000)), kind)
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(PhotoError, match=r"1200 x 1000 = 1\.2 megapixels.* limit of 1;"):
        load_photo(data, max_megapixels=1)


def test_the_limit_is_ours_not_pillows(monkeypatch: pytest.MonkeyPatch) -> None:
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    body = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\r" + body + struct.pack(">I", zlib.crc32(body))
    bomb += b"\0\0\0\x04IDAT\0\0\0\0" + struct.pack(">I", zlib.crc32(b"IDAT\0\0\0\0"))
    with pytest.raises(PhotoError, match="50000 x 50000"):
        load_photo(bomb)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6500)
    data = pillow_bytes(Image.new("RGB", (100, 200)), "PNG")
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(data))
    assert load_photo(data).shape == (200, 100, 3)
    with pytest.raises(PhotoError, match="megapixels"):
        load_photo(GRADIENT, max_megapixels=1e-4)


def test_a_file_without_pixels() -> None:
    with pytest.raises(PhotoError, match=r"^<bytes> (is|has)"):
        load_photo(png_16(np.zeros((0, 0, 3), np.uint16), 2))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"Dear Anna, the photos are attached.", "it is text"),
        (b'<?xml version="1.0"?><svg/>', "vector drawing"),
        (b"<svg xmlns='x'/>", "vector drawing"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"%PDF-1.7 ...", "PDF document; export"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "video; export one frame"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0", "raw file; develop"),
        (b"FUJIFILMCCD-RAW 0201", "raw file; develop"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\x93NUMPY\x01\0v\0{", "no image format"),
        (b"\xff\xd8\xff", "get a complete copy"),
        (b"\x89PNG\r\n\x1a\n", "get a complete copy"),
        (b"II*\0", "get a complete copy"),
        (b"BM", "get a complete copy"),
    ],
)
def test_strangers_named_jpg(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=words) as caught:
        load_photo(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_raw_files_by_name_and_tag(tmp_path: Path) -> None:
    tiff = pillow_bytes(Image.fromarray(GRADIENT), "TIFF")
    (tmp_path / "a.NEF").write_bytes(tiff)
    with pytest.raises(PhotoError, match="raw file; develop"):
        load_photo(tmp_path / "a.NEF")
    dng = pillow_bytes(Image.fromarray(GRADIENT), "TIFF", tiffinfo={50706: b"\1\4\0\0"})
    with pytest.raises(PhotoError, match="raw file; develop"):
        load_photo(dng)


def test_float_samples_are_refused() -> None:
    with pytest.raises(PhotoError, match="save it as 8- or 16-bit"):
        load_photo(pillow_bytes(Image.new("F", (4, 4)), "TIFF"))


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"nowhere\.jpg does not exist"):
        load_photo(tmp_path / "nowhere.jpg")
    with pytest.raises(PhotoError, match="is a folder"):
        load_photo(str(tmp_path))
    with pytest.raises(PhotoError, match="cannot be read"):
        load_photo("a\0b.jpg")


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    path = tmp_path / "a.jpg"
    path.write_bytes(FILES["JPEG"])
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(PhotoError, match=r"a\.jpg may not be read"):
        load_photo(path)


# -- Saving ---------------------------------------------------------------------------------------


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    path = tmp_path / "portrait.jpg"
    path.write_bytes(FILES["JPEG"])
    return path


def test_the_extension_decides_and_format_wins(portrait: Path) -> None:
    photo = load_photo(portrait)
    assert (photo.name, photo.source, photo.format) == (str(portrait), portrait, "JPEG")
    for name, kind in {"a.JPG": "JPEG", "a.png": "PNG", "a.tiff": "TIFF", "a.webp": "WEBP"}.items():
        assert save_photo(photo, portrait.with_name(name)) == portrait.with_name(name)
        assert file_format(portrait.with_name(name)) == kind
    save_photo(photo, str(portrait.with_name("odd.name")), format="tif")
    assert file_format(portrait.with_name("odd.name")) == "TIFF"
    for name in ("a.xyz", "a", "a.bmp"):
        with pytest.raises(PhotoError, match=r"use \.jpg, \.png"):
            save_photo(photo, portrait.with_name(name))
    assert {path.name for path in portrait.parent.iterdir()} == {
        "portrait.jpg", "a.JPG", "a.png", "a.tiff", "a.webp", "odd.name"
    }  # fmt: skip


@pytest.mark.parametrize("link", ["itself", "symlink", "hardlink", "dotted", "linked folder"])
def test_the_input_is_never_overwritten(portrait: Path, link: str) -> None:
    other = portrait.with_name("other.jpg")
    if link == "symlink":
        other.symlink_to(portrait)
    elif link == "hardlink":
        other.hardlink_to(portrait)
    elif link == "dotted":
        other = portrait.parent / "." / ".." / portrait.parent.name / portrait.name
    elif link == "linked folder":
        folder = portrait.with_name("folder")
        folder.symlink_to(portrait.parent, target_is_directory=True)
        other = folder / portrait.name
    else:
        other = portrait
    with pytest.raises(PhotoError, match="it is the photo itself; choose another name"):
        save_photo(load_photo(portrait), other, overwrite=True)
    assert portrait.read_bytes() == FILES["JPEG"]
    photo = load_photo(other)  # and when it was loaded through the link
    with pytest.raises(PhotoError, match="it is the photo itself"):
        save_photo(photo, portrait, overwrite=True)


def test_another_working_folder_does_not_expose_the_input(
    portrait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(portrait.parent)
    photo = load_photo("portrait.jpg")
    monkeypatch.chdir("/")
    with pytest.raises(PhotoError, match="it is the photo itself"):
        save_photo(photo, portrait, overwrite=True)
    with portrait.open("rb") as stream:
        photo = load_photo(stream)
    with pytest.raises(PhotoError, match="it is the photo itself"):
        save_photo(photo, portrait, overwrite=True)


def test_existing_files_need_overwrite(portrait: Path) -> None:
    other = portrait.with_name("other.png")
    other.write_bytes(b"precious")
    photo = load_photo(portrait)
    with pytest.raises(PhotoError, match=r"other\.png exists"):
        save_photo(photo, other)
    assert other.read_bytes() == b"precious"
    save_photo(photo, other, overwrite=True)
    assert load_photo(other).shape == photo.shape


def test_a_linked_destination_is_written_through(portrait: Path) -> None:
    real, link = portrait.with_name("real.png"), portrait.with_name("link.png")
    link.symlink_to(real)
    save_photo(load_photo(portrait), link)
    assert link.is_symlink()
    assert file_format(real) == "PNG"


@pytest.mark.parametrize("name", ["missing/a.png", "folder.png", "/dev/null"])
def test_impossible_destinations(portrait: Path, name: str) -> None:
    portrait.with_name("folder.png").mkdir()
    with pytest.raises(PhotoError, match="cannot write") as caught:
        save_photo(load_photo(portrait), portrait.parent / name, format="PNG", overwrite=True)
    assert "\n" not in str(caught.value)
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("where", ["write", "rename"])
@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), PhotoError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failed_save_leaves_nothing_behind(
    portrait: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    failure: BaseException,
    raised: type[BaseException],
) -> None:
    photo, other = load_photo(portrait), portrait.with_name("other.png")
    other.write_bytes(b"precious")

    def fail(*arguments: object) -> None:
        if where == "write":
            os.write(os.open(str(arguments[0]), os.O_CREAT | os.O_WRONLY), b"half")
        raise failure

    if where == "write":
        monkeypatch.setattr(Path, "write_bytes", fail)
    else:
        monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(raised) as caught:
        save_photo(photo, other, overwrite=True)
    if raised is PhotoError:
        assert str(other) in str(caught.value)
        assert "No space left" in str(caught.value)
    assert other.read_bytes() == b"precious"
    assert sorted(path.name for path in portrait.parent.iterdir()) == ["other.png", "portrait.jpg"]


def test_streams(portrait: Path) -> None:
    with portrait.open("rb") as stream:
        photo = load_photo(stream)
    assert photo.name == str(portrait)
    photo = load_photo(io.BytesIO(FILES["JPEG"]))
    assert (photo.name, photo.source) == ("<stream>", None)
    out = io.BytesIO()
    save_photo(photo, out)
    assert Image.open(out).format == "JPEG"

    class Closed(io.RawIOBase):
        def write(self, _: object) -> int:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.raises(PhotoError, match="Broken pipe"):
        save_photo(photo, Closed())


def test_standard_input_is_named_so(monkeypatch: pytest.MonkeyPatch, portrait: Path) -> None:
    code = (
        "import sys; from relight.photo import load_photo;"
        "p = load_photo(sys.stdin.buffer); sys.stdout.write(p.name + str(p.source))"
    )
    root = Path(__file__).parents[1]
    with portrait.open("rb") as stream:
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=stream, capture_output=True, cwd=root, check=True
        )
    assert done.stdout == b"<stdin>None"


def test_import_is_light() -> None:
    code = (
        "import sys, relight.photo;"
        "print([m for m in ('cv2', 'pillow_heif', 'mediapipe') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, cwd=Path(__file__).parents[1], check=True
    )
    assert done.stdout.strip() == b"[]"


@pytest.mark.parametrize(("kind", "side"), [("WEBP", 16384), ("JPEG", 65501), ("HEIF", 16385)])
def test_sides_a_format_cannot_hold(kind: str, side: int, tmp_path: Path) -> None:
    photo = load_photo(np.zeros((1, side, 3), np.uint8))
    with pytest.raises(PhotoError, match="use PNG"):
        save_photo(photo, tmp_path / "a", format=kind)
    assert list(tmp_path.iterdir()) == []
    assert load_photo(saved(photo, "PNG")).shape == photo.shape


@pytest.mark.parametrize("shape", [(1, 9, 3), (9, 1, 3), (1, 1, 3)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_thin_photos(kind: str, shape: tuple[int, ...]) -> None:
    photo = load_photo(np.full(shape, 120, np.uint8))
    again = load_photo(saved(photo, kind))
    assert again.shape == shape
    assert np.abs(again.rgb.astype(int) - 120).max() <= 2


def test_broken_files_do_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        load_photo(FILES["PNG"])
    assert not caplog.records
