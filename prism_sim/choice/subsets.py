"""Which of a scenario's devices should take part? A strategy on every subset of them, equal devices counted once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from prism_sim import strategies
from prism_sim.devices import kinds_of
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.shares.choice import Split, alone_s
from prism_sim.simulation import hardware
from prism_sim.simulation.back_to_back import fits
from prism_sim.simulation.simulate import Simulation, job_of, simulated, split_of
from prism_sim.units_text import seconds_text

ALL_UP_TO = 200  # subsets; if there are more, the fastest devices join one after another
FIRST_SIZES = 8  # numbers of devices
SINGLE = "single"
NO_ROOM = "does not fit in memory"

Devices = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SubsetResult:
    """The strategy on these devices (indices, in the order of the scenario's ranks); on one device, that one alone.

    simulation: None where the strategy cannot be spread so, or is ruled out. reason: why not, or that it does not fit
    their memory. is_ruled_out: it was not played, since it cannot be the best.
    """

    devices: Devices
    simulation: Simulation | None
    reason: str | None = None
    is_ruled_out: bool = False

    @property
    def latency_s(self) -> float:
        """Infinite where there is a reason against it."""
        return math.inf if self.simulation is None or self.reason is not None else self.simulation.latency_s


def best_subset(
    scenario: Scenario,
    strategy: str | None = None,
    sizes: Iterable[int] | None = None,
    progress: Progress = SILENT,
    silent_shares: str | None = None,
    rule_out: bool = False,
) -> list[SubsetResult]:
    """Every subset that was tried, the fastest first; those that cannot be or do not fit come last.

    strategy: default: the scenario's. sizes: numbers of devices to try; default: all from 1 up, of many devices some.
    silent_shares: see `simulate`. rule_out: play none that a bound shows to be slower than another.
    Of devices that are equal but for their names only the number counts, unless their place in the network differs. If
    there are too many subsets, the fastest devices join one after another, with the terminal's own first and without.
    """
    name = scenario.strategy.name if strategy is None else strategy
    wanted = sorted(set(usual_sizes(len(scenario.ranks)) if sizes is None else sizes))
    if strategies.find(name).one_rank:
        wanted = [size for size in wanted if size == 1]
    ways = [_split(scenario, name, devices, progress, silent_shares) for devices in candidates(scenario, wanted)]
    found = _quickest(ways) if rule_out else [_played(devices, way) for devices, way in ways]
    return sorted(found, key=lambda one: (one.latency_s, len(one.devices), one.devices))


def usual_sizes(n_ranks: int, first: int = FIRST_SIZES) -> list[int]:
    """All up to twice as many as the first; of more, the first, powers of two, and all.

    Few of many, since a simulation's time grows with the square of the ranks and faster.
    """
    if n_ranks <= 2 * first:
        return list(range(1, n_ranks + 1))
    powers = (2**exponent for exponent in range(n_ranks.bit_length()))
    return sorted({*range(1, first + 1), *powers, n_ranks})


def candidates(scenario: Scenario, sizes: Sequence[int]) -> list[Devices]:
    """Subsets of the scenario's ranks of these sizes, the smaller first."""
    alike = interchangeable(scenario)
    counts = _numbers_of_subsets([len(devices) for devices in alike])
    if sum(counts[size] for size in sizes if size < len(counts)) <= ALL_UP_TO:
        chosen: Iterable[Devices] = _all_subsets(alike, set(sizes))
    else:
        chosen = _growing(scenario, sizes)
    order = {device: place for place, device in enumerate(scenario.ranks)}
    ordered = {tuple(sorted(devices, key=order.__getitem__)) for devices in chosen}
    return sorted(ordered, key=lambda devices: (len(devices), [order[device] for device in devices]))


def interchangeable(scenario: Scenario) -> list[Devices]:
    """The ranks' devices in groups that no result tells apart; the terminal's own device is one for itself.

    So is an access point, and every device of a graph of links.
    """
    boards, ranks = hardware.devices(scenario), scenario.ranks
    special = ranks if scenario.network.medium == "links" else (scenario.terminal, scenario.network.access_point)
    alike = kinds_of({device: boards[device] for device in ranks if device not in special})
    return sorted([*alike, *((device,) for device in ranks if device in special)], key=lambda one: ranks.index(one[0]))


def _numbers_of_subsets(group_sizes: Sequence[int]) -> list[int]:
    """By their size: how many subsets there are, if only the number of devices of each group counts."""
    counts = [1]
    for members in group_sizes:
        longer = [0] * (len(counts) + members)
        for size, count in enumerate(counts):
            for taken in range(members + 1):
                longer[size + taken] += count
        counts = longer
    return counts


def _all_subsets(alike: Sequence[Devices], sizes: set[int]) -> Iterator[Devices]:
    """The first so many devices of each group."""
    for taken in product(*(range(len(devices) + 1) for devices in alike)):
        if sum(taken) in sizes:
            yield tuple(device for devices, n in zip(alike, taken, strict=True) for device in devices[:n])


def _growing(scenario: Scenario, sizes: Sequence[int]) -> Iterator[Devices]:
    """The fastest devices, the terminal's own with the fastest of the others, and those with the most memory."""
    for order in orders(scenario):
        yield from (tuple(order[:size]) for size in sizes if 1 <= size <= len(order))


def orders(scenario: Scenario) -> list[list[int]]:
    """The ranks' devices in the orders in which they join where there are too many subsets."""
    job, boards = job_of(scenario, SINGLE, 1), hardware.devices(scenario)
    by_speed = sorted(scenario.ranks, key=lambda device: alone_s(job, boards[device]))
    found = [by_speed]
    if scenario.terminal in by_speed:
        found.append([scenario.terminal, *(device for device in by_speed if device != scenario.terminal)])
    found.append(sorted(by_speed, key=lambda device: -_memory(boards[device].memory_bytes)))
    return found


def _memory(memory_bytes: int | None) -> float:
    return math.inf if memory_bytes is None else memory_bytes


def _split(
    scenario: Scenario, name: str, devices: Devices, progress: Progress, silent_shares: str | None
) -> tuple[Devices, Split | str]:
    """Devices and how the strategy splits over them, or why it cannot."""
    strategy = SINGLE if len(devices) == 1 else name
    try:
        return devices, split_of(scenario, strategy, devices, progress, silent_shares)
    except ScenarioError as error:
        return devices, error.rule


def _played(devices: Devices, way: Split | str) -> SubsetResult:
    if isinstance(way, str):
        return SubsetResult(devices, None, way)
    simulation = simulated(way)
    return SubsetResult(devices, simulation, None if simulation.fits else NO_ROOM)


def _quickest(ways: Sequence[tuple[Devices, Split | str]]) -> list[SubsetResult]:
    """Plays them in the order of what they take at least, until that is more than the fastest one takes.

    What does not fit is only played where nothing else is to be had.
    """
    found = [_played(devices, way) for devices, way in ways if isinstance(way, str)]
    splits = [(devices, way) for devices, way in ways if isinstance(way, Split)]
    roomy = [(way.setting.least_latency_s(), devices, way) for devices, way in splits if fits(way.setting)]
    rest = sorted(
        ((devices, way) for devices, way in splits if not fits(way.setting)), key=lambda one: (len(one[0]), one[0])
    )
    best_s = math.inf
    for least_s, devices, way in sorted(roomy, key=lambda one: one[:2]):
        if least_s > best_s:
            reason = f"ruled out: it takes {seconds_text(least_s)} at least"
            found.append(SubsetResult(devices, None, reason, is_ruled_out=True))
        else:
            found.append(_played(devices, way))
            best_s = min(best_s, found[-1].latency_s)
    if rest and not roomy:
        found.append(_played(*rest.pop(0)))
    return found + [SubsetResult(devices, None, NO_ROOM, is_ruled_out=True) for devices, _ in rest]
