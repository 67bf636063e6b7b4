# SPDX-License-Identifier: Apache-2.0
"""The editor in Firefox: open, drag by mouse and finger, fill, compare, undo, export, offline."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ASTRONAUT
from editing import pixels
from firefox import Firefox, firefox
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


def open_photo(browser: Firefox) -> None:
    browser.type("#file", str(ASTRONAUT))
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


def test_a_portrait_is_relit_in_firefox(relighter: Relighter, astronaut: np.ndarray) -> None:
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
        slide(browser, "fill", 1)
        slide(browser, "brightness", 1.1)
        browser.click("#split")
        assert browser.run("return !document.querySelector('#divider').hidden")
        azimuth, elevation, intensity, softness, gloss = browser.run(LIGHT)
        content = saved(browser, "astronaut.relit.png")
        light = Light(azimuth, elevation, intensity, softness_deg=softness, gloss=gloss)
        wanted = relighter.relight(astronaut, light).image
        assert psnr(pixels(content) / 255, wanted / 255) >= 50
