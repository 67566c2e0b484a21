"""What the form must know: blades, what may be set besides, and what a runner's files are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bladerun._lib.data_files import toml
from bladerun.blade.catalog import catalog, load_blade
from bladerun.blade.running_blade import Blade
from bladerun.case import Case
from bladerun.schemas import schema

_NEW = {  # a runner of whom nothing is known
    "runner": {"sex": "female"},
    "amputation": {"side": "right", "level": "transtibial"},
    "fitting": {"blade": "j-sprint", "category": "recommended", "height_mm": 20, "toe_out_deg": 0},
    "task": {"speed_m_s": 3.3},
}
_FIRST = {**_NEW, "runner": {"mass_kg": 72.0, "height_m": 1.76, "sex": "female"}}  # to try the page with


def facts() -> dict[str, Any]:
    """first, new: documents to begin with. blades. keys: of a runner's file, by section, as JSON Schemas.
    swing_share: how much of swing a whip is looked at."""
    return {
        "first": _FIRST,
        "new": _NEW,
        "swing_share": toml("outcomes.toml")["whip"]["swing_share"],
        "blades": [listed(name, load_blade(name)) for name in catalog()],
        "keys": {name: section["properties"] for name, section in schema("runner")["properties"].items()},
    }


def listed(name: str, blade: Blade) -> Mapping[str, Any]:
    """A blade as the form needs it: what stands in the runner's file, and what is shown."""
    return {"name": name, "title": blade.title, "categories": list(blade.categories)}


def file_name(case: Case) -> str:
    """The runner's name as the name of a file, in any letters, without a suffix."""
    return re.sub(r"[\W_]+", "-", case.name).strip("-").lower() or "runner"
