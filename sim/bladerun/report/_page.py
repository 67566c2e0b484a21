"""How a page is filled in: templates beside this file, every text escaped.

Takes the name of a template and its content; gives the page.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from bladerun.report._words import figure


def page(template: str, style: str, content: dict[str, Any]) -> str:
    """The page, with the style sheet inside."""
    return (
        _environment()
        .get_template(template)
        .render(content, style=Markup(_environment().get_template(style).render()))
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bladerun.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = figure
    return environment
