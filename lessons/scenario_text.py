"""A scenario that a lesson writes out, so that it can be read where it is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from typing import Any

import marimo as mo

from prism_sim import Scenario, load_scenario


def scenario_of(text: str, overrides: Iterable[str] | Mapping[str, Any] = ()) -> Scenario:
    """As `prism_sim.load_scenario` of a file with this text. Raises ScenarioError."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lesson.yaml"
        path.write_text(text, encoding="utf-8")
        return load_scenario(path, overrides)


def shown(text: str) -> mo.Html:
    """The text as a block of YAML, to end a cell with."""
    # mo.md would take a list in it for one of its own
    return mo.Html(f'<div class="codehilite"><pre>{escape(dedent(text).strip())}</pre></div>')
