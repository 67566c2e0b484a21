"""What files may hold, as JSON Schemas, by which editors complete and check them while they are written.

Takes the name of a kind of file; gives its schema (draft 2020-12), made of the descriptions that check the
file when it is read. What depends on several keys at once is only said when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bladerun._lib.docstrings import texts_of
from bladerun._lib.kinds import Kind, Record, kinds_of
from bladerun.blade import check
from bladerun.blade.catalog import catalog, charts
from bladerun.body.variation import Variation
from bladerun.case import WORDS, Case
from bladerun.cost import Cost
from bladerun.environment import Environment
from bladerun.fitting import STEPS
from bladerun.study import design, file
from bladerun.study.parameters import SECTIONS, STEP
from bladerun.validation.finding import Finding

_USUAL = {"cost": Cost.default(), "environment": Environment.default(), "variation": Variation()}
_FILE = {"type": "string", "description": "The name of a file, beside this one."}


def schema(what: str) -> dict[str, Any]:
    """That of a file of `SCHEMAS`."""
    title, make = SCHEMAS[what]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **make()}


def _runner() -> dict[str, Any]:
    return _table(_sections(), "runner", "task")


def _sections() -> dict[str, Any]:
    texts, found = texts_of(Case), {}
    for name, kind in kinds_of(Case).items():
        said = {"description": texts[name]} if name in texts else {}  # Python may leave docstrings out
        found[name] = kind.schema(_USUAL.get(name)) | said
    found["runner"]["properties"] |= {name: found.pop(name) for name in WORDS}
    return found


def _study() -> dict[str, Any]:
    own = {name: table for name, table in _sections().items() if name in file.SECTIONS}
    given, drawn = Record(design.Given).schema(), Record(design.Drawn).schema()
    drawn["properties"]["kind"]["enum"] = list(design.DRAWN)
    sections = {
        "base": _FILE,
        "cohort": _FILE,
        "parameters": _parameters(),
        "design": {"anyOf": [given, drawn]},
        "search": Record(file.SearchSection).schema(),
        "run": Record(file.Settings).schema(),
    }
    either = [{"required": ["design"]}, {"required": ["search"]}]
    who = [{"required": ["base"]}, {"required": ["runner", "task"]}]
    between = {
        "low": {"type": "number"},
        "high": {"type": "number"},
        "count": {"type": "integer", "minimum": 2},
    }
    shared = {"$defs": {"between": _table(between, "low", "high")}}
    return _table({**sections, **own}, "parameters") | {"oneOf": either, "anyOf": who} | shared


def _parameters() -> dict[str, Any]:
    """Tables of parameters by their parts, `cost.tracking.weight`, as the names of TOML have it."""
    found = {STEP: _varied(STEPS.schema())}
    for cls in SECTIONS.values():
        found |= {name: _each(kind) for name, kind in kinds_of(cls).items()}
    for name, usual in _USUAL.items():
        found[name] = _leaves(Record(type(usual)).schema(usual))
    return _table(found) | {"minProperties": 1, "patternProperties": {"[.]": _varied({})}}


def _each(kind: Kind) -> dict[str, Any]:
    """Values of one field; of a table's entries by their names too."""
    whole = kind.schema()
    tables = [each for each in (whole, *whole.get("anyOf", ())) if each.get("type") == "object"]
    one = [] if tables == [whole] else [_varied(whole)]
    found = [*one, *(_leaves(table) for table in tables)]
    return {"anyOf": found} if len(found) > 1 else found[0]


def _leaves(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The same tables with values to vary in the place of each value."""
    if entry.get("type") != "object":
        return _varied(entry)
    return _table({name: _leaves(each) for name, each in entry["properties"].items()})


def _varied(one: Mapping[str, Any]) -> dict[str, Any]:
    values = {key: entry for key, entry in one.items() if key not in ("description", "default")}
    listed = {"type": "array", "items": values, "minItems": 1}
    return {"anyOf": [listed, {"$ref": "#/$defs/between"}]}


def _table(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    found = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return found | ({"required": list(required)} if required else {})


def _blade() -> dict[str, Any]:
    found = {}
    for name, kinds in check.sections().items():
        whole = list(kinds) if "status" in kinds else []  # one source stands for all of it
        found[name] = _table({key: kind.schema() for key, kind in kinds.items()}, *whole)
    needed = ["shape", *(name for name in found if name not in check.SPARED)]
    words = {
        "title": check.TEXT.schema(),
        "shape": {"enum": ["J", "C"]},
        "like": {"enum": list(catalog())},
        "chart": {"anyOf": [{"enum": list(charts())}, {"type": "string", "pattern": "[.]toml$"}]},
    }
    either = [{"required": ["like"]}, {"required": needed}]
    return _table({**words, **found}, "title") | {"anyOf": either}


def _finding() -> dict[str, Any]:
    found = Record(Finding).schema()
    properties = found["properties"]
    properties["target"] = properties.pop("targets")
    del properties["name"]
    return found | {"required": [*(name for name in found["required"] if name != "targets"), "target"]}


SCHEMAS = {
    "runner": ("A runner's file", _runner),
    "study": ("A study's file", _study),
    "blade": ("A blade's own file", _blade),
    "finding": ("A finding to validate against", _finding),
}
