"""What can go wrong, as sentences a person can act on.

Takes the file, key and value that are at fault; gives exceptions whose text is one sentence, each a
`BladerunError`. `InputError` ends a command with exit code 2. A stride that does not converge is a result,
not an error.
"""

import difflib
from collections.abc import Iterable


class BladerunError(Exception):
    """Whatever bladerun raises on purpose: catch this one to catch them all."""


class InputError(BladerunError, ValueError):
    """An input that cannot be used: says where it is, what it is and what is allowed.

    Parameters
    ----------
    what
        The sentence without its place.
    file, key
        The place, None where it is not known.
    allowed
        The least and the greatest number, in the unit of the key, where that is what is allowed.
    """

    def __init__(
        self,
        what: str,
        *,
        file: object = None,
        key: str | None = None,
        allowed: tuple[float, float] | None = None,
    ):
        seen = key and "".join(
            each if each.isprintable() else " " for each in key
        )  # one line, whatever it is
        where = ": ".join(str(part) for part in (file, seen) if part)
        super().__init__(f"{where}: {what}" if where else what)
        self.what, self.file, self.key, self.allowed = what, file, key, allowed

    def at(self, file: object = None, key: str | None = None) -> "InputError":
        """The same error with its place filled in by a caller who knows it.

        Parameters
        ----------
        file, key
            The place; as it was where left out.
        """
        return type(self)(self.what, file=file or self.file, key=key or self.key, allowed=self.allowed)


class ModelError(InputError):
    """A model with a part that the stride's dynamics do not know, or a force on a body that it has not."""


class StartError(InputError):
    """A stride that another cannot start from, or whose controls it cannot keep: its joints are others."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A clause that names the nearest known name, or all of them: ``did you mean 'mass_kg'?``"""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else "known: " + ", ".join(known)


def one_of(name: str, known: Iterable[str], key: str) -> str:
    """The name where it is known; else InputError with the nearest known one."""
    known = tuple(known)
    if name not in known:
        raise InputError(f"{name!r} is not allowed; {nearest(name, known)}", key=key)
    return name
