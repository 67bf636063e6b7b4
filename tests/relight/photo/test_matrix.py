# SPDX-License-Identifier: Apache-2.0
"""Files of every container, depth, profile, orientation and metadata, read as others read them.

Pillow decodes and turns them upright, LittleCMS converts their colours, NumPy does the 16-bit ones.
"""

from __future__ import annotations

import io
import itertools
import zlib
from typing import Any

import numpy as np
import pytest
from photo_sample import (
    GRADIENT,
    P3,
    P3_PROFILE,
    SRGB_D50,
    camera_exif,
    matrix_profile,
    pillow_bytes,
    png_16,
    saved,
)
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from relight.photo.file import Photo, load_photo

LINEAR_PROFILE = matrix_profile(SRGB_D50, 1.0)
PROFILES = {"none": b"", "P3": P3_PROFILE, "linear": LINEAR_PROFILE}
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmp:Rating='5'/></x:xmpmeta>"
ALPHA = np.linspace(0, 255, GRADIENT.shape[1]).astype(np.uint8)[None].repeat(24, 0)
LOSSY = {"JPEG": 4, "AVIF": 8, "HEIF": 8}
"""Steps of 255 that the samples of a lossy file may be off by on average, after conversion."""


def picture(mode: str) -> Image.Image:
    image = Image.fromarray(GRADIENT)
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.fromarray(ALPHA))
    return image.convert(mode)


def file_of(kind: str, mode: str, profile: bytes, orientation: int) -> bytes:
    options: dict[str, Any] = {"exif": camera_exif(orientation)}
    if kind == "TIFF":
        directory = ImageFileDirectory_v2()
        directory[700], directory[0x0112], directory[0x010F] = XMP, orientation, "Kamera"
        directory.tagtype[700] = 7
        options = {"tiffinfo": directory}
    elif kind == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    if profile:
        options["icc_profile"] = profile
    if kind in ("JPEG", "WEBP"):
        options["xmp"] = XMP
    if kind == "JPEG":
        options |= {"quality": 100, "subsampling": 0}
    if kind == "WEBP":
        options |= {"lossless": True, "exact": True}
    if kind == "AVIF":
        options |= {"quality": 100, "subsampling": "4:4:4"}
    if kind == "HEIF":
        return heif_bytes(picture(mode), **options)
    return pillow_bytes(picture(mode), kind, **options)


def heif_bytes(image: Image.Image, **options: Any) -> bytes:
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=100, chroma=444, **options)
    return buffer.getvalue()


def opened(data: bytes, kind: str) -> Image.Image:
    if kind != "HEIF":
        return Image.open(io.BytesIO(data))
    import pillow_heif

    return pillow_heif.open_heif(io.BytesIO(data)).to_pillow()


def seen_by_others(data: bytes, kind: str) -> tuple[np.ndarray, np.ndarray | None]:
    """RGB as Pillow (pillow-heif) and LittleCMS see it, and alpha."""
    image = opened(data, kind)
    image.info.pop("xmp", None)  # on which older Pillows fail
    image.load()
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    alpha = np.asarray(image.getchannel("A")) if image.mode.endswith("A") else None
    image = image.convert("RGB")
    if profile:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        image = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), flags=ImageCms.Flags.NOOPTIMIZE
        )
    assert image is not None
    return np.asarray(image).astype(int), alpha


def assert_same(photo: Photo, data: bytes, kind: str) -> None:
    rgb, alpha = seen_by_others(data, kind)
    assert photo.shape == rgb.shape
    difference = np.abs(photo.rgb8 - rgb)
    if kind in LOSSY:
        assert difference.mean() <= LOSSY[kind]
    else:
        assert difference.max() <= 2
    assert (photo.alpha is None) == (alpha is None)
    if alpha is not None:
        np.testing.assert_array_equal(photo.alpha, alpha)


MODES = {
    "JPEG": ("L", "RGB"),
    "PNG": ("L", "LA", "RGB", "RGBA"),
    "TIFF": ("L", "LA", "RGB", "RGBA"),
    "WEBP": ("RGB", "RGBA"),
    "AVIF": ("RGB",),
    "HEIF": ("RGB", "RGBA"),
}
MATRIX = [
    (kind, mode, profile, orientation)
    for kind, modes in MODES.items()
    for mode, profile, orientation in itertools.product(modes, PROFILES, range(1, 9))
    # An RGB profile does not belong into a file with grey pixels and alpha.
    if not (mode == "LA" and profile != "none")
    if kind != "AVIF" or orientation in (1, 6)
    if kind != "HEIF" or orientation == 1  # it is turned by a box of its own
]


@pytest.mark.parametrize("kind", MODES)
def test_files_are_read_as_others_read_them(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    if kind == "AVIF":
        pytest.importorskip("PIL.AvifImagePlugin")  # Pillow 11.3
    if kind == "HEIF":
        pytest.importorskip("pillow_heif")
    for _, mode, profile, orientation in (row for row in MATRIX if row[0] == kind):
        data = file_of(kind, mode, PROFILES[profile], orientation)
        photo = load_photo(data)
        assert_same(photo, data, kind)
        assert photo.grey == (mode in ("L", "LA"))
        assert photo.exif is not None
        assert b"Kamera" in photo.exif
    assert not caplog.messages


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("to", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_files_are_written_so_that_others_read_them(kind: str, to: str) -> None:
    """Each row of the matrix in turn with another orientation."""
    rows = [(m, p) for m, p in itertools.product(MODES[kind], PROFILES) if m != "LA" or p == "none"]
    for number, (mode, profile) in enumerate(rows):
        photo = load_photo(file_of(kind, mode, PROFILES[profile], 1 + number % 8))
        again = saved(photo, to)
        image = Image.open(io.BytesIO(again))
        exif = image.getexif()
        assert exif.get(0x0112, 1) == 1
        assert exif[0x010F] == "Kamera"
        if photo.encoding.xmp:
            kept = image.tag_v2[700] if to == "TIFF" else image.info["xmp"]
            assert b"xmp:Rating='5'" in kept
        profile_kept = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(profile_kept)
        pixels = np.asarray(image.convert("RGBA")).astype(int)
        alpha = photo.alpha
        if to == "JPEG" and alpha is not None:
            continue  # on white, which has a test of its own
        difference = np.abs(pixels[..., :3] - photo.rgb8)
        # Colours under no alpha at all need not be kept by a lossy WebP.
        seen = np.ones(photo.shape[:2], bool) if alpha is None else alpha > 200
        lossy = to == "JPEG" or (to == "WEBP" and not photo.encoding.lossless)
        assert difference[seen].mean() <= (5 if lossy else 0)
        np.testing.assert_array_equal(pixels[..., 3], 255 if alpha is None else alpha)


def expected_16(samples: np.ndarray, profile: bytes) -> np.ndarray:
    x = samples / 65535
    if not profile:
        return x
    matrix = P3 if profile == P3_PROFILE else SRGB_D50
    gamma = 563 / 256 if profile == P3_PROFILE else 1.0
    linear = np.clip((x**gamma) @ (np.linalg.inv(SRGB_D50) @ matrix).T, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_files_are_read_exactly(kind: str, name: str) -> None:
    tifffile = pytest.importorskip("tifffile") if kind == "TIFF" else None
    samples = np.random.default_rng(3).integers(0, 65536, (6, 8, 3), np.uint16)
    for orientation in range(1, 9):
        if tifffile is None:
            chunks = [(b"eXIf", camera_exif(orientation)[6:])]
            if PROFILES[name]:
                chunks.append((b"iCCP", b"x\0\0" + zlib.compress(PROFILES[name])))
            data = png_16(samples, 2, *chunks)
        else:
            buffer = io.BytesIO()
            tifffile.imwrite(
                buffer, samples, photometric="rgb", iccprofile=PROFILES[name] or None,
                extratags=[(274, 3, 1, orientation, True)], metadata=None,
                byteorder="<>"[orientation % 2],
            )  # fmt: skip
            data = buffer.getvalue()
        index = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))
        index.getexif()[0x0112] = orientation
        order = np.asarray(ImageOps.exif_transpose(index))
        expected = expected_16(samples, PROFILES[name]).reshape(-1, 3)[order] * 65535
        photo = load_photo(data)
        assert photo.rgb.dtype == np.uint16
        assert np.abs(photo.rgb - expected).max() <= (30 if PROFILES[name] else 0)
        again = saved(photo, "TIFF")
        if tifffile is not None:
            np.testing.assert_array_equal(tifffile.imread(io.BytesIO(again)), photo.rgb)
