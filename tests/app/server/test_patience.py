# SPDX-License-Identifier: Apache-2.0
"""Clients that stall and a server that is asked to stop: nobody waits for long."""

from __future__ import annotations

import signal
import socket
import threading
import time
from typing import Any

import anyio
import httpx
import pytest
from conftest import ASTRONAUT
from editing import encoded, flat
from PIL import Image
from relight_app.server.application import create_app
from relight_app.server.order import Limits
from serving import Server


def stalled(path: str = "/relight", sent: bytes = b"\xff\xd8") -> dict[str, Any]:
    """An upload that begins and never goes on."""
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"image/jpeg")],
        "body": sent,
    }


async def ask(app: Any, scope: dict[str, Any], goes_on: bool) -> int:
    """Status of a request whose body stalls after its first part."""
    parts = [{"type": "http.request", "body": scope.pop("body"), "more_body": not goes_on}]
    found: list[int] = []

    async def receive() -> Any:
        if parts:
            return parts.pop()
        await anyio.sleep(60)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            found.append(message["status"])

    await app(scope, receive, send)
    return found[0]


def test_a_stalled_upload_is_broken_off_and_takes_no_place_in_line() -> None:
    app = create_app(limits=Limits(waiting=1, pause_s=1.0))
    statuses: dict[str, int] = {}

    async def run() -> None:
        async def stall(name: str) -> None:
            statuses[name] = await ask(app, stalled(), goes_on=False)

        async with anyio.create_task_group() as group:
            for k in range(3):
                group.start_soon(stall, f"stalled {k}")
            await anyio.sleep(0.2)
            # One place in line, three uploads that stall: it is free all the same.
            scope = stalled(sent=flat((64, 64)))
            statuses["whole"] = await ask(app, scope, goes_on=True)

    start = time.monotonic()
    anyio.run(run)
    assert time.monotonic() - start < 30
    assert statuses.pop("whole") == 422  # no face: it was looked at
    assert set(statuses.values()) == {408}


@pytest.mark.slow
def test_the_server_hangs_up_on_who_stalls() -> None:
    server = Server()
    try:
        host, port = server.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 5) as line:
            line.sendall(
                b"POST /relight HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/jpeg\r\n"
                b"content-length: 1000\r\n\r\nx"
            )
            line.settimeout(Limits().pause_s + 20)
            assert b" 408 " in line.recv(200)
    finally:
        server.stop()


@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "at work"])
def test_ctrl_c_ends_within_two_seconds(is_busy: bool) -> None:
    server = Server()
    large = encoded(Image.open(ASTRONAUT).convert("RGB").resize((5000, 5000)), "JPEG")
    answers: list[int] = []

    def relight() -> None:
        answer = httpx.post(f"{server.address}/relight", files={"photo": large}, timeout=60)
        answers.append(answer.status_code)

    client = threading.Thread(target=relight)
    if is_busy:
        client.start()
        time.sleep(2.5)
    elif httpx.get(server.address).status_code != 200:
        pytest.fail("no page")
    start = time.monotonic()
    server.process.send_signal(signal.SIGINT)
    status = server.process.wait(30)
    taken = time.monotonic() - start
    assert server.process.stderr is not None
    words = server.process.stderr.read()
    server.process.stderr.close()
    if is_busy:
        client.join()
        assert answers in ([503], [200])
    assert status == 130
    assert "Traceback" not in words
    assert taken < 2.5, taken
