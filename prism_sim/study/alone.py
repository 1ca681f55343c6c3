"""One device alone: what every way to distribute must beat."""

from __future__ import annotations

from dataclasses import replace

from prism_sim.scenario import Scenario
from prism_sim.study.memory import fits
from prism_sim.study.simulation import Simulation, simulate


def fastest_single(scenario: Scenario) -> Simulation:
    """One device alone, on whichever is fastest; of those that can hold it, if any can; of equals, one is played."""
    kinds = {replace(device, name=""): index for index, device in reversed(list(enumerate(scenario.devices)))}
    chosen = {scenario.terminal, *kinds.values()}
    played = [simulate(scenario, "single", (index,), keep=True) for index in sorted(chosen)]
    roomy = [one for one in played if fits(scenario, one)]
    return min(roomy or played, key=lambda one: one.latency_s)
