"""The answer on the page: which one change to try first, or to keep what is worn, why, and what follows.

Takes the work done so far; gives plain JSON. The rules are those of `bladerun fit` (`recommend`, `answer`)
and the words those of its report.
"""

from __future__ import annotations

from typing import Any

from bladerun.app._compared import Compared, lacking, limits
from bladerun.app._work import Task, Work
from bladerun.report.unconfirmed import differing, unconfirmed
from bladerun.report.words import answer
from bladerun.study import recommend
from bladerun.study.answer import changes, first_step
from bladerun.study.intervals import LEVEL
from bladerun.study.landings import blades

_TITLES = {"Try": "Try first", "Keep": "Keep what you have"}  # else as the report has it
_STOPPED = "Solving was stopped: only what is solved is compared. “Predict running” goes on."
_UNSURE = (
    "Not final: what is unknown of blade, body and way of running is still being solved, and the answer may "
    "yet be to keep what is worn."
)
_FURTHER = "Not final: further fittings are still being solved."
_SURE = (
    "A change is named only where it gains more than matters, and more than is unknown of blade, body and "
    "way of running ({level:.0f} %; these fittings were solved {count} times more)."
)
_SCATTER = "By numerical scatter alone: with blade, body and way of running varied too few strides converged."
_FAILED = "The fitting worn today could not be run, so nothing can be compared with it: {why}."
_WAIT = "Being solved: it follows when the fittings around today's are known ({done} of {count})."


def try_first(work: Work, known: Compared | None) -> dict[str, Any]:
    """title and words of the answer, and the point to look at; title alone is empty while it is unknown.

    known: the comparison; None while the neighbours are being solved.
    """
    if work.middle in work.failed:
        return {"title": "No answer", "why": _FAILED.format(why=work.failed[work.middle])}
    if known is None:
        done = sum(work.finished(Task(point)) for point in work.around)
        return {"title": "", "why": _WAIT.format(done=done, count=len(work.around))}
    table, current, recommended = known.table, known.current, known.recommended
    _, indistinct = recommend.recommend(table, known.members)
    first = first_step(table, recommended, current)
    words = answer(table, recommended, current, first, blades(work.case))
    why = recommend.why(table, recommended, current, indistinct, known.members, known.best)
    single = {row["name"]: row["words"] for row in changes(table, current)}
    return {
        "title": _TITLES.get(words.label, words.label),
        "setting": words.first or words.setting,
        "change": single.get(first, ""),
        "why": " ".join([why, *(limits(work, known) if first else [])]),
        "seen": words.seen,
        "then": words.then,
        "doubts": _doubts(known),
        "note": _note(work, known),
        "point": list(known.points[first]) if first else None,
    }


def ready(work: Work) -> bool:
    """Whether there is something to compare: today's fitting, and all its neighbours unless stopped."""
    around = all(work.finished(Task(point)) for point in work.around)
    return work.middle in work.portraits and (around or work.halted)


def _note(work: Work, known: Compared) -> str:
    """How sure it is, and whether it is final."""
    left = [task for task in lacking(work, known) if not task.shift_mm]
    if left and work.halted:
        return _STOPPED
    if left:
        return _UNSURE if any(task.member for task in left) else _FURTHER
    if not known.is_change:
        return ""
    if {known.current, known.best, known.candidate} <= set(known.members.index.unique("name")):
        return _SURE.format(level=100 * LEVEL, count=len(work.draws))
    return _SCATTER


def _doubts(known: Compared) -> list[str]:
    """What validation did not confirm of the reasons for a change."""
    if known.recommended in (None, known.current):
        return []
    name, table = str(known.recommended), known.table
    changed = differing(table.loc[name], table.loc[known.current])
    rows = recommend.compare(table, name, known.current, known.members)
    said = [unconfirmed(row["key"], changed) for row in rows if row["verdict"] == "matters"]
    return list(dict.fromkeys(filter(None, said)))
