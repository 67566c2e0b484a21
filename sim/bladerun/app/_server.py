"""What the page asks and what it is answered.

Takes a folder and a number of processes; gives the web application. One case is looked at at a time; the
page holds the runner's file, the server what was solved around it.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import tomli_w
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bladerun import __version__
from bladerun._lib.kinds import Listed, Number
from bladerun.app import _documents, _film, _form
from bladerun.app import _neighbourhood as near
from bladerun.app._compared import compared, lacking
from bladerun.app._curves import curves, window
from bladerun.app._guard import Guard, body_of
from bladerun.app._margins import Margin, margins
from bladerun.app._neighbourhood import Point
from bladerun.app._portrait import Portrait, blend
from bladerun.app._sheet import sheet
from bladerun.app._story import story
from bladerun.app._try_first import ready, try_first
from bladerun.app._view import differences, scene, view
from bladerun.app._work import Work
from bladerun.blade.running_blade import Blade
from bladerun.case import Case
from bladerun.errors import InputError
from bladerun.report.words import setting
from bladerun.study import strides
from bladerun.study.executors import Executor, opened
from bladerun.study.job import Done, Job, work

_PAGE = Path(__file__).parent / "page"


def create(
    folder: str | Path,
    *,
    workers: int | None = None,
    host: str = "127.0.0.1",
    token: str | None = None,
    look_in: str | Path | None = None,
    executor: Executor | None = None,
    work: Callable[[Job], Done] = work,
) -> Starlette:
    """The application. host: where it is served. token: the key its first address must carry as `?token=`;
    without one it lets everybody in. look_in: as of `study.fit`. executor, work: who works and how, instead
    of processes on this machine.
    """
    desk = _Desk(folder, look_in, workers, executor, work)

    @asynccontextmanager
    async def life(_):
        yield
        desk.close()

    app = Starlette(
        routes=[
            Route("/", lambda _: FileResponse(_PAGE / "index.html")),
            Route("/api/facts", desk.facts),
            Route("/api/progress", desk.progress, methods=["POST"]),
            Route("/api/open", desk.open, methods=["POST"]),
            Route("/api/save", desk.save, methods=["POST"]),
            Route("/api/explore", desk.explore, methods=["POST"]),
            Route("/api/at", desk.at, methods=["POST"]),
            Route("/api/answer", desk.answer, methods=["POST"]),
            Route("/api/solve", desk.solve, methods=["POST"]),
            Route("/api/vary", desk.vary, methods=["POST"]),
            Route("/api/halt", desk.halt, methods=["POST"]),
            Route("/api/sheet", desk.sheet, methods=["POST"]),
            Route("/api/film", desk.film, methods=["POST"]),
            Mount("/page", StaticFiles(directory=_PAGE)),
        ],
        middleware=[
            Middleware(Guard, host=host, token=token),
        ],
        exception_handlers={InputError: _said, ClientDisconnect: _left},
        lifespan=life,
    )
    app.state.desk = desk
    return app


async def _said(_: Request, error: Exception) -> Response:
    assert isinstance(error, InputError)
    ends = error.allowed if error.allowed and all(map(math.isfinite, error.allowed)) else None
    said = {"error": _short(str(error)), "what": _short(error.what), "key": error.key, "allowed": ends}
    return JSONResponse(said, 422)


def _short(text: str) -> str:
    """A sentence that repeats what was asked, without the middle of what is very long."""
    return text if len(text) <= 400 else f"{text[:240]} … {text[-150:]}"


async def _left(_: Request, __: Exception) -> Response:
    return PlainTextResponse("was not sent in full", 400)  # nobody is there to read it


class _Desk:
    """The case on the desk and the answers about it.

    run: what every question about the case must name, so that a page that shows another runner, whose case
    was on the desk before, is told so and never given this one's numbers.
    """

    def __init__(
        self,
        folder: str | Path,
        look_in: str | Path | None,
        workers: int | None,
        executor: Executor | None,
        work: Callable[[Job], Done],
    ):
        self.workers, self.do = workers, work
        self.work: Work | None = None
        self.case: Case | None = None
        self.run = ""
        self._executor, self._opened = executor, ExitStack()
        self._strides = self._opened.enter_context(strides.opened(folder, look_in))
        self._changing = asyncio.Lock()

    def executor(self) -> Executor:
        """Who solves; opened when first needed, so that the page opens at once."""
        if self._executor is None:
            self._executor = self._opened.enter_context(opened(self.workers))
        return self._executor

    def close(self) -> None:
        if self.work:
            self.work.stop()
        self._opened.close()

    async def facts(self, _: Request) -> Response:
        return JSONResponse({"version": __version__, **_form.facts()})

    async def open(self, request: Request) -> Response:
        document = await run_in_threadpool(_documents.read, (await body_of(request)).get("text"))
        case = await run_in_threadpool(_documents.case_of, document)
        near.centre(case)
        blade = case.fitting.blade if case.fitting else None
        own = _form.listed(document["fitting"]["blade"], blade) if isinstance(blade, Blade) else None
        return JSONResponse({"document": document, "blade": own})

    async def save(self, request: Request) -> Response:
        document = (await body_of(request)).get("document", {})
        case = await run_in_threadpool(_documents.case_of, document)
        return _file(tomli_w.dumps(document).encode(), "application/toml", f"{_form.file_name(case)}.toml")

    async def explore(self, request: Request) -> Response:
        """Begin with a case: its sliders, and what is solved around it from now on."""
        document = (await body_of(request)).get("document")
        case = await run_in_threadpool(_documents.case_of, document)
        points = await run_in_threadpool(_points, case)
        async with self._changing:
            if self.work and self.work.serves(case):
                self.work.begin()
            else:
                executor = await run_in_threadpool(self.executor)
                if self.work:
                    self.work.stop()
                self.work = Work(case, self._strides, executor, self.do, lacking)
            self.case, self.run, work = case, secrets.token_hex(8), self.work
        middle, step = work.middle, near.steps()
        axes = {
            axis: {
                "value": getattr(middle, axis),
                "least": min(getattr(point, axis) for point in points),
                "most": max(getattr(point, axis) for point in points),
                "step": 1 if axis == "category" else getattr(step, axis) / 5,
            }
            for axis in Point._fields
        }
        where = ", ".join(case.task.conditions)
        return JSONResponse({"run": self.run, "middle": list(middle), "axes": axes, "where": where})

    async def progress(self, request: Request) -> Response:
        return JSONResponse(self._on_desk(await body_of(request)).progress())

    async def halt(self, request: Request) -> Response:
        """Begin no further stride; those that are being solved are finished."""
        self._on_desk(await body_of(request)).halt()
        return JSONResponse({})

    async def solve(self, request: Request) -> Response:
        asked = await body_of(request)
        self._on_desk(asked).ask(_point(asked, "point"))
        return JSONResponse({})

    async def vary(self, request: Request) -> Response:
        """Find out how sure a comparison is: both its points again with the facts behind them varied."""
        asked = await body_of(request)
        work = self._on_desk(asked)
        work.vary(_point(asked, "against"), _point(asked, "point"))
        return JSONResponse({})

    async def at(self, request: Request) -> Response:
        """One point beside another: numbers and drawings of both, what changed and how sure that is."""
        asked = await body_of(request)
        work = self._on_desk(asked)
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
            answer["differences"] = differences(here, there, known.change)
            if known.change is not None:
                answer["story"] = story(here.numbers, there.numbers, known.change, here.side, other)
        return JSONResponse(answer)

    async def answer(self, request: Request) -> Response:
        """What to try first, every number over each slider, and where the blade may land, as far as known."""
        work = self._on_desk(await body_of(request))
        return JSONResponse(await run_in_threadpool(_answered, work))

    async def sheet(self, request: Request) -> Response:
        asked = await body_of(request)
        work, case = self._on_desk(asked), self.case
        assert case is not None
        case = replace(case, **_documents.beside(asked))
        content = await run_in_threadpool(sheet, work, case, _point(asked, "point"))
        return _file(content, "application/pdf", f"{_form.file_name(case)}-sheet.pdf")

    async def film(self, request: Request) -> Response:
        """What marks on a film say, beside today's prediction where that is of the runner in the form."""
        asked = await body_of(request)
        work = self.work if self.work and asked.get("run") == self.run else None
        return JSONResponse(
            await run_in_threadpool(_film.compared, asked.get("document"), asked.get("marks"), work)
        )

    def _on_desk(self, asked: dict[str, Any]) -> Work:
        if self.work is None or asked.get("run") != self.run:
            raise InputError(
                "another runner was begun with since, in another window, or the program was started anew; "
                "predict this one again to go on",
                key="run",
            )
        return self.work


_POINT = Listed((Number(-math.inf),) * len(Point._fields), words=", ".join(Point._fields))


def _points(case: Case) -> list[Point]:
    near.at(case, near.centre(case))
    return near.around(case)


def _file(content: bytes, kind: str, name: str) -> Response:
    """To be kept under a name, which a browser may show in any letters."""
    quoted = quote(name, safe="")
    return Response(
        content, media_type=kind, headers={"Content-Disposition": f"attachment; filename*=utf-8''{quoted}"}
    )


def _shown(work: Work, point: Point, one: Portrait | None, margin: Margin | None) -> dict[str, Any]:
    """state: solved, between (solved strides), failed or unknown (yet); waits: it is going to be solved."""
    words = setting(near.fitting_of(work.case, point).row()) + f", {point.speed_m_s:g} m/s"
    waits = work.waits(point)
    if point in work.failed:
        return {"state": "failed", "waits": False, "setting": words, "why": work.failed[point]}
    if one is None:
        return {"state": "unknown", "waits": waits, "setting": words}
    shown = view(one, margin, point.speed_m_s)
    state = "solved" if point in work.portraits else "between"
    return {"state": state, "waits": waits, "setting": words, "view": shown, "scene": scene(one)}


def _answered(work: Work) -> dict[str, Any]:
    known = compared(work) if ready(work) else None
    return {"first": try_first(work, known), "curves": curves(work, known), "window": window(work, known)}


def _mixed(work: Work, point: Point) -> Portrait | None:
    parts = near.weights(point, work.middle, work.portraits)
    return blend([work.portraits[p] for p in parts], list(parts.values())) if parts else None


def _point(asked: dict[str, Any], key: str) -> Point:
    return Point(*(round(float(value), 6) for value in _POINT.read(asked.get(key), key)))
