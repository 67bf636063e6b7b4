# SPDX-License-Identifier: Apache-2.0
"""The page as an app: installed, started without a network, and shared to by others."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import ASTRONAUT
from editing import Editor
from PIL import Image
from relight_app import server

pytestmark = pytest.mark.slow

PAGE = Path(server.__file__).parents[1] / "page"
SHARE = """
([content, names]) => {
    const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
    const photos = new DataTransfer();
    names.forEach(name => photos.items.add(new File([bytes], name, {type: 'image/png'})));
    const form = document.createElement('form');
    Object.assign(form, {method: 'post', action: './share', enctype: 'multipart/form-data'});
    form.innerHTML = '<input type="file" name="photos" multiple>';
    form.firstChild.files = photos.files;
    document.body.append(form);
    form.submit();
}
"""
"""What the system does with photos that another app shares with an installed page."""


def test_the_browser_would_install_the_page(editor: Editor) -> None:
    session = editor.page.context.new_cdp_session(editor.page)
    found = session.send("Page.getAppManifest")
    assert found["errors"] == []
    assert json.loads(found["data"])["share_target"]["method"] == "POST"
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # Windows under test are private ones, which install nothing; all else must be in order.
    assert {error["errorId"] for error in errors} <= {"in-incognito"}


def test_icons_are_what_the_manifest_says() -> None:
    manifest = json.loads((PAGE / "manifest.json").read_text())
    purposes = set()
    for icon in manifest["icons"]:
        purposes.add(icon.get("purpose", "any"))
        if icon["type"] == "image/png":
            with Image.open(PAGE / icon["src"]) as image:
                assert "x".join(map(str, image.size)) == icon["sizes"]
    assert purposes == {"any", "maskable"}
    # Launchers cut a maskable icon down to a circle of 80 %: what stands outside is mere ground.
    with Image.open(PAGE / "icon-maskable.png") as image:
        colors = image.convert("RGB")
        middle = colors.width / 2
        ground = colors.getpixel((0, 0))
        for x in range(0, colors.width, 4):
            for y in range(0, colors.height, 4):
                if (x - middle) ** 2 + (y - middle) ** 2 > (0.8 * middle) ** 2:
                    here = colors.getpixel((x, y))
                    assert max(abs(a - b) for a, b in zip(here, ground, strict=True)) < 12


@pytest.mark.parametrize("count", [1, 2])
def test_photos_are_shared_to_the_page_without_a_network(editor: Editor, count: int) -> None:
    page, content = editor.page, base64.b64encode(ASTRONAUT.read_bytes()).decode()
    names: list[Any] = [f"from {k} über.png" for k in range(count)]
    with page.expect_navigation():
        page.evaluate(SHARE, [content, names])
    page.wait_for_selector("body[data-warm]", state="attached")
    if count == 1:
        editor.wait("document.querySelector('#status').textContent.includes('relit in')")
        assert editor.save()[0] == "from 0 über.relit.png"
    else:
        editor.wait("document.querySelector('#batch').open")
        assert page.locator("#batch-list li").count() == 2
        page.click("#batch [data-close]")
    page.reload()  # what was taken once does not come again
    page.wait_for_selector("body[data-warm]", state="attached")
    assert page.is_visible("#welcome")
