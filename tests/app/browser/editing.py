# SPDX-License-Identifier: Apache-2.0
"""The editor in a browser, as a user meets it: shared by the tests that use it."""

from __future__ import annotations

import base64
import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from serving import Server

from relight import Light

PATIENCE_MS = 180_000
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


class Editor:
    """The page as a user meets it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.set_default_timeout(PATIENCE_MS)

    def open(self, content: bytes | Path, name: str = "photo.png") -> str:
        """Open a photo; what the page says when it is done."""
        self.page.evaluate("document.querySelector('#status').textContent = ''")
        self.pick("#file", content, name)
        self.wait(
            "document.querySelector('#busy').hidden && (!document.querySelector('#failed').hidden"
            " || document.querySelector('#status').textContent.includes('relit in'))"
        )
        where = "#failed-words" if self.page.is_visible("#failed") else "#status"
        return str(self.page.text_content(where))

    def pick(self, selector: str, content: bytes | Path, name: str = "photo.png") -> None:
        file: Any = str(content)
        if isinstance(content, bytes):
            file = {"name": name, "mimeType": "image/png", "buffer": content}
        self.page.set_input_files(selector, file)

    def wait(self, expression: str) -> None:
        """Wait until an expression holds; Playwright's own way is not for a page without eval."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, expression
            self.page.wait_for_timeout(100)

    def settle(self, action: Callable[[], object]) -> None:
        """Act and wait until the picture was drawn anew, as fine as it gets."""
        drawn = self.page.evaluate("document.body.dataset.drawn")
        action()
        self.wait(
            f"document.body.dataset.drawn !== '{drawn}' && document.body.dataset.quick === ''"
        )
        self.page.wait_for_timeout(300)

    def slide(self, name: str, value: float) -> None:
        script = """(slider, value) => {
            slider.value = value;
            slider.dispatchEvent(new Event('input'));
            slider.dispatchEvent(new Event('change'));
        }"""
        self.settle(lambda: self.page.eval_on_selector(f"#{name}", script, value))

    def sun(self) -> tuple[float, float]:
        """Where the selected sun is, in the window."""
        box = self.page.locator(".handle.selected .dot").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(self, dx: float, dy: float, start: tuple[float, float] | None = None) -> None:
        """Drag with the mouse: the sun, or from anywhere else."""
        x, y = start or self.sun()
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + dx / 2, y + dy / 2)
        self.settle(lambda: (mouse.move(x + dx, y + dy), mouse.up()))

    def light(self) -> Light:
        handle = self.page.locator(".handle.selected").first
        return Light(
            float(handle.get_attribute("data-azimuth")),
            float(handle.get_attribute("data-elevation")),
            float(self.page.input_value("#brightness")),
            softness_deg=float(self.page.input_value("#softness")),
        )

    def lights(self) -> list[tuple[float, float]]:
        """Azimuth and elevation of all lights."""
        script = "all => all.map(e => [Number(e.dataset.azimuth), Number(e.dataset.elevation)])"
        return [tuple(one) for one in self.page.eval_on_selector_all(".handle", script)]

    def save(self, **chosen: Any) -> tuple[str, bytes]:
        """Export with what is chosen in the sheet: format, side, quality, exif."""
        page = self.page
        page.click("#save")
        for name, value in chosen.items():
            if name == "exif":
                page.set_checked("#exif", value)
            elif name == "quality":
                page.fill("#quality", str(value))
            else:
                page.select_option(f"#{name}", value)
        with page.expect_download() as download:
            page.click("#download")
        page.wait_for_selector("#output", state="hidden")
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()

    def picture(self) -> np.ndarray:
        """The photo as it is shown, pixel by pixel: it must fit the window so."""
        page = self.page
        page.click("#zoom-full")
        left, top, scale = self.drawn()
        data = page.evaluate("document.querySelector('#picture').toDataURL()")
        assert scale == 1
        shown = np.array(Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))))
        inside = shown[int(top) :, int(left) :]
        inside = inside[: int((inside[:, 0, 3] > 0).sum()), : int((inside[0, :, 3] > 0).sum())]
        return inside[..., :3]

    def drawn(self) -> tuple[float, float, float]:
        """Wait until the picture shows what it is meant to; where the photo lies, and its scale.

        Results that are still on their way have the picture drawn again, so it is done only when
        nothing has changed for a while.
        """
        self.page.wait_for_timeout(50)  # the page draws with the next frame
        deadline = time.monotonic() + PATIENCE_MS / 1000
        before = None
        while True:
            view = self.page.evaluate("document.querySelector('#picture').dataset.view ?? null")
            if view is not None and view == before:
                left, top, scale = map(float, view.split(","))
                return left, top, scale
            assert time.monotonic() < deadline, "the picture does not come to rest"
            before = view
            self.page.wait_for_timeout(150)  # on its way from the worker to the screen

    def fingers(self) -> Fingers:
        return Fingers(self.page)


class Fingers:
    """Real touches, as the screen reports them."""

    def __init__(self, page: Any) -> None:
        self._session = page.context.new_cdp_session(page)

    def send(self, kind: str, *points: tuple[float, float]) -> None:
        """``touchStart``, ``touchMove``, ``touchEnd`` or ``touchCancel``, with all fingers down."""
        touches = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(points)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def drag(self, start: tuple[float, float], dx: float, dy: float, end: str = "touchEnd") -> None:
        """One finger goes some way in ten steps."""
        self.send("touchStart", start)
        for k in range(1, 11):
            self.send("touchMove", (start[0] + dx * k / 10, start[1] + dy * k / 10))
        self.send(end)

    def tap(self, x: float, y: float) -> None:
        self.send("touchStart", (x, y))
        self.send("touchEnd")


@contextmanager
def visit(browser: Any, address: str, **options: Any) -> Iterator[Editor]:
    """A fresh visit, its models loaded."""
    with browser.new_context(accept_downloads=True, **options) as context:
        page = context.new_page()
        editor = Editor(page)
        page.goto(address)
        page.wait_for_selector("body[data-warm]", state="attached")
        yield editor


@pytest.fixture(scope="module")
def editor(browser: Any) -> Iterator[Editor]:
    """The page, loaded once and then used with its server gone and the network cut."""
    server = Server()
    strangers: list[str] = []
    try:
        context = browser.new_context(viewport=DESKTOP, accept_downloads=True)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        context.on(
            "request",
            lambda r: (
                None
                if r.url.startswith((server.address, "blob:", "data:"))
                else strangers.append(r.url)
            ),
        )
        page.goto(server.address)
        page.wait_for_selector("body[data-offline]", state="attached")
    finally:
        server.stop()
    context.set_offline(True)
    page.reload()
    page.wait_for_selector("body[data-warm]", state="attached")
    yield Editor(page)
    assert strangers == []
    context.close()


class Wire:
    """What a server sends and is asked for, by path; some answers may be withheld."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.broken: Callable[[str], bool] = lambda path: False
        self.address = ""

    @contextmanager
    def serve(self) -> Iterator[Wire]:
        """The page and the API in this process."""
        uvicorn = pytest.importorskip("uvicorn", reason="pip install uvicorn")
        from relight_app.server.application import create_app

        app = create_app()

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                return await app(scope, receive, send)
            path = scope["path"]
            if self.broken(path):
                await send({"type": "http.response.start", "status": 500, "headers": []})
                return await send({"type": "http.response.body", "body": b""})

            async def counting(message: Any) -> None:
                self.sent[path] += len(message.get("body", b""))
                self.sent[path] += sum(len(k) + len(v) + 4 for k, v in message.get("headers", []))
                self.asked[path] += message["type"] == "http.response.start"
                await send(message)

            return await app(scope, receive, counting)

        server = uvicorn.Server(uvicorn.Config(counted, port=0, log_level="error"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.05)
            self.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            yield self
        finally:
            server.should_exit = True
            thread.join()


def pixels(content: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def flat(size: tuple[int, int]) -> bytes:
    return encoded(Image.new("RGB", size, "grey"))
