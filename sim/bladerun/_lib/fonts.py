"""Fonts for the letters on paper and in pictures: DejaVu, on paper also fonts of this system.

Takes text; gives it in runs, each with the font it is set in. A PDF shows a box for a letter that its font
lacks, and sets letters one after another as they are stored: so what no font has is left out, and so is what
is written from right to left or joined by rules (Arabic, Hebrew, Devanagari and its kin). A browser can do
all of that.
"""

from __future__ import annotations

import hashlib
import io
import unicodedata
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path

import matplotlib
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, TTLibError

from bladerun._lib import paper  # noqa: F401  (before reportlab)

_OWN = {"Sheet": "DejaVuSans.ttf", "Sheet-Bold": "DejaVuSans-Bold.ttf"}
_JOINED = ((0x0900, 0x0DFF), (0x0F00, 0x109F), (0x1780, 0x18AF), (0x1A20, 0x1CFF), (0xA800, 0xABFF))
_ERROR = 0.001  # of an em, by which a curve may be off where a font's outlines are of another kind


def register() -> None:
    """Make the sheet's own fonts known."""
    from reportlab.pdfbase import pdfmetrics, ttfonts  # after `paper`

    for name, file in _OWN.items():
        pdfmetrics.registerFont(ttfonts.TTFont(name, str(_folder() / file)))
    pdfmetrics.registerFontFamily("Sheet", normal="Sheet", bold="Sheet-Bold", italic="Sheet")


def runs(text: str, font: str) -> list[tuple[str, str]]:
    """(font, letters) one after another; `font` is taken where it has the letter, "" where none has."""
    parts = [(place, "".join(each)) for place, each in groupby(text, lambda letter: _place(letter, font))]
    return [
        (_registered(place, letters) if isinstance(place, Path) else place, letters)
        for place, letters in parts
    ]


def drawn(text: str) -> str:
    """The text for a picture, in DejaVu alone; "…" for what that has not."""
    parts = groupby(text, lambda letter: _place(letter, "Sheet") == "Sheet")
    return "".join("".join(letters) if known else "…" for known, letters in parts)


def lacking(text: str) -> bool:
    """Whether letters of it cannot be printed."""
    return any(not name for name, _ in runs(text, "Sheet"))


@lru_cache(4096)
def _place(letter: str, font: str) -> str | Path:
    """The font that has the letter: `font`, a file of the system, or none, ""."""
    if _laid_out(letter):
        return ""
    if letter.isspace() or ord(letter) in _covered(_folder() / _OWN[font]):
        return font
    return next((path for path in _system_fonts() if ord(letter) in _covered(path)), "")


def _laid_out(letter: str) -> bool:
    """Whether it is written from right to left, or changes with its neighbours."""
    right_to_left = unicodedata.bidirectional(letter) in ("R", "AL")
    return right_to_left or any(low <= ord(letter) <= high for low, high in _JOINED)


def _folder() -> Path:
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@cache
def _system_fonts() -> list[Path]:
    from matplotlib.font_manager import fontManager  # reads the system's fonts, seldom needed

    upright = [each for each in fontManager.ttflist if each.style == "normal"]
    upright.sort(key=lambda each: (each.weight not in (400, "normal", "regular"), each.fname))
    return list(dict.fromkeys(Path(each.fname) for each in upright))


@cache
def _covered(path: Path) -> frozenset[int]:
    """The letters of a font; none where it cannot be read."""
    try:
        with TTFont(path, fontNumber=0, lazy=True) as font:
            return frozenset(font.getBestCmap() or ()) if {"glyf", "CFF "} & set(font.keys()) else frozenset()
    except (OSError, TTLibError, ValueError, KeyError, AssertionError):
        return frozenset()


@lru_cache(256)
def _registered(path: Path, letters: str) -> str:
    """A font of just these letters, of the kind of outlines that PDFs are written with."""
    from reportlab.pdfbase import pdfmetrics, ttfonts

    name = f"Sheet-{hashlib.sha256(f'{path}{letters}'.encode('utf-8', 'replace')).hexdigest()[:12]}"
    with TTFont(path, fontNumber=0, lazy=True) as source:
        pdfmetrics.registerFont(ttfonts.TTFont(name, _font_of(source, name, sorted({*letters, " "}))))
    return name


def _font_of(source: TTFont, name: str, letters: list[str]) -> io.BytesIO:
    glyphs, names, em = source.getGlyphSet(), source.getBestCmap() or {}, source["head"].unitsPerEm
    outlines, widths = {".notdef": TTGlyphPen(None).glyph()}, {".notdef": em}
    for letter in letters:
        shape, pen = DecomposingRecordingPen(glyphs), TTGlyphPen(None)
        if ord(letter) in names:
            glyphs[names[ord(letter)]].draw(shape)
        shape.replay(Cu2QuPen(pen, _ERROR * em))
        outlines[f"u{ord(letter):x}"] = pen.glyph()
        width = glyphs[names[ord(letter)]].width if ord(letter) in names else em / 3
        widths[f"u{ord(letter):x}"] = round(width)
    font = FontBuilder(em, isTTF=True)
    font.setupGlyphOrder(list(outlines))
    font.setupCharacterMap({ord(letter): f"u{ord(letter):x}" for letter in letters})
    font.setupGlyf(outlines)
    bounds = font.font["glyf"]  # a mark over the letter before it begins left of zero
    font.setupHorizontalMetrics({each: (width, bounds[each].xMin) for each, width in widths.items()})
    font.setupHorizontalHeader(ascent=source["hhea"].ascent, descent=source["hhea"].descent)
    font.setupNameTable({"familyName": name, "styleName": "Regular", "psName": name})
    font.setupOS2()
    font.setupPost()
    out = io.BytesIO()
    font.save(out)
    out.seek(0)
    return out
