"""A page opens no file: who asks it is known by a token alone, and what a file holds may show in a message about it."""

from __future__ import annotations

from collections.abc import Sequence

from prism_sim.scenario import Scenario
from prism_sim.syntax.errors import FieldPath, dotted
from prism_sim.syntax.overrides import Override, parse

# fields of a scenario that name files, folders, or models to be fetched
FIELDS: tuple[FieldPath, ...] = (
    ("presets",),
    ("model", "hf"),
    ("workload", "input"),
    ("task", "data"),
    ("task", "checkpoint"),
)


def refuse_files(overrides: Sequence[str], scenario: Scenario) -> None:
    """Raises ScenarioError for an override that names a file, or is none."""
    for override in parse(overrides, scenario.written.source.file):
        for field in FIELDS:
            if _sets(override, field):
                remedy = f"close this page and open one with prism-sim explore --set {dotted(field)}=..."
                rule = f"names a file or a model to be fetched, which a page does not open; {remedy}"
                raise override.place.error(scenario.written.source.file, field, rule)


def _sets(override: Override, field: FieldPath) -> bool:
    """By itself, or in the section that it sets as a whole; taking it away opens nothing."""
    path, value = override.path, override.value
    if path[: len(field)] == field:
        return value is not None
    return field[: len(path)] == path and isinstance(value, dict) and field[len(path)] in value
