# SPDX-License-Identifier: Apache-2.0
"""Ultra HDR and other JPEG files with a gain map: it is kept where it stays right."""

from __future__ import annotations

import io
import re
import struct

import numpy as np
import pytest
from photo_sample import GRADIENT, P3_PROFILE, camera_exif, noise, pillow_bytes, saved
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.MpoImagePlugin import MpoImageFile

from relight import Light, Relighter
from relight.photo.file import load_photo

XMP, ISO = b"http://ns.adobe.com/xap/1.0/\0", b"urn:iso:std:iso:ts:21496:-1\0"
KEPT = b"xmp:Rating='5'"
RAMP = np.linspace(0, 255, 6 * 10).astype(np.uint8).reshape(6, 10)


def segment(body: bytes, marker: int = 0xE1) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def xmp(attributes: bytes, inside: bytes = b"") -> bytes:
    return segment(
        XMP + b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='r'><rdf:Description "
        b"xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' " + attributes + b">" + inside
        + b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )  # fmt: skip


def iso_numbers(base: int = 0, other: int = 2) -> bytes:
    return segment(ISO + bytes(5) + struct.pack(">4I", base, 1, other, 1) + bytes(40), 0xE2)


TOLD = {
    "Adobe": xmp(b"hdrgm:Version='1.0' hdrgm:GainMapMax='2.3' hdrgm:OffsetSDR='0.015625'"),
    "ISO": iso_numbers(),
    "Apple": xmp(b"apdi:AuxiliaryImageType='urn:com:apple:photo:2020:aux:hdrgainmap'"),
}
DIRECTORY = (
    b"<Container:Directory xmlns:Container='http://ns.google.com/photos/1.0/container/'><rdf:Seq>"
    b"<rdf:li><Container:Item Item:Semantic='Primary'/></rdf:li><rdf:li><Container:Item "
    b"Item:Semantic='GainMap' Item:Length='12345'/></rdf:li></rdf:Seq></Container:Directory>"
)


def ultra_hdr(
    told: bytes, main: np.ndarray = GRADIENT, gain: np.ndarray = RAMP, **options: object
) -> bytes:
    """A main picture and a gain map, joined here so that reading is not tested by our writer."""
    second = pillow_bytes(Image.fromarray(gain), "JPEG", quality=95)
    second = second[:2] + told + second[2:]
    extra = xmp(KEPT + b" hdrgm:Version='1.0'", DIRECTORY)
    extra += segment(ISO + bytes(4), 0xE2) if ISO in told else b""
    index = struct.pack(">2sHIH", b"MM", 42, 8, 3) + struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    index += struct.pack(">HHII", 0xB001, 4, 1, 2) + struct.pack(">HHII", 0xB002, 7, 32, 50)
    index += bytes(4) + bytes(32)
    extra += segment(b"MPF\0" + index, 0xE2)
    first = bytearray(
        pillow_bytes(Image.fromarray(main), "JPEG", quality=95, extra=extra, **options)
    )
    start = first.index(b"MPF\0MM") + 4
    struct.pack_into(">5I", first, start + 50, 0x030000, len(first), 0, 0, 0)
    struct.pack_into(">III", first, start + 66, 0, len(second), len(first) - start)
    return bytes(first) + second


def second_picture(data: bytes) -> tuple[Image.Image, bytes]:
    """The gain map as Pillow's reader of multi-picture files finds it, and its file."""
    image = MpoImageFile.adopt(JpegImageFile(io.BytesIO(data)))
    sizes = [entry["Size"] for entry in image.mpinfo[0xB002]]
    assert sum(sizes) == len(data)
    image.seek(1)
    return image.convert("L"), data[sizes[0] :]


@pytest.mark.parametrize("kind", TOLD)
def test_a_gain_map_is_kept_and_found_by_others(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    data = ultra_hdr(TOLD[kind])
    assert second_picture(data)[0].size == (10, 6)
    photo = load_photo(data)
    again = saved(photo.with_rgb(photo.rgb // 2), "JPEG")
    _, jpeg = second_picture(again)
    assert jpeg == second_picture(data)[1]
    main = again[: -len(jpeg)]
    assert KEPT in main
    assert (b'hdrgm:Version="1.0"' in main) == (kind == "Adobe")
    assert b"12345" not in main
    lengths = re.findall(rb'Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="(\d+)"', main)
    assert lengths == ([b"%d" % len(jpeg)] if kind == "Adobe" else [])
    assert (ISO in main) == (kind == "ISO")
    third = saved(load_photo(again), "JPEG")
    assert second_picture(third)[1] == jpeg
    assert third.count(b"Container:Directory>") == again.count(b"Container:Directory>")
    assert not caplog.messages


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_gain_map_is_turned_with_its_picture(orientation: int) -> None:
    photo = load_photo(ultra_hdr(TOLD["Adobe"], exif=camera_exif(orientation)))
    found, jpeg = second_picture(saved(photo, "JPEG"))
    assert (found.width > found.height) == (photo.width > photo.height)
    index = Image.fromarray(RAMP)
    index.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(index)).astype(int)
    assert np.abs(np.asarray(found) - expected).max() <= 4
    assert b"hdrgm:GainMapMax='2.3'" in jpeg


def test_a_relit_photo_is_as_much_brighter_in_hdr(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    gain = np.full((64, 64), 200, np.uint8)
    data = ultra_hdr(TOLD["Adobe"], astronaut, gain)
    result = relighter.relight(data, Light(45, 30, 0.6))
    assert (result.image != result.photo.rgb).any()
    found, jpeg = second_picture(saved(result.relit, "JPEG"))
    assert jpeg == second_picture(data)[1]
    assert np.ptp(np.asarray(found)) == 0


NOT_RIGHT = {
    "the main picture is HDR": ultra_hdr(
        xmp(b"hdrgm:Version='1.0' hdrgm:BaseRenditionIsHDR='True'")
    ),
    "the main picture is HDR by ISO": ultra_hdr(iso_numbers(3, 1)),
    "its colours belong to others": ultra_hdr(
        TOLD["Adobe"], gain=noise((6, 10, 3)), icc_profile=P3_PROFILE
    ),
    "it is cut short": ultra_hdr(TOLD["Adobe"])[:-300],
    "nothing says where it is": ultra_hdr(TOLD["Adobe"]).replace(b"MPF\0", b"XXX\0"),
}


@pytest.mark.parametrize("why", NOT_RIGHT)
def test_one_that_is_not_right_is_left_out_in_words(
    why: str, caplog: pytest.LogCaptureFixture
) -> None:
    photo = load_photo(NOT_RIGHT[why], name="a.jpg")
    assert caplog.messages == ["a.jpg: its HDR gain map is not kept"]
    again = saved(photo, "JPEG")
    assert Image.open(io.BytesIO(again)).format == "JPEG"
    assert b"hdrgm" not in again
    assert KEPT in again


def test_its_colours_are_right_if_the_profile_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    data = NOT_RIGHT["its colours belong to others"]
    photo = load_photo(data, keep_profile=True)
    assert second_picture(saved(photo, "JPEG"))[1] == second_picture(data)[1]
    assert not caplog.messages


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_other_formats_have_no_place_for_it(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    saved(load_photo(ultra_hdr(TOLD["ISO"]), name="a.jpg"), kind)
    assert caplog.messages == [f"a.jpg: {kind} has no place for its HDR gain map"]


def test_xmp_that_cannot_take_the_announcement(caplog: pytest.LogCaptureFixture) -> None:
    data = ultra_hdr(TOLD["Adobe"]).replace(b"</rdf:RDF></x:xmpmeta>", b"</pdf:PDF></x:xmpmeta>", 1)
    again = saved(load_photo(data, name="a.jpg"), "JPEG")
    assert caplog.messages == ["a.jpg: its XMP has no place for an HDR gain map; left out"]
    assert Image.open(io.BytesIO(again)).format == "JPEG"


def test_damage_costs_no_more_than_the_gain_map() -> None:
    data = ultra_hdr(TOLD["Adobe"] + TOLD["ISO"], exif=camera_exif(6))
    start = data.index(b"MPF\0")
    places = [*range(start, start + 86), *range(len(data) - 700, len(data), 7)]
    for at in places:
        damaged = bytearray(data)
        damaged[at] ^= 0xFF
        photo = load_photo(bytes(damaged))
        assert load_photo(saved(photo, "JPEG")).shape == (40, 24, 3)
