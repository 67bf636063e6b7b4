# SPDX-License-Identifier: Apache-2.0
"""``relight serve``: the web page and the HTTP API on this machine."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

GRACE_S = 1
"""Seconds that requests under way have to end once the server is asked to stop."""
INTERRUPTED = 130
"""Exit status after Ctrl+C, as shells have it."""
CURE = "pip install 'portrait-relight[web]'"
HELP = """Serve the web page and the HTTP API.

The page relights photos in the browser itself: they never leave it. The API (POST /relight and \
POST /analyze; /openapi.json describes it) relights them here:

  curl -F photo=@portrait.jpg http://127.0.0.1:8000/relight -o relit.jpg

Only this machine can reach the server unless --host says otherwise. It has no passwords.
"""

app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)


def main(arguments: Sequence[str]) -> None:
    """Run ``relight serve`` and exit.

    Args:
        arguments: what follows ``serve``.
    """
    app(list(arguments), prog_name="relight serve")


@app.command(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
def serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="0 chooses a free one.")
    ] = 8000,
    host: Annotated[
        str,
        typer.Option(metavar="HOST", help="Address to listen on; 0.0.0.0 opens it to the network."),
    ] = "127.0.0.1",
) -> None:
    """Serve until interrupted; users see :data:`HELP`."""
    missing = [n for n in ("starlette", "uvicorn", "python_multipart") if not _is_installed(n)]
    if missing:
        _fail(f"{', '.join(missing)} missing: {CURE}")
    import uvicorn

    from relight_app.server.application import create_app
    from relight_app.server.gate import LOOPBACK

    try:
        listener = _listen(host, port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        _fail(f"cannot listen on {host}:{port} ({reason}); choose another --port or --host")
    shown = f"[{host}]" if ":" in host else host
    name, local = listener.getsockname()[1], host in LOOPBACK
    sys.stderr.write(f"relight: http://{shown}:{name}/ (Ctrl+C stops it)\n")
    if not local:
        sys.stderr.write("relight: everyone on the network can reach this server\n")
    config = uvicorn.Config(
        create_app(hosts=LOOPBACK if local else None),
        log_level="warning",
        timeout_graceful_shutdown=GRACE_S,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        # A photo that is being relit for nobody must not keep the process.
        os._exit(INTERRUPTED)


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()  # who reads the address may come at once
    except BaseException:
        listener.close()
        raise
    return listener


def _fail(words: str) -> NoReturn:
    sys.stderr.write(f"relight: {words}\n")
    raise typer.Exit(1)
