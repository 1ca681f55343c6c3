"""How to spend a byte budget over the blocks: pure arithmetic on what each block would lose at each level.

A level is a number of segments that a block may have; an allocation is a level a block, by its place in the list of
levels. Losses of blocks are taken to add up; what really comes of an allocation is for the caller to compute.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import getitem

import numpy as np

ALL_UP_TO = 32  # levels: every number of segments up to here, then steps of a twelfth
STEP = 13 / 12
MOST_STATES = 20_000  # of the dynamic programme; beyond, bytes are rounded up

Allocation = tuple[int, ...]


@dataclass(frozen=True)
class Prices:
    """levels: numbers of segments, ascending. block_bytes: what one block costs at each. budget_bytes: for all blocks.

    Raises ValueError if even the lowest level is too dear for so many blocks.
    """

    n_blocks: int
    levels: tuple[int, ...]
    block_bytes: tuple[int, ...]
    budget_bytes: int

    def __post_init__(self) -> None:
        if self.n_blocks * self.block_bytes[0] > self.budget_bytes:
            least = self.n_blocks * self.block_bytes[0]
            raise ValueError(
                f"a budget of {self.budget_bytes} bytes is less than the {least} of {self.levels[0]} segment"
            )

    def cost(self, allocation: Sequence[int]) -> int:
        return sum(self.block_bytes[place] for place in allocation)

    def affords(self, allocation: Sequence[int]) -> bool:
        return self.cost(allocation) <= self.budget_bytes

    @property
    def uniform(self) -> Allocation:
        """The highest level that all blocks can have."""
        places = (place for place in range(len(self.levels)) if self.affords((place,) * self.n_blocks))
        return (max(places),) * self.n_blocks

    def segments(self, allocation: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.levels[place] for place in allocation)


def levels_up_to(most: int, *more: int) -> tuple[int, ...]:
    """All numbers of segments that are worth a try: each small one, then ever larger steps; `most` and `more` too."""
    powers = (2**exponent for exponent in range(most.bit_length()))
    found = {*range(1, min(most, ALL_UP_TO) + 1), *powers, most, *(level for level in more if level <= most)}
    level = float(ALL_UP_TO)
    while (level := level * STEP) < most:
        found.add(round(level))
    return tuple(sorted(found))


def measured_levels(levels: Sequence[int], *more: int) -> tuple[int, ...]:
    """Those of the levels between which curves are interpolated: powers of two, the last, and `more`."""
    return tuple(level for level in levels if level.bit_count() == 1 or level == levels[-1] or level in more)


def interpolated(measured: Mapping[int, float], levels: Sequence[int]) -> list[float]:
    """The curve at all levels, straight between measured ones over the logarithm of the level."""
    known = sorted(measured)
    found = np.interp(np.log(levels), np.log(known), [measured[level] for level in known])
    return [float(value) for value in found]


def allocate(losses: Sequence[Sequence[float]], prices: Prices) -> Allocation:
    """The allocation within the budget with the least sum of losses, and of such the cheapest; exact but for rounding.

    losses: by block and level. A dynamic programme over the bytes that are spent beyond the lowest level.
    """
    extra = [one - prices.block_bytes[0] for one in prices.block_bytes]
    budget = prices.budget_bytes - prices.n_blocks * prices.block_bytes[0]
    spendable = min(budget, prices.n_blocks * max(extra))
    unit = max(math.gcd(*extra), -(-spendable // MOST_STATES), 1)
    weights = [-(-one // unit) for one in extra]
    n_states = spendable // unit + 1
    best, choices = np.zeros(n_states), []  # least loss of the blocks so far, by units that may be spent on them
    for of_block in losses:
        least, choice = np.full(n_states, math.inf), np.zeros(n_states, dtype=np.int32)
        for place, weight in enumerate(weights):
            if weight < n_states:
                reached = best[: n_states - weight] + of_block[place]
                better = reached < least[weight:]
                least[weight:][better] = reached[better]
                choice[weight:][better] = place
        best = least
        choices.append(choice)
    state, found = int(np.argmin(best)), []
    for choice in reversed(choices):
        found.append(int(choice[state]))
        state -= weights[found[-1]]
    return tuple(reversed(found))


def improve(
    known: Mapping[Allocation, float],
    loss: Callable[[Allocation], float],
    losses: Sequence[Sequence[float]],
    prices: Prices,
    evaluations: int,
) -> dict[Allocation, float]:
    """Moves segments from block to block, from the best allocation so far, and computes what comes of it.

    known: losses of allocations to begin with. losses: by block and level, expected ones: the most promising move is
    tried first. The next best allocation is moved on from once all moves of a better one are tried. Returns all that
    is known in the end; `loss` is asked of at most so many more.
    """
    found = dict(known)
    for _ in range(evaluations):
        move = _next_move(found, losses, prices)
        if move is None:
            break
        found[move] = loss(move)
    return found


def _next_move(
    known: Mapping[Allocation, float], losses: Sequence[Sequence[float]], prices: Prices
) -> Allocation | None:
    for allocation in sorted(known, key=lambda one: (known[one], one)):
        untried = {move for move in _moves(allocation, prices) if move not in known}
        if untried:
            return min(untried, key=lambda move: (math.fsum(map(getitem, losses, move)), move))
    return None


def _moves(allocation: Allocation, prices: Prices) -> Iterator[Allocation]:
    """One block gets as much more as another one's lower level pays for, or as is left; or none gets it.

    Fewer bytes may lose less: what errors do to each other is not foreseen.
    """
    blocks = range(len(allocation))
    for giver in (None, *blocks):
        for down in (1, 2, 4) if giver is not None else (0,):
            lowered = list(allocation)
            if giver is not None:
                lowered[giver] -= down
                if lowered[giver] < 0:
                    break
                yield tuple(lowered)
            left = prices.budget_bytes - prices.cost(lowered)
            for taker in blocks:
                if taker != giver and (higher := _highest(prices, lowered[taker], left)) > lowered[taker]:
                    yield (*lowered[:taker], higher, *lowered[taker + 1 :])


def _highest(prices: Prices, place: int, left_bytes: int) -> int:
    """The level that a block reaches from its own with so many bytes more."""
    affordable = prices.block_bytes[place] + left_bytes
    return max(higher for higher in range(place, len(prices.levels)) if prices.block_bytes[higher] <= affordable)
