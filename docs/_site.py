"""What the manual takes from the code and the facts when it is built: tables, drawings, equations.

A hook of mkdocs (see mkdocs.yml). In a page, {{ name argument ... }} on a line of its own becomes the table
that `TABLES` makes of it; drawings are made by drawings.py; equations become MathML, which browsers show by
themselves, so that the manual asks no other host for anything.
"""

from __future__ import annotations

import html
import importlib.util
import json
import re
import tempfile
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File

from bladerun._lib import data_files
from bladerun._lib.kinds import entries
from bladerun.blade import catalog
from bladerun.body.runner import Amputation, Runner
from bladerun.cli import _parser
from bladerun.fitting import Fitting
from bladerun.gait.outcomes import OUTCOMES
from bladerun.study.design import Drawn
from bladerun.study.file import SearchSection, Settings
from bladerun.task import Task

HERE = Path(__file__).parent
CHECKOUT = HERE.parent
_PLACEHOLDER = re.compile(r"^\{\{ (\S+)((?: \S+)*) \}\}$", re.MULTILINE)
_EQUATION = re.compile(r'<(span|div) class="arithmatex">\s*\\[(\[](.*?)\\[)\]]\s*</\1>', re.DOTALL)
_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"',;]+(?<![.:)])")
_WHO = r"([A-Z][\w'-]+(?: (?:&|and) [A-Z][\w'-]+)? (?:19|20)\d\d)\b[^;()\n]{0,90}?\(?doi "
_NAMED_DOI = re.compile(f"{_WHO}({_DOI.pattern})")


def on_files(files: Any, config: Any) -> Any:
    """Add the drawings and the validation report."""
    spec = importlib.util.spec_from_file_location("drawings", HERE / "drawings.py")
    assert spec and spec.loader
    drawings = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawings)
    with tempfile.TemporaryDirectory() as folder:
        for path in drawings.write(Path(folder)):
            files.append(File.generated(config, f"drawings/{path.name}", content=path.read_text("utf-8")))
    report = (CHECKOUT / "VALIDATION.md").read_text("utf-8")
    files.append(File.generated(config, "validation.md", content=report))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in tables; links to files of the checkout that are no pages become plain text."""
    markdown = markdown.replace("(../VALIDATION.md)", "(validation.md)")
    markdown = _PLACEHOLDER.sub(lambda match: TABLES[match[1]](*match[2].split()), markdown)
    return _OUTSIDE.sub(r"\1", markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Equations as MathML."""
    return _EQUATION.sub(_mathml, html)


def _mathml(match: re.Match[str]) -> str:
    display = "block" if match[1] == "div" else "inline"
    return convert(html.unescape(match[2]).strip(), display=display)


def outcomes(first: str, last: str) -> str:
    """Definitions from one key to another, in the order of the code."""
    keys = [row.key for row in OUTCOMES]
    rows = []
    for row in OUTCOMES[keys.index(first) : keys.index(last) + 1]:
        untested = f" *Untested: {row.untested}.*" if row.untested else ""
        unit = f"{row.unit}, each leg" if row.per_leg else row.unit
        name = f"**{row.title}**, {unit}<br>`{row.key}`"
        rows.append([name, f"{row.definition}.{untested}", _linked(row.source)])
    return _table(["outcome", "what it is", "source"], rows)


def catalogue() -> str:
    """Every blade: what it is, stiffness by category, mass bands, its figures with their sources."""
    return "\n".join(_blade(catalog.load_blade(name)) for name in catalog.catalog())


def commands() -> str:
    """Every command with its options, from the parser itself."""
    subparsers = next(a for a in _parser()._actions if isinstance(a.choices, dict))
    parts = []
    for name, command in subparsers.choices.items():
        parts.append(f"### bladerun {name}\n\n{command.description}\n\n```sh\n{_example(command)}\n```\n")
        rows = []
        for action in command._actions:
            word = ", ".join(f"`{option}`" for option in action.option_strings)
            value = "" if action.nargs == 0 else f"`{action.metavar or action.dest.upper()}`"
            if "--help" not in action.option_strings:
                rows.append([f"{word} {value}".strip(), (action.help or "").replace("|", "\\|")])
        parts.append(_table(["argument", "what it is"], rows) + "\n")
    return "\n".join(parts)


def keys(section: str) -> str:
    """The keys of a section of a runner's or a study's file, of the description that checks them."""
    rows = []
    for entry in entries(SECTIONS[section]):
        usual = json.dumps(entry.usual) if isinstance(entry.usual, str | int | float) else ""
        said = "needed" if entry.needed else usual if entry.usual != "" else ""
        rows.append([f"`{entry.key}`", entry.text, entry.said, said])
    return _table([f"`[{section}]`", "what it is", "what is allowed", "where left out"], rows)


def sources() -> str:
    """Every DOI in the facts and the definitions, whose it is where that stands before it, and its users."""
    used: defaultdict[str, set[str]] = defaultdict(set)
    who: dict[str, str] = {}
    for path in [*(CHECKOUT / "models").rglob("*.toml"), *(CHECKOUT / "sim/bladerun/gait").glob("*.py")]:
        text = path.read_text("utf-8")
        who |= {doi: name for name, doi in _NAMED_DOI.findall(text)}
        for doi in _DOI.findall(text):
            used[doi].add(path.relative_to(CHECKOUT).as_posix())
    rows = [
        [who.get(doi, ""), _linked(doi), ", ".join(f"`{file}`" for file in sorted(files))]
        for doi, files in used.items()
    ]
    return _table(["who", "source", "used in"], sorted(rows, key=lambda row: (not row[0], *row)))


def weights() -> str:
    """What a fitting is judged by."""
    rows = [
        [row["title"], row["unit"], f"{row['matters']:g}", f"{row['weight']:g}", row["definition"]]
        for row in data_files.toml("recommendation.toml")["tradeoff"]
    ]
    return _table(["trade-off", "unit", "difference that matters", "weight", "what it is"], rows)


SECTIONS = {
    "runner": Runner,
    "amputation": Amputation,
    "fitting": Fitting,
    "task": Task,
    "design": Drawn,
    "search": SearchSection,
    "run": Settings,
}
TABLES: dict[str, Callable[..., str]] = {
    function.__name__: function for function in (outcomes, catalogue, commands, keys, sources, weights)
}


def _blade(entry: catalog.Blade) -> str:
    facts, profile = entry.facts, entry.facts["profile"]
    categories = []
    for category in entry.categories:
        nominal, sd, _ = entry.stiffness_n_m(category)
        span, thickness = f"{nominal / 1e3:.1f} ± {sd / 1e3:.1f}", f"{1e3 * entry.thickness_m(category):.1f}"
        categories.append([f"{category}", span, thickness, *_bands(facts, category)])
    figures = []
    for section in ("stiffness", "laminate", "sole", "mass", "damping", "height", "pylon"):
        for key, fact in facts.get(section, {}).items():
            if isinstance(fact, dict):
                source = _linked(fact["source"])
                figures.append([f"`{section}.{key}`", _value(fact["value"]), fact["status"], source])
    header = ["category", "stiffness, kN/m", "laminate, mm", "low impact, kg", "moderate, kg", "high, kg"]
    return f"""### {entry.name}

{entry.title}, {1e3 * entry.mass_kg:.0f} g. Profile: {profile["status"]}; {_linked(profile["source"])}.

{_table(header, categories)}
Stiffness is the secant to {entry.rating_load_n:.0f} N along the test axis at the rating position,
{1e3 * entry.rating_height_m:.0f} mm from clamp to ground. Height is set by the {facts["height"]["how"]}.

{_table(["figure", "value", "status", "source"], figures)}"""


def _example(command: ArgumentParser) -> str:
    return (command.epilog or "").removeprefix("example: ").splitlines()[0]


def _bands(facts: Mapping[str, Any], category: int) -> list[str]:
    """For each impact the masses of which this category is recommended."""
    table = facts["recommendation"]
    edges, found = table["band_kg"], []
    for impact in ("low", "moderate", "high"):
        at = [i for i, value in enumerate(table[impact]) if value == category]
        found.append(f"{edges[at[0]]} to under {edges[at[-1] + 1]}" if at else "")
    return found


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return json.dumps(value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _linked(text: str) -> str:
    """DOIs as links."""
    return _DOI.sub(lambda match: f"[{match[0]}](https://doi.org/{match[0]})", text)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
