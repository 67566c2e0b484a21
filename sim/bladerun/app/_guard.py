"""Who may ask: this page alone, in small amounts.

Takes requests; refuses other host names (DNS rebinding), other sites in the same browser (cross-site
requests), bodies that are not JSON or too large, and adds headers that keep the page to itself.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from bladerun.errors import InputError

MOST_BYTES = 64 * 1024  # a runner's file with all its notes is a tenth of it
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware: same-origin JSON in, closed headers out."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def closed(message):
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for key, value in _HEADERS.items():
                    headers[key] = value
            await send(message)

        reason = _refused(scope["method"], Headers(scope=scope))
        if reason:
            return await PlainTextResponse(reason, 403)(scope, receive, closed)
        await self.app(scope, receive, closed)


def _refused(method: str, headers: Headers) -> str:
    """Why a request is not the page's own, or nothing."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host", ""):
        return "another site asked"
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and method != "GET":
        return "another site asked"
    if method == "POST" and headers.get("content-type", "").partition(";")[0] != "application/json":
        return "only JSON is taken"
    return ""


async def body_of(request: Request) -> dict[str, Any]:
    """The request's JSON object; InputError where it is too large or none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise InputError(f"too large; a runner's file has at most {MOST_BYTES // 1024} kB")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("not JSON") from None
    if not isinstance(found, dict):
        raise InputError("not a JSON object")
    return found
