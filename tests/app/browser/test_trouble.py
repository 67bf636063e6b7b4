# SPDX-License-Identifier: Apache-2.0
"""What goes wrong is said in a sentence, and mends itself where it can."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import ASTRONAUT
from editing import PATIENCE_MS, Editor, Wire, encoded, flat, pixels, visit
from PIL import Image
from serving import Server

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: flat((300, 200)), "No face found in this photo"),
        (lambda: b"no photo at all", "is no photo"),
        (lambda: b"", "is empty"),
        (lambda: flat((300, 200))[:60] + bytes(3000), "damaged"),
        (lambda: flat((12_000, 9_000)), "108 megapixels, more than the limit"),
    ],
    ids=["no face", "text", "empty", "corrupt", "108 megapixels"],
)
def test_what_cannot_be_relit_is_said_in_words(
    editor: Editor, make: Callable[[], bytes], words: str
) -> None:
    assert words in editor.open(make())
    assert editor.page.is_disabled("#save")


@pytest.mark.parametrize("bad", [b"no photo at all", flat((300, 200))], ids=["text", "no face"])
def test_the_photo_before_can_be_had_back_as_it_was(editor: Editor, bad: bytes) -> None:
    editor.open(ASTRONAUT)
    editor.drag(50, 0)
    light, page = editor.light(), editor.page
    editor.open(bad, "bad.png")
    assert page.is_disabled("#save")
    editor.settle(lambda: page.get_by_role("button", name="Back to astronaut.png").click())
    editor.wait("!document.querySelector('#save').disabled")
    assert editor.light() == light
    editor.settle(lambda: page.click("#undo"))
    assert editor.light() != light


def test_a_lost_gpu_comes_back_by_itself(editor: Editor) -> None:
    """The process that draws is killed, as a crashing driver would end it."""
    editor.open(ASTRONAUT)
    editor.slide("brightness", 1)
    before = editor.picture()
    editor.page.evaluate("window.lost_ = document.querySelector('#picture')")
    session = editor.page.context.browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    os.kill(next(one["id"] for one in processes if one["type"] == "GPU"), signal.SIGKILL)
    editor.wait("document.querySelector('#picture') !== lost_")
    assert np.array_equal(editor.picture(), before)
    editor.settle(lambda: editor.page.keyboard.press("Control+z"))
    assert not np.array_equal(editor.picture(), before)


def test_a_failed_download_is_told_and_tried_again(browser: Any) -> None:
    wire = Wire()
    with wire.serve(), browser.new_context() as context:
        wire.broken = lambda path: "face_mesh" in path
        page = context.new_page()
        editor = Editor(page)
        page.goto(wire.address)
        page.set_input_files("#file", str(ASTRONAUT))
        page.wait_for_selector("#error:not([hidden])", timeout=PATIENCE_MS)
        assert "could not be loaded" in page.inner_text("#error")
        assert page.is_visible("#picture")  # the photo is there all the same
        wire.broken = lambda path: False
        editor.wait("!document.querySelector('#save').disabled")
        assert not page.is_visible("#error")


def test_kinds_that_no_browser_opens_are_converted_with_consent(
    browser: Any, server: Server
) -> None:
    photo = Image.open(ASTRONAUT).convert("RGB")
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    with visit(browser, server.address) as editor:
        page = editor.page
        sent: list[str] = []
        page.on("request", lambda r: sent.append(r.method) if "/convert" in r.url else None)
        press = photo.convert("CMYK")  # of TIFF, what is made for printing
        for image, kind, name in ((photo, "HEIF", "phone.heic"), (press, "TIFF", "press.tif")):
            sent.clear()
            words = editor.open(encoded(image, kind), name)
            assert "cannot be opened by this browser" in words
            assert "127.0.0.1" in words
            assert sent == []  # not before it was allowed
            page.click("#failed-send")
            editor.wait("!document.querySelector('#save').disabled")
            assert sent == ["POST"]
            saved, content = editor.save()
            assert saved == name.split(".")[0] + ".relit.jpg"
            assert pixels(content).shape == (512, 512, 3)


def test_leaving_with_unsaved_work_is_asked_about(browser: Any, server: Server) -> None:
    with visit(browser, server.address) as editor:
        page, asked = editor.page, []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        editor.open(ASTRONAUT)
        page.close(run_before_unload=True)
        assert asked == []
    with visit(browser, server.address) as editor:
        page = editor.page
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        editor.open(ASTRONAUT)
        editor.drag(30, 0)
        page.reload()
        assert asked == ["beforeunload"]
