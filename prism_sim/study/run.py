"""`run`: one scenario in, one answer out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from prism_sim.scenario import Scenario, ScenarioError, load_scenario
from prism_sim.study.memory import fits, refuse_unless_it_fits
from prism_sim.study.numerics import fidelity_of
from prism_sim.study.result import RunResult
from prism_sim.study.simulation import Simulation, simulate

FEW_RANKS = 8  # up to here a timeline is small enough to be kept


def run(
    scenario: Scenario | str | Path, numerics: bool = True, announce: Callable[[str], None] = lambda text: None
) -> RunResult:
    """Simulates a scenario, or the file of one, beside one device alone and Voltage on the same devices.

    numerics: compute the real outputs too (or take them from disk); without, torch is never imported.
    announce: told, in a sentence, before something that may take long.
    Raises ScenarioError where the scenario is wrong.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    with placed(scenario):
        simulation = simulate(scenario)
        refuse_unless_it_fits(scenario, simulation)
        return RunResult(
            scenario=scenario,
            simulation=simulation,
            single=simulate(scenario, "single", (scenario.terminal,), keep=True),
            fastest_single=fastest_single(scenario),
            voltage=_voltage(scenario, simulation),
            fidelity=fidelity_of(scenario, simulation.job, announce) if numerics else None,
        )


@contextmanager
def placed(scenario: Scenario) -> Iterator[None]:
    """Turns the ValueErrors of rules that only show once the parts meet into ScenarioErrors that name the file."""
    try:
        yield
    except ScenarioError:
        raise
    except ValueError as error:
        raise ScenarioError(f"{scenario.path}: {error}", str(scenario.path)) from error


def fastest_single(scenario: Scenario) -> Simulation:
    """One device alone, on whichever is fastest; of those that can hold it, if any can; of equals, one is played."""
    kinds = {replace(device, name=""): index for index, device in reversed(list(enumerate(scenario.devices)))}
    chosen = {scenario.terminal, *kinds.values()}
    played = [simulate(scenario, "single", (index,)) for index in sorted(chosen)]
    roomy = [one for one in played if fits(scenario, one)]
    return min(roomy or played, key=lambda one: one.latency_s)


def _voltage(scenario: Scenario, simulation: Simulation) -> Simulation | None:
    if simulation.job.strategy == "voltage":
        return simulation
    try:
        n_ranks = simulation.job.n_ranks
        return simulate(scenario, "voltage", keep=n_ranks <= FEW_RANKS) if n_ranks > 1 else None
    except ScenarioError:  # the chosen strategy fits, so this is no fault of the scenario
        return None
