# SPDX-License-Identifier: Apache-2.0
"""The editor by keyboard alone: whatever it offers is reached by Tab and worked by keys."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import ASTRONAUT
from editing import Editor

pytestmark = pytest.mark.slow

MOST = 60
"""Presses of Tab after which everything was visited."""


def reach(editor: Editor, selector: str) -> None:
    """Press Tab until an element is in focus."""
    focused = f"document.activeElement.matches({selector!r})"
    for _ in range(MOST):
        if editor.page.evaluate(focused):
            return
        editor.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def test_a_portrait_is_finished_by_keyboard_alone(editor: Editor, astronaut: np.ndarray) -> None:
    """Setup, light, room light, second light, zoom, compare, undo, export."""
    editor.open(ASTRONAUT)
    editor.wait("document.querySelectorAll('#patterns .waiting').length === 0")
    page = editor.page
    press = page.keyboard.press
    automatic = editor.light()

    reach(editor, ".handle")
    editor.settle(lambda: press("Shift+ArrowLeft"))
    assert editor.light().azimuth_deg == pytest.approx(automatic.azimuth_deg - 1, abs=0.01)
    reach(editor, "[data-pattern=split]")
    editor.settle(lambda: press("Enter"))
    assert page.get_attribute("[data-pattern=split]", "aria-pressed") == "true"
    reach(editor, "#lights button:last-child")
    editor.settle(lambda: press("Space"))
    assert len(editor.lights()) == 2
    reach(editor, "#fill")
    kept = float(page.input_value("#fill"))
    editor.settle(lambda: press("ArrowLeft"))
    assert float(page.input_value("#fill")) < kept

    reach(editor, "#undo")
    press("1")
    view = editor.drawn()
    press("+")
    assert editor.drawn() != view
    press("0")
    press("s")
    assert page.is_visible("#divider")
    press("s")
    page.keyboard.down("b")
    editor.drawn()
    assert page.is_visible("#was")
    page.keyboard.up("b")
    assert not page.is_visible("#was")
    for _ in range(4):
        editor.settle(lambda: press("Control+z"))
    assert editor.light() == automatic
    editor.settle(lambda: press("Control+Shift+z"))
    assert editor.light() != automatic

    press("Control+s")
    page.wait_for_selector("#output[open]")
    reach(editor, "#download")
    with page.expect_download() as download:
        press("Enter")
    assert download.value.suggested_filename == "astronaut.relit.png"
