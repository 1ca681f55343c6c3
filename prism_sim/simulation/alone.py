"""One device alone: what every way to distribute must beat, where a device can hold the model at all."""

from __future__ import annotations

from dataclasses import replace

from prism_sim.scenario import Scenario
from prism_sim.simulation.simulate import Simulation, simulate


def singles(scenario: Scenario) -> list[Simulation]:
    """One device alone, on the terminal and on each other device; of equal ones, one is played. The fastest first."""
    kinds = {replace(device, name=""): index for index, device in reversed(list(enumerate(scenario.devices)))}
    chosen = {scenario.terminal, *kinds.values()}
    played = [simulate(scenario, "single", (index,), keep=True) for index in sorted(chosen)]
    return sorted(played, key=lambda one: one.latency_s)


def fastest_single(scenario: Scenario) -> Simulation | None:
    """One device alone, shipping included, on whichever of those is fastest that can hold it; None if none can."""
    return next((one for one in singles(scenario) if one.fits), None)
