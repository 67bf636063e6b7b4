# SPDX-License-Identifier: Apache-2.0
"""Fingers on a phone, as real touch events: drag, pinch, tap, and what interrupts them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from conftest import ASTRONAUT
from editing import PHONE, Editor, encoded, visit
from PIL import Image
from serving import Server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def phone(browser: Any, server: Server) -> Iterator[Editor]:
    options = {"viewport": PHONE, "device_scale_factor": 3, "has_touch": True, "is_mobile": True}
    with visit(browser, server.address, **options) as editor:
        yield editor


@pytest.fixture(scope="module")
def pair() -> bytes:
    """Two faces side by side."""
    one = Image.open(ASTRONAUT).convert("RGB").crop((60, 0, 400, 400))
    both = Image.new("RGB", (680, 400))
    both.paste(one, (0, 0))
    both.paste(one.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (340, 0))
    return encoded(both)


def test_a_finger_drags_the_sun_and_anywhere_else(phone: Editor) -> None:
    phone.open(ASTRONAUT)
    fingers = phone.fingers()
    before, start = phone.light(), phone.sun()
    phone.settle(lambda: fingers.drag(start, 60, -10))
    first = phone.light()
    assert first.azimuth_deg > before.azimuth_deg + 15
    phone.settle(lambda: fingers.drag((60, 400), 0, 60))
    assert phone.light().elevation_deg < first.elevation_deg - 15
    assert phone.page.evaluate("scrollX + scrollY") == 0


def test_a_touch_that_the_system_takes_away_changes_nothing(phone: Editor) -> None:
    phone.open(ASTRONAUT)
    before = phone.light()
    phone.settle(lambda: phone.fingers().drag(phone.sun(), 70, 30, end="touchCancel"))
    assert phone.light() == before
    assert phone.page.is_disabled("#undo")


def test_two_fingers_zoom_and_pan_and_leave_the_light(phone: Editor) -> None:
    phone.open(ASTRONAUT)
    before, fingers = phone.light(), phone.fingers()
    start = phone.drawn()
    # The second finger comes while the first drags already.
    fingers.send("touchStart", (150, 300))
    fingers.send("touchMove", (170, 300))
    assert phone.light() != before
    fingers.send("touchStart", (170, 300), (230, 300))
    for k in range(1, 11):
        fingers.send("touchMove", (170 - 8 * k, 300), (230 + 8 * k, 300))
    fingers.send("touchEnd")
    zoomed = phone.drawn()
    assert zoomed[2] > 2 * start[2]
    assert phone.light() == before
    phone.page.click("#zoom-fit")
    assert phone.drawn() == start


def test_a_double_tap_looks_closely(phone: Editor) -> None:
    phone.open(encoded(Image.open(ASTRONAUT).convert("RGB").resize((3000, 3000))))
    fingers = phone.fingers()
    for _ in range(2):
        fingers.tap(60, 250)
    phone.wait("document.querySelector('#picture').dataset.view?.endsWith(',1')")
    # Sharper than the preview: the photo's own pixels are fetched.
    phone.wait("document.querySelector('#picture').dataset.detail")


def test_suns_stay_within_reach_in_close_ups(phone: Editor) -> None:
    close = Image.open(ASTRONAUT).convert("RGB").crop((170, 50, 290, 200)).resize((960, 1200))
    phone.open(encoded(close))
    stage = phone.page.locator("#stage").bounding_box()
    fingers = phone.fingers()
    for dx, dy in ((-300, 0), (600, 0), (-300, 400), (0, -800)):
        phone.settle(lambda dx=dx, dy=dy: fingers.drag((195, 300), dx, dy))
        x, y = phone.sun()
        assert stage["x"] + 10 <= x <= stage["x"] + stage["width"] - 10
        assert stage["y"] + 10 <= y <= stage["y"] + stage["height"] - 10


def test_faces_are_tapped_on_the_photo(phone: Editor, pair: bytes) -> None:
    assert "2 faces" in phone.open(pair)
    page = phone.page
    boxes = [mark.bounding_box() for mark in page.locator(".face").all()]
    middles = [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in boxes]
    fingers = phone.fingers()
    phone.settle(lambda: fingers.tap(*middles[1]))
    assert [m.get_attribute("class") for m in page.locator(".face").all()] == ["face lit", "face"]


def test_five_quick_taps_end_where_five_slow_ones_would(phone: Editor, pair: bytes) -> None:
    phone.open(pair)
    page = phone.page
    pressed = "[...document.querySelectorAll('#faces button')].map(b => b.ariaPressed)"
    page.evaluate(
        "[0, 0, 1, 1, 0].forEach(k => document.querySelectorAll('#faces button')[k].click())"
    )
    page.wait_for_timeout(2000)
    assert page.evaluate(pressed) == ["false", "true"]
    # One lit face out of two: the other is as it was.
    left = page.evaluate("document.querySelectorAll('.face.lit').length")
    assert left == 1


def test_a_portrait_is_finished_by_finger_alone(phone: Editor) -> None:
    """Setup, light, room light, second light, compare, undo, export: nothing but touches."""
    phone.open(ASTRONAUT)
    page, fingers = phone.page, phone.fingers()
    phone.wait("document.querySelectorAll('#patterns .waiting').length === 0")

    def middle(selector: str) -> tuple[float, float]:
        page.locator(selector).first.scroll_into_view_if_needed()
        box = page.locator(selector).first.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    automatic = phone.light()
    phone.settle(lambda: fingers.tap(*middle("[data-pattern=split]")))
    assert page.get_attribute("[data-pattern=split]", "aria-pressed") == "true"
    chosen = phone.light()
    assert chosen != automatic
    fingers.tap(*middle("#tabs [data-tab=light]"))
    x, y = middle("#fill")
    kept = float(page.input_value("#fill"))
    phone.settle(lambda: fingers.drag((x, y), -60, 0))
    assert float(page.input_value("#fill")) < kept
    phone.settle(lambda: fingers.tap(*middle("#lights button:last-child")))
    assert len(phone.lights()) == 2
    fingers.send("touchStart", middle("#before"))
    phone.drawn()
    assert page.is_visible("#was")
    fingers.send("touchEnd")
    phone.wait("getComputedStyle(document.querySelector('#was')).visibility === 'hidden'")
    for _ in range(3):
        phone.settle(lambda: fingers.tap(*middle("#undo")))
    assert phone.light() == automatic
    fingers.tap(*middle("#save"))
    page.wait_for_selector("#output[open]")
    with page.expect_download() as download:
        fingers.tap(*middle("#download"))
    assert download.value.suggested_filename == "astronaut.relit.png"
    page.wait_for_selector("#output", state="hidden")
    fingers.tap(*middle("#tabs [data-tab=setups]"))


def test_the_bar_is_in_reach_upright_and_on_the_side(phone: Editor) -> None:
    phone.open(ASTRONAUT)
    page = phone.page
    for size in (PHONE, {"width": 844, "height": 390}):
        page.set_viewport_size(size)
        page.wait_for_timeout(300)
        for name in ("undo", "redo", "before", "split", "save"):
            box = page.locator(f"#{name}").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size["width"]
            assert box["y"] + box["height"] <= size["height"]
        stage = page.locator("#stage").bounding_box()
        assert stage["width"] * stage["height"] > 0.35 * size["width"] * size["height"]
    page.set_viewport_size(PHONE)


def test_nothing_jumps_while_the_words_change(phone: Editor) -> None:
    phone.open(ASTRONAUT)
    page = phone.page
    tops = set()
    for step in range(4):
        tops.add(page.locator("#patterns").bounding_box()["y"])
        phone.settle(lambda step=step: phone.fingers().drag(phone.sun(), 40, 50 * (-1) ** step))
    assert len(tops) == 1


def test_pixels_at_full_size_are_those_of_the_photo(phone: Editor) -> None:
    fine = np.array(Image.open(ASTRONAUT).convert("RGB").resize((2600, 2600)))
    fine[::2, ::2] ^= 1  # detail that no smaller picture has
    phone.open(encoded(Image.fromarray(fine)))
    page = phone.page
    page.evaluate("document.querySelector('#zoom-full').click()")
    phone.wait("document.querySelector('#picture').dataset.detail")
    page.evaluate("""document.querySelector('#before').dispatchEvent(
        new PointerEvent('pointerdown', {button: 0, bubbles: true}))""")
    x, y, scale = phone.drawn()
    assert scale == 1
    held = page.evaluate("document.querySelector('#picture').toDataURL()")
    shown = np.array(Image.open(io.BytesIO(base64.b64decode(held.partition(",")[2]))))[..., :3]
    left, top = int(-x), int(-y)
    part = fine[top : top + shown.shape[0], left : left + shown.shape[1]]
    assert np.array_equal(shown[100:-100, 100:-100], part[100:-100, 100:-100])
