"""What marks on a film say of the runner in the form, beside what is predicted for today's fitting.

Takes the runner's document, marks as numbers and the work done so far; gives the section [measured] of the
runner's file and rows to show. The film stays in the browser.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bladerun._lib.table import plain
from bladerun.app import _documents
from bladerun.app._work import Work
from bladerun.case import Case
from bladerun.errors import InputError
from bladerun.model import build_model
from bladerun.motion.film import marks_of, seen
from bladerun.report.seen import seen_in_words, seen_rows
from bladerun.seen import Seen


def compared(document: Any, marks: Any, work: Work | None) -> dict[str, Any]:
    """measured: what the marks say laid over what the document has of other films, as a file has it; rows,
    words: of it beside the prediction, where there is one; notes: marks that give nothing. marks: None shows
    what the document has."""
    case, notes = _documents.case_of(document), []
    if case.fitting is None:
        raise InputError("the film is compared on a blade; say in the form what is worn today")
    found = case.measured
    if marks is not None:
        found, notes = _with(case, marks)
    if found is None or not found.outcomes:
        return {"measured": None, "rows": [], "words": "", "notes": notes}
    rows = seen_rows(found, _predicted(case, work))
    words = seen_in_words(rows) if any(row["verdict"] for row in rows) else ""
    return {"measured": _written(found), "rows": rows, "words": words, "notes": notes}


def _with(case: Case, marks: Any) -> tuple[Seen, list[str]]:
    """The marks of one film, and what was seen of the runner at this speed on another one."""
    model = build_model(case.runner, case.amputation, case.fitting)
    affected = "left" if case.amputation.side == "left" else "right"
    found, notes = seen(marks_of(marks), model, case.task.speed_m_s, affected)
    before = case.measured
    if before is None or before.speed_m_s != found.speed_m_s:
        return found, notes
    return replace(found, outcomes={**before.outcomes, **found.outcomes}), notes


def _predicted(case: Case, work: Work | None) -> dict[str, float] | None:
    """Today's numbers, where they are solved, for this runner and fitting."""
    if work is None or not work.serves(case) or work.middle not in work.portraits:
        return None
    return work.portraits[work.middle].numbers


def _written(found: Seen) -> dict[str, Any]:
    """As a file has it: five digits, and only what is known."""
    outcomes = {
        column: {
            key: round(float(f"{value:.5g}"), 9) if isinstance(value, float) else value
            for key, value in each._asdict().items()
            if value is not None
        }
        for column, each in found.outcomes.items()
    }
    return plain({"speed_m_s": found.speed_m_s, "outcomes": outcomes})
