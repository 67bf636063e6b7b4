# SPDX-License-Identifier: Apache-2.0
"""Firefox driven by its own remote control, Marionette: Playwright only drives one of its own.

Reference: Mozilla, "Marionette protocol": messages of JSON after their length, on a local port.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

PATIENCE_S = 240
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Firefox:
    """One window of Firefox.

    Args:
        port: that it listens on.
        downloads: folder that it saves to.
    """

    def __init__(self, port: int, downloads: Path) -> None:
        self.downloads = downloads
        self._last = 0
        self._line = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._read()  # its greeting
        self.ask("WebDriver:NewSession", acceptInsecureCerts=False)

    def ask(self, command: str, **parameters: Any) -> Any:
        """Send a command; its answer."""
        self._last += 1
        text = json.dumps([0, self._last, command, parameters]).encode()
        self._line.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self._read()
        assert error is None, error
        return result

    def run(self, script: str, *arguments: Any) -> Any:
        """Value of a script's ``return``."""
        answer = self.ask(
            "WebDriver:ExecuteScript", script=script, args=list(arguments), newSandbox=False
        )
        return answer["value"]

    def wait(self, expression: str) -> None:
        """Wait until an expression holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.run(f"return Boolean({expression})"):
            assert time.monotonic() < deadline, expression
            time.sleep(0.2)

    def find(self, selector: str) -> str:
        found = self.ask("WebDriver:FindElement", using="css selector", value=selector)
        return str(found["value"][ELEMENT])

    def click(self, selector: str) -> None:
        self.ask("WebDriver:ElementClick", id=self.find(selector))

    def type(self, selector: str, text: str) -> None:
        """Type into an element; into a file picker, a path."""
        self.ask("WebDriver:ElementSendKeys", id=self.find(selector), text=text)

    def drag(self, kind: str, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag with a ``mouse`` or ``touch`` pointer."""
        moves = [
            {"type": "pointerMove", "x": start[0], "y": start[1], "duration": 0},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerMove", "x": end[0], "y": end[1], "duration": 200},
            {"type": "pointerUp", "button": 0},
        ]
        pointer = {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}}
        self.ask("WebDriver:PerformActions", actions=[{**pointer, "actions": moves}])
        self.ask("WebDriver:ReleaseActions")

    @contextmanager
    def holding(self, key: str) -> Iterator[None]:
        """A key is down meanwhile."""
        down = {"type": "key", "id": "keys", "actions": [{"type": "keyDown", "value": key}]}
        self.ask("WebDriver:PerformActions", actions=[down])
        yield
        self.ask("WebDriver:ReleaseActions")

    def close(self) -> None:
        """Say no more."""
        self._line.close()

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            length += self._some(1)
        left = int(length[:-1])
        text = b""
        while len(text) < left:
            text += self._some(left - len(text))
        return json.loads(text)

    def _some(self, most: int) -> bytes:
        got = self._line.recv(most)
        assert got, "Firefox has ended"
        return got


@contextmanager
def firefox() -> Iterator[Firefox]:
    """A Firefox of its own, without a window."""
    binary = shutil.which("firefox") or shutil.which("firefox-esr")
    if binary is None:
        pytest.skip("there is no Firefox: apt install firefox-esr")
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        downloads = Path(folder) / "downloads"
        downloads.mkdir()
        preferences = {
            "marionette.port": port,
            "browser.download.dir": str(downloads),
            "browser.download.folderList": 2,
            "browser.download.always_ask_before_handling_new_types": False,
            "datareporting.policy.dataSubmissionEnabled": False,
            "toolkit.telemetry.enabled": False,
            "app.update.disabledForTesting": True,
            "network.captive-portal-service.enabled": False,
            "network.connectivity-service.enabled": False,
            "services.settings.server": "data:,none",
            "dom.disable_beforeunload": True,
        }
        lines = [
            f'user_pref("{name}", {json.dumps(value)});' for name, value in preferences.items()
        ]
        (Path(folder) / "user.js").write_text("\n".join(lines))
        command = [binary, "-headless", "-marionette", "-remote-allow-system-access", "-no-remote"]
        process = subprocess.Popen(
            [*command, "-profile", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            with closing(Firefox(_listening(port), downloads)) as browser:
                yield browser
        finally:
            process.terminate()
            process.wait(30)


def _listening(port: int) -> int:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < deadline, "Firefox does not listen"
            time.sleep(0.3)
        else:
            return port
