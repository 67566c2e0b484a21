"""The table of a validation as a page and as Markdown.

Takes a `Validation`; gives text. What a row says is decided here, how the page looks in `page.html`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bladerun import __version__
from bladerun._lib.html import templates
from bladerun.validation.finding import MEASURED

if TYPE_CHECKING:
    from bladerun.validation import Row, Validation

_TITLES = {
    "bench": "The blade alone",
    "able-bodied": "Running without an amputation",
    "blades": "Running on blades",
    "clinical consensus": "What clinics agree on, which nobody measured",
}
_WORDS = (
    "*Used*: the model, its blades or its weights were made with these figures, so agreement shows only that "
    "it does what it was made to do. *read*, *derived*, *recalled*: the figure was seen in the cited work "
    "(often its abstract), computed from figures seen there, or is from memory.",
    "Predicted: estimate ± standard error between runners; slopes are within runners. A direction agrees if "
    "it has the published sign and, where a whole cohort of more than one ran, p < 0.05 as in the papers; "
    '"no effect" agrees if the prediction is smaller than what the study could have seen. Runners of a '
    "cohort differ in size and side but are otherwise the same model, so they scatter less than people: the "
    "standard error does not say how far a prediction can be off.",
)


def html(result: Validation) -> str:
    """A page of its own; nothing is loaded from elsewhere."""
    return templates("bladerun.validation").get_template("page.html").render(_content(result))


def markdown(result: Validation) -> str:
    """The same as VALIDATION.md."""
    content = _content(result)
    lines = ["# Validation", "", content["made"], "", content["lead"], ""]
    lines += ["| | targets | agree | not used to make the model | of these agree |", "|---|---|---|---|---|"]
    for row in content["counts"]:
        numbers = " | ".join(str(row[key]) for key in ("targets", "agree", "not_used", "not_used_agree"))
        lines.append(f"| {row['title']} | {numbers} |")
    lines += ["", *content["words"], ""]
    for section in content["sections"]:
        lines += [f"## {section['title']}", ""]
        lines += ["| finding | published | predicted | verdict | source |", "|---|---|---|---|---|"]
        for row in section["rows"]:
            verdict = row["verdict"] if row["verdict"] == "agrees" else f"**{row['verdict']}**"
            used = " (used)" if row["used"] else ""
            doi = f", doi {row['doi']}" if row["doi"] else ""
            cells = (f"{row['title']}: {row['what']}", row["published"], row["predicted"], verdict + used,
                     f"{row['source']}{doi}; {row['status']}")  # fmt: skip
            lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
        lines.append("")
    lines += ["## What fails, and why", ""]
    lines += [f"- **{row['title']}** ({row['what']}): {row['miss']}" for row in content["missed"]] or [
        "Nothing."
    ]
    lines += ["", "## Why the tolerances, and notes", ""]
    for finding in content["notes"]:
        lines.append(f"- **{finding['title']}** (`{finding['name']}`): {finding['text']}")
    lines += ["", "## Who ran", ""]
    lines += [f"- `{cohort['name']}`: {cohort['text']}" for cohort in content["cohorts"]]
    return "\n".join(lines) + "\n"


def _content(result: Validation) -> dict[str, Any]:
    counts = result.counts()
    agree, targets = (sum(counts[kind][what] for kind in MEASURED) for what in ("agree", "targets"))
    failed = sum(result.failed.values())
    part = f" --reduced {result.runners}" if result.runners else ""
    made = f"Made by `bladerun validate{part}`, bladerun {__version__}."
    lead = (
        f"{agree} of {targets} measured targets agree; {result.strides} strides were asked for, "
        f"{failed} of them did not converge."
    )
    if result.runners:
        lead += f" Reduced set: only the first {result.runners} of each cohort ran, "
        lead += "so a direction is judged by its sign alone."
    return {
        "made": made,
        "lead": lead,
        "words": list(_WORDS),
        "counts": [{"title": _TITLES[kind], **row} for kind, row in counts.items()],
        "sections": [
            {"title": _TITLES[kind], "rows": [_row(row) for row in result.rows if row.finding.data == kind]}
            for kind in _TITLES
        ],
        "missed": _missed(result),
        "notes": _notes(result),
        "cohorts": [
            {
                "name": cohort.name,
                "text": f"{len(cohort.runners) or 'blades on the bench'}"
                f"{' runners' if cohort.runners else ''}, {len(cohort.conditions)} conditions each. "
                f"{cohort.source} ({cohort.status}). {cohort.note}".strip(),
            }
            for cohort in result.cohorts
        ],
        "version": __version__,
    }


def _row(row: Row) -> dict[str, Any]:
    finding, target = row.finding, row.target
    return {
        "title": finding.title,
        "what": target.what,
        "published": _published(row),
        "predicted": _predicted(row),
        "verdict": row.verdict,
        "basis": target.basis,
        "source": finding.source,
        "doi": finding.doi,
        "status": finding.status,
        "used": finding.used,
    }


def _missed(result: Validation) -> list[dict[str, str]]:
    """One entry a finding with a target that does not agree: which, and why."""
    missed: dict[str, list[Row]] = {}
    for row in result.rows:
        if row.verdict != "agrees":
            missed.setdefault(row.finding.name, []).append(row)
    return [
        {
            "title": rows[0].finding.title,
            "what": "; ".join(row.target.what for row in rows),
            "miss": rows[0].finding.miss or "No explanation yet.",
        }
        for rows in missed.values()
    ]


def _notes(result: Validation) -> list[dict[str, str]]:
    """One entry a finding: its note and the bases of its tolerances."""
    notes = {}
    for row in result.rows:
        bases = dict.fromkeys(other.target.basis for other in result.rows if other.finding is row.finding)
        text = "; ".join([*bases, *([row.finding.note] if row.finding.note else [])])
        notes[row.finding.name] = {"name": row.finding.name, "title": row.finding.title, "text": text}
    return list(notes.values())


def _published(row: Row) -> str:
    target = row.target
    if target.value is not None:
        return f"{_number(target.value)} ± {_number(target.tolerance)} {target.unit}"
    if target.range:
        return f"{_number(target.range[0])} to {_number(target.range[1])} {target.unit}"
    if target.bound is not None:
        return f"no effect (to ± {_number(target.bound)} {target.unit})"
    return "up" if target.sign > 0 else "down"


def _predicted(row: Row) -> str:
    found = row.found
    if not math.isfinite(found.value):
        return "–"
    spread = f" ± {_number(found.se, 2)}" if math.isfinite(found.se) else ""
    chance = ""
    if row.target.sign and math.isfinite(found.p):
        chance = ", p < 0.001" if found.p < 0.001 else f", p = {found.p:.2g}"
    return f"{_number(found.value)}{spread} {row.target.unit}{chance}"


def _number(value: float | None, digits: int = 3) -> str:
    """That many significant digits, no exponent."""
    if value is None:
        return ""
    if abs(value) < 1e-9:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}".rstrip("0").rstrip(".") if places else f"{value:.0f}"
