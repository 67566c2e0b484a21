"""The sheet on paper: one page A4, whose margins leave room for Letter too; reads well in grey.

Takes the sheet's content (see `sheet.sheet_content`); writes a PDF. Text is drawn, never interpreted.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics.shapes import Circle, Drawing, Line
from reportlab.lib.colors import HexColor, white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    Image,
    KeepInFrame,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from bladerun._lib.fonts import lacking, register, runs

_INK, _SOFT, _LINE, _PALE = (HexColor(c) for c in ("#1c2733", "#4d5a66", "#c9d1d8", "#f0f4f7"))
_WIDTH, _HEIGHT = 182 * mm, 262 * mm  # printed area, which A4 and Letter both have
_BAR, _BAR_HEIGHT = 34 * mm, 6.2 * mm
_HALF = (_WIDTH - 6 * mm) / 2
_ELSEWHERE = "Some letters cannot be set here and are left out (…): print sheet.html from a browser instead."
_HEADERS = {"today": "worn today ○", "try": "this fitting ■"}


def write(content: dict[str, Any], path: Path) -> None:
    """Write the page; what does not fit is set smaller, never on a second page."""
    register()
    document = BaseDocTemplate(
        str(path),
        pagesize=A4,
        title="Which running blade fitting to try",
        author=f"bladerun {content['version']}",
        lang="en",
    )
    left, bottom = (A4[0] - _WIDTH) / 2, (A4[1] - _HEIGHT) / 2
    frame = Frame(left, bottom, _WIDTH, _HEIGHT, 0, 0, 0, 0)
    document.addPageTemplates(PageTemplate(frames=[frame]))
    story = [
        *_head(content), *_pictures(content), *_numbers(content),
        _columns(_notices(content), _context(content)), Spacer(0, 2.5 * mm), *_foot(content),
    ]  # fmt: skip
    column = _table([[part] for part in story], [_WIDTH])  # or shrinking sets text wider than tables
    document.build([KeepInFrame(_WIDTH, _HEIGHT, [column], mode="shrink", hAlign="CENTER")])


def _text(text: str, size: float = 7.6, *, bold: bool = False, colour=_INK, right: bool = False) -> Paragraph:
    font = "Sheet-Bold" if bold else "Sheet"
    style = ParagraphStyle(
        "",
        fontName=font,
        fontSize=size,
        leading=1.32 * size,
        textColor=colour,
        alignment=TA_RIGHT if right else 0,
        splitLongWords=1,
    )
    return Paragraph(_set(text, font).replace("\n", "<br/>"), style)


def _set(text: str, font: str) -> str:
    """Markup that sets each letter in a font that has it, and leaves out those that none has."""
    parts = []
    for name, letters in runs(text, font):
        if name == font:
            parts.append(escape(letters))
        else:
            parts.append(f'<font name="{name}">{escape(letters)}</font>' if name else "…")
    return "".join(parts)


def _table(rows: list[list], widths: list[float], *style: tuple, pad: float = 0.0) -> Table:
    """A table without lines; `pad` (points) on every side of a cell, `style` on top."""
    table = Table(rows, colWidths=widths)
    sides = ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")
    padding = [(side, (0, 0), (-1, -1), pad) for side in sides]
    table.setStyle([*padding, ("VALIGN", (0, 0), (-1, -1), "TOP"), *style])
    return table


def _head(content: dict[str, Any]) -> list:
    who = content["name"] or "Runner"
    who = "Name: see sheet.html" if lacking(who) else who
    facts = " · ".join(value for _, value in content["runner"] if value)
    today = _card("Worn today", content["settings"]["today"], "○")
    if "try" in content["settings"]:
        other = _card(content["label"], content["settings"]["try"], "■")
    else:
        other = _card(content["label"], "", "")
    shade, box = ("BACKGROUND", (0, 0), (-1, -1), _PALE), ("BOX", (1, 0), (1, 0), 1.2, _INK)
    cards = _table([[today, other]], [_WIDTH / 2] * 2, shade, box, pad=2 * mm)
    own = content["particulars"]
    set_apart = [_text(f"Set for this runner: {' · '.join(own)}", 8, bold=True)] if own else []
    parts = [
        _text("Which running blade fitting to try", 8.5, colour=_SOFT),
        _text(who, 15, bold=True),
        _text(facts, 8, colour=_SOFT),
        *_visit(content["visit"]),
        *set_apart,
        *([_text(_ELSEWHERE, 8, bold=True)] if _lacks(content) else []),
        Spacer(0, 2 * mm),
        cards,
        Spacer(0, 1.5 * mm),
    ]
    if content["why"]:
        parts.append(_text(content["why"], 8.2))
    if content["alike"]:
        more = f", and {content['alike_more']} more" if content["alike_more"] else ""
        alike = "; ".join(content["alike"]) + more
        parts.append(_text(f"No clear difference from the best: {alike}. Choose by feel.", 8.2, bold=True))
    return [*parts, Spacer(0, 2 * mm)]


def _visit(visit: list[tuple[str, str]]) -> list:
    """What is known of the visit on a line of its own, then lines to write the rest on."""
    known = [f"{title} {value}" for title, value in visit if value]
    blank = [title for title, value in visit if not value]
    said = [_text(" · ".join(known), 8, bold=True)] if known else []
    if not blank:
        return said
    width = _WIDTH / len(blank)
    rules = [("LINEBELOW", (k, 0), (k, 0), 0.4, _SOFT) for k in range(len(blank))]
    cells = [_text(title, 7, colour=_SOFT) for title in blank]
    return [*said, Spacer(0, 3 * mm), _table([cells], [width] * len(blank), *rules), Spacer(0, 1.5 * mm)]


def _lacks(content: dict[str, Any]) -> bool:
    """Whether what people wrote has letters that cannot be printed here."""
    facts = (value for _, value in (*content["runner"], *content["visit"]))
    own = (content["name"], content["notes"], content["seen_today"])
    return any(map(lacking, (*own, *content["particulars"], *facts)))


def _card(label: str, setting: str, mark: str) -> list:
    return [_text(f"{label}  {mark}", 7.4, colour=_SOFT), _text(setting, 10.5, bold=True)]


def _pictures(content: dict[str, Any]) -> list:
    if not content["pictures"]:
        return []
    width = 45 * mm
    cells, captions = [], []
    for picture in content["pictures"]:
        image = Image(io.BytesIO(picture.data))
        image.drawHeight, image.drawWidth = image.imageHeight / image.imageWidth * width, width
        cells.append(image)
        captions.append(_text(picture.title, 7.2, colour=_SOFT))
    said = [
        _text("Predicted running", 8.5, bold=True),
        _text(content["pictured"], 7.6),
        Spacer(0, 2 * mm),
        _text("The arrow is the push of the ground on the runner.", 7.2, colour=_SOFT),
    ]
    widths = [width + 2 * mm] * 3 + [_WIDTH - 3 * (width + 2 * mm)]
    return [_table([[*cells, said], [*captions, ""]], widths), Spacer(0, 2 * mm)]


def _numbers(content: dict[str, Any]) -> list:
    if not content["rows"]:
        return [_text("Neither fitting was solved: there are no numbers to show.", 9, bold=True)]
    roles = list(content["rows"][0]["values"])
    header = [_text(_HEADERS[role], 7, colour=_SOFT, right=True) for role in roles]
    lines = [["", *header, "", ""]]
    for row in content["rows"]:
        title = [_text(row["title"], 7.8, bold=True), _text(row["meaning"], 6.4, colour=_SOFT)]
        values = [
            _text(f"{row['values'][role]}{row['margins'][role]}{row['unit']}", 7.4, right=True)
            for role in row["values"]
        ]
        verdict = _text(row["verdict"], 7.2, bold=row["verdict"] == "matters")
        lines.append([title, *values, _bars(row["places"]), verdict])
    widths = [56 * mm, *([34 * mm] * len(roles)), _BAR + 4 * mm]
    table = _table(
        lines,
        [*widths, _WIDTH - sum(widths)],
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("LEFTPADDING", (-2, 0), (-2, -1), 3 * mm),
        ("TOPPADDING", (0, 1), (-1, -1), 0.5 * mm),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0.7 * mm),
    )
    return [table, Spacer(0, 1 * mm), _text(content["uncertainty"], 6.8, colour=_SOFT), Spacer(0, 2.5 * mm)]


def _bars(places: dict[str, list[float]]) -> Drawing:
    """Intervals on one line each: today a hollow circle, the other a filled square."""
    drawing = Drawing(_BAR, _BAR_HEIGHT)
    lines = {"today": 0.68, "try": 0.27} if len(places) == 2 else dict.fromkeys(places, 0.5)
    for role, line in lines.items():
        y = line * _BAR_HEIGHT
        low, middle, high = (x * _BAR for x in places[role])
        drawing.add(Line(0, y, _BAR, y, strokeColor=_LINE, strokeWidth=0.4))
        drawing.add(Line(low, y, high, y, strokeColor=_INK, strokeWidth=1.6))
        if role == "today":
            drawing.add(Circle(middle, y, 2, fillColor=white, strokeColor=_INK, strokeWidth=1))
        else:
            drawing.add(Line(middle - 2, y, middle + 2, y, strokeColor=_INK, strokeWidth=4))
    return drawing


def _notices(content: dict[str, Any]) -> list:
    parts = [_text("What to look for on the track", 8.8, bold=True), Spacer(0, 0.8 * mm)]
    for where, what in content["look_for"]:
        parts += [_text(where, 7.4, bold=True), _text(what[0].upper() + what[1:], 7.4), Spacer(0, 0.8 * mm)]
    parts.append(_text("Seen today", 8.8, bold=True))
    if content["seen_today"]:
        parts.append(_text(content["seen_today"], 7.4))
    else:
        parts.append(_table([[""], [""]], [_HALF], ("LINEBELOW", (0, 0), (-1, -1), 0.4, _SOFT), pad=2.2 * mm))
    if content["notes"]:
        parts += [_text("Notes", 8.8, bold=True), _text(content["notes"], 7.4)]
    return parts


def _context(content: dict[str, Any]) -> list:
    parts = [_text("When the weight changes", 8.8, bold=True), Spacer(0, 0.8 * mm)]
    parts += [_text(" ".join(content["window"]), 7.4), Spacer(0, 1.6 * mm)]
    parts += [_text("What this rests on", 8.8, bold=True), Spacer(0, 0.8 * mm)]
    return parts + [_text(f"• {sentence}", 7) for sentence in content["assumptions"]]


def _columns(left: list, right: list) -> Table:
    return _table([[left, "", right]], [_HALF, 6 * mm, _HALF])


def _foot(content: dict[str, Any]) -> list:
    text = (
        "Not a medical device: a prediction to talk over. Change one thing at a time, with a prosthetist. "
        f"bladerun {content['version']}."
    )
    box = ("BOX", (0, 0), (-1, -1), 0.8, _INK)
    return [_table([[_text(text, 7.6, bold=True)]], [_WIDTH], box, pad=1.4 * mm)]
