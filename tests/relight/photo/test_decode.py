# SPDX-License-Identifier: Apache-2.0
"""Damage, strangers and bombs: a photo or one line that says why not."""

from __future__ import annotations

import contextlib
import errno
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from photo_sample import FILES, GRADIENT, camera_exif, noise, pillow_bytes, png_16, saved
from PIL import Image

from relight.error import PhotoTooLargeError, UnsupportedPhotoError
from relight.photo.file import Photo, PhotoError, load_photo

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


def rich_files() -> dict[str, bytes]:
    """Files whose odd parts other tests look at one by one."""
    image = Image.fromarray(GRADIENT)
    exif = camera_exif(6, t40965={1: "R03"})
    frames = {"save_all": True, "append_images": [Image.fromarray(255 - GRADIENT)]}
    files = {
        "MPO": pillow_bytes(image.copy(), "MPO", **frames),
        "APNG": pillow_bytes(image.copy(), "PNG", exif=exif, **frames),
        "animated WebP": pillow_bytes(image.copy(), "WEBP", exif=exif, **frames),
        "JPEG": pillow_bytes(image.copy(), "JPEG", exif=exif, comment=b"words"),
        "TIFF": saved(load_photo(pillow_bytes(image.copy(), "JPEG", exif=exif)), "TIFF"),
    }
    with contextlib.suppress(KeyError):  # Pillow 11.3
        files["AVIF"] = pillow_bytes(image.copy(), "AVIF", exif=exif)
    with contextlib.suppress(PhotoError):  # pillow-heif
        files["HEIF"] = saved(load_photo(noise((32, 32, 3), np.uint16)), "HEIF")
    return files


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Pillow warns of odd tags
def test_much_damage_to_rich_files_either_loads_or_says_why() -> None:
    rng = np.random.default_rng(11)
    for data in rich_files().values():
        for _ in range(700):
            damaged = np.frombuffer(data, np.uint8).copy()
            places = rng.integers(0, min(len(data), 900), rng.integers(1, 7))
            damaged[places] = rng.integers(0, 256, len(places))
            result = load_or_reason(damaged[: rng.integers(1, 8 * len(data))].tobytes())
            if isinstance(result, str):
                assert "\n" not in result
            else:
                for kind in ("JPEG", "PNG", "TIFF"):
                    assert load_photo(saved(result, kind)).shape == result.shape


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
    with pytest.raises(PhotoTooLargeError, match=r"1200 x 1000 = 1\.2 megapixels.* limit of 1;"):
        load_photo(data, max_megapixels=1)


def test_the_limit_is_ours_not_pillows(monkeypatch: pytest.MonkeyPatch) -> None:
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    body = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\r" + body + struct.pack(">I", zlib.crc32(body))
    bomb += b"\0\0\0\x04IDAT\0\0\0\0" + struct.pack(">I", zlib.crc32(b"IDAT\0\0\0\0"))
    with pytest.raises(PhotoTooLargeError, match="50000 x 50000"):
        load_photo(bomb)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6500)
    data = pillow_bytes(Image.new("RGB", (100, 200)), "PNG")
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(data))
    assert load_photo(data).shape == (200, 100, 3)
    with pytest.raises(PhotoTooLargeError, match="megapixels"):
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
    damaged = words in ("is empty", "get a complete copy")
    assert isinstance(caught.value, UnsupportedPhotoError) == (not damaged)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_raw_files_by_name_and_tag(tmp_path: Path) -> None:
    tiff = pillow_bytes(Image.fromarray(GRADIENT), "TIFF")
    (tmp_path / "a.NEF").write_bytes(tiff)
    with pytest.raises(UnsupportedPhotoError, match="raw file; develop"):
        load_photo(tmp_path / "a.NEF")
    dng = pillow_bytes(Image.fromarray(GRADIENT), "TIFF", tiffinfo={50706: b"\1\4\0\0"})
    with pytest.raises(UnsupportedPhotoError, match="raw file; develop"):
        load_photo(dng)


def test_float_samples_are_refused() -> None:
    with pytest.raises(UnsupportedPhotoError, match="save it as 8- or 16-bit"):
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
