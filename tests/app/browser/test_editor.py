# SPDX-License-Identifier: Apache-2.0
"""Light set with mouse and keyboard, after the first visit without a network."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ASTRONAUT, bundled
from editing import Editor, encoded, pixels
from PIL import Image

from relight import Relighter
from training.judge.metric import psnr

pytestmark = pytest.mark.slow


def test_the_gpu_composes_what_is_saved(browser: Any, tmp_path: Path) -> None:
    """Light added and light taken away, highlights and blacks: within a level."""
    with browser.new_context() as context:
        page = context.new_page()
        page.add_script_tag(path=bundled("compositor_check", tmp_path, "browser"))
        assert page.evaluate("largestDifference()") <= 1


def test_a_portrait_is_relit_dragged_and_saved_offline(
    editor: Editor, relighter: Relighter, astronaut: np.ndarray
) -> None:
    assert "One face relit" in editor.open(ASTRONAUT)
    assert not editor.page.is_visible("#welcome")
    placed = editor.light()

    editor.drag(70, -25)
    moved = editor.light()
    assert moved.azimuth_deg > placed.azimuth_deg + 15
    assert moved.elevation_deg > placed.elevation_deg + 5
    editor.page.focus(".handle")
    editor.settle(lambda: editor.page.keyboard.press("ArrowRight"))
    assert editor.light().azimuth_deg == pytest.approx(moved.azimuth_deg + 5, abs=0.01)
    editor.slide("fill", 1)
    editor.slide("brightness", 1.1)
    editor.slide("softness", 20)

    shown = editor.picture()
    name, content = editor.save()
    assert name == "astronaut.relit.png"
    wanted = relighter.relight(astronaut, editor.light()).image
    assert psnr(wanted / 255, astronaut / 255) < 36  # the light is seen
    assert psnr(pixels(content) / 255, wanted / 255) >= 50
    assert psnr(shown / 255, pixels(content) / 255) >= 50  # the GPU shows what is saved


def test_the_light_is_dragged_from_anywhere(editor: Editor) -> None:
    editor.open(ASTRONAUT)
    before, (x, y) = editor.light(), editor.sun()
    editor.drag(60, 0, start=(200, 600))
    assert editor.light().azimuth_deg > before.azimuth_deg + 10
    assert editor.sun() == pytest.approx((x + 60, y), abs=2)


def test_what_is_no_drag_moves_nothing(editor: Editor) -> None:
    """The right button, and a drag that is broken off."""
    editor.open(ASTRONAUT)
    page, before = editor.page, editor.light()
    x, y = editor.sun()
    page.mouse.move(x, y)
    page.mouse.down(button="right")
    page.mouse.move(x + 50, y)
    page.mouse.up(button="right")
    assert editor.light() == before
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y)
    assert editor.light() != before
    editor.settle(
        lambda: page.evaluate(
            "document.querySelector('#stage').dispatchEvent(new PointerEvent('pointercancel',"
            " {pointerId: 1, bubbles: true}))"
        )
    )
    page.mouse.up()
    assert editor.light() == before
    assert page.is_disabled("#undo")


def test_dragging_a_light_that_is_off_switches_it_on(editor: Editor) -> None:
    editor.open(ASTRONAUT)
    editor.slide("brightness", 0)
    editor.drag(40, 0)
    assert editor.light().intensity > 0


def test_further_lights_stand_apart(editor: Editor) -> None:
    editor.open(ASTRONAUT)
    for _ in range(3):
        editor.settle(lambda: editor.page.get_by_role("button", name="Add light").click())
    found = editor.lights()
    assert len(found) == 4
    for k, (azimuth, elevation) in enumerate(found):
        for other, height in found[:k]:
            apart = abs((azimuth - other + 180) % 360 - 180) + abs(elevation - height)
            assert apart > 25, found


def test_changes_are_compared_undone_and_reset(editor: Editor, astronaut: np.ndarray) -> None:
    editor.open(ASTRONAUT)
    page = editor.page
    automatic, start = editor.light(), editor.picture()
    editor.settle(lambda: page.get_by_role("button", name="Add light").click())
    assert page.locator(".handle").count() == 2
    editor.slide("brightness", 1.5)
    assert psnr(editor.picture() / 255, start / 255) < 50
    editor.slide("warmth", 80)
    assert "K" in page.inner_text("output[for=warmth]")
    assert "warm" in page.inner_text("#summary")
    warm = editor.picture().astype(float) - start
    assert warm[..., 0].mean() > warm[..., 2].mean()

    page.hover("#before")
    page.mouse.down()
    editor.drawn()
    assert not page.locator(".handle").first.is_visible()
    assert np.array_equal(editor_still(editor), astronaut)
    page.mouse.move(5, 5)  # lifted elsewhere: nothing sticks
    page.mouse.up()
    page.wait_for_timeout(100)
    assert page.get_attribute("#before", "aria-pressed") == "false"
    assert page.locator(".handle").first.is_visible()

    for _ in ("warmth", "brightness"):
        editor.settle(lambda: page.click("#undo"))
    editor.settle(lambda: page.keyboard.press("Control+z"))
    assert page.locator(".handle").count() == 1
    editor.settle(lambda: page.click("#redo"))
    assert page.locator(".handle").count() == 2
    editor.settle(lambda: page.click("#reset"))
    assert editor.light() == automatic
    assert np.array_equal(editor.picture(), start)
    assert page.is_disabled("#reset")  # so it cannot fill the history
    editor.settle(lambda: page.click("#undo"))
    assert page.locator(".handle").count() == 2


def editor_still(editor: Editor) -> np.ndarray:
    """The picture while a button is held: nothing may be clicked."""
    left, top, scale = editor.drawn()
    assert scale == 1, "asked for at full size before"
    data = editor.page.evaluate("document.querySelector('#picture').toDataURL()")
    left, top = int(left), int(top)
    shown = pixels(base64.b64decode(data.partition(",")[2]))
    return shown[top : top + 512, left : left + 512]


def test_the_divider_is_dragged_on_the_photo(editor: Editor, astronaut: np.ndarray) -> None:
    editor.open(ASTRONAUT)
    editor.slide("brightness", 1.2)
    page = editor.page
    editor.picture()
    page.click("#split")
    assert page.locator("#divider").get_by_text("Before").is_visible()
    box = page.locator("#divider").bounding_box()
    middle = box["x"] + box["width"] / 2
    light = editor.light()
    page.mouse.move(middle, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(middle + 40, box["y"] + 200)
    page.mouse.up()
    page.wait_for_timeout(100)
    assert page.locator("#divider").bounding_box()["x"] == pytest.approx(box["x"] + 40, abs=1)
    assert editor.light() == light
    half = editor.picture()
    edge = next(x for x in range(512) if not np.array_equal(half[:, x], astronaut[:, x]))
    assert np.array_equal(half[:, :edge], astronaut[:, :edge])
    assert edge > 200
    page.keyboard.press("s")
    assert not page.is_visible("#divider")


def test_less_of_the_room_light_darkens_the_person_alone(
    editor: Editor, astronaut: np.ndarray
) -> None:
    editor.open(ASTRONAUT)
    editor.slide("brightness", 0)
    editor.slide("fill", 0.5)
    assert "50 %" in editor.page.inner_text("#summary")
    shown = editor.picture().astype(int)
    assert (shown[100:160, 200:250] < astronaut[100:160, 200:250]).mean() > 0.9
    assert np.array_equal(shown[:250, -60:], astronaut[:250, -60:])


def test_setups_are_chosen_by_their_pictures(editor: Editor) -> None:
    editor.open(ASTRONAUT)
    page = editor.page
    editor.wait("document.querySelectorAll('#patterns .waiting').length === 0")
    tiles = page.locator("#patterns [data-pattern]")
    names = [tile.get_attribute("data-pattern") for tile in tiles.all()]
    assert names[0] == "auto"
    assert tiles.first.get_attribute("aria-pressed") == "true"
    for tile in tiles.all():
        assert tile.locator("canvas").evaluate("c => c.width") > 40
    editor.drag(40, 0)
    assert tiles.first.get_attribute("aria-pressed") == "false"
    for name in reversed(names):
        editor.settle(lambda name=name: page.click(f"[data-pattern={name}]"))
        assert page.get_attribute(f"[data-pattern={name}]", "aria-pressed") == "true"


def test_the_light_of_another_photo_is_copied(editor: Editor, astronaut: np.ndarray) -> None:
    editor.open(ASTRONAUT)
    before = editor.light()
    dark = astronaut.astype(float)
    dark[:, :225] *= np.linspace(0.1, 1, 225)[None, :, None]
    reference = encoded(Image.fromarray(dark.astype(np.uint8)))
    editor.settle(lambda: editor.pick("#reference", reference))
    assert editor.light() != before
    assert editor.page.get_attribute("[data-pattern=auto]", "aria-pressed") == "false"
