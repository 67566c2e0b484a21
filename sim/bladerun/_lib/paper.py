"""Loads reportlab, which looks for a file of the user's in a home that may not be one, or may not be read.

Imported before anything that prints; where that home is refused by the system, it is looked for nowhere.
"""

import os
import secrets
import sys

try:
    import reportlab
except OSError:
    for name in [name for name in sys.modules if name.split(".")[0] == "reportlab"]:
        del sys.modules[name]
    home = os.environ.get("HOME", "")
    os.environ["HOME"] = os.path.join(os.sep, f"nowhere-{secrets.token_hex(8)}")
    try:
        import reportlab  # noqa: F401
    finally:
        os.environ["HOME"] = home
