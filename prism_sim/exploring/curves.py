"""What lies around the point that is asked for: the same with other compression rates, and where the order flips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prism_sim import strategies
from prism_sim.choice.result import RunResult
from prism_sim.choice.run import run
from prism_sim.exploring.controls import segment_steps
from prism_sim.scenario import Scenario
from prism_sim.strategies.options import declared
from prism_sim.why.breakeven import BreakEven, break_even

RIVALS = ("single", "voltage")  # one device alone, and all rows exchanged
MOST_RATES = 16  # of a curve
POINTS = 16  # of a scan for break-evens, which halves every interval in which the order changes


def over_compression(scenario: Scenario) -> list[RunResult]:
    """From one mean a device to every row; nothing for a strategy that compresses nothing, or on one device."""
    if scenario.strategy.name == strategies.AUTO.name or len(scenario.active_ranks) < 2:
        return []
    if "segments" not in declared(strategies.find(scenario.strategy.name).options):
        return []
    return [
        run(scenario.with_overrides({"strategy.segments": n}), numerics=False, advise=False)
        for n in _some(segment_steps(scenario))
    ]


def _some(steps: Sequence[int]) -> list[int]:
    """At most `MOST_RATES` of them, both ends among them."""
    if len(steps) <= MOST_RATES:
        return list(steps)
    places = (round(place * (len(steps) - 1) / (MOST_RATES - 1)) for place in range(MOST_RATES))
    return [steps[place] for place in places]


def rivals(scenario: Scenario) -> Iterator[str]:
    """What the scenario's strategy is worth comparing with, along a number."""
    return (name for name in RIVALS if name != scenario.strategy.name)


def order_along(scenario: Scenario, field: str, against: str) -> BreakEven | None:
    """None where there is no such number: one device sends nothing, and each link has a bandwidth of its own."""
    if scenario.network.medium == "links" or len(scenario.active_ranks) < 2:
        return None
    return break_even(scenario, field, against, n_points=POINTS)
