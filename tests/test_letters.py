"""The letters of the sheet on paper: each in a font that has it, or left out with a word where to find it."""

import io
from xml.etree import ElementTree

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from reportlab.pdfbase import pdfmetrics

from bladerun._lib import fonts
from bladerun._lib.fonts import lacking, register, runs
from bladerun.report import _sheet_pdf

NAMES = {"Chinese": "李小龙", "Japanese": "やまだ 太郎", "Korean": "김철수", "Thai": "ใจดี"}
LEFT_OUT = {"Hindi": "राम", "Arabic": "محمد", "Hebrew": "דוד"}


def made_up(path, letters, kind):
    """A font with these letters, each a square that begins left of zero; its outlines of that kind."""
    names = [".notdef", *(f"u{ord(letter):x}" for letter in letters)]
    font = FontBuilder(1000, isTTF=kind == "glyf")
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(letter): f"u{ord(letter):x}" for letter in letters})
    drawn = {}
    for name in names:
        pen = TTGlyphPen(None) if kind == "glyf" else T2CharStringPen(600, None)
        pen.moveTo((-100, 0))
        for point in ((-100, 500), (400, 500), (400, 0)):
            pen.lineTo(point)
        pen.closePath()
        drawn[name] = pen.glyph() if kind == "glyf" else pen.getCharString()
    if kind == "glyf":
        font.setupGlyf(drawn)
    else:
        font.setupCFF("Made", {}, drawn, {})
    font.setupHorizontalMetrics(dict.fromkeys(names, (600, -100)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Made", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)
    return path


@pytest.fixture(params=["glyf", "CFF "])
def system(request, tmp_path, monkeypatch):
    """Two fonts of the system, the first of which cannot be read."""
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    letters = sorted({letter for name in NAMES.values() for letter in name if letter != " "})
    files = [tmp_path / "broken.ttf", made_up(tmp_path / "made.ttf", letters, request.param)]
    _with(files, monkeypatch)
    return files


@pytest.fixture
def bare(monkeypatch):
    """No fonts but the sheet's own."""
    _with([], monkeypatch)


def _with(files, monkeypatch):
    register()
    monkeypatch.setattr(fonts, "_system_fonts", lambda: files)
    fonts._place.cache_clear()


def content(name, notes="", visit=(), seen_today=""):
    cards = {"today": "as today"}
    said = {"particulars": [], "label": "", "why": "", "alike": [], "visit": visit, "seen_today": seen_today}
    return said | {"name": name, "notes": notes, "runner": [("height", "176 cm")], "settings": cards}


def markup(name, **words):
    return [part.text for part in _sheet_pdf._head(content(name, **words)) if hasattr(part, "text")]


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_font_of_the_system_is_taken_where_it_has_the_letters(name, system):
    assert not lacking(f"{name} Smith")
    for font, letters in runs(f"{name} Smith", "Sheet-Bold"):
        assert font and all(ord(letter) in pdfmetrics.getFont(font).face.charWidths for letter in letters)
    assert f">{name.split()[0]}</font>" in markup(name)[1]


def test_the_letters_keep_their_shape_and_place(system):
    ((font, letters),) = runs("ใ", "Sheet")
    with TTFont(system[1], fontNumber=0) as source:
        made = TTFont(fonts._font_of(source, font, [letters]))
    assert "glyf" in made and made["hmtx"][f"u{ord(letters):x}"] == (600, -100)
    glyph = made["glyf"][f"u{ord(letters):x}"]
    assert (glyph.xMin, glyph.yMin, glyph.xMax, glyph.yMax) == (-100, 0, 400, 500)


@pytest.mark.parametrize("name", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_a_pdf_cannot_lay_out_is_left_to_the_browser(name, system):
    assert lacking(name)
    _, who, _, elsewhere = markup(name)[:4]
    assert who == "Name: see sheet.html" and "print sheet.html from a browser" in elsewhere


@pytest.mark.parametrize("name", [*NAMES.values(), *LEFT_OUT.values(), "🏃"])
def test_without_a_font_there_are_no_boxes(name, bare):
    assert lacking(name) and markup(name)[1] == "Name: see sheet.html"
    text = ElementTree.fromstring(f"<p>{_sheet_pdf._set(f'{name} & Co', 'Sheet')}</p>").text
    assert text.endswith("… & Co") and not set(name) - {" "} & set(text)
    for words in ({"notes": name}, {"seen_today": name}):
        said = markup("Smith", **words)
        assert said[1] == "Smith" and "print sheet.html from a browser" in said[3]
    assert "print sheet.html from a browser" in markup("Smith", visit=[("Clinic", name)])[4]


def test_names_that_dejavu_has_look_as_before(bare):
    for name in ("Łukasz Żółć", "Dvořák", "Nguyễn Thị Ánh", "Иван", "Ελένη", "O'Brien <b>"):
        assert runs(name, "Sheet") == [("Sheet", name)] and len(markup(name)) == 3


def test_two_fonts_in_one_file_are_two(system, tmp_path):
    """The library knows fonts by the names inside them."""
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=0)
    for font, letters in (*runs("李小龙", "Sheet"), *runs("김철수", "Sheet")):
        canvas.setFont(font, 12)
        canvas.drawString(50, 50, letters)
    canvas.save()
    assert out.getvalue().count(b"/FontFile2") == 2


def test_a_picture_has_no_boxes():
    assert fonts.drawn("Łódź 김 5°") == "Łódź … 5°" and fonts.drawn("caf\udce9") == "caf…"
