# SPDX-License-Identifier: Apache-2.0
"""Photos as arrays and files: names, links, streams, and files that are never half-written."""

from __future__ import annotations

import errno
import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from photo_sample import FILES, GRADIENT, camera_exif, noise, pillow_bytes, saved
from PIL import Image

from relight.photo.file import PhotoError, load_photo, save_photo


def file_format(path: Path) -> str | None:
    with Image.open(path) as image:
        return image.format


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
    for wrong in (np.int64, bool, complex):
        with pytest.raises(TypeError, match="uint8 or uint16 pixels"):
            load_photo(np.zeros((4, 4, 3), wrong))
    for value in (1.5, -0.1, 255, np.nan):
        with pytest.raises(ValueError, match=r"float pixels lie in \[0, 1\].*divide them"):
            load_photo(np.full((4, 4, 3), value, np.float32))
    for shape in ((4,), (4, 4, 2), (2, 4, 4, 3), (0, 4, 3), (4, 0)):
        with pytest.raises(ValueError, match=r"shape \(" + str(shape[0])):
            load_photo(np.zeros(shape, np.uint8))
    with pytest.raises(TypeError, match="got int"):
        load_photo(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="binary"):
        load_photo(io.StringIO("text"))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, ">f4"])
def test_floats_become_16_bit(kind: object) -> None:
    photo = load_photo(np.array([[[0, 0.5, 1]]], kind))
    assert photo.rgb.dtype == np.uint16
    np.testing.assert_array_equal(photo.rgb, [[[0, 32768, 65535]]])


def test_arrays_of_the_other_byte_order() -> None:
    pixels = noise((4, 5, 3), np.uint16)
    photo = load_photo(pixels.astype(">u2"))
    assert photo.rgb.dtype == np.uint16
    np.testing.assert_array_equal(photo.rgb, pixels)


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5, 4), (4, 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_photos_as_pillow_images(shape: tuple[int, ...], dtype: type) -> None:
    photo = load_photo(noise(shape, dtype))
    image = photo.to_pil()
    assert image.mode == ("RGBA" if shape[-1] == 4 else "RGB")
    np.testing.assert_array_equal(np.asarray(image)[..., :3], photo.rgb8)
    again = load_photo(image)
    assert (again.alpha is None) == (photo.alpha is None)


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


def test_bytes_and_streams_can_be_named() -> None:
    for source in (FILES["JPEG"], io.BytesIO(FILES["JPEG"])):
        photo = load_photo(source, name="the upload")
        assert (photo.name, photo.source) == ("the upload", None)
    with pytest.raises(PhotoError, match=r"^the upload is not a photo"):
        load_photo(b"words", name="the upload")


def test_standard_input_is_named_so(monkeypatch: pytest.MonkeyPatch, portrait: Path) -> None:
    code = (
        "import sys; from relight.photo.file import load_photo;"
        "p = load_photo(sys.stdin.buffer); sys.stdout.write(p.name + str(p.source))"
    )
    root = Path(__file__).parents[3]
    with portrait.open("rb") as stream:
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=stream, capture_output=True, cwd=root, check=True
        )
    assert done.stdout == b"<stdin>None"


def test_import_is_light() -> None:
    code = (
        "import sys, relight.photo.file;"
        "print([m for m in ('cv2', 'pillow_heif', 'mediapipe') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, cwd=Path(__file__).parents[3], check=True
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


def test_long_names_of_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / ("写" * 83 + ".png")  # 253 of the 255 bytes that a name may have
    save_photo(load_photo(np.zeros((2, 2, 3), np.uint8)), path)
    assert load_photo(path).shape == (2, 2, 3)
    assert list(tmp_path.iterdir()) == [path]


def test_a_result_is_saved_as_its_relit_photo(tmp_path: Path) -> None:
    class Made:
        relit = load_photo(GRADIENT)

    assert save_photo(Made(), tmp_path / "made.png") == tmp_path / "made.png"
    np.testing.assert_array_equal(load_photo(tmp_path / "made.png").rgb, Made.relit.rgb)


@pytest.mark.parametrize("wrong", [GRADIENT, None, "portrait.jpg"])
def test_what_is_neither_photo_nor_result_is_refused_with_the_cure(
    wrong: object, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match=r"Photo or a Result.*load_photo\(pixels\)"):
        save_photo(wrong, tmp_path / "out.png")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK", "1", "P"])
def test_pillow_images(mode: str) -> None:
    image = Image.fromarray(GRADIENT).convert(mode)
    photo = load_photo(image)
    np.testing.assert_array_equal(photo.rgb, np.asarray(image.convert("RGB")))
    assert (photo.alpha is not None) == mode.endswith("A")
    assert photo.grey == (mode in ("L", "LA", "1"))


def test_a_pillow_image_of_a_file_is_turned_upright_and_its_exif_kept(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    Image.fromarray(GRADIENT).save(path, exif=exif, quality=95)
    with Image.open(path) as image:
        photo = load_photo(image)
    np.testing.assert_array_equal(photo.rgb, load_photo(path).rgb)
    assert photo.exif is not None
    assert b"Maker" in photo.exif


def test_a_16_bit_pillow_image_stays_16_bit() -> None:
    deep = Image.fromarray(np.arange(60000, 60020, dtype=np.uint16).reshape(4, 5))
    photo = load_photo(deep)
    assert photo.rgb.dtype == np.uint16
    assert photo.rgb[0, 0, 0] == 60000


def test_pillow_images_of_floats_and_wide_integers() -> None:
    values = np.array([[0, 0.25, 1]], np.float32)
    np.testing.assert_array_equal(
        load_photo(Image.fromarray(values)).rgb[0, :, 1], [0, 16384, 65535]
    )
    wide = Image.fromarray(np.array([[0, 300, 65535]], np.int32))
    assert wide.mode == "I"
    photo = load_photo(wide)
    assert photo.rgb.dtype == np.uint16
    np.testing.assert_array_equal(photo.rgb[0, :, 2], [0, 300, 65535])
    with pytest.raises(PhotoError, match="unusual kind"):
        load_photo(Image.fromarray(np.array([[0, 70000]], np.int32)))
    big = Image.frombytes("I;16B", (2, 1), b"\x12\x34\0\1")
    np.testing.assert_array_equal(load_photo(big).rgb[0, :, 0], [0x1234, 1])
