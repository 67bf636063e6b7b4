# SPDX-License-Identifier: Apache-2.0
"""What comes before every answer: refusals by a request's head and size, and security headers."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relight_app.server.order import Limits

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine that only it can reach."""
SECURITY = {
    # The page talks to nobody but this server, so no photo can leave by mistake.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob: data:;"
        " media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class Gate:
    """Refuses bodies that are too large and requests made by the pages of other sites.

    Args:
        app: what answers the other requests.
        limits: of requests.
        hosts: names that clients may call this server by; None for any.
    """

    def __init__(self, app: ASGIApp, limits: Limits, hosts: tuple[str, ...] | None) -> None:
        self._app, self._hosts = app, hosts
        self._limits = limits
        self._most = round(limits.megabytes * 1e6)
        self._too_large = f"the request is larger than {limits.megabytes:g} megabytes; shrink it"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI wants it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken, complete = 0, False
        ends = asyncio.get_running_loop().time() + self._limits.upload_s

        async def counted() -> Message:
            nonlocal taken, complete
            if complete:  # now it only tells whether the client is still there
                return await receive()
            left = ends - asyncio.get_running_loop().time()
            try:
                message = await asyncio.wait_for(receive(), min(self._limits.pause_s, max(left, 0)))
            except TimeoutError as error:
                raise HTTPException(
                    408, "the photo did not arrive in time; send it again"
                ) from error
            complete = not message.get("more_body", False)
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise HTTPException(413, self._too_large)
            return message

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY)
            await send(message)

        answer = self._refusal(Headers(scope=scope)) or self._app
        await answer(scope, counted, guarded)

    def _refusal(self, headers: Headers) -> Response | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        length = headers.get("content-length", "0")
        try:
            named = urlsplit(f"//{host}").hostname
            stranger = origin is not None and urlsplit(origin).netloc != host
        except ValueError:
            return error_response(400, "the request's address is malformed")
        if self._hosts is not None and named not in self._hosts:
            return error_response(421, "this server answers under its own address only")
        if stranger:
            return error_response(403, "pages of other sites may not use this server")
        if not length.isdecimal():
            return error_response(400, "the request's length is not a number")
        return error_response(413, self._too_large) if int(length) > self._most else None


def error_response(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    """An error as every client gets it: ``{"error": "one sentence"}``."""
    return JSONResponse({"error": words}, status, headers)
