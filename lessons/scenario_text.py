"""A scenario that a lesson writes out, so that it can be read where it is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prism_sim import Scenario, load_scenario


def scenario_of(text: str, overrides: Iterable[str] | Mapping[str, Any] = ()) -> Scenario:
    """As `prism_sim.load_scenario` of a file with this text. Raises ScenarioError."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lesson.yaml"
        path.write_text(text, encoding="utf-8")
        return load_scenario(path, overrides)
