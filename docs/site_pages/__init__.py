"""An extension of Sphinx: writes what the code says of itself into the pages, between their markers.

<!-- reference: NAME -->
<!-- end -->
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pygments.lexers.special import TextLexer

from prism_sim.reports.page import filled, places
from site_pages import commands, fields, links, math_svg, offers, presets

KIND = "reference"
PARTS: dict[str, Callable[[], str]] = {
    "fields": fields.page,
    "commands": commands.page,
    "strategies": offers.strategies_page,
    "compressors": offers.compressors_page,
    "tasks": offers.tasks_page,
    "plots": offers.plots_page,
    "families": offers.families_page,
    "models": presets.models_page,
    "devices": presets.devices_page,
    "networks": presets.networks_page,
}


def written(text: str) -> str:
    """A page with what it asks for. Raises KeyError, with the known names, for a part that there is not."""
    asked = [place["name"] for place in places(KIND).finditer(text)]
    for name in asked:
        if name not in PARTS:
            raise KeyError(f"<!-- {KIND}: {name} -->: known are {', '.join(PARTS)}")
    return filled(text, KIND, {name: PARTS[name]() for name in asked})


def _read(app: Any, name: str, source: list[str]) -> None:
    source[0] = links.of_the_site(written(source[0]), name)


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", _read)
    app.connect("autodoc-process-docstring", lambda app, what, name, it, options, lines: links.as_rst(lines))
    app.add_lexer("csv", TextLexer)  # which Pygments has none for
    app.add_html_math_renderer("svg", (math_svg.visit_inline, None), (math_svg.visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
