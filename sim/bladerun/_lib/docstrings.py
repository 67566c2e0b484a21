"""What the docstring of an input's class says of each of its fields, for editors, commands and the manual.

Takes a class; gives texts by name of a field.
"""

import re
from functools import cache
from inspect import cleandoc

_ENTRY = re.compile(r"^(\w+(?:, \w+)*)\n((?: +\S.*\n?)+)", re.MULTILINE)  # of a section of a docstring


@cache
def texts_of(cls: type) -> dict[str, str]:
    """What the section "Parameters" of its docstring says of each field, as one line."""
    _, _, section = cleandoc(cls.__doc__ or "").partition("Parameters\n----------\n")
    return {
        name: " ".join(lines.split())
        for names, lines in _ENTRY.findall(section.partition("\n-----")[0])
        for name in names.split(", ")
    }
