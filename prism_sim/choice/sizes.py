"""Over how many devices is a strategy worth trying? Of few, over all numbers; of many, over those that matter to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prism_sim.choice.subsets import orders, usual_sizes
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.simulation.back_to_back import fits
from prism_sim.simulation.simulate import split_of

FIRST_SIZES = 2  # numbers of devices that are tried of many, beside those that matter; see `usual_sizes`
TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of devices, from 2 up. left_out: those that the strategy could be spread over, and that are not tried."""

    tried: tuple[int, ...]
    left_out: tuple[int, ...]


def sizes_to_try(scenario: Scenario, strategy: str) -> Sizes:
    """All numbers of few devices; of many the first, powers of two and all of them, and for this strategy: the numbers
    that divide its heads or blocks, the largest that it can be spread over, and the least whose memory holds the model.
    """
    n_ranks = len(scenario.ranks)
    tried = {size for size in usual_sizes(n_ranks, FIRST_SIZES) if size > 1}
    if n_ranks > 2 * FIRST_SIZES and (n_items := _items(scenario, strategy)):
        largest = min(n_ranks, min(n_items.values()))
        tried |= {size for name, n in n_items.items() if name != TOKENS for size in _divisors(n) if 1 < size <= largest}
        tried |= {size for size in (largest, _least_that_fits(scenario, strategy, largest)) if size > 1}
        tried -= {size for size in tried if largest < size < n_ranks}  # why it cannot be is said once, of all
        return Sizes(tuple(sorted(tried)), tuple(size for size in range(2, largest + 1) if size not in tried))
    return Sizes(tuple(sorted(tried)), ())


def left_out_text(sizes: tuple[int, ...]) -> str:
    """(3, 5, 6, 7) -> '3, 5 to 7'."""
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in _runs(sizes))


def _runs(sizes: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    first = last = sizes[0]
    for size in sizes[1:]:
        if size != last + 1:
            yield first, last
            first = size
        last = size
    yield first, last


def _items(scenario: Scenario, strategy: str) -> dict[str, int]:
    """What the strategy splits, of which each device needs one at least."""
    try:
        return split_of(scenario, strategy, scenario.ranks[:2], silent_shares="equal").setting.items
    except ScenarioError:
        return {}


def _divisors(number: int) -> set[int]:
    return {size for size in range(1, number + 1) if number % size == 0}


def _least_that_fits(scenario: Scenario, strategy: str, largest: int) -> int:
    """The least number of the devices with the most memory that holds the model; 0 if none does."""
    roomiest = orders(scenario)[-1]
    low, high = 1, largest + 1  # low does not fit or is none, high does
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _fits(scenario, strategy, roomiest[:middle]) else (middle, high)
    return high if high <= largest else 0


def _fits(scenario: Scenario, strategy: str, devices: list[int]) -> bool:
    try:
        setting = split_of(scenario, strategy, devices, silent_shares="proportional").setting
    except ScenarioError:
        return False
    return fits(setting)
