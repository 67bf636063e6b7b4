# SPDX-License-Identifier: Apache-2.0
"""Orientation, EXIF and XMP: kept, made to fit the upright photo, or dropped."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_sample import GRADIENT, camera_exif, noise, pillow_bytes, png_16, saved, tiff_16
from PIL import ExifTags, Image, ImageOps

from relight.photo.exif import clean_exif
from relight.photo.file import load_photo


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
def test_the_thumbnail_shows_the_edited_photo(order: str) -> None:
    block, preview = exif_with_thumbnail(order)
    large = Image.fromarray(GRADIENT.repeat(9, 0).repeat(9, 1))
    data = pillow_bytes(large, "JPEG", exif=block)
    assert preview in data
    photo = load_photo(data)
    assert photo.shape == (360, 216, 3)
    assert photo.exif is not None
    assert preview not in photo.exif
    edited = photo.with_rgb(255 - photo.rgb)
    result = saved(edited, "JPEG")
    assert preview not in result
    image = Image.open(io.BytesIO(result))
    first = image.getexif().get_ifd(ExifTags.IFD.IFD1)
    at = 6 + first[0x0201]
    thumbnail = Image.open(io.BytesIO(image.info["exif"][at : at + first[0x0202]]))
    assert thumbnail.size == (96, 160)
    expected = np.asarray(Image.fromarray(edited.rgb).resize((96, 160)))
    assert np.abs(np.asarray(thumbnail).astype(int) - expected).mean() < 3
    assert preview not in saved(photo, "PNG")
    again = load_photo(result)  # and is renewed once more
    assert again.encoding.thumbnail
    assert len(saved(again, "JPEG")) < 1.2 * len(result)


def test_a_photo_without_thumbnail_gets_none() -> None:
    photo = load_photo(pillow_bytes(Image.fromarray(GRADIENT), "JPEG", exif=camera_exif()))
    assert Image.open(io.BytesIO(saved(photo, "JPEG"))).getexif().get_ifd(ExifTags.IFD.IFD1) == {}


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


NAMESPACES = (
    b"xmlns:x='adobe:ns:meta/' xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' "
    b"xmlns:gain='http://ns.adobe.com/hdr-gain-map/1.0/' "
    b"xmlns:Container='http://ns.google.com/photos/1.0/container/'"
)
FOREIGN = (
    b'GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1"',
    b"gain:Version='1.0'",
    b'xmpNote:HasExtendedXMP="0123"',
    b"><GCamera:MicroVideo>1</GCamera:MicroVideo><dc:format>x</dc:format",
    b"><Container:Directory><rdf:Seq><rdf:li rdf:parseType='Resource'><Container:Item "
    b"Item:Mime='image/jpeg' Item:Semantic='GainMap'/></rdf:li></rdf:Seq></Container:Directory"
    b"><dc:format>x</dc:format",
)


@pytest.mark.parametrize("foreign", FOREIGN)
def test_of_xmp_only_what_tells_of_parts_that_are_left_behind_goes(foreign: bytes) -> None:
    xmp = XMP.replace(b"xmlns:x='adobe:ns:meta/'", NAMESPACES)
    xmp = xmp.replace(b'exif:PixelXDimension="40"', foreign)
    photo = load_photo(pillow_bytes(Image.fromarray(GRADIENT), "WEBP", xmp=xmp))
    kept = photo.encoding.xmp
    assert kept is not None
    body = kept[kept.index(b"<rdf:Description") :]
    for word in (b"GCamera", b"gain:", b"Note", b"MotionPhoto", b"Container", b"GainMap"):
        assert word not in body
    for word in (b'xmp:Rating="5"', b"<dc:title>Anna</dc:title>", b'tiff:Orientation="1"'):
        assert word in body


def entry(tag: int, kind: int, count: int, value: bytes | int) -> bytes:
    body = value if isinstance(value, bytes) else struct.pack("<I", value & 0xFFFFFFFF)
    return struct.pack("<HHI", tag, kind, count) + body.ljust(4, b"\0")


def directory(*entries: bytes, following: int = 0) -> bytes:
    return struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", following)


CAMERA = directory(entry(0x9003, 2, 4, b"now\0"), entry(0xA002, 4, 1, 40))
PLACE = directory(entry(1, 2, 2, b"N\0"))


def branched_exif(
    camera: int = 66, place: int = 96, following: int = 0, orientation: bytes | None = None
) -> bytes:
    """Main directory of 4 entries at 8, the camera's at 66, the GPS one at 96."""
    main = directory(
        entry(0x010F, 2, 4, b"Cam\0"),
        orientation or entry(0x0112, 3, 1, b"\6\0"),
        entry(0x8769, 4, 1, camera),
        entry(0x8825, 13, 1, place),
        following=following,
    )
    return b"Exif\0\0II*\0\x08\0\0\0" + main.ljust(58, b"\0") + CAMERA + PLACE


def kept_exif(block: bytes) -> Image.Exif:
    """What Pillow reads in a JPEG that came with this EXIF, turned upright and saved again."""
    photo = load_photo(pillow_bytes(Image.fromarray(GRADIENT), "JPEG", exif=block))
    assert photo.shape == (40, 24, 3)
    exif = Image.open(io.BytesIO(saved(photo, "JPEG"))).getexif()
    assert exif[0x0112] in (1, b"\1")
    assert exif[0x010F] == "Cam"
    return exif


@pytest.mark.parametrize(("kind", "value"), [(1, b"\6"), (3, b"\6\0"), (4, 6), (6, b"\6"),
                                             (8, b"\6\0"), (9, 6), (13, 6)])  # fmt: skip
def test_orientation_may_be_any_integer(
    kind: int, value: bytes | int, caplog: pytest.LogCaptureFixture
) -> None:
    exif = kept_exif(branched_exif(orientation=entry(0x0112, kind, 1, value)))
    assert exif.get_ifd(0x8769)[0x9003] == "now"
    assert exif.get_ifd(0x8825)[1] == "N"
    assert not caplog.records


def test_a_bad_offset_of_the_thumbnail_costs_nothing() -> None:
    for following in (0xFFFFFFFF, 0x7FFF, 1, 8, 66):
        exif = kept_exif(branched_exif(following=following))
        assert exif.get_ifd(0x8769)[0x9003] == "now"
        assert exif.get_ifd(0x8825)[1] == "N"
        assert exif.get_ifd(ExifTags.IFD.IFD1) == {}


@pytest.mark.parametrize("bad", [0, 1, 8, 70, 0x7FFF, 0xFFFFFFF0])
def test_a_bad_pointer_costs_its_branch_alone(bad: int, caplog: pytest.LogCaptureFixture) -> None:
    exif = kept_exif(branched_exif(place=bad))
    assert exif.get_ifd(0x8769)[0x9003] == "now"
    assert 0x8825 not in exif
    assert "left out (GPS position)" in caplog.text
    exif = kept_exif(branched_exif(camera=bad))
    assert 0x8769 not in exif
    assert exif.get_ifd(0x8825)[1] == "N"
    assert "left out (camera settings)" in caplog.text


def test_a_bad_interoperability_pointer_costs_its_branch_alone() -> None:
    block = branched_exif().replace(entry(0xA002, 4, 1, 40), entry(0xA005, 4, 1, 9999))
    camera = kept_exif(block).get_ifd(0x8769)
    assert camera == {0x9003: "now"}


def test_a_value_outside_the_block_costs_its_tag_alone(caplog: pytest.LogCaptureFixture) -> None:
    block = branched_exif().replace(entry(0xA002, 4, 1, 40), entry(0x927C, 7, 900, 90))
    assert kept_exif(block).get_ifd(0x8769) == {0x9003: "now"}
    assert "tag 37500" in caplog.text


def test_a_main_directory_that_is_cut_short_gives_what_is_there() -> None:
    block = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 9)
    block += entry(0x010F, 2, 4, b"Cam\0") + entry(0x0112, 9, 1, 6)
    assert set(kept_exif(block)) == {0x010F, 0x0112}


@given(st.binary(max_size=400), st.integers(1, 5000), st.integers(1, 5000))
@settings(max_examples=200, deadline=None)
def test_any_exif_bytes_are_cleaned_or_dropped(noise: bytes, width: int, height: int) -> None:
    for block in (noise, b"II*\0\x08\0\0\0" + noise, b"Exif\0\0MM\0*\0\0\0\x08" + noise):
        cleaned = clean_exif(block, width, height)
        assert cleaned.orientation in range(9)
        if cleaned.block is not None:
            assert clean_exif(cleaned.block, width, height).orientation in (0, 1)
