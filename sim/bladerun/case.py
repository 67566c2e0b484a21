"""A runner's file: who runs, on which fitting, how fast, and which fittings to compare.

Takes the path of a TOML file; gives a `Case` of frozen dataclasses, every value of which has been checked,
or one `InputError` that names the file, the key, the value and what is allowed.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from bladerun.errors import InputError, nearest
from bladerun.fitting import Fitting, resolve
from bladerun.runner import Amputation, Runner

_T = TypeVar("_T")

SPEED_M_S = (2.0, 5.5)
"""Speeds that may be asked for, m/s: the reference curves cover 2.5-4.5, somewhat beyond they are extended."""


@dataclass(frozen=True)
class Task:
    """What the runner does: steady running on level ground at `speed_m_s` (m/s, forward)."""

    speed_m_s: float

    def __post_init__(self) -> None:
        low, high = SPEED_M_S
        if not low <= self.speed_m_s <= high:
            raise InputError(f"is {self.speed_m_s}; allowed is {low} to {high} m/s", key="speed_m_s")


@dataclass(frozen=True)
class Case:
    """A runner's file. `fitting` is None for an able-bodied runner.

    `sweep` maps "category" (steps from the recommended one), "height_mm" and "toe_out_deg" (values) to
    the values to compare; a quantity that is not swept is missing.
    """

    runner: Runner
    amputation: Amputation
    fitting: Fitting | None
    task: Task
    sweep: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def load_case(path: str | Path) -> Case:
    """Read and check a runner's file; `InputError` says in one sentence what is wrong with it."""
    document = _parse(path)
    with _place(path):
        known = ("runner", "amputation", "fitting", "task", "sweep")
        for name, table in document.items():
            if name not in known:
                raise InputError(
                    f"is not a section of a runner's file; {nearest(name, known)}", key=f"[{name}]"
                )
            if not isinstance(table, dict):
                raise InputError(f"is {_show(table)}; it must be a section, [{name}]", key=name)
        runner = _section(document, "runner", Runner)
        amputation = (
            _section(document, "amputation", Amputation) if "amputation" in document else Amputation()
        )
        task = _section(document, "task", Task)
        fitting = None
        if "fitting" in document or amputation.side != "none":
            fitting = _section(document, "fitting", Fitting)
            with _place(section="fitting"):
                resolve(fitting, runner)
        sweep = _sweep(document.get("sweep", {}), fitting, runner)
    return Case(runner, amputation, fitting if amputation.side != "none" else None, task, sweep)


def _parse(path: str | Path) -> dict[str, Any]:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start}); save it as UTF-8", file=path) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is not valid TOML: {_lower(str(error))}", file=path) from None
    except RecursionError:
        raise InputError("is not a runner's file: it is nested too deeply", file=path) from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"cannot be read: {_lower(reason)}", file=path) from None


def _section(document: Mapping[str, Any], section: str, cls: type[_T]) -> _T:
    """The section as an instance of the dataclass, whose annotations say which keys and types it has."""
    if section not in document:
        raise InputError("is missing; this section is needed", key=f"[{section}]")
    table, hints = document[section], get_type_hints(cls)
    with _place(section=section):
        for key, value in table.items():
            if key not in hints:
                raise InputError(f"is not known; {nearest(key, hints)}", key=key)
            _check_type(key, value, hints[key])
        for entry in fields(cls):  # type: ignore[arg-type]
            if entry.name not in table and entry.default is MISSING:
                raise InputError(f"is missing; give {_wanted(hints[entry.name])}", key=entry.name)
        return cls(**{key: _as_float(value) for key, value in table.items()})


def _sweep(table: Mapping[str, Any], fitting: Fitting | None, runner: Runner) -> dict[str, tuple[float, ...]]:
    """Each list checked, and each value tried in the fitting, which knows what it allows."""
    known = ("category", "height_mm", "toe_out_deg")
    with _place(section="sweep"):
        for key, values in table.items():
            if key not in known:
                raise InputError(f"is not known; {nearest(key, known)}", key=key)
            if not isinstance(values, list) or not values:
                raise InputError(f"is {_show(values)}; it must be a list of at least one number", key=key)
            for value in values:
                _check_type(key, value, int if key == "category" else float)
            if len(set(values)) < len(values):
                raise InputError(f"is {_show(values)}; each value may be given only once", key=key)
            if fitting is not None:
                for value in values:
                    _try(fitting, runner, key, value)
    return {key: tuple(values) for key, values in table.items()}


def _try(fitting: Fitting, runner: Runner, key: str, value: float) -> None:
    if key == "category":
        recommended = resolve(replace(fitting, category="recommended"), runner).category
        value += float(recommended)
    resolve(replace(fitting, **{key: value}), runner)


def _check_type(key: str, value: object, hint: Any) -> None:
    """`hint` is a type or a union of types; a whole number serves as float, true and false as no number."""
    allowed = get_args(hint) or (hint,)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        fits = float in allowed or (int in allowed and isinstance(value, int))
        if fits and not abs(value) < 1e300:  # also refuses nan
            raise InputError(f"is {_show(value)}; it must be a finite number", key=key)
    else:
        fits = isinstance(value, str) and str in allowed
    if not fits:
        raise InputError(f"is {_show(value)}; it must be {_wanted(hint)}", key=key)


def _wanted(hint: Any) -> str:
    names = {float: "a number", int: "a whole number", str: "text in quotes"}
    return " or ".join(names[kind] for kind in get_args(hint) or (hint,) if kind in names)


def _as_float(value: Any) -> Any:
    return float(value) if isinstance(value, int) else value


def _show(value: object) -> str:
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except ValueError:  # an integer of thousands of digits
        return "a value too long to show"
    return text if len(text) <= 60 else text[:57] + "..."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


@contextmanager
def _place(file: object = None, section: str | None = None) -> Iterator[None]:
    """Add where it happened to an `InputError` raised inside."""
    try:
        yield
    except InputError as error:
        key = " ".join(part for part in (section and f"[{section}]", error.key) if part)
        raise error.at(file, key) from None
