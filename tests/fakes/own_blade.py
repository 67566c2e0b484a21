"""A runner's file with the example of a blade's own file beside it."""

from pathlib import Path

import tomli_w

from bladerun._lib.toml_files import parse_toml

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
EXAMPLE, FIRST_FIT = EXPERIMENTS / "my-blade.toml", EXPERIMENTS / "first-fit.toml"


def case_file(folder, blade="my-blade.toml", **fitting):
    """A runner's file in `folder`, with that blade and settings."""
    document = toml(FIRST_FIT)
    document["fitting"] |= {"blade": blade, **fitting}
    return write(folder / "runner.toml", document)


def toml(path):
    return parse_toml(path)


def write(path, document):
    path.write_text(tomli_w.dumps(document), encoding="utf-8")
    return path
