"""Where the markers of a file are on a runner's body.

Takes a `Model`, the names in the file and, where they are nobody's usual ones, a mapping; gives `Marker`s.
Sets of names are in models/markers/, places in models/landmarks.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import mujoco
import numpy as np

from bladerun._lib.data_files import models_dir, toml
from bladerun._lib.toml_files import parse_toml
from bladerun.body.joints import without_side
from bladerun.errors import InputError, nearest
from bladerun.model import Model

_DRAWN_M = 1.75  # height of the body that models/landmarks.toml speaks of


class Marker(NamedTuple):
    """body: number of the body that carries it; at_m: (3,) where on it, NaN where the motion tells."""

    name: str
    body: int
    at_m: np.ndarray


def marker_set(
    model: Model, names: Iterable[str], mapping: str | Path | None = None
) -> tuple[list[Marker], list[str]]:
    """Those of the names that have a place, and what was assumed. Raises InputError where too few have one,
    and for a mapping that cannot be used."""
    plain = {name: _plain(name) for name in names}
    own = _mapping(model, Path(mapping), plain) if mapping else {}
    sets = {title: {k: words[p] for k, p in plain.items() if p in words} for title, words in _sets().items()}
    title = max(sets, key=lambda each: len(sets[each]))
    meant = sets[title] | own
    found, gone, notes = [], [], []
    for name, place in meant.items():
        marker = _on(model, name, place)
        (found if marker else gone).append(marker or name)
    if sets[title]:
        notes.append(f"names of markers as of {title}")
    known = sum(bool(np.isfinite(marker.at_m).all()) for marker in found)
    if known < (least := toml("landmarks.toml")["fit"]["known"]):
        few = ", ".join(list(plain)[:6])
        raise InputError(
            f"the place of {known} markers is known, of {least} at least it has to be; they are called {few}"
            f"{', ...' if len(plain) > 6 else ''}: say where they are by --markers"
        )
    if gone:
        notes.append(
            f"left out, on a foot that this runner has not: {', '.join(gone)}; --markers says where on the "
            "blade"
        )
    if others := sorted(set(plain) - set(meant)):
        notes.append(f"left out, of unknown place: {', '.join(others)}")
    return found, notes


def _plain(name: str) -> str:
    """A name as sets have it: without whose it is, blanks and marks; `r...` for right."""
    word = re.sub(r"[^a-z0-9]", "", name.rsplit(":", 1)[-1].lower())
    return re.sub(r"^(right|left)", lambda match: match[1][0], word)


@cache
def _sets() -> Mapping[str, Mapping[str, str]]:
    """Place by plain name, of each set by its title; places of a side end in _r or _l."""
    found = {}
    for file in sorted((models_dir() / "markers").glob("*.toml")):
        table = toml(f"markers/{file.name}")
        sided = {
            _plain(s + name): f"{place}_{s}" for name, place in table["right"].items() for s in ("r", "l")
        }
        found[table["title"]] = sided | {_plain(name): place for name, place in table["middle"].items()}
    return found


def _mapping(model: Model, file: Path, plain: Mapping[str, str]) -> dict[str, str]:
    """Places by name in the motion's file, as the runner's own mapping has them."""
    found: dict[str, str] = {}
    document: Mapping[str, Any] = parse_toml(file)
    for word, place in document.items():
        mine = [name for name, short in plain.items() if word == name or _plain(word) == short]
        if not mine:
            raise InputError(f"no marker is called that; {nearest(word, tuple(plain))}", file=file, key=word)
        if not isinstance(place, str) or _on(model, word, place) is None:
            known = _known(model)
            raise InputError(
                f"{place!r} is no place of this runner; {nearest(str(place), known)}", file=file, key=word
            )
        found[mine[0]] = place
    return found


def _known(model: Model) -> tuple[str, ...]:
    """What a place may be called: landmarks, sites of the model that are no muscle's, bodies."""
    table, mj = toml("landmarks.toml"), model.mj
    sided = [f"{name}_{s}" for name in table["right"] for s in "rl"]
    sites = [mj.site(i).name for i in range(mj.nsite) if not mj.site(i).name[-1].isdigit()]
    return (*sided, *table["middle"], *sites, *(mj.body(i).name for i in range(1, mj.nbody)))


def _on(model: Model, name: str, place: str) -> Marker | None:
    """The marker at that place of the model; None where the runner has none."""
    table, mj = toml("landmarks.toml"), model.mj
    entry = table["middle"].get(place) or (
        table["right"].get(without_side(place)) if place[-2:] in ("_r", "_l") else None
    )
    if entry is not None:
        side = place[-2:] if place[-2:] in ("_r", "_l") else ""
        bodies = [_body(mj, each + side) or _body(mj, each) for each in (entry["body"], *_needs(entry))]
        if bodies[0] is None or None in bodies:
            return None
        mirror = np.array([1.0, -1.0 if side == "_l" else 1.0, 1.0])
        return Marker(name, bodies[0], mirror * entry["at_m"] * model.runner.height_m / _DRAWN_M)
    site = mujoco.mj_name2id(mj, mujoco.mjtObj.mjOBJ_SITE, place)
    if site >= 0:
        return Marker(name, int(mj.site_bodyid[site]), mj.site_pos[site].copy())
    body = _body(mj, place) or _body(mj, without_side(place))
    return None if body is None else Marker(name, body, np.full(3, np.nan))


def _needs(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (entry["needs"],) if "needs" in entry else ()


def _body(mj: Any, name: str) -> int | None:
    number = mujoco.mj_name2id(mj, mujoco.mjtObj.mjOBJ_BODY, name)
    return number if number > 0 else None
