# SPDX-License-Identifier: Apache-2.0
"""The page's files and the library's models, as small on the wire as the client understands.

What a build names by its content may be kept for ever; all else is asked for again, and answered
in a few bytes if it is the same.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from relight.models.library import MANIFEST, read_manifest

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
HALVES = ".halves"
"""Ends the address of a model whose even bytes come first, then the odd ones: weights are numbers
of 16 bits, whose halves pack better apart (5.7 MB for all models, as they are 6.4)."""
_HASHED = re.compile(r"assets/.*-[\w-]{8}\.\w+|litert-[\w.-]+/.*")
"""Paths in the page that change with what stands there."""
_PACKED = {"br": ".br", "gzip": ".gz"}
"""Encodings that a file may lie beside itself in, the smallest first."""
_DENSE = {".png", ".jpg", ".webp", ".gz", ".br"}
"""Files that do not shrink any more."""
_TYPES = {".wasm": "application/wasm", ".tflite": "application/octet-stream", HALVES: ""}


@dataclass(frozen=True)
class _Sent:
    """A file in one encoding, ready to be sent."""

    content: bytes
    encoding: str | None
    tag: str


class Files:
    """The page's folder and the models, by their addresses; nothing else can be reached.

    Args:
        page: folder of the built page.
        models: folder of the library's models.
    """

    def __init__(self, page: Path, models: Path) -> None:
        self._paths = {
            path.relative_to(page).as_posix(): path for path in page.rglob("*") if path.is_file()
        }
        self._sums = {}
        for entry in read_manifest(models)[1].values():
            for name in (f"models/{entry.file}", f"models/{entry.file}{HALVES}"):
                self._paths[name] = models / entry.file
                self._sums[name] = entry.sha256
        self._paths[f"models/{MANIFEST}"] = models / MANIFEST
        self._ready: dict[tuple[str, str], _Sent] = {}
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI wants it."""
        request = Request(scope, receive)
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        name = request.path_params["path"] or "index.html"
        accepted = request.headers.get("accept-encoding", "")
        # Packing a model takes a moment, and others must not wait for it.
        sent = await run_in_threadpool(self._file, name, accepted)
        if sent is None:
            raise HTTPException(404)
        headers = {
            "cache-control": FOR_EVER if self._is_fixed(name, request.url.query) else ASK_AGAIN,
            "etag": sent.tag,
            "vary": "accept-encoding",
        }
        if sent.encoding:
            headers["content-encoding"] = sent.encoding
        if request.headers.get("if-none-match") == sent.tag:
            answer = Response(status_code=304, headers=headers)
        else:
            answer = Response(sent.content, headers=headers, media_type=_media_type(name))
        await answer(scope, receive, send)

    def _is_fixed(self, name: str, query: str) -> bool:
        """Whether an address names what stands there by its content."""
        if name in self._sums:
            return query == self._sums[name]
        return bool(_HASHED.fullmatch(name))

    def _file(self, name: str, accepted: str) -> _Sent | None:
        """A file in the smallest encoding that a client accepts; None if there is none."""
        wanted = [encoding for encoding in _PACKED if _accepts(accepted, encoding)]
        for encoding in wanted:
            path = self._paths.get(name + _PACKED[encoding])
            if path is not None:
                return self._kept(name, encoding, path)
        path = self._paths.get(name)
        if path is None:
            return None
        packs = "gzip" in wanted and Path(name).suffix not in _DENSE
        return self._kept(name, "+gzip" if packs else "", path)

    def _kept(self, name: str, how: str, path: Path) -> _Sent:
        """A file as it is sent, made once."""
        with self._lock:
            if (name, how) not in self._ready:
                content = path.read_bytes()
                if name.endswith(HALVES):
                    content = content[::2] + content[1::2]
                if how == "+gzip":
                    content = _packed(content)
                tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
                self._ready[name, how] = _Sent(content, how.lstrip("+") or None, tag)
            return self._ready[name, how]


def _packed(content: bytes) -> bytes:
    """The content as gzip: filtered and in short blocks, which suits the halves of weights."""
    made = zlib.compressobj(9, zlib.DEFLATED, 31, 7, zlib.Z_FILTERED)
    return made.compress(content) + made.flush()


def _accepts(header: str, encoding: str) -> bool:
    for part in header.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        if name.strip() == encoding:
            return not re.fullmatch(r"q=0(\.0*)?", parameters.strip())
    return False


def _media_type(name: str) -> str:
    suffix = Path(name).suffix
    return _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
