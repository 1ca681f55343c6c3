"""`run`: one scenario in, one answer out."""

from __future__ import annotations

from pathlib import Path

from prism_sim.choice.auto import resolved
from prism_sim.choice.result import RunResult
from prism_sim.choice.verdict import NOTICEABLE
from prism_sim.outputs.fidelity import fidelity_of
from prism_sim.outputs.task_accuracy import accuracy_of
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario, ScenarioError, load_scenario
from prism_sim.simulation.alone import alone
from prism_sim.simulation.fit_samples import FitSamples
from prism_sim.simulation.memory import refuse_unless_it_fits
from prism_sim.simulation.placed import placed
from prism_sim.simulation.simulate import Simulation, simulate

FEW_RANKS = 8  # up to here a timeline is small enough to be kept
MANY_RANKS = 128  # beyond, Voltage is not played beside: its P^2 messages a block are most of the work


def run(
    scenario: Scenario | str | Path,
    numerics: bool = True,
    progress: Progress = SILENT,
    advise: bool = True,
) -> RunResult:
    """Simulates a scenario, or the file of one, beside one device alone and Voltage on the same devices.

    numerics: compute the real outputs and a task's metric too (or take them from disk); without, torch is never
    imported. progress: told before something that may take long, and how far it is.
    advise: look for better shares too, where the scenario is silent about them, and how far it may be off by the
    intervals of numbers that were fitted.
    Raises ScenarioError where the scenario is wrong.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    with placed(scenario):
        scenario = resolved(scenario, progress)
        simulation = simulate(scenario, progress=progress)
        refuse_unless_it_fits(scenario, simulation)
        single, fastest = alone(simulation.setting)
        return RunResult(
            scenario=scenario,
            simulation=simulation,
            single=single,
            fastest_single=fastest,
            voltage=_voltage(scenario, simulation),
            served=_served(scenario, simulation, progress) if advise else None,
            fidelity=fidelity_of(scenario, simulation.job, progress) if numerics else None,
            accuracy=accuracy_of(scenario, simulation.job, progress) if numerics else None,
            samples=FitSamples.of(scenario) if advise else None,
        )


def _served(scenario: Scenario, simulation: Simulation, progress: Progress) -> Simulation | None:
    """With the shares that serve it, where that is noticeably faster than the even split of a silent scenario."""
    if simulation.share_kind != "equal" or "shares" in scenario.written.strategy_fields:
        return None
    found = simulate(scenario, progress=progress, silent_shares="auto")
    return found if found.fits and found.latency_s < (1 - NOTICEABLE) * simulation.latency_s else None


def _voltage(scenario: Scenario, simulation: Simulation) -> Simulation | None:
    if simulation.job.strategy == "voltage":
        return simulation
    n_ranks = simulation.job.n_ranks
    if not 1 < n_ranks <= MANY_RANKS:
        return None
    try:
        return simulate(scenario, "voltage", keep=n_ranks <= FEW_RANKS)
    except ScenarioError:  # the chosen strategy fits, so this is no fault of the scenario
        return None
