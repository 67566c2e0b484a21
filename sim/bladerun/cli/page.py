"""The command that serves the page.

Takes parsed arguments; serves until interrupted.
"""

from __future__ import annotations

import argparse
from typing import Any

from bladerun._lib.messages import say
from bladerun.cli._answer import RUNS, Answer
from bladerun.cli._arguments import count, declare


def add(commands: Any) -> None:
    """Declare `app`."""
    app = declare(
        commands,
        _app,
        "open the page for prosthetists in the browser",
        "app",
        None,
        ("DIR", "runs/app"),
    )
    app.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to serve at, to whoever has the printed key (default: this machine alone)",
    )
    app.add_argument(
        "--port", type=_port, default=8765, metavar="N", help="0 takes a free one (default: 8765)"
    )
    app.add_argument("--no-browser", action="store_true", help="do not open a browser")
    app.add_argument("--workers", type=count, metavar="N", help="processes (default: one a core)")


def _app(args: argparse.Namespace) -> Answer:
    from bladerun.app import serve

    folder = args.out or RUNS / "app"
    serve(
        folder,
        host=args.host,
        port=args.port,
        browser=not args.no_browser,
        workers=args.workers,
        look_in=RUNS,
        say=say,
    )
    return Answer({"folder": str(folder)}, f"ended; what was solved is in {folder}")


def _port(text: str) -> int:
    """A port: 0 to 65535."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not allowed; a whole number from 0 to 65535")
    return int(text)
