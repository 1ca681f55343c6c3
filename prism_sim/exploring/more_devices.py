"""Fewer devices than a scenario has, or more of its last kind: what that writes into the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prism_sim.scenario import Scenario, ScenarioError

MOST_DEVICES = 8  # that are offered; a scenario with more keeps its own


def most_devices(scenario: Scenario) -> int:
    """As many as can take part; more than there are only where the file can have more of its last kind."""
    n_devices = len(scenario.devices)
    if scenario.network.medium == "links" or n_devices >= MOST_DEVICES:
        return n_devices
    try:
        scenario.with_overrides([*device_overrides(scenario, n_devices + 1)])
    except ScenarioError:  # a name that the file uses would change: more of them is a file of its own
        return n_devices
    return MOST_DEVICES


def device_overrides(scenario: Scenario, n_devices: int) -> Iterator[str]:
    """So many compute: the scenario's ranks first, then its other devices, then more of the last kind."""
    known = len(scenario.devices)
    order = [*scenario.ranks, *(one for one in range(known) if one not in scenario.ranks)]
    more = n_devices - known
    if more > 0:
        sections: list[dict[str, Any]] = scenario.written.source.tree["devices"]
        yield f"devices[{len(sections) - 1}].count={sections[-1].get('count', 1) + more}"
    if isinstance(scenario.written.strategy_fields.get("shares"), tuple):  # a number for each of them as they were
        yield "strategy.shares=null"
    yield f"ranks={[*order, *range(known, n_devices)][:n_devices]}"
