# SPDX-License-Identifier: Apache-2.0
"""How the page looks and reads: every window, both appearances, both languages, for everyone.

Pictures to look at: ``RELIGHT_SCREENSHOTS=DIR pytest tests/app/browser/test_look.py``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ASTRONAUT, WEB
from editing import Editor, visit
from serving import Server

from relight.placement.recipe import PATTERNS

pytestmark = pytest.mark.slow

SIZES = {"desktop": (1280, 800), "tablet": (820, 1180), "phone": (390, 844), "side": (844, 390)}
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
TABLES = WEB / "src" / "editor" / "text"
PLACEMENT = WEB / "src" / "placement"

SPEAK = """language => {
    const select = document.querySelector('#language');
    select.value = language;
    select.dispatchEvent(new Event('change'));
}"""
CUT = """[...document.querySelectorAll('#patterns button, #tabs button, #bar button, nav button')]
    .filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"""
"""Words of buttons that do not fit into them."""
OVERLAPS = """[...document.querySelectorAll('#panel > *')].filter(one => one.offsetHeight > 0)
    .sort((a, b) => a.offsetTop - b.offsetTop)
    .filter((one, k, all) => k + 1 < all.length
        && one.offsetTop + Math.max(one.offsetHeight, one.id === 'summary' ? one.scrollHeight : 0)
            > all[k + 1].offsetTop + 1)
    .map(one => one.id)"""
"""Parts of the panel that lie over the next."""


@pytest.fixture(scope="module")
def page_editor(browser: Any, server: Server) -> Any:
    if not AXE.exists():
        pytest.skip("this check needs app/web/node_modules: npm ci in app/web")
    # axe is put into the page, which its content security policy would not let in.
    with visit(browser, server.address, bypass_csp=True) as editor:
        editor.page.add_script_tag(path=AXE)
        yield editor


def violations(page: Any) -> list[str]:
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


def test_axe_finds_nothing_in_any_state(page_editor: Editor) -> None:
    page = page_editor.page
    page.set_viewport_size({"width": 1280, "height": 800})
    found = {"empty": violations(page)}
    page_editor.open(ASTRONAUT)
    for theme in ("dark", "light"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        page.evaluate("document.querySelector('#details').open = true")
        found[theme] = violations(page)
        for opener, sheet in (("#more", "#menu"), ("#save", "#output")):
            page.click(opener)
            found[f"{theme} {sheet}"] = violations(page)
            page.click(f"{sheet} [data-close]")
        page.click("#split")
        found[f"{theme} split"] = violations(page)
        page.click("#split")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page_editor.open(b"no photo at all")
    found["failed"] = violations(page)
    assert {state: one for state, one in found.items() if one} == {}


@pytest.mark.parametrize("name", SIZES)
def test_the_page_fits_its_window(page_editor: Editor, name: str) -> None:
    page, (width, height) = page_editor.page, SIZES[name]
    page.set_viewport_size({"width": width, "height": height})
    page_editor.open(ASTRONAUT)
    page_editor.wait("document.querySelectorAll('#patterns .waiting').length === 0")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    for language in ("de", "en"):
        page.evaluate(SPEAK, language)
        for control in page.locator("button:visible, .handle:visible").all():
            box = control.bounding_box()
            assert min(box["width"], box["height"]) >= 40, control.inner_text()
        assert page.evaluate(CUT) == []
        header = page.locator("#save").bounding_box()
        assert header["x"] + header["width"] <= width
        assert page.evaluate(OVERLAPS) == []
    folder = os.environ.get("RELIGHT_SCREENSHOTS")
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        if folder:
            page.wait_for_timeout(500)
            page.screenshot(path=f"{folder}/web-{name}-{theme}.png")


def test_forced_colours_show_what_is_selected(page_editor: Editor) -> None:
    page = page_editor.page
    page_editor.open(ASTRONAUT)
    page.emulate_media(forced_colors="active")
    colour = "e => getComputedStyle(e).backgroundColor"
    pressed = page.eval_on_selector("#lights [aria-pressed=true]", colour)
    plain = page.eval_on_selector("#undo", colour)
    page.emulate_media(forced_colors="none")
    assert pressed != plain


def test_the_page_speaks_german(page_editor: Editor) -> None:
    page = page_editor.page
    page.set_viewport_size({"width": 1280, "height": 800})
    page_editor.open(ASTRONAUT)
    page.click("#more")
    page.select_option("#language", "de")
    page.click("#menu [data-close]")
    assert page.get_attribute("html", "lang") == "de"
    assert page.inner_text("#open") == "Öffnen"
    assert "Licht von" in page.inner_text("#summary")
    assert page.get_by_role("button", name="Licht hinzufügen").is_visible()
    page_editor.wait("document.querySelectorAll('#patterns .waiting').length === 0")
    reasons = set()
    for tile in page.locator("#patterns [data-pattern]").all():
        if tile.get_attribute("aria-pressed") == "false":
            page_editor.settle(tile.click)
        reasons.add(page.text_content("#reason"))
    assert len(reasons) > 5
    english = re.compile(r"\b(the|key|light|face|added|stops|would|and)\b", re.IGNORECASE)
    assert not [words for words in reasons if not words or english.search(words)]
    page.click("#more")
    page.select_option("#language", "en")
    page.click("#menu [data-close]")
    assert english.search(page.text_content("#reason"))


def gaps(table: Path) -> dict[str, list[str]]:
    """The gaps of each entry of a language's words."""
    entries = dict(re.findall(r"^  (\w+):\s+\"(.*)\",$", table.read_text("utf-8"), re.MULTILINE))
    return {key: sorted(re.findall(r"\{\w+\}", words)) for key, words in entries.items()}


def test_both_languages_have_the_same_words_and_gaps() -> None:
    english, german = (gaps(TABLES / f"{name}.ts") for name in ("english", "german"))
    assert len(english) > 100
    assert english == german
    said, reasons = gaps(PLACEMENT / "wording.ts"), gaps(TABLES / "german_reason.ts")
    assert len(said) > 20
    assert {key: reasons[key] for key in said} == said
    assert {f"gist_{name}" for name in PATTERNS} <= reasons.keys()
