"""What a point takes at least, known without playing it: each processor's work alone, each link's bytes alone."""

from __future__ import annotations

from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.sweeping.points import Grid

ROUNDING = 1e-9  # relative; of sums in another order


class Bounds:
    """Of a sweep's points."""

    def __init__(self, grid: Grid) -> None:
        self.base, self.overrides = grid.base, {task.number: task.overrides for task in grid.tasks}

    def least_latency_s(self, number: int) -> float | None:
        """The latency of the point with this number is not below this; None where only playing it tells."""
        try:
            return _least_latency_s(self.base.with_overrides(self.overrides[number]))
        except ScenarioError:  # which playing it says of its row
            return None


def _least_latency_s(scenario: Scenario) -> float | None:
    from prism_sim.simulation.back_to_back import fits
    from prism_sim.simulation.simulate import split_of
    from prism_sim.strategies import AUTO

    if scenario.strategy.name == AUTO.name:  # which way it goes is found by playing
        return None
    setting = split_of(scenario).setting
    return setting.least_latency_s() * (1 - ROUNDING) if fits(setting) else None
