"""What the page asks and what it is answered.

Takes a folder and a number of processes; gives the web application. One case is looked at at a time; the
page holds the runner's file, the server what was solved around it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bladerun import __version__, _facts
from bladerun._files import output_dir
from bladerun.app import _neighbourhood as near
from bladerun.app._guard import Guard, body_of
from bladerun.app._margins import Margin, margins
from bladerun.app._neighbourhood import Point
from bladerun.app._portrait import Portrait, blend
from bladerun.app._sheet import sheet
from bladerun.app._story import story
from bladerun.app._view import differences, scene, view
from bladerun.app._work import Work, solved
from bladerun.blade import Blade, catalog, load_blade
from bladerun.case import Case, check_case
from bladerun.errors import InputError
from bladerun.report._words import setting
from bladerun.study._crew import Crew, hire

_PAGE = Path(__file__).parent / "page"
_FIRST = {
    "runner": {"mass_kg": 72.0, "height_m": 1.76, "sex": "female"},
    "amputation": {"side": "right", "level": "transtibial"},
    "fitting": {"blade": "j-sprint", "category": "recommended", "height_mm": 20, "toe_out_deg": 0},
    "task": {"speed_m_s": 3.3},
}
_LOCAL = ["127.0.0.1", "localhost", "[::1]"]


def create(
    folder: str | Path,
    *,
    workers: int | None = None,
    host: str = "127.0.0.1",
    crew: Crew | None = None,
    job: Callable = solved,
) -> Starlette:
    """The application. crew, job: who works and how, instead of processes on this machine that solve."""
    folder = output_dir(folder)
    output_dir(folder / "strides")
    desk = _Desk(folder, workers, crew, job)
    hosts = _LOCAL if host in _LOCAL or host == "::1" else ["*"]

    @asynccontextmanager
    async def life(_):
        yield
        desk.close()

    return Starlette(
        routes=[
            Route("/", lambda _: FileResponse(_PAGE / "index.html")),
            Route("/api/facts", desk.facts),
            Route("/api/progress", desk.progress),
            Route("/api/open", desk.open, methods=["POST"]),
            Route("/api/save", desk.save, methods=["POST"]),
            Route("/api/explore", desk.explore, methods=["POST"]),
            Route("/api/at", desk.at, methods=["POST"]),
            Route("/api/solve", desk.solve, methods=["POST"]),
            Route("/api/vary", desk.vary, methods=["POST"]),
            Route("/api/sheet", desk.sheet, methods=["POST"]),
            Mount("/page", StaticFiles(directory=_PAGE)),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
            Middleware(Guard),
        ],
        exception_handlers={InputError: _said},
        lifespan=life,
    )


async def _said(_: Request, error: Exception) -> Response:
    assert isinstance(error, InputError)
    return JSONResponse({"error": str(error), "key": error.key}, 422)


class _Desk:
    """The case on the desk and the answers about it."""

    def __init__(self, folder: Path, workers: int | None, crew: Crew | None, job: Callable):
        self.folder, self.workers, self.job = folder, workers, job
        self.work: Work | None = None
        self._crew, self._hired = crew, ExitStack()

    def crew(self) -> Crew:
        """Who solves; hired when first needed, so that the page opens at once."""
        if self._crew is None:
            self._crew = self._hired.enter_context(hire(self.workers))
        return self._crew

    def close(self) -> None:
        if self.work:
            self.work.stop()
        self._hired.close()

    async def facts(self, _: Request) -> Response:
        body = _facts.toml("body.toml")
        blades = [_listed(name, load_blade(name)) for name in catalog()]
        ranges = {**body["range"], **{k: v for k, v in body["fitting"].items() if k != "status"}}
        return JSONResponse({"version": __version__, "first": _FIRST, "blades": blades, "ranges": ranges})

    async def open(self, request: Request) -> Response:
        text = (await body_of(request)).get("text")
        if not isinstance(text, str):
            raise InputError("not a runner's file")
        try:
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise InputError(f"not a runner's file: {error}") from None
        case = _case(document)
        near.centre(case)
        blade = case.fitting.blade if case.fitting else None
        own = _listed(document["fitting"]["blade"], blade) if isinstance(blade, Blade) else None
        try:
            return JSONResponse({"document": document, "blade": own})
        except (TypeError, ValueError):
            raise InputError("not a runner's file: a date or an endless number stands in it") from None

    async def save(self, request: Request) -> Response:
        document = _document((await body_of(request)).get("document"))
        _case(document)
        return Response(tomli_w.dumps(document), media_type="application/toml")

    async def explore(self, request: Request) -> Response:
        """Begin with a case: its sliders, and what is solved around it from now on."""
        case = _case(_document((await body_of(request)).get("document")))
        near.at(case, near.centre(case))
        if self.work and self.work.serves(case):
            self.work.case = case
        else:
            if self.work:
                self.work.stop()
            self.work = Work(case, self.folder, await run_in_threadpool(self.crew), self.job)
        points, middle, step = near.around(case), self.work.middle, near.steps()
        axes = {
            axis: {
                "value": getattr(middle, axis),
                "least": min(getattr(point, axis) for point in points),
                "most": max(getattr(point, axis) for point in points),
                "step": 1 if axis == "category" else getattr(step, axis) / 5,
            }
            for axis in Point._fields
        }
        return JSONResponse({"middle": list(middle), "axes": axes})

    async def progress(self, _: Request) -> Response:
        return JSONResponse(self.work.progress() if self.work else {"done": 0, "total": 0})

    async def solve(self, request: Request) -> Response:
        self._on_desk().ask(_point(await body_of(request), "point"))
        return JSONResponse({})

    async def vary(self, request: Request) -> Response:
        """Find out how sure a comparison is: both its points again with the facts behind them varied."""
        asked, work = await body_of(request), self._on_desk()
        work.vary(_point(asked, "against"), _point(asked, "point"))
        return JSONResponse({})

    async def at(self, request: Request) -> Response:
        """One point beside another: numbers and drawings of both, what changed and how sure that is."""
        asked, work = await body_of(request), self._on_desk()
        point, against = _point(asked, "point"), _point(asked, "against")
        here, there = _mixed(work, point), _mixed(work, against)
        known = margins(work, point, against)
        answer = {
            "now": _shown(work, point, here, known.here),
            "before": _shown(work, against, there, known.there),
            "margins": known.words,
            "varied": known.varied,
        }
        if here and there and point != against:
            other = "what is worn today" if against == work.middle else "the other fitting"
            answer["story"] = story(here.numbers, there.numbers, known.change, here.side, other)
            answer["differences"] = differences(here, there, known.change)
        return JSONResponse(answer)

    async def sheet(self, request: Request) -> Response:
        asked, work = await body_of(request), self._on_desk()
        path = await run_in_threadpool(sheet, work, _point(asked, "point"), self.folder)
        name = re.sub(r"[^A-Za-z0-9]+", "-", work.case.name).strip("-").lower() or "runner"
        return FileResponse(path, media_type="application/pdf", filename=f"{name}-sheet.pdf")

    def _on_desk(self) -> Work:
        if self.work is None:
            raise InputError("no runner is on the desk yet")
        return self.work


def _shown(work: Work, point: Point, one: Portrait | None, margin: Margin | None) -> dict[str, Any]:
    """state: solved, between (solved strides), failed or unknown (yet)."""
    words = setting(point._asdict()) + f", {point.speed_m_s:g} m/s"
    if point in work.failed:
        return {"state": "failed", "setting": words, "why": work.failed[point]}
    if one is None:
        return {"state": "unknown", "setting": words}
    state = "solved" if point in work.portraits else "between"
    shown = view(one, margin, point.speed_m_s)
    return {"state": state, "setting": words, "view": shown, "scene": scene(one)}


def _mixed(work: Work, point: Point) -> Portrait | None:
    parts = near.weights(point, work.middle, work.portraits)
    return blend([work.portraits[p] for p in parts], list(parts.values())) if parts else None


def _document(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError("not a runner's file")
    return value


def _case(document: dict[str, Any]) -> Case:
    """The case in a runner's file, its blade's own file in the folder where the page was started."""
    fitting = document.get("fitting")
    blade = fitting.get("blade") if isinstance(fitting, dict) else None
    if blade is not None and (not isinstance(blade, str) or Path(blade).name != blade):
        raise InputError(f"{blade!r} is not allowed; a name, without folders", key="[fitting] blade")
    return check_case(document)


def _listed(name: str, blade: Blade) -> dict[str, Any]:
    """A blade as the form needs it: what stands in the runner's file, and what is shown."""
    return {"name": name, "title": blade.title, "categories": list(blade.categories)}


def _point(asked: dict[str, Any], key: str) -> Point:
    values = asked.get(key)
    if not isinstance(values, list) or not _numbers(values):
        raise InputError(f"{values!r} is not allowed; category, height_mm, toe_out_deg, speed_m_s", key=key)
    return Point(*(round(float(value), 6) for value in values))


def _numbers(values: list[Any]) -> bool:
    right = len(values) == len(Point._fields)
    return right and all(type(value) in (int, float) and np.isfinite(value) for value in values)
