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
import secrets
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from bladerun.app._server import create
from bladerun.errors import InputError

__all__ = ["create", "serve"]

_GRACE_S = 1  # for requests under way when it is ended


def serve(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    browser: bool = True,
    workers: int | None = None,
    look_in: str | Path | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve until interrupted. host: the loopback address, unless others on the network shall see the page.

    port: 0 takes a free one. browser: open the page once it is served. workers: solving processes. look_in:
    as of `study.fit`. The address that is said holds a key made for this time, without which nobody is
    answered.
    Raises InputError where the folder cannot be written to or the port is taken.
    """
    token = secrets.token_urlsafe(24)
    config = uvicorn.Config(
        create(folder, workers=workers, host=host, token=token, look_in=look_in),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    try:
        socket = _bound(host, port)
    except OSError as error:
        raise InputError(
            f"cannot be served at {host}:{port}: {error.strerror or error}", key="port"
        ) from None
    address = address_of(host, socket.getsockname()[1], token)
    say(f"the page is at {address} (Ctrl+C ends it); it keeps what it solves in {folder}")
    if host not in ("127.0.0.1", "localhost", "::1"):
        say(
            "whoever has this address can use the page and see the runner on it, and so can whoever listens "
            "on the network, since it is not encrypted"
        )
    if browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(uvicorn.Server(config).serve(sockets=[socket]))


def address_of(host: str, port: int, token: str) -> str:
    """Where a page served at `host` opens on this machine."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    name = f"[{here.replace('%', '%25')}]" if ":" in here else here
    return f"http://{name}:{port}/?token={token}"


def _bound(host: str, port: int):
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    if sys.platform != "win32":  # there it would take a port that another program serves
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    bound.listen()  # whoever opens the address as soon as it is said waits for the page
    return bound
