# SPDX-License-Identifier: Apache-2.0
"""The web page and a small HTTP API: ``POST /relight`` (photo -> photo), ``POST /analyze``.

Photos are worked on one at a time, while others wait in line. A client cannot name files of this
machine, and nothing it sends is kept after its request.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from importlib import resources
from pathlib import Path
from typing import TypeVar

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from relight import Relighter
from relight.models.library import Models
from relight_app.server import order
from relight_app.server.delivery import Files
from relight_app.server.gate import LOOPBACK, Gate, error_response
from relight_app.server.openapi import describe
from relight_app.server.order import Limits, Order

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_WORDS = {404: "there is nothing at this address", 405: "this address does not take this method"}

T = TypeVar("T")


class PhotoQueue:
    """Hands one photo at a time to the models; the others wait in line.

    Attributes:
        is_abandoned: whether the server was stopped while the models were at work.
    """

    def __init__(self, relighter: Relighter, limits: Limits) -> None:
        """Prepare.

        Args:
            relighter: does the work.
            limits: of requests.
        """
        self._relighter, self._limits = relighter, limits
        self._turn = asyncio.Lock()
        self._waiting = self._uploads = 0
        self.is_abandoned = False

    async def work(self, request: Request, task: Callable[[Relighter, Order], T]) -> T:
        """Read a request, wait for its turn and do a task in another thread.

        Raises:
            HTTPException: if anything is wrong with the request.
        """
        if request.method != "POST":
            raise HTTPException(405, headers={"allow": "POST"})
        wanted = await self._read(request)
        self._refuse(self._waiting >= self._limits.waiting)
        self._waiting += 1
        try:
            async with self._turn:
                if await request.is_disconnected():
                    raise ClientDisconnect
                return await anyio.to_thread.run_sync(
                    order.carry_out, task, self._relighter, wanted, abandon_on_cancel=True
                )
        except asyncio.CancelledError:
            self.is_abandoned = True
            raise HTTPException(503, "the server is being stopped") from None
        finally:
            self._waiting -= 1

    async def _read(self, request: Request) -> Order:
        """A request's photo: while it is on its way it takes no place in the line."""
        full = self._waiting >= self._limits.waiting
        self._refuse(full or self._uploads >= self._limits.uploads)
        self._uploads += 1
        try:
            return await order.read(request, self._limits)
        finally:
            self._uploads -= 1

    def _refuse(self, is_full: bool) -> None:
        if is_full:
            again = {"retry-after": "5"}
            raise HTTPException(503, "too many photos in line; try again later", again)


async def _explain(_: Request, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return error_response(499, "the client left")
    if isinstance(error, HTTPException):
        words = _WORDS.get(error.status_code, error.detail)
        return error_response(error.status_code, words, dict(error.headers or {}))
    return error_response(500, f"this should not happen ({type(error).__name__}); please report it")


def create_app(
    relighter: Relighter | None = None,
    *,
    limits: Limits | None = None,
    hosts: tuple[str, ...] | None = LOOPBACK,
) -> Starlette:
    """The page and the API as an ASGI application.

    Args:
        relighter: does the work, and is closed when the application ends; None makes one.
        limits: of requests.
        hosts: names that clients may call this server by; None for any.
    """
    limits = limits or Limits()
    worker = relighter or Relighter()
    queue = PhotoQueue(worker, limits)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        if not queue.is_abandoned:  # else the models are still at work for nobody
            worker.close()

    async def relight(request: Request) -> Response:
        content, kind = await queue.work(request, order.relight)
        return Response(content, media_type=kind)

    async def analyze(request: Request) -> Response:
        return JSONResponse(await queue.work(request, order.analyze))

    async def convert(request: Request) -> Response:
        content, kind = await queue.work(request, order.convert)
        return Response(content, media_type=kind)

    async def openapi(_: Request) -> Response:
        return JSONResponse(describe(limits))

    page = Path(str(resources.files("relight_app"))) / "page"
    return Starlette(
        routes=[
            Route("/relight", relight, methods=_METHODS),
            Route("/analyze", analyze, methods=_METHODS),
            Route("/convert", convert, methods=_METHODS),
            Route("/openapi.json", openapi),
            Route("/{path:path}", Files(page, Models().folder)),
        ],
        middleware=[Middleware(Gate, limits=limits, hosts=hosts)],
        exception_handlers={
            HTTPException: _explain,
            ClientDisconnect: _explain,
            Exception: _explain,
        },
        lifespan=lifespan,
    )
