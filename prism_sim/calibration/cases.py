"""A measured row as something to simulate, again and again with other numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from prism_sim import strategies, timing
from prism_sim.calibration.parameters import with_values
from prism_sim.calibration.table import MeasuredRow, MeasuredTable
from prism_sim.plan import Plan
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.simulation import hardware
from prism_sim.simulation.simulate import Simulation, simulate


@dataclass(frozen=True)
class MeasuredCase:
    """A row, the scenario that it was measured in, and the Plan of that."""

    row: MeasuredRow
    scenario: Scenario
    plan: Plan
    device_of: tuple[int, ...]

    def predicted_s(self, values: dict[str, float]) -> dict[str, float]:
        """Compute, staging, communication and total with these numbers."""
        scenario = with_values(self.scenario, values)
        boards, network = hardware.devices(scenario), hardware.network(scenario.network)
        return parts_s(timing.play_once(self.plan, boards, self.device_of, network), self.plan.n_ranks)


def parts_s(timeline: timing.Timeline, n_ranks: int) -> dict[str, float]:
    """A run as a table of measurements has it: of the ranks' mean, compute and staging, and the rest of the latency."""
    spent_s = {"compute": 0.0, "staging": 0.0}
    for job in timeline.log.jobs:
        if job.participant < n_ranks and job.kind in spent_s:
            spent_s[job.kind] += (job.end_s - job.start_s) / n_ranks
    rest_s = max(0.0, timeline.latency_s - sum(spent_s.values()))
    return {**spent_s, "communication": rest_s, "total": timeline.latency_s}


def cases(table: MeasuredTable, scenario: Scenario) -> tuple[MeasuredCase, ...]:
    """Raises ScenarioError at the row that the scenario cannot be made to be, and for devices that differ."""
    kinds = {replace(device, name="") for device in scenario.devices}
    if len(kinds) > 1:
        rule = f"{len(kinds)} kinds of device; a fit finds the numbers of one kind, so name devices that are alike"
        raise scenario.error_of_file(("devices",), rule)
    return tuple(_case(table, row, scenario) for row in table.rows)


def _case(table: MeasuredTable, row: MeasuredRow, scenario: Scenario) -> MeasuredCase:
    try:
        simulation = simulation_of(row, scenario)
    except ScenarioError as error:
        raise table.error(f"{row.name} cannot be simulated: {error}", row.line) from error
    return MeasuredCase(row, scenario_of(row, scenario), simulation.plan, simulation.device_of)


def simulation_of(row: MeasuredRow, scenario: Scenario) -> Simulation:
    """The row as the scenario's own numbers have it."""
    return simulate(scenario_of(row, scenario))


def scenario_of(row: MeasuredRow, scenario: Scenario) -> Scenario:
    """The scenario as it was when the row was measured. Raises ScenarioError if it cannot be that."""
    changes: dict[str, Any] = {"strategy.name": row.strategy, "workload.batch": row.batch}
    if row.segments is not None:
        changes["strategy.segments"] = row.segments
    if row.bits_per_s is not None:
        changes["network.bandwidth"] = f"{row.bits_per_s!r} bit/s"
    if row.ranks is not None:
        one_rank = strategies.find(row.strategy).one_rank
        if row.ranks > len(scenario.devices) or (one_rank and row.ranks > 1):
            most = 1 if one_rank else len(scenario.devices)
            raise ScenarioError(f"ranks: {row.ranks}, but {scenario.path} has room for {most}", str(scenario.path))
        if not one_rank:
            changes["ranks"] = list(range(row.ranks))
    return scenario.with_overrides(changes)
