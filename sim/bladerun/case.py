"""A runner's file: who runs, on which fitting, how fast, and which fittings to compare.

Takes the path of a TOML file, or what stands in one; gives a `Case` of frozen dataclasses that have checked
every value, or one `InputError` that names the file, the key, the value and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np

from bladerun._lib.file_kinds import RUNNER, refuse_others
from bladerun._lib.kinds import ByName, Kind, Listed, Record, Text, Word, kinds_of
from bladerun._lib.table import Table, frozen, overflows
from bladerun._lib.toml_files import parse_toml
from bladerun._unknown_keys import instead
from bladerun.blade.catalog import own_blade
from bladerun.body.knee_unit import knee_units
from bladerun.body.legs import SIDES, apart, on_leg
from bladerun.body.own_gait import SECTION, Today, today_of
from bladerun.body.reference_gait import reference
from bladerun.body.runner import Amputation, Runner
from bladerun.cost import Cost
from bladerun.environment import Environment
from bladerun.errors import InputError, nearest
from bladerun.fitting import STEPS, Fitting, altered, recommended, resolve
from bladerun.knees import SETTINGS as KNEES
from bladerun.knees import on_each_knee
from bladerun.placement import placements
from bladerun.priorities import SECTION as WEIGHTS
from bladerun.priorities import priorities, usual
from bladerun.seen import Seen
from bladerun.task import Task
from bladerun.visit import Visit

SWEPT = ("category", "height_mm", "toe_out_deg")
ADJUSTED = (*SWEPT, "sagittal_deg")  # what a fitter can change on the runner's own blade
_PHASES = 100  # of a stride, at which a joint range is held against the reference
BESIDE = ("measured", "visit")  # sections that change nothing that is solved
WORDS = ("name", "notes")  # of a case, which stand in [runner]; as long as can be printed
_T = TypeVar("_T")


def _swept() -> Mapping[str, Kind]:
    fitted = kinds_of(Fitting) | {"category": STEPS, "speed_m_s": kinds_of(Task)["speed_m_s"]}
    fitted["knee"] = Word(knee_units(), listed=True)
    said = dict.fromkeys((*SWEPT, *KNEES, "speed_m_s"), "a list of at least one number")
    said["knee"] = "a list of at least one knee"
    return {
        key: Listed((fitted[key],), endless=True, least=1, once=True, words=words)
        for key, words in said.items()
    }


def _not_swept(key: str, known: Iterable[str]) -> str:
    varied = any(key in kind.__dataclass_fields__ for kind in (Runner, Amputation, Fitting, Task))
    return "`bladerun sweep` varies it" if varied else nearest(key, known)


@dataclass(frozen=True)
class Case:
    """A runner's file. Without an amputation `fitting` is None and `sweep` empty, whatever it keeps.

    Parameters
    ----------
    runner
        Who runs.
    amputation
        What is missing.
    fitting
        What the runner wears today.
    task
        What the runner is asked to do.
    sweep
        Settings to compare in `bladerun fit`, lists to combine: categories in steps from the recommended one,
        the others as they are. What is left out is not swept. Knees and their settings are compared apart, on
        today's fitting, at the speeds of `speed_m_s` or at the task's.
    name, notes
        Any text, for people; nothing is computed from it.
    cost
        For research: what takes the place of the same entry of models/cost.toml.
    environment
        For research: what takes the place of the usual ground or gravity, and forces from outside.
    priorities
        What this runner cares about: weights of the score by the name of the trade-off, or those of a preset.
    measured
        What was seen of this runner on a film, on today's fitting; the page writes it. A prediction of that
        fitting is held against it, and nothing is solved with it.
    reference
        How this runner was measured to run on today's fitting, in place of able-bodied running: the name of
        what `bladerun measure` wrote, beside this file.
    visit
        When, where and by whom this runner was fitted, for the sheet; nothing is computed from it.
    """

    runner: Runner
    amputation: Amputation
    fitting: Fitting | None
    task: Task
    sweep: Annotated[
        Mapping[str, tuple[Any, ...]], ByName(_swept, said="a section of keys", other=_not_swept)
    ] = field(default_factory=Table)
    name: Annotated[str, Text(100)] = ""
    notes: Annotated[str, Text(4000)] = ""
    cost: Cost = field(default_factory=Cost.default)
    environment: Environment = field(default_factory=Environment.default)
    priorities: Annotated[Mapping[str, float], WEIGHTS] = field(default_factory=usual)
    measured: Seen | None = None
    reference: Annotated[Today | None, SECTION] = None
    visit: Visit | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "sweep", frozen(self.sweep))


def load_case(path: str | Path) -> Case:
    """Read and check a runner's file.

    Parameters
    ----------
    path
        A TOML file.

    Returns
    -------
    Case
        What stands in it, and what it leaves out as usual.

    Raises
    ------
    InputError
        Says in one sentence what is wrong with it.
    """
    refuse_others(path, RUNNER)
    return check_case(parse_toml(path), path)


def with_files(document: Mapping[str, Any], folder: str | Path, file: object = None) -> Mapping[str, Any]:
    """The document, the files read that it names: a blade's own, and how the runner runs today; they lie in
    `folder`."""
    document = _with_blade(document, folder, file)
    if "reference" not in document:
        return document
    with _place(file, "reference"):
        return {**document, "reference": today_of(document["reference"], folder)}


def _with_blade(document: Mapping[str, Any], folder: str | Path, file: object) -> Mapping[str, Any]:
    fitting = document.get("fitting")
    if not isinstance(fitting, dict):
        return document
    found = _with_own(fitting, folder, file, "")
    for side in SIDES:
        if isinstance(own := fitting.get(side), dict):
            found[side] = _with_own(own, folder, file, f"{side}.")
    return {**document, "fitting": found}


def _with_own(table: Mapping[str, Any], folder: str | Path, file: object, leg: str) -> dict[str, Any]:
    try:
        blade = own_blade(table.get("blade"), folder)
    except InputError as error:
        raise error if error.file else error.at(file, f"[fitting] {leg}{error.key}") from None
    return {**table, "blade": blade} if blade else dict(table)


def check_case(document: Mapping[str, Any], file: object = None) -> Case:
    """The same for what stands in such a file, section by section; `file` is what errors call it, and what a
    blade's own file lies beside (the current folder where there is none)."""
    document = with_files(document, Path(str(file)).parent if file else ".", file)
    with _place(file):
        _check_sections(document)
        words, document = _words(document)
        runner = _section(document, "runner", Runner)
        amputation = (
            _section(document, "amputation", Amputation) if "amputation" in document else Amputation()
        )
        task = _section(document, "task", Task)
        with _place(section="runner"):
            _check_flexibility(runner, task)
        with _place(section="cost"):
            cost = Cost.default().merged(document.get("cost", {}))
        with _place(section="environment"):
            environment = Environment.default().merged(document.get("environment", {}))
        with _place(section="priorities"):
            cares = priorities(document.get("priorities", {}))
        with _place(section="reference"):
            today = _reference(document, amputation, task)
        amputated = amputation.side != "none"
        legs = amputation if amputated else replace(amputation, side="both")
        with _place(section="amputation"):
            for side in legs.sides:
                with on_leg(side, bool(apart(legs))):
                    legs.of(side).residual_limb(runner)
        measured = _section(document, "measured", Seen) if "measured" in document else None
        visit = _section(document, "visit", Visit) if "visit" in document else None
        fitting, sweep = None, {}
        if amputated or "fitting" in document:
            fitting = _section(document, "fitting", Fitting)
            with _place(section="fitting"):
                placements(resolve(fitting, runner), runner, legs)
        if "sweep" in document:
            sweep = _sweep(document["sweep"], fitting, runner, legs)
            _check_speeds(sweep, runner, task, today)
    if not amputated:
        fitting, sweep = None, {}
    asked = {"cost": cost, "environment": environment, "priorities": cares}
    asked |= {"measured": measured, "reference": today, "visit": visit}
    return Case(runner, amputation, fitting, task, sweep, **words, **asked)


def _check_flexibility(runner: Runner, task: Task) -> None:
    """InputError for a joint range that ends more than 2 SD between people short of the reference's mean."""
    ranges = runner.joint_range_deg
    running = reference(tuple(ranges), task.speed_m_s, _PHASES, leg_length_m=runner.height_m)
    mean, spare = np.degrees([running.q, 2 * running.sd])
    most, least = (mean - spare).max(axis=0), (mean + spare).min(axis=0)
    for i in np.flatnonzero(running.tracked):
        joint, (low, high) = list(ranges.items())[i]
        if low > least[i] or high < most[i]:
            raise InputError(
                f"{low:g} to {high:g} deg is not allowed; running at {task.speed_m_s:g} m/s takes at least "
                f"{least[i]:.0f} to {most[i]:.0f} deg",
                key=f"joint_range_deg.{joint}",
            )


def _reference(document: Mapping[str, Any], amputation: Amputation, task: Task) -> Today | None:
    today = document.get("reference")
    if isinstance(today, Today):
        today.motion.check_side(amputation.side)
        today.motion.check_speed(task.speed_m_s)
    return today


def _words(document: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Name and notes of [runner], and the document without them."""
    runner, kinds = dict(document.get("runner", {})), kinds_of(Case)
    words = {key: kinds[key].read(runner.pop(key), f"[runner] {key}") for key in WORDS if key in runner}
    return words, {**document, "runner": runner} if words else dict(document)


def _check_sections(document: Mapping[str, Any]) -> None:
    known = [name for name in kinds_of(Case) if name not in WORDS]
    for name, table in document.items():
        if name not in known:
            raise InputError(f"not a known section; {nearest(name, known)}", key=f"[{name}]")
        if isinstance(table, Today):
            continue
        if not isinstance(table, dict):
            raise InputError("a single value is not allowed; it must be a section of keys", key=f"[{name}]")
        for key, value in table.items():
            if overflows(value):
                raise InputError("a number is too large; TOML allows 64 bits", key=f"[{name}] {key}")


def _section(document: Mapping[str, Any], section: str, cls: type[_T]) -> _T:
    """The section as an instance of the dataclass, which says what keys there are and checks their values."""
    if section not in document:
        raise InputError("missing; this section is needed", key=f"[{section}]")
    with _place(section=section):
        return Record(cls, partial(instead, section)).read(document[section])


def _check_speeds(
    sweep: Mapping[str, tuple[Any, ...]], runner: Runner, task: Task, today: Today | None
) -> None:
    """InputError where knees are not compared, or this runner cannot be asked for one of their speeds."""
    with _place(section="sweep"):
        if "speed_m_s" in sweep and not set(KNEES) & set(sweep):
            raise InputError("is for comparing knees; `bladerun sweep` varies it", key="speed_m_s")
        for speed in sweep.get("speed_m_s", ()):
            _check_flexibility(runner, replace(task, speed_m_s=speed))
            if today is not None:
                today.motion.check_speed(speed)


def _sweep(
    table: Mapping[str, Any], fitting: Fitting | None, runner: Runner, legs: Amputation
) -> Mapping[str, tuple[Any, ...]]:
    """Each list checked, and each value tried on the limb, in the fitting, which knows what it allows."""
    if fitting is None:
        raise InputError("a sweep needs a [fitting] to start from", key="[sweep]")
    with _place(section="sweep"):
        swept = kinds_of(Case)["sweep"].read(table)
        for key in (key for key in SWEPT if key in swept):
            for value in swept[key]:
                setting = recommended(fitting, runner) + value if key == "category" else value
                placements(resolve(altered(resolve(fitting, runner), **{key: setting}), runner), runner, legs)
        if lists := {key: swept[key] for key in KNEES if key in swept}:
            for each in on_each_knee(resolve(fitting, runner), legs, lists):
                placements(each, runner, legs)
    return swept


@contextmanager
def _place(file: object = None, section: str | None = None) -> Iterator[None]:
    """Add where it happened to an `InputError` raised inside."""
    try:
        yield
    except InputError as error:
        key = " ".join(part for part in (section and f"[{section}]", error.key) if part)
        raise error.at(file, key) from None
