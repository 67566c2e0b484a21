"""Who may ask: this page alone, by whoever was given its key, in small amounts.

Takes requests; refuses other host names (DNS rebinding), other sites in the same browser (cross-site
requests), whoever comes without the key, bodies that are not JSON, too large or half sent, and adds headers
that keep the page to itself.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import math
import re
import secrets
import socket
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from bladerun.errors import InputError

MOST_BYTES = 64 * 1024  # a runner's file with all its notes is a tenth of it
_DEEPEST = 12  # tables within tables; a runner's file has four
_SENT_S = 10.0  # for a body to come in
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:/@\s]+)(?::[0-9]{1,5})?")
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; media-src blob:; style-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_NO_KEY = (
    "This page opens with the address that `bladerun app` printed when it was started, up to the last letter."
)


class Guard:
    """ASGI middleware: same-origin JSON in, closed headers out.

    host: where the page is served. token: the key that the page's first address carries; then a cookie holds
    it. Without one whoever reaches the page is let in.
    """

    def __init__(self, app, *, host: str, token: str | None):
        self.app, self.token, self.names = app, token, _names(host)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def closed(message):
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for key, value in _HEADERS.items():
                    headers[key] = value
            await send(message)

        answer = self._answer(scope, Headers(scope=scope))
        await (answer or self.app)(scope, receive, closed)

    def _answer(self, scope, headers: Headers) -> Response | None:
        """What is answered in place of the page: why a request is not its own, or its cookie."""
        if not _is_ours(headers.get("host", ""), self.names):
            return PlainTextResponse("not a name of this machine; use its address", 400)
        if reason := _refused(scope["method"], scope["scheme"], headers):
            return PlainTextResponse(reason, 403)
        if self.token is None:
            return None
        request = Request(scope)
        name = f"bladerun-{request.url.port or 80}"  # a browser sends every port the cookies of the others
        given = QueryParams(scope["query_string"]).get("token")
        if scope["method"] == "GET" and given is not None and _equal(given, self.token):
            entered = RedirectResponse("/", 303)
            entered.set_cookie(name, self.token, httponly=True, samesite="lax")
            return entered
        if not _equal(request.cookies.get(name, ""), self.token):
            return PlainTextResponse(_NO_KEY, 401)
        return None


def _equal(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(errors="replace"), other.encode())


def _names(host: str) -> frozenset[str]:
    """Names by which the page may be asked for, besides numbers, which no other site can be given."""
    names = {"localhost", host.lower()}
    if host not in ("127.0.0.1", "localhost", "::1"):
        here = socket.gethostname().lower()
        names |= {here, here.partition(".")[0], f"{here.partition('.')[0]}.local"}
    return frozenset(names)


def _is_ours(host: str, names: Iterable[str]) -> bool:
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].lower()
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name in names
    return True


def _refused(method: str, scheme: str, headers: Headers) -> str:
    """Why a request is not the page's own, or nothing."""
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"{scheme}://{headers.get('host', '')}".lower():
        return "another site asked"
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and method != "GET":
        return "another site asked"
    if method == "POST" and headers.get("content-type", "").partition(";")[0] != "application/json":
        return "only JSON is taken"
    return ""


async def body_of(request: Request) -> dict[str, Any]:
    """The request's JSON object; InputError where it is too large, half sent or none that a file can hold."""
    body = b""
    try:
        async with asyncio.timeout(_SENT_S):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise InputError(f"too large; a runner's file has at most {MOST_BYTES // 1024} kB")
    except (TimeoutError, asyncio.CancelledError):  # too slow, or the page is being ended meanwhile
        raise InputError("was not sent in full") from None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("not JSON") from None
    if not isinstance(found, dict):
        raise InputError("not a JSON object")
    check_plain(found)
    return found


def check_plain(value: Any) -> None:
    """InputError for what is nested too deeply, and for numbers and letters that TOML has not."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [each for one in level for each in _parts(one)]
        if not level:
            return
    raise InputError("nested too deeply")


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, int) and abs(value) >= 2**63:
        raise InputError("a number is too large; TOML allows 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError("a number without end is not allowed")
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= x <= "\udfff" for x in value):
        raise InputError("half a letter is not allowed; text must be Unicode")
    return ()
