# SPDX-License-Identifier: Apache-2.0
"""Words beside EXIF: IPTC, PNG text, comments and TIFF tags are kept, or a warning names them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from photo_sample import GRADIENT, noise, pillow_bytes, png_16, saved
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from relight.photo.container import png
from relight.photo.file import load_photo

CAPTION = b"\x1c\x02x\0\x07caption"
PICTURE = Image.fromarray(GRADIENT)


def texts(data: bytes) -> dict[str, str]:
    image = Image.open(io.BytesIO(data))
    image.load()
    return dict(image.text)  # type: ignore[attr-defined]


def tagged_tiff(tags: dict[int, Any], kinds: dict[int, int] | None = None) -> bytes:
    directory = ImageFileDirectory_v2()
    for tag, value in tags.items():
        if kinds and tag in kinds:
            directory.tagtype[tag] = kinds[tag]
        directory[tag] = value
    return pillow_bytes(PICTURE, "TIFF", tiffinfo=directory)


WORDS = {
    "Author": "the firm",
    "Description": "a portrait, São Paulo",
    "parameters": "a portrait\nSteps: 20, Seed: 1" + " long" * 500,
}


def text_info() -> PngInfo:
    info = PngInfo()
    info.add_text("Author", WORDS["Author"])
    info.add_itxt("Description", WORDS["Description"], "de", "Beschreibung")
    info.add_text("parameters", WORDS["parameters"], zip=True)
    return info


@pytest.mark.parametrize("deep", [False, True])
def test_png_text_is_kept_in_png(deep: bool, caplog: pytest.LogCaptureFixture) -> None:
    data = pillow_bytes(PICTURE, "PNG", pnginfo=text_info())
    if deep:
        chunks = [c for c in png.read_chunks(data) if c[0][1:] in (b"EXt", b"TXt")]
        data = png_16(noise((4, 5, 3), np.uint16), 2, *chunks)
    assert texts(saved(load_photo(data), "PNG")) == WORDS
    assert not caplog.messages


def test_png_text_behind_the_pixels_is_kept() -> None:
    data = pillow_bytes(PICTURE, "PNG")
    behind = png.add_chunks(b"\0" * 33, [(b"tEXt", b"Author\0Jane"), (b"tEXt", b"Author\0Joe")])[
        33:
    ]
    again = saved(load_photo(data[:-12] + behind + data[-12:]), "PNG")
    assert again.count(b"Author\0J") == 2


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF"])
def test_png_text_that_has_no_place_is_named(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    photo = load_photo(pillow_bytes(PICTURE, "PNG", pnginfo=text_info()), name="a.png")
    saved(photo, kind)
    words = "text (Author, Description, parameters)"
    assert caplog.messages == [f"a.png: {kind} has no place for its {words}"]


def test_xmp_and_thumbnails_in_text_are_not_written_twice() -> None:
    info = text_info()
    info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    info.add_text("Thumb::Image::Width", "40")
    again = saved(load_photo(pillow_bytes(PICTURE, "PNG", pnginfo=info)), "PNG")
    assert again.count(b"XML:com.adobe.xmp") == 1
    assert b"Thumb::" not in again


def jpeg_with_caption() -> bytes:
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(CAPTION)) + CAPTION
    body = b"Photoshop 3.0\x008BIM\x04\x0a\0\0\0\0\0\1\1\0" + resource
    extra = b"\xff\xed" + struct.pack(">H", len(body) + 2) + body
    return pillow_bytes(PICTURE, "JPEG", extra=extra)


def png_with_caption() -> bytes:
    """As ImageMagick and ExifTool write it."""
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(CAPTION)) + CAPTION
    words = f"\niptc\n{len(resource):8d}\n{resource.hex()}\n"
    body = b"Raw profile type iptc\0\0" + zlib.compress(words.encode())
    return png.add_chunks(pillow_bytes(PICTURE, "PNG"), [(b"zTXt", body)])


def caption_in(data: bytes) -> bytes | None:
    image = Image.open(io.BytesIO(data))
    if image.format == "TIFF":
        return image.tag_v2.get(33723)  # type: ignore[attr-defined]
    if image.format == "JPEG":
        return image.info["photoshop"][0x0404]
    words = texts(data)["Raw profile type iptc"].split("\n")
    block = bytes.fromhex("".join(words[3:]))
    assert int(words[2]) == len(block)
    return block[12 : 12 + len(CAPTION)]


def numbered_tiff(order: str) -> bytes:
    """A TIFF of one pixel that calls the bytes of its record 32-bit numbers."""
    data = struct.pack(order + "2sHI", {">": b"MM", "<": b"II"}[order], 42, 8)
    tags = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: 1, 279: 1}
    data += struct.pack(order + "H", len(tags) + 1)
    for tag, value in tags.items():
        data += struct.pack(order + "HHII", tag, 4, 1, value)
    data += struct.pack(order + "HHII", 33723, 4, 3, 150) + bytes(4)
    return (data.ljust(150, b"\0") + CAPTION).ljust(201, b"\x80")


CAPTIONED = {
    "TIFF": tagged_tiff({33723: CAPTION}, {33723: 7}),
    "TIFF of bytes": tagged_tiff({33723: CAPTION}, {33723: 1}),
    "TIFF of numbers": numbered_tiff("<"),
    "TIFF of big-endian numbers": numbered_tiff(">"),
    "JPEG": jpeg_with_caption(),
    "PNG": png_with_caption(),
}


@pytest.mark.parametrize("to", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("source", CAPTIONED)
def test_iptc_goes_wherever_it_has_a_place(
    source: str, to: str, caplog: pytest.LogCaptureFixture
) -> None:
    photo = load_photo(CAPTIONED[source])
    assert photo.encoding.iptc == CAPTION
    again = saved(photo, to)
    assert caption_in(again) == CAPTION
    assert load_photo(again).encoding.iptc == CAPTION
    assert not caplog.messages


@pytest.mark.parametrize("source", CAPTIONED)
def test_iptc_that_has_no_place_is_named(source: str, caplog: pytest.LogCaptureFixture) -> None:
    saved(load_photo(CAPTIONED[source], name="a"), "WEBP")
    assert caplog.messages == ["a: WEBP has no place for its IPTC"]


TAGS = {269: "a document", 285: "page one", 316: "a computer", 65000: (1, 2, 3), 42112: "<GDAL/>"}


def test_tiff_tags_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    data = tagged_tiff(TAGS | {270: "described", 305: "a program"})
    before = Image.open(io.BytesIO(data)).tag_v2
    again = Image.open(io.BytesIO(saved(load_photo(data), "TIFF")))
    for tag in (*TAGS, 270, 305):
        assert again.tag_v2[tag] == before[tag]
    assert not caplog.messages


def test_tiff_tags_that_describe_stored_pixels_are_not_kept() -> None:
    stale = {301: (0, 1), 318: (0.3, 0.3), 34377: b"8BIM layers", 37724: b"layers", 254: 0}
    again = Image.open(io.BytesIO(saved(load_photo(tagged_tiff(stale)), "TIFF")))
    assert not set(stale) & set(again.tag_v2)


def test_tiff_tags_that_have_no_place_are_named(caplog: pytest.LogCaptureFixture) -> None:
    photo = load_photo(tagged_tiff({269: "a document", 316: "a computer"}), name="a.tif")
    saved(photo, "JPEG")
    words = "TIFF tags (DocumentName, HostComputer)"
    assert caplog.messages == [f"a.tif: JPEG has no place for its {words}"]


def test_a_comment_goes_between_jpeg_png_and_gif(caplog: pytest.LogCaptureFixture) -> None:
    for kind in ("JPEG", "GIF"):
        photo = load_photo(pillow_bytes(PICTURE, kind, comment=b"hello"), name="a")
        assert texts(saved(photo, "PNG"))["Comment"] == "hello"
        assert Image.open(io.BytesIO(saved(photo, "JPEG"))).info["comment"] == b"hello"
    saved(photo, "WEBP")
    assert caplog.messages == ["a: WEBP has no place for its comment"]


def test_a_tiff_may_say_adobe_rgb_in_exif_only() -> None:
    tags = {0x8769: {0xA001: 65535, 0xA005: {1: "R03"}}}
    directory = ImageFileDirectory_v2()
    directory[0x8769] = tags[0x8769]
    green = Image.new("RGB", (16, 16), (100, 180, 100))
    photo = load_photo(pillow_bytes(green, "TIFF", tiffinfo=directory))
    assert photo.rgb[0, 0, 0] < 80
    exif = Image.open(io.BytesIO(saved(photo, "TIFF"))).getexif()
    assert exif.get_ifd(0x8769)[0xA001] == 1
    assert exif.get_ifd(0xA005) == {1: "R98"}


def test_a_camera_may_say_adobe_rgb_in_its_colour_space() -> None:
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 2}
    green = Image.new("RGB", (16, 16), (100, 180, 100))
    photo = load_photo(pillow_bytes(green, "JPEG", exif=exif, quality=100))
    assert photo.rgb[0, 0, 0] < 80
    exif[0x8769] = {0xA001: 1}
    photo = load_photo(pillow_bytes(green, "JPEG", exif=exif, quality=100))
    assert photo.rgb[0, 0, 0] >= 98
