"""A study file: who, what is varied, over which points or by which search, towards what.

Takes the path of a TOML file; gives a `Study` that has checked every name and value, or one `InputError` that
names the file, the key, the value and what is allowed. docs of every key: `experiments/category.toml`.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import qmc

from bladerun._files_of_ours import STUDY, refuse_others
from bladerun._table import Table, plain
from bladerun.blade import Blade, own_blade
from bladerun.case import check_case, parse_toml, with_blade
from bladerun.errors import InputError, nearest
from bladerun.study._job import Inputs
from bladerun.study._objective import Constraint, Objective
from bladerun.study._parameters import Parameter, changed, check_name

KINDS = ("grid", "sobol", "latin-hypercube", "list")
SAMPLERS = ("tpe", "gp", "cma-es", "nsga-ii", "nsga-iii", "random")
_SECTIONS = ("runner", "amputation", "fitting", "task", "cost", "environment")


@dataclass(frozen=True)
class Settings:
    """How a study is run. ensemble: strides with varied facts beside the nominal one, of each point (a power
    of two is best), drawn with `seed`. both_ways: start each stride from two neighbours, for its numerical
    scatter. keep_strides: each stride as NetCDF. time_limit_s: for one row.
    """

    ensemble: int = 0
    seed: int = 0
    both_ways: bool = False
    keep_strides: bool = False
    time_limit_s: float = 900.0

    def __post_init__(self):
        for key, least in (("ensemble", 0), ("seed", 0)):
            value = getattr(self, key)
            if type(value) is not int or value < least:
                raise InputError(f"{value!r} is not allowed; a whole number from {least}", key=key)
        for key in ("both_ways", "keep_strides"):
            if type(getattr(self, key)) is not bool:
                raise InputError(f"{getattr(self, key)!r} is not allowed; true or false", key=key)
        limit = self.time_limit_s
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < math.inf:
            raise InputError(f"{limit!r} is not allowed; seconds, more than 0", key="time_limit_s")


@dataclass(frozen=True)
class Search:
    """A search by Optuna. sampler: of `SAMPLERS`; trials: points in all."""

    sampler: str
    trials: int
    seed: int
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True)
class Study:
    """A study file. runners: by name, one but for a cohort. points: (number of points) values of
    `parameters`, empty for a search. document: what the file says, the runners' tables and blades' files too.
    blades: of files, by the names that values have.
    """

    runners: Mapping[str, Inputs]
    parameters: tuple[Parameter, ...]
    points: tuple[tuple[Any, ...], ...]
    search: Search | None
    settings: Settings
    document: Mapping[str, Any] = field(repr=False)
    blades: Mapping[str, Blade] = field(default_factory=Table)

    def inputs(self, runner: str, point: tuple[Any, ...]) -> Inputs:
        """A runner with the values of a point."""
        values = dict(zip((p.name for p in self.parameters), point, strict=True))
        return _changed(self.runners[runner], values, self.blades)


def load_study(path: str | Path) -> Study:
    """Read and check a study file."""
    path = Path(path)
    refuse_others(path, STUDY)
    document = parse_toml(path)
    try:
        return study(document, path.parent)
    except InputError as error:
        raise error.at(error.file or path) from None


def study(document: Mapping[str, Any], folder: str | Path = ".") -> Study:
    """The same from a dict; files it names are beside `folder`."""
    folder, document = Path(folder), dict(document)
    allowed = ("base", "cohort", "blades", "parameters", "design", "search", "run", *_SECTIONS)
    for name, value in document.items():
        if name not in allowed:
            raise InputError(f"not a known key; {nearest(name, allowed)}", key=name)
        if name == "cohort" and isinstance(value, list):
            continue  # as a study that was read before has it
        if not isinstance(value, str if name in ("base", "cohort") else dict):
            what = "the name of a file" if name in ("base", "cohort") else "a section of keys"
            raise InputError(f"{value!r} is not allowed; {what}", key=name)
    if ("design" in document) == ("search" in document):
        raise InputError(
            "needs either a [design], for `sweep`, or a [search], for `optimise`", key="[design]"
        )
    base = _base(document, folder)
    rows, path = _rows(document, folder)
    blades = _blades(document, rows, folder)
    runners = _cohort(rows, path, base, blades)
    parameters = tuple(_parameter(name, value, base, blades) for name, value in _tables(document).items())
    settings = _with_keys(Settings, document.get("run", {}), "[run]")
    search, points = None, ()
    if "search" in document:
        if len(runners) > 1:
            raise InputError("a search is for one runner; give a [design]", key="cohort")
        search = _search(document["search"], parameters)
    else:
        points = _points(document["design"], parameters)
    return Study(runners, parameters, points, search, settings, document, blades)


def _tables(document: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters by dotted name; `strength = { hip_abductors = [...] }` as `strength.hip_abductors`."""
    flat = dict(_flat(document.get("parameters", {}), ""))
    if not flat:
        raise InputError("missing; a study varies something", key="[parameters]")
    return flat


def _flat(table: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, entry in table.items():
        if isinstance(entry, dict) and not {"low", "high"} & set(entry):
            yield from _flat(entry, f"{path}{key}.")
        else:
            yield f"{path}{key}", entry


def _base(document: dict[str, Any], folder: Path) -> Inputs:
    """From the runner's file, the sections in the study file in place of its own."""
    own = with_blade({name: document[name] for name in _SECTIONS if name in document}, folder)
    if "base" in document:
        path = folder / document.pop("base")
        base = {k: v for k, v in parse_toml(path).items() if k != "sweep"}
        own = {**(base if "fitting" in own else with_blade(base, path.parent, path)), **own}
    document |= plain(own)  # what the study is, whatever becomes of the files
    case = check_case(own)
    return changed(Inputs.of(case, case.fitting), {})


def _rows(document: dict[str, Any], folder: Path) -> tuple[list[dict[str, str]] | None, Path | None]:
    """The lines of the cohort's file and its path, as far as there are any."""
    rows = document.get("cohort")
    if not isinstance(rows, str):
        return rows, None
    path = folder / rows
    document["cohort"] = _lines(path)
    return document["cohort"], path


def _blades(document: dict[str, Any], rows: Any, folder: Path) -> dict[str, Blade]:
    """Blades of files that parameters or the cohort name; read once, the study keeps them."""
    if "blades" in document:
        return Table({name: Blade.of_json(table) for name, table in document["blades"].items()})
    asked = document.get("parameters", {}).get("blade", [])
    names = [*(asked if isinstance(asked, list) else []), *(row.get("blade") for row in rows or [])]
    texts = dict.fromkeys(name for name in names if isinstance(name, str))
    found = {name: blade for name in texts if (blade := own_blade(name, folder))}
    if found:
        document["blades"] = plain(found)
    return Table(found)


def _changed(inputs: Inputs, values: Mapping[str, Any], blades: Mapping[str, Blade]) -> Inputs:
    """As `changed`, with blades in place of the names of their files."""
    name = values.get("blade")
    own = {"blade": blades[name]} if isinstance(name, str) and name in blades else {}
    return changed(inputs, {**values, **own})


def _cohort(
    rows: list[dict[str, str]] | None, path: Path | None, base: Inputs, blades: Mapping[str, Blade]
) -> dict[str, Inputs]:
    if rows is None:
        return {"runner": base}
    runners: dict[str, Inputs] = {}
    for line, row in enumerate(rows, 2):
        name = row.get("name") or f"runner{line - 1}"
        try:
            values = {}
            for key, text in row.items():
                if key != "name":
                    check_name(str(key))
                    values |= {key: _value(text)} if text else {}
            if name in runners:
                raise InputError(f"'{name}' is there twice; each runner once", key="name")
            runners[name] = _changed(base, values, blades)
        except InputError as error:
            raise error.at(path, f"line {line}: {error.key}") from None
    if not runners:
        raise InputError("no runner in it; a header and a line for each", file=path)
    return runners


def _lines(path: Path) -> list[dict[str, str]]:
    try:
        return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read: {getattr(error, 'strerror', None) or error}", file=path) from None


def _value(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def _parameter(name: str, value: Any, base: Inputs, blades: Mapping[str, Blade]) -> Parameter:
    key = f"[parameters] {name}"
    try:
        check_name(name)
    except InputError as error:
        raise error.at(key=key) from None
    if isinstance(value, list) and value:
        parameter = Parameter(name, tuple(value))
    elif isinstance(value, dict) and set(value) in ({"low", "high"}, {"low", "high", "count"}):
        low, high, count = value["low"], value["high"], value.get("count")
        if not all(type(v) in (int, float) for v in (low, high)) or not low < high:
            raise InputError(f"{value!r} is not allowed; numbers, low less than high", key=key)
        parameter = Parameter(name, (), low, high)
        if count is not None:
            if type(count) is not int or count < 2:
                raise InputError(f"count = {count!r} is not allowed; a whole number from 2", key=key)
            parameter = Parameter(name, tuple(np.linspace(low, high, count).tolist()))
    else:
        raise InputError(
            f"{value!r} is not allowed; a list of values, or {{ low = , high = }}, for a grid with count",
            key=key,
        )
    if parameter.whole and parameter.bounded and not all(float(v).is_integer() for v in (low, high)):
        raise InputError(f"{value!r} is not allowed; whole numbers", key=key)
    for each in parameter.values or (parameter.low, parameter.high):
        try:
            _changed(base, {name: each}, blades)
        except InputError as error:
            raise error.at(key=key) from None
    return parameter


def _points(table: Mapping[str, Any], parameters: tuple[Parameter, ...]) -> tuple[tuple[Any, ...], ...]:
    kind = _choice(table, "kind", KINDS, "[design]")
    random = kind in ("sobol", "latin-hypercube")
    _keys(table, ("kind", "count", "seed") if random else ("kind",), "[design]")
    if random:
        count, seed = (
            _whole(table, "count", 1, "[design]"),
            _whole({"seed": 0} | dict(table), "seed", 0, "[design]"),
        )
        if kind == "sobol":
            shares = qmc.Sobol(len(parameters), rng=seed).random_base2((count - 1).bit_length())[:count]
        else:
            shares = qmc.LatinHypercube(len(parameters), rng=seed).random(count)
        return tuple(tuple(p.at(s) for p, s in zip(parameters, row, strict=True)) for row in shares.tolist())
    for parameter in parameters:
        if parameter.bounded:
            raise InputError(
                f"a {kind} needs values; a list, or count beside low and high",
                key=f"[parameters] {parameter.name}",
            )
    if kind == "grid":
        return tuple(itertools.product(*(parameter.values for parameter in parameters)))
    if len({len(parameter.values) for parameter in parameters}) > 1:
        raise InputError(
            "a list needs as many values of each parameter; point i takes the i-th of each",
            key="[parameters]",
        )
    return tuple(zip(*(parameter.values for parameter in parameters), strict=True))


def _search(table: Mapping[str, Any], parameters: tuple[Parameter, ...]) -> Search:
    where = "[search]"
    _keys(table, ("sampler", "trials", "seed", "minimise", "maximise", "subject_to"), where)
    objectives = [Objective.parse(text, +1) for text in _texts(table, "minimise", where)]
    objectives += [Objective.parse(text, -1) for text in _texts(table, "maximise", where)]
    if not objectives:
        raise InputError("missing; what to minimise or maximise, names of outcomes", key=f"{where} minimise")
    constraints = tuple(Constraint.parse(text) for text in _texts(table, "subject_to", where))
    sampler = _choice({"sampler": "tpe"} | dict(table), "sampler", SAMPLERS, where)
    if sampler == "cma-es" and len(objectives) > 1:
        raise InputError(
            "'cma-es' takes one objective; 'nsga-ii', 'nsga-iii', 'tpe' or 'gp' take more",
            key=f"{where} sampler",
        )
    if sampler == "cma-es" and constraints:
        raise InputError("'cma-es' takes no constraints; 'tpe', 'gp' or 'nsga-ii' do", key=f"{where} sampler")
    trials, seed = _whole(table, "trials", 1, where), _whole({"seed": 0} | dict(table), "seed", 0, where)
    return Search(sampler, trials, seed, tuple(objectives), constraints)


def _keys(table: Mapping[str, Any], allowed: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in allowed:
            raise InputError(f"not a known key; {nearest(key, allowed)}", key=f"{where} {key}")


def _choice(table: Mapping[str, Any], key: str, allowed: tuple[str, ...], where: str) -> str:
    value = table.get(key)
    if value not in allowed:
        what = f"{value!r} is not allowed" if key in table else "missing"
        raise InputError(f"{what}; {nearest(str(value), allowed)}", key=f"{where} {key}")
    return str(value)


def _whole(table: Mapping[str, Any], key: str, least: int, where: str) -> int:
    value = table.get(key)
    if type(value) is not int or value < least:
        what = f"{value!r} is not allowed" if key in table else "missing"
        raise InputError(f"{what}; a whole number from {least}", key=f"{where} {key}")
    return value


def _texts(table: Mapping[str, Any], key: str, where: str) -> list[str]:
    value = table.get(key, [])
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InputError(f"{value!r} is not allowed; a list of texts", key=f"{where} {key}")
    return value


def _with_keys(cls: Any, table: Mapping[str, Any], where: str) -> Any:
    _keys(table, tuple(cls.__dataclass_fields__), where)
    try:
        return cls(**table)
    except InputError as error:
        raise error.at(key=f"{where} {error.key}") from None
