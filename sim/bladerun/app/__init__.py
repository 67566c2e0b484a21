"""The prosthetist's page: a form, a moving runner, and what a change of fitting does, in a browser.

Takes a folder for what it solves; serves one page on this machine. Nothing is loaded from elsewhere and
nothing leaves the machine; other sites in the same browser are refused (`_guard`).

The page is plain HTML with small scripts of its own and draws the runner on a 2-D canvas, as convex shapes
from back to front. viser and three.js both need WebGL, which Chromium 156 without a GPU draws
in software, with an error in the console that this is deprecated, and not at all where that is turned off;
and a form that works by keyboard and screen reader is easier in HTML. All thinking is done here in Python:
the page asks for a fitting and draws the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from bladerun.app._server import create
from bladerun.errors import InputError

__all__ = ["create", "serve"]


def serve(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    browser: bool = True,
    workers: int | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve until interrupted. host: the loopback address, unless others on the network shall see the page.

    port: 0 takes a free one. browser: open the page once it is served. workers: solving processes.
    Raises InputError where the folder cannot be written to or the port is taken.
    """
    config = uvicorn.Config(create(folder, workers=workers, host=host), log_level="warning", access_log=False)
    try:
        socket = _bound(host, port)
    except OSError as error:
        raise InputError(
            f"cannot be served at {host}:{port}: {error.strerror or error}", key="port"
        ) from None
    address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{socket.getsockname()[1]}/"
    say(f"the page is at {address} (Ctrl+C ends it); it keeps what it solves in {folder}")
    if host not in ("127.0.0.1", "localhost", "::1"):
        say("anyone who can reach this machine can see and use the page")
    if browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(uvicorn.Server(config).serve(sockets=[socket]))


def _bound(host: str, port: int):
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    if sys.platform != "win32":  # there it would take a port that another program serves
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound
