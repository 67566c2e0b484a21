"""What a study can vary: any number or word of the runner, the amputation, the fitting, the task, the
variation, and by dotted name any entry of the cost and the environment (`cost.tracking.weight`).

Takes names and values as a study file or a cohort's table has them; gives `Inputs` with these values, and how
far apart two values are. Units are in the names. `category_step` counts from the category recommended for the
runner. A setting of one leg has its name before it, `left.height_mm`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from bladerun._lib import data_files
from bladerun.body.legs import SIDES, apart, check_both, settings_of
from bladerun.body.runner import Amputation, Runner
from bladerun.body.variation import Variation
from bladerun.cost import Cost
from bladerun.environment import Environment
from bladerun.errors import InputError, nearest
from bladerun.fitting import STEPS, Fitting, altered, recommended, resolve
from bladerun.study.job import Inputs
from bladerun.task import Task

STEP = "category_step"
SECTIONS = {"runner": Runner, "amputation": Amputation, "fitting": Fitting, "task": Task}
_WHOLE = ("category", STEP)
_TABLES = ("strength", "joint_range_deg")  # of the runner, by muscle group or joint: `strength.hip_abductors`
_SETTINGS = ("cost", "environment")
_APART = ("blade", "knee", "side", "level", "sex", "speed_m_s")  # which no stride and its start may differ in


@dataclass(frozen=True)
class Parameter:
    """A quantity of a study: its values in order, or bounds (then `values` is empty)."""

    name: str
    values: tuple[Any, ...] = ()
    low: float = math.nan
    high: float = math.nan

    @property
    def setting(self) -> str:
        """Its name, without the leg where it is that of one leg: `left.height_mm`."""
        leg, _, setting = self.name.partition(".")
        return setting if leg in SIDES else self.name

    @property
    def bounded(self) -> bool:
        return not self.values

    @property
    def whole(self) -> bool:
        """Only whole numbers lie between the bounds."""
        return self.setting in _WHOLE

    @property
    def numeric(self) -> bool:
        return self.bounded or all(_is_number(value) for value in self.values)

    def at(self, share: float) -> Any:
        """The value at a share, in [0, 1), of the way through the bounds or the list."""
        if not self.bounded:
            return self.values[int(share * len(self.values))]
        if self.whole:
            return math.floor(self.low + share * (self.high - self.low + 1))
        return self.low + share * (self.high - self.low)

    def like(self, kept: Any) -> Any:
        """The value that a table keeps, a number as a decimal one and all else as text, as it was given."""
        return kept if self.bounded else next(v for v in self.values if v == kept or str(v) == kept)

    def place(self, value: Any) -> float:
        """Where a value lies, in steps that a stride can start across (models/sweep.toml)."""
        return float(value) / self.step if self.numeric else float(self.values.index(value))

    @property
    def apart(self) -> bool:
        """No stride starts from one with another value."""
        return self.setting in _APART

    @property
    def step(self) -> float:
        """The longest step between neighbours; a quarter of the range where models/sweep.toml has none."""
        known = data_files.toml("sweep.toml")["step"]
        name = "category" if self.name == STEP else self.setting.partition(".")[0]
        if name in known:
            return float(known[name])
        low, high = (self.low, self.high) if self.bounded else (min(self.values), max(self.values))
        return (high - low) / 4 or 1.0


@cache
def known() -> dict[str, str]:
    """Every name, and the section it belongs to."""
    names = {
        field.name: section
        for section, cls in SECTIONS.items()
        for field in fields(cls)
        if field.name not in SIDES
    }
    for section in ("amputation", "fitting"):
        own = [key for key in settings_of(SECTIONS[section]) if key not in _APART]
        names |= {f"{side}.{key}": section for side in SIDES for key in own}
    names |= {f"variation.{field.name}": "variation" for field in fields(Variation)}
    for section, usual in (("cost", Cost.default()), ("environment", Environment.default())):
        names |= {f"{section}.{entry}": section for entry in usual.entries()}
    return names | {STEP: "fitting"}


def check_name(name: str) -> None:
    """InputError, with the nearest known one, for a name that is none."""
    table, _, key = name.partition(".")
    if name not in known() and not (table in _TABLES and key):
        raise InputError(f"not a known parameter; {nearest(name, known())}", key=name)


def changed(inputs: Inputs, values: Mapping[str, Any]) -> Inputs:
    """The inputs with these values; InputError, with its key, for a wrong one. A "recommended" category stays
    so, for what it is depends on the runner (`resolved`)."""
    by_section: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        table, _, key = name.partition(".")
        if table in _TABLES and key:
            entries = by_section.setdefault("runner", {})
            before = entries.get(table, getattr(inputs.runner, table))
            entries[table] = {**(before if isinstance(before, Mapping) else {}), key: value}
        elif table in SIDES:
            by_section.setdefault(known()[name], {}).setdefault(table, {})[key] = value
        elif name != STEP:
            section = known()[name]
            by_section.setdefault(section, {})[name.removeprefix(f"{section}.")] = value
    parts = {section: getattr(inputs, section) for section in (*SECTIONS, "variation", *_SETTINGS)}
    for section in _SETTINGS:
        parts[section] = parts[section].changed(by_section.pop(section, {}))
    fitted, limbs = by_section.pop("fitting", {}), by_section.get("amputation", {})
    limbs |= {side: {**getattr(inputs.amputation, side), **limbs[side]} for side in SIDES if side in limbs}
    for section, entries in by_section.items():
        parts[section] = replace(parts[section], **entries)
    if (fitted or STEP in values) and parts["fitting"] is None:
        raise InputError("nothing to vary; the runner has no [fitting]", key=next(iter(fitted), STEP))
    if fitted or STEP in values:
        parts["fitting"] = _worn(parts["fitting"], parts["runner"], bool({"category", STEP} & set(values)))
    if fitted:
        parts["fitting"] = altered(parts["fitting"], **fitted)
    if STEP in values:
        parts["fitting"] = _stepped(parts["fitting"], parts["runner"], values)
    return replace(inputs, **parts)


def resolved(inputs: Inputs) -> Inputs:
    """The same with the category as a number, of this runner; InputError where the blade has none such."""
    if inputs.fitting is None:
        return inputs
    check_both(inputs.fitting, inputs.amputation.side)
    return replace(inputs, fitting=resolve(inputs.fitting, inputs.runner))


def _worn(fitting: Fitting, runner: Runner, anew: bool) -> Fitting:
    """The fitting as another can be made of it: a measured stiffness is that of a category, and categories
    that are given anew differ between legs by numbers."""
    measured = any(fitting.of(side).stiffness_kn_m is not None for side in SIDES)
    return resolve(fitting, runner) if measured or (anew and apart(fitting)) else fitting


def _stepped(fitting: Fitting, runner: Runner, values: Mapping[str, Any]) -> Fitting:
    step = STEPS.read(values[STEP], STEP)
    given = {key: values[key] for key in ("stiffness_kn_m",) if key in values}
    return altered(fitting, category=float(recommended(fitting, runner)) + step, **given)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
