"""Pages from templates: every text escaped, every name that a template uses there.

Takes a package with templates beside its modules; gives them.
"""

from functools import cache

import jinja2


@cache
def templates(package: str) -> jinja2.Environment:
    """The templates of `package`, e.g. "bladerun.report"."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader(package, "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
