# SPDX-License-Identifier: Apache-2.0
"""What a file holds besides its first picture: one warning tells what is not kept."""

from __future__ import annotations

import io
import re
import struct
import zlib

import numpy as np
import pytest
from photo_sample import GRADIENT, noise, pillow_bytes, png_16, saved
from PIL import Image

from relight.error import PhotoError
from relight.photo.container import png
from relight.photo.file import load_photo

COLOURS = [Image.new("RGB", (40, 24), colour) for colour in ("red", "lime", "blue")]


def jpeg(*segments: bytes, behind: bytes = b"") -> bytes:
    extra = b"".join(b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in segments)
    return pillow_bytes(Image.fromarray(GRADIENT), "JPEG", extra=extra) + behind


def xmp(attributes: bytes) -> bytes:
    gain = (
        b"xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' " if b"hdrgm" in attributes else b""
    )
    return (
        b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF>"
        b"<rdf:Description xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' "
        b"xmp:Rating='5' " + gain + attributes + b"/></rdf:RDF></x:xmpmeta>"
    )


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_the_first_frame_is_kept(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    if kind == "AVIF":
        pytest.importorskip("PIL.AvifImagePlugin")  # Pillow 11.3
    data = pillow_bytes(COLOURS[0].copy(), kind, save_all=True, append_images=COLOURS[1:])
    photo = load_photo(data, name="a.gif")
    assert np.abs(photo.rgb[0, 0].astype(int) - [255, 0, 0]).max() <= 3
    assert caplog.messages == ["a.gif: only the first of its 3 frames is kept"]


def test_of_a_tiff_the_first_page_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    data = pillow_bytes(
        COLOURS[0].copy(), "TIFF", save_all=True, append_images=[c.copy() for c in COLOURS[1:]]
    )
    np.testing.assert_array_equal(load_photo(data, name="scan").rgb[0, 0], [255, 0, 0])
    assert caplog.messages == ["scan: only the first of its 3 pages is kept"]


def test_a_smaller_version_in_a_tiff_is_no_page(caplog: pytest.LogCaptureFixture) -> None:
    small = COLOURS[1].resize((10, 6))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    data = pillow_bytes(COLOURS[0], "TIFF", save_all=True, append_images=[small])
    image = Image.open(io.BytesIO(data))
    image.seek(1)
    if image.tag_v2.get(254) != 1:
        pytest.skip("this Pillow gives all pages the same tags")
    load_photo(data)
    assert not caplog.messages


def test_a_still_picture_warns_of_nothing(caplog: pytest.LogCaptureFixture) -> None:
    for kind in ("GIF", "WEBP", "PNG", "TIFF", "JPEG"):
        load_photo(pillow_bytes(COLOURS[0], kind))
    load_photo(jpeg(xmp(b"GCamera:MotionPhoto='0'")))
    assert not caplog.messages


@pytest.mark.parametrize(
    "data",
    [
        jpeg(xmp(b"hdrgm:Version='1.0'"), behind=pillow_bytes(COLOURS[1], "JPEG")),
        jpeg(b"urn:iso:std:iso:ts:21496:-1\0\0\0"),
        jpeg(
            behind=jpeg(xmp(b"apdi:AuxiliaryImageType='urn:com:apple:photo:2020:aux:hdrgainmap'"))
        ),
    ],
)
def test_a_gain_map_is_told_of(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    photo = load_photo(data, name="a.jpg")
    assert caplog.messages == ["a.jpg: its HDR gain map is not kept"]
    again = saved(photo, "JPEG")
    load_photo(again, name="again")
    assert len(caplog.messages) == 1
    assert b"hdrgm" not in again
    assert (b"Rating='5'" in again) == (b"Rating" in data[:900])


@pytest.mark.parametrize(
    "told", [b"GCamera:MotionPhoto='1'", b'GCamera:MicroVideo="1"', b"a='MotionPhoto_Data'"]
)
def test_the_video_of_a_motion_photo_is_told_of(
    told: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    photo = load_photo(jpeg(xmp(told), behind=b"\0\0\0\x18ftypmp42video"), name="a.jpg")
    assert caplog.messages == ["a.jpg: its motion video is not kept"]
    again = saved(photo, "JPEG")
    assert b"xmp:Rating='5'" in again
    assert b"GCamera:M" not in again
    assert b"ftyp" not in again


def apng_16(frames: list[np.ndarray]) -> bytes:
    """16-bit RGB frames as an animation."""
    height, width = frames[0].shape[:2]
    parts = [png_16(frame, 2) for frame in frames]
    control = [
        (b"fcTL", struct.pack(">5I2H2B", number, width, height, 0, 0, 1, 10, 0, 0))
        for number in (0, 1)
    ]
    data = png.add_chunks(parts[0], [(b"acTL", struct.pack(">II", 2, 0)), control[0]])
    pixels = parts[1][parts[1].index(b"IDAT") + 4 : -16]
    second = png.add_chunks(b"\0" * 33, [control[1], (b"fdAT", struct.pack(">I", 2) + pixels)])[33:]
    return data[:-12] + second + data[-12:]


def test_the_first_frame_of_a_16_bit_apng(caplog: pytest.LogCaptureFixture) -> None:
    for first in (noise((6, 5, 3), np.uint16), np.full((4, 4, 3), (50000, 1000, 1000), np.uint16)):
        data = apng_16([first, 65535 - first])
        np.testing.assert_array_equal(load_photo(data).rgb, first)
    assert caplog.text.count("first of its 2 frames") == 2


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (4, struct.pack(">2I", 500, 600)),
        (12, struct.pack(">2I", 100, 100)),
        (4, struct.pack(">2I", 0, 0)),
        (24, b"\xff\xff"),
        (-16, struct.pack(">I", 0)),
    ],
)
def test_a_broken_frame_control_gives_the_picture_or_a_sentence(offset: int, words: bytes) -> None:
    """A frame too large, one outside, an empty one, an unknown way to draw it, none announced."""
    first = noise((6, 5, 3), np.uint16)
    data = bytearray(apng_16([first, 65535 - first]))
    control = data.index(b"fcTL" if offset >= 0 else b"acTL") + 4
    start = control + max(offset, 0)
    data[start : start + len(words)] = words
    length = 26 if offset >= 0 else 8
    checksum = zlib.crc32(bytes(data[control - 4 : control + length]))
    data[control + length : control + length + 4] = struct.pack(">I", checksum)
    told, read = "", first
    try:
        read = load_photo(bytes(data), name="a.png").rgb
    except PhotoError as error:
        told = str(error)
    np.testing.assert_array_equal(read, first)
    assert not told or re.fullmatch(r"a\.png is damaged \(.+\); get a complete copy of it", told)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_16_bit_png_with_a_transparent_colour(channels: int) -> None:
    pixels = noise((6, 5, channels), np.uint16)
    pixels[0, 1] = pixels[3, 2]
    key = pixels[3, 2].astype(">u2").tobytes()
    photo = load_photo(png_16(pixels, 0 if channels == 1 else 2, (b"tRNS", key)))
    np.testing.assert_array_equal(photo.rgb, np.broadcast_to(pixels, (6, 5, 3)))
    assert photo.grey == (channels == 1)
    expected = np.full((6, 5), 65535)
    expected[0, 1] = expected[3, 2] = 0
    np.testing.assert_array_equal(photo.alpha, expected)
    again = load_photo(saved(photo, "PNG"))
    np.testing.assert_array_equal(again.rgb, photo.rgb)
    np.testing.assert_array_equal(again.alpha, photo.alpha)


def test_a_gain_map_behind_a_large_photo_is_found(caplog: pytest.LogCaptureFixture) -> None:
    large = pillow_bytes(Image.fromarray(noise((400, 600, 3))), "JPEG", quality=95)
    assert len(large) > 1 << 17
    load_photo(large + jpeg(xmp(b"hdrgm:Version='1.0'")) + large, name="a.jpg")
    assert caplog.messages == ["a.jpg: its HDR gain map is not kept"]
