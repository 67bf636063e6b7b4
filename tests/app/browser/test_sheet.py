# SPDX-License-Identifier: Apache-2.0
"""What comes out: formats, sizes, metadata, several photos in one zip."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import ASTRONAUT
from editing import Editor, encoded, pixels
from PIL import Image

from relight import load_photo
from relight.photo.color.icc import adobe_rgb_profile

pytestmark = pytest.mark.slow


def photo() -> Image.Image:
    return Image.open(ASTRONAUT).convert("RGB")


def test_a_jpeg_keeps_its_exif_and_is_turned_upright(editor: Editor) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    exif.get_ifd(0x8769)[0xA002] = 999
    stored = photo().crop((0, 0, 500, 400)).rotate(90, expand=True)
    content = encoded(stored, "JPEG", quality=95, exif=exif.tobytes())
    assert "One face" in editor.open(content, "my portrait.jpeg")
    name, saved = editor.save()
    assert name == "my portrait.relit.jpg"
    with Image.open(io.BytesIO(saved)) as image:
        assert (image.format, image.size) == ("JPEG", (500, 400))
        found = image.getexif()
        assert (found[0x0112], found[0x010F]) == (1, "Maker")
        assert found.get_ifd(0x8769)[0xA002] == 500
    _, bare = editor.save(exif=False)
    with Image.open(io.BytesIO(bare)) as image:
        assert not image.getexif()
    editor.page.click("#save")
    editor.page.set_checked("#exif", True)
    editor.page.click("#output [data-close]")


def test_format_quality_and_size_are_chosen(editor: Editor) -> None:
    editor.open(encoded(photo().resize((1400, 1400))))
    name, content = editor.save(format="image/webp", side="1080", quality=60)
    assert name == "photo.relit.webp"
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("WEBP", (1080, 1080))
    _, small = editor.save(format="image/jpeg", quality=50, side="")
    _, large = editor.save(format="image/jpeg", quality=100, side="")
    assert len(small) < len(large) / 2


def test_a_double_click_saves_once(editor: Editor) -> None:
    editor.open(ASTRONAUT)
    page, found = editor.page, []
    page.on("download", lambda one: found.append(one))
    page.click("#save")
    page.dblclick("#download")
    page.wait_for_timeout(3000)
    assert len(found) == 1


@pytest.mark.parametrize("kind", ["16 bits", "grey"])
def test_what_is_not_kept_is_said(editor: Editor, kind: str, tmp_path: Path) -> None:
    if kind == "grey":
        content = encoded(photo().convert("L"))
        words = "black-and-white"
    else:
        import cv2

        deep = np.array(photo())[..., ::-1].astype(np.uint16) * 257
        content = cv2.imencode(".png", deep)[1].tobytes()
        words = "16 bits a channel"
    editor.open(content)
    editor.page.click("#save")
    assert words in editor.page.inner_text("#kept")
    editor.page.click("#output [data-close]")


def tiff(kind: str) -> bytes:
    """The example as TIFF: of 16 bits, on its side, or in Adobe RGB."""
    if kind == "16 bits":
        import cv2

        return cv2.imencode(".tif", np.array(photo())[..., ::-1].astype(np.uint16) * 257)[
            1
        ].tobytes()
    if kind == "grey":
        turned = photo().convert("L").transpose(Image.Transpose.ROTATE_90)
        return encoded(turned, "TIFF", compression="tiff_adobe_deflate", tiffinfo={274: 6})
    return encoded(photo(), "TIFF", compression="tiff_lzw", icc_profile=adobe_rgb_profile())


@pytest.mark.parametrize("kind", ["16 bits", "grey", "Adobe RGB"])
def test_tiff_is_opened_in_the_page(editor: Editor, kind: str) -> None:
    content = tiff(kind)
    assert "One face" in editor.open(content, "scan.tif")
    editor.slide("brightness", 0)
    editor.slide("fill", 1)
    name, saved = editor.save(format="image/png")
    assert name == "scan.relit.png"
    wanted = load_photo(content).rgb
    if kind == "16 bits":
        wanted = wanted // 256
    assert np.abs(pixels(saved).astype(int) - wanted).max() <= (3 if kind == "Adobe RGB" else 1)
    editor.page.click("#save")
    said = editor.page.inner_text("#kept")
    editor.page.click("#output [data-close]")
    assert ("16 bits" in said) == (kind == "16 bits")
    assert ("black-and-white" in said) == (kind == "grey")


def test_several_photos_come_as_one_zip(editor: Editor) -> None:
    editor.open(ASTRONAUT)
    editor.slide("brightness", 1)
    page = editor.page
    one, other = encoded(photo()), encoded(photo().crop((100, 0, 400, 300)))
    files = [
        {"name": name, "mimeType": "image/png", "buffer": content}
        for name, content in (("a.png", one), ("a.png", other), ("no.png", b"nothing"))
    ]
    page.set_input_files("#file", files)
    assert page.locator("#batch-list li").count() == 3
    page.select_option("#batch-setup", "own")
    with page.expect_download() as download:
        page.click("#batch-start")
    assert "is no photo" in page.locator("#batch-list li").nth(2).inner_text()
    page.click("#batch [data-close]")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.relit.png", "a.relit (2).png"]
        relit = pixels(archive.read("a.relit.png"))
    _, alone = editor.save()
    assert np.array_equal(relit, pixels(alone))


def test_fifty_megapixels_are_relit_and_said_to_be_large(editor: Editor) -> None:
    large = photo().resize((7100, 7100), Image.Resampling.NEAREST)
    words = editor.open(encoded(large, "JPEG", quality=85), "large.jpg")
    assert "One face" in words
    assert "50 megapixels" in words
    _, content = editor.save()
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (7100, 7100)
