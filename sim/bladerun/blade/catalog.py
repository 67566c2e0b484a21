"""The blades there are: of the catalogue (models/blades/*.toml), and of one's own in a file like its files.

Takes a name or a path; gives a `Blade`.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bladerun._lib.data_files import models_dir, toml
from bladerun._lib.file_kinds import BLADE, refuse_others
from bladerun._lib.toml_files import parse_toml
from bladerun.blade.check import check_chart
from bladerun.blade.running_blade import Blade
from bladerun.errors import InputError, nearest


def catalog() -> tuple[str, ...]:
    """Names of the blades there are.

    Returns
    -------
    tuple of str
        What `load_blade` takes.
    """
    return tuple(sorted(path.stem for path in (models_dir() / "blades").glob("*.toml")))


def load_blade(blade: str | Blade) -> Blade:
    """The blade of that name in the catalogue, or the one given.

    Parameters
    ----------
    blade
        A name of `catalog`, or a `Blade`.

    Returns
    -------
    Blade
        The blade.

    Raises
    ------
    InputError
        Where there is no such blade; it names the nearest known one.
    """
    if isinstance(blade, Blade):
        return blade
    if blade not in catalog():
        known = nearest(str(blade), catalog())
        raise InputError(f"no blade '{blade}' in the catalogue; {known}", key="blade")
    return _from_catalog(blade)


@cache
def _from_catalog(name: str) -> Blade:
    return Blade(name, _charted(toml(f"blades/{name}.toml"), "."))


def charts() -> tuple[str, ...]:
    """Names of the charts of categories by mass there are."""
    return tuple(sorted(path.stem for path in (models_dir() / "charts").glob("*.toml")))


def _charted(own: Mapping[str, Any], folder: str | Path) -> dict[str, Any]:
    """A blade's tables with the chart that they name: one of `charts`, or a file in `folder`."""
    if "chart" not in own:
        return dict(own)
    name = own["chart"]
    if "recommendation" in own:
        raise InputError("give one of the two", key="chart, [recommendation]")
    if isinstance(name, str) and name.endswith(".toml"):
        path = Path(folder) / name
        if not path.is_file():
            raise InputError(f"no file '{path}'; the name of a chart's file, beside this one", key="chart")
        try:
            table = parse_toml(path)
            check_chart(table)
        except InputError as error:
            raise error.at(error.file or path) from None
    elif name in charts():
        table = toml(f"charts/{name}.toml")
    else:
        raise InputError(f"no chart '{name}'; {nearest(str(name), charts())}", key="chart")
    return {**own, "recommendation": table}


def read_blade(path: str | Path) -> Blade:
    """A blade of one's own, from a file like the catalogue's, called as the file is.

    Parameters
    ----------
    path
        A TOML file. `like` in it names the blade of the catalogue that has what the file leaves out:
        sections, and keys of those whose figures have each a source.

    Returns
    -------
    Blade
        The blade.

    Raises
    ------
    InputError
        Says in one sentence what is wrong with the file.
    """

    refuse_others(path, BLADE)
    own = parse_toml(path)
    try:
        like = load_blade(own["like"]).facts if "like" in own else {}
        if "recommendation" in own:  # the file's own, and no longer that chart's
            like = {key: like[key] for key in like if key != "chart"}
        own = _charted(own, Path(path).parent)
        return Blade(Path(path).stem, {**like, **{key: _over(like.get(key), own[key]) for key in own}})
    except InputError as error:
        raise error.at(error.file or path, "like" if error.key == "blade" else error.key) from None


def own_blade(name: object, folder: str | Path) -> Blade | None:
    """The blade of the file in `folder` that inputs name, where the name ends in .toml; else None."""
    if not isinstance(name, str) or not name.endswith(".toml"):
        return None
    path = Path(folder) / name
    if not path.is_file():
        raise InputError(f"no file '{path}'; a name of the catalogue, or of a blade's file", key="blade")
    return read_blade(path)


def _over(base: Any, own: Any) -> Any:
    """A section over that of the catalogue; whole where one source stands for all of it."""
    mixed = isinstance(base, Mapping) and isinstance(own, Mapping) and "status" not in base
    return {**base, **own} if mixed else own
