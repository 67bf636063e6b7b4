# SPDX-License-Identifier: Apache-2.0
"""The web page and a small HTTP API: ``POST /relight`` (photo -> photo), ``POST /analyze``.

One photo is worked on at a time, the others stand in line. A client names no file of this machine,
and nothing it sends outlives its request.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from importlib import resources
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import anyio
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relight import Relighter
from relight.models.library import Models
from relight_app import request as order
from relight_app.openapi import describe
from relight_app.request import Limits, Order

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine that only it can reach."""
SECURITY = {
    # The page talks to nobody but this server: no photo leaves by mistake.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob: data:;"
        " media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_WORDS = {404: "there is nothing at this address", 405: "this address does not take this method"}

T = TypeVar("T")


class Desk:
    """Takes one photo at a time to the models; the others wait in line."""

    def __init__(self, relighter: Relighter, limits: Limits) -> None:
        """Prepare.

        Args:
            relighter: what relights.
            limits: of requests.
        """
        self._relighter, self._limits = relighter, limits
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def work(self, request: Request, task: Callable[[Relighter, Order], T]) -> T:
        """Read a request, wait for its turn and do a task in another thread.

        Raises:
            HTTPException: in words, for whatever is wrong with the request.
        """
        if request.method != "POST":
            raise HTTPException(405, headers={"allow": "POST"})
        if self._waiting >= self._limits.waiting:
            again = {"retry-after": "5"}
            raise HTTPException(503, "too many photos in line; try again later", again)
        self._waiting += 1
        try:
            wanted = await order.read(request, self._limits)
            async with self._turn:
                if await request.is_disconnected():
                    raise ClientDisconnect
                return await anyio.to_thread.run_sync(
                    order.carry_out, task, self._relighter, wanted
                )
        finally:
            self._waiting -= 1


class _Gate:
    """Refuses bodies that are too large and requests that other sites' pages make."""

    def __init__(self, app: ASGIApp, limits: Limits, hosts: tuple[str, ...] | None) -> None:
        self._app, self._hosts = app, hosts
        self._most = round(limits.megabytes * 1e6)
        self._too_large = f"the request is larger than {limits.megabytes:g} megabytes; shrink it"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
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
            return _error(400, "the request's address is malformed")
        if self._hosts is not None and named not in self._hosts:
            return _error(421, "this server answers under its own address only")
        if stranger:
            return _error(403, "pages of other sites may not use this server")
        if not length.isdecimal():
            return _error(400, "the request's length is no number")
        return _error(413, self._too_large) if int(length) > self._most else None


def _error(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": words}, status, headers)


async def _explain(_: Request, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return _error(499, "the client left")
    if isinstance(error, HTTPException):
        words = _WORDS.get(error.status_code, error.detail)
        return _error(error.status_code, words, dict(error.headers or {}))
    return _error(500, f"this should not happen ({type(error).__name__}); please report it")


def create_app(
    relighter: Relighter | None = None,
    *,
    limits: Limits | None = None,
    hosts: tuple[str, ...] | None = LOOPBACK,
) -> Starlette:
    """The page and the API as an ASGI application.

    Args:
        relighter: what relights, closed when the application ends; None makes one.
        limits: of requests.
        hosts: names that clients may call this server by; None for any.
    """
    limits = limits or Limits()
    worker = relighter or Relighter()
    desk = Desk(worker, limits)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        worker.close()

    async def relight(request: Request) -> Response:
        content, kind = await desk.work(request, order.relit)
        return Response(content, media_type=kind)

    async def analyze(request: Request) -> Response:
        return JSONResponse(await desk.work(request, order.analyzed))

    async def openapi(_: Request) -> Response:
        return JSONResponse(describe(limits))

    page = Path(str(resources.files("relight_app"))) / "page"
    return Starlette(
        routes=[
            Route("/relight", relight, methods=_METHODS),
            Route("/analyze", analyze, methods=_METHODS),
            Route("/openapi.json", openapi),
            Mount("/models", StaticFiles(directory=Models().folder)),
            Mount("/", StaticFiles(directory=page, html=True)),
        ],
        middleware=[Middleware(_Gate, limits=limits, hosts=hosts)],
        exception_handlers={
            HTTPException: _explain,
            ClientDisconnect: _explain,
            Exception: _explain,
        },
        lifespan=lifespan,
    )
