"""A study file: who, what is varied, over which points or by which search, towards what.

Takes the path of a TOML file; gives a `Study` that has checked every name and value, or one `InputError` that
names the file, the key, the value and what is allowed. docs of every key: `experiments/category.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from bladerun._lib.file_kinds import STUDY, refuse_others
from bladerun._lib.kinds import Number, Special, Word, check
from bladerun._lib.table import Table, plain
from bladerun._lib.toml_files import parse_toml
from bladerun.blade.catalog import own_blade
from bladerun.blade.running_blade import Blade
from bladerun.case import check_case, with_files
from bladerun.errors import InputError, nearest
from bladerun.study import _cohort
from bladerun.study._objective import Constraint, Objective
from bladerun.study.design import MOST, Points, once
from bladerun.study.design import points as points_of
from bladerun.study.design import section as _section
from bladerun.study.job import Inputs
from bladerun.study.parameters import STEP, Parameter, changed, check_name, resolved

SAMPLERS = ("tpe", "gp", "cma-es", "nsga-ii", "nsga-iii", "random")
_Lines = list[tuple[int, dict[str, str]]]
SECTIONS = ("runner", "amputation", "fitting", "task", "cost", "environment", "reference")


@dataclass(frozen=True)
class Settings:
    """How a study is run.

    Parameters
    ----------
    ensemble
        Strides with uncertain inputs varied beside the nominal one, of each point; a power of two is best.
    seed
        What they are drawn with.
    both_ways
        Start each stride from two neighbours, for its numerical scatter.
    keep_strides
        Each stride as NetCDF.
    time_limit_s
        For one row.
    """

    ensemble: int = 0
    seed: int = 0
    both_ways: bool = False
    keep_strides: bool = False
    time_limit_s: Annotated[float, Number(over=True, words="seconds, more than 0")] = 900.0

    def __post_init__(self) -> None:
        check(self)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise InputError(f"{value!r} is not allowed; a list of texts")
    return tuple(value)


def _any_texts() -> dict[str, Any]:
    return {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


_TEXTS = Annotated[tuple[str, ...], Special("a list of texts", _texts, _any_texts)]


@dataclass(frozen=True)
class SearchSection:
    """What [search] says.

    Parameters
    ----------
    trials
        Points in all.
    sampler
        Of Optuna: how the next point is chosen.
    seed
        Of its random numbers.
    minimise, maximise
        Names of outcomes, or `score`; a name without its leg means the amputated one.
    subject_to
        Limits, `"hip_level_mm < 5"`.
    """

    trials: Annotated[int, Number(1, whole=True, to=int)]
    sampler: Annotated[str, Word(SAMPLERS)] = "tpe"
    seed: int = 0
    minimise: _TEXTS = ()
    maximise: _TEXTS = ()
    subject_to: _TEXTS = ()


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
    """A study file, read.

    Attributes
    ----------
    runners
        By name, one but for a cohort, a "recommended" category not resolved yet.
    parameters
        What is varied.
    points
        (number of points) values of `parameters`, empty for a search.
    search
        What is searched for; None for a design.
    settings
        Those of [run].
    document
        What the file says, the runners' tables and blades' files too.
    blades
        Of files, by the names that values have.
    steps
        Of runners whose category counts from the recommended one, by name.
    """

    runners: Mapping[str, Inputs]
    parameters: tuple[Parameter, ...]
    points: Points
    search: Search | None
    settings: Settings
    document: Mapping[str, Any] = field(repr=False)
    blades: Mapping[str, Blade] = field(default_factory=Table)
    steps: Mapping[str, Any] = field(default_factory=Table)

    def inputs(self, runner: str, point: tuple[Any, ...]) -> Inputs:
        """A runner with the values of a point, the category as a number.

        Parameters
        ----------
        runner
            Its name.
        point
            Values of `parameters`, in their order.

        Raises
        ------
        InputError
            Where they do not go together.
        """
        values = dict(zip((p.name for p in self.parameters), point, strict=True))
        if runner in self.steps and "category" not in values:
            values = {STEP: self.steps[runner], **values}
        return resolved(_changed(self.runners[runner], values, self.blades))


def load_study(path: str | Path) -> Study:
    """Read and check a study file.

    Parameters
    ----------
    path
        A TOML file; files it names lie beside it.

    Returns
    -------
    Study
        What stands in it.

    Raises
    ------
    InputError
        Says in one sentence what is wrong with it.
    """
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
    allowed = ("base", "cohort", "blades", "parameters", "design", "search", "run", *SECTIONS)
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
    lines, path = _lines(document, folder)
    blades = _blades(document, folder)
    runners, steps = _runners(lines, path, base, blades)
    parameters = tuple(_parameter(name, value, base, blades) for name, value in _tables(document).items())
    settings = _section(Settings, document.get("run", {}), "[run]")
    search, points = None, Points.of(())
    if "search" in document:
        if len(runners) > 1:
            raise InputError("a search is for one runner; give a [design]", key="cohort")
        for parameter in parameters:
            once(parameter)
        search = _search(document["search"], parameters)
    else:
        points = points_of(document["design"], parameters)
    return Study(runners, parameters, points, search, settings, document, blades, Table(steps))


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
    own = with_files({name: document[name] for name in SECTIONS if name in document}, folder)
    if "base" in document:
        path = folder / document.pop("base")
        base = {k: v for k, v in parse_toml(path).items() if k != "sweep" and k not in own}
        own = {**with_files(base, path.parent, path), **own}
    document |= plain(own)  # what the study is, whatever becomes of the files
    case = check_case(own)
    return Inputs.of(case, case.fitting)


def _lines(document: dict[str, Any], folder: Path) -> tuple[_Lines | None, Path | None]:
    """The lines of the cohort's file with their numbers, and its path, as far as there are any."""
    rows = document.get("cohort")
    if not isinstance(rows, str):
        return rows and list(enumerate(rows, 2)), None
    path = folder / rows
    lines = _cohort.lines(path)
    document["cohort"] = [row for _, row in lines]
    return lines, path


def _blades(document: dict[str, Any], folder: Path) -> dict[str, Blade]:
    """Blades of files that parameters or the cohort name; read once, the study keeps them."""
    if "blades" in document:
        return Table({name: Blade.of_json(table) for name, table in document["blades"].items()})
    asked = document.get("parameters", {}).get("blade", [])
    names = [
        *(asked if isinstance(asked, list) else []),
        *(row.get("blade") for row in document.get("cohort", [])),
    ]
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


def _runners(
    lines: _Lines | None, path: Path | None, base: Inputs, blades: Mapping[str, Blade]
) -> tuple[dict[str, Inputs], dict[str, Any]]:
    """By name: every runner, and the steps of those that count their category from the recommended one."""
    if lines is None:
        return {"runner": base}, {}
    runners: dict[str, Inputs] = {}
    steps: dict[str, Any] = {}
    for number, (line, row) in enumerate(lines, 1):
        name = row.get("name", f"runner{number}")
        try:
            values = {key: _cohort.value(text) for key, text in row.items() if key != "name"}
            for key in values:
                check_name(key)
            if name in runners:
                raise InputError(f"'{name}' is there twice; each runner once", key="name")
            resolved(_changed(base, values, blades))
            if STEP in values:
                steps[name] = values.pop(STEP)
            runners[name] = _changed(base, values, blades)
        except InputError as error:
            raise error.at(path, f"line {line}: {error.key}") from None
    if not runners:
        raise InputError("no runner in it; a header and a line for each", file=path)
    return runners, steps


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
            if type(count) is not int or not 2 <= count <= MOST:
                raise InputError(
                    f"count = {count!r} is not allowed; a whole number from 2 to {MOST}", key=key
                )
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
            resolved(_changed(base, {name: each}, blades))
        except InputError as error:
            raise error.at(key=key) from None
    return parameter


def _search(table: Mapping[str, Any], parameters: tuple[Parameter, ...]) -> Search:
    where, asked = "[search]", _section(SearchSection, table, "[search]")
    objectives = [Objective.parse(text, +1) for text in asked.minimise]
    objectives += [Objective.parse(text, -1) for text in asked.maximise]
    if not objectives:
        raise InputError("missing; what to minimise or maximise, names of outcomes", key=f"{where} minimise")
    constraints = tuple(Constraint.parse(text) for text in asked.subject_to)
    if asked.sampler == "cma-es" and len(objectives) > 1:
        raise InputError(
            "'cma-es' takes one objective; 'nsga-ii', 'nsga-iii', 'tpe' or 'gp' take more",
            key=f"{where} sampler",
        )
    if asked.sampler == "cma-es" and constraints:
        raise InputError("'cma-es' takes no constraints; 'tpe', 'gp' or 'nsga-ii' do", key=f"{where} sampler")
    return Search(asked.sampler, asked.trials, asked.seed, tuple(objectives), constraints)
