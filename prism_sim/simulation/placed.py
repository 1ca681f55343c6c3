"""Errors of rules that only show once the parts meet, placed in the scenario's file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prism_sim.scenario import Scenario, ScenarioError


@contextmanager
def placed(scenario: Scenario) -> Iterator[None]:
    """Turns the ValueErrors of rules that only show once the parts meet into ScenarioErrors that name the file."""
    try:
        yield
    except ScenarioError:
        raise
    except ValueError as error:
        raise scenario.error_of_file((), str(error)) from error
