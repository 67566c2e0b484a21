"""How a page is filled in: templates beside this file, every text escaped.

Takes the name of a template and its content; gives the page.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from bladerun._lib.html import templates
from bladerun.report.words import figure, known, signed


def page(template: str, style: str, content: dict[str, Any]) -> str:
    """The page, with the style sheet inside."""
    ours = templates("bladerun.report")
    ours.filters["figure"] = figure
    ours.filters["signed"] = signed
    ours.filters["known"] = lambda pair, unit: known(pair[0], pair[1], unit)
    return ours.get_template(template).render(content, style=Markup(ours.get_template(style).render()))
