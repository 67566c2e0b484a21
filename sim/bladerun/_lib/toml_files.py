"""TOML files that people write: what one says, or one sentence about why it cannot be read.

Takes a path; gives the document as a dict. `data_files` has those that bladerun brings along.
"""

import tomllib
from pathlib import Path
from typing import Any

from bladerun.errors import InputError


def parse_toml(path: str | Path) -> dict[str, Any]:
    """What a TOML file says; `InputError` where it cannot be read."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"byte {error.start} is not UTF-8; save the file as UTF-8 text", file=path) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", file=path) from None
    except RecursionError:
        raise InputError("nested too deeply", file=path) from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path, a number of 5000 digits
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise InputError(f"cannot be read: {reason}", file=path) from None
