# SPDX-License-Identifier: Apache-2.0
"""The editor in Firefox: open, drag by mouse and finger, fill, compare, undo, export, offline."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ASTRONAUT
from editing import Wire, pixels
from firefox import Firefox, firefox
from PIL import Image
from serving import Server

from relight import Light, Relighter
from training.judge.metric import psnr

pytestmark = pytest.mark.slow

LIGHT = """
const sun = document.querySelector('.handle.selected');
const value = id => Number(document.querySelector(id).value);
return [Number(sun.dataset.azimuth), Number(sun.dataset.elevation), value('#brightness'),
        value('#softness'), value('#gloss')];
"""


def settle(browser: Firefox) -> None:
    """Wait until the picture is as fine as it gets."""
    time.sleep(0.5)
    browser.wait("document.body.dataset.quick === '' && document.body.dataset.busy === ''")
    time.sleep(0.5)


def open_photo(browser: Firefox, path: Path = ASTRONAUT) -> None:
    browser.run("document.querySelector('#save').disabled = true")
    browser.type("#file", str(path))
    browser.wait("!document.querySelector('#save').disabled")


def slide(browser: Firefox, name: str, value: float) -> None:
    browser.run(
        "const slider = document.querySelector(arguments[0]); slider.value = arguments[1];"
        "for (const kind of ['input', 'change']) slider.dispatchEvent(new Event(kind));",
        f"#{name}",
        value,
    )
    settle(browser)


def saved(browser: Firefox, name: str) -> bytes:
    browser.click("#save")
    browser.click("#download")
    path: Path = browser.downloads / name
    deadline = time.monotonic() + 120
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    time.sleep(1)
    return path.read_bytes()


def more_is_done(browser: Firefox) -> None:
    """A setup, a second light, zoom and compare; and all of it taken back."""
    before = browser.run(LIGHT)
    browser.wait("document.querySelectorAll('#patterns .waiting').length === 0")
    browser.click("[data-pattern=split]")
    settle(browser)
    assert browser.run(LIGHT) != before
    browser.click("#lights button:last-child")
    settle(browser)
    assert browser.run("return document.querySelectorAll('.handle').length") == 2
    percent = "return document.querySelector('#zoom-full').textContent"
    fitted = browser.run(percent)
    browser.click("#zoom-in")
    assert browser.run(percent) != fitted
    browser.click("#zoom-fit")
    assert browser.run(percent) == fitted
    with browser.holding("b"):
        assert browser.run("return document.querySelector('#stage').matches('.comparing')")
    assert not browser.run("return document.querySelector('#stage').matches('.comparing')")
    for _ in range(2):
        browser.click("#undo")
        settle(browser)
    assert browser.run(LIGHT) == before


def test_a_portrait_is_relit_in_firefox(
    relighter: Relighter, astronaut: np.ndarray, tmp_path: Path
) -> None:
    server = Server()
    with firefox() as browser:
        try:
            browser.ask("WebDriver:SetWindowRect", width=1280, height=900)
            browser.ask("WebDriver:Navigate", url=server.address)
            browser.wait("document.body.dataset.offline")
        finally:
            server.stop()
        browser.ask("WebDriver:Navigate", url=server.address)  # though the server is gone
        open_photo(browser)
        start = browser.run(LIGHT)
        browser.drag("mouse", (300, 600), (350, 590))
        settle(browser)
        dragged = browser.run(LIGHT)
        assert dragged[0] > start[0] + 10
        browser.drag("touch", (300, 400), (330, 400))
        settle(browser)
        assert browser.run(LIGHT)[0] > dragged[0] + 5
        browser.click("#undo")
        settle(browser)
        assert browser.run(LIGHT) == dragged
        more_is_done(browser)
        slide(browser, "fill", 1)
        slide(browser, "brightness", 1.1)
        browser.click("#split")
        assert browser.run("return !document.querySelector('#divider').hidden")
        azimuth, elevation, intensity, softness, gloss = browser.run(LIGHT)
        content = saved(browser, "astronaut.relit.png")
        light = Light(azimuth, elevation, intensity, softness_deg=softness, gloss=gloss)
        wanted = relighter.relight(astronaut, light).image
        assert psnr(pixels(content) / 255, wanted / 255) >= 50
        others_are_opened(browser, tmp_path)


def others_are_opened(browser: Firefox, folder: Path) -> None:
    """A group, one of whose faces is taken out; and a kind that Firefox does not read."""
    pair = folder / "pair.png"
    Image.fromarray(np.hstack([np.array(Image.open(ASTRONAUT))[:400, 60:400]] * 2)).save(pair)
    open_photo(browser, pair)
    lit = "return document.querySelectorAll('.face.lit').length"
    assert browser.run(lit) == 2
    browser.click("#faces button:last-child")
    settle(browser)
    assert browser.run(lit) == 1
    heic = folder / "phone.heic"
    heic.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400))
    browser.type("#file", str(heic))
    browser.wait("!document.querySelector('#failed').hidden")
    words = browser.run("return document.querySelector('#failed-words').textContent")
    assert "HEIC cannot be opened" in words
    browser.click("#failed-back")  # the photo before, as it was
    browser.wait("!document.querySelector('#save').disabled")
    assert browser.run(lit) == 1


def test_a_failed_download_mends_itself_in_firefox() -> None:
    wire = Wire()
    with wire.serve(), firefox() as browser:
        wire.broken = lambda path: "face_mesh" in path
        browser.ask("WebDriver:Navigate", url=wire.address)
        browser.type("#file", str(ASTRONAUT))
        browser.wait("!document.querySelector('#error').hidden")
        wire.broken = lambda path: False
        browser.wait("!document.querySelector('#save').disabled")
        assert browser.run("return document.querySelector('#error').hidden")
