"""The search for one number of segments a block: what each block would lose, guessed from a few runs, then computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from prism_sim.loss import spending
from prism_sim.loss.bench import Measure
from prism_sim.loss.spending import Allocation, Prices
from prism_sim.outputs.model_inputs import ELSEWHERE
from prism_sim.progress import SILENT, Progress

EVALUATIONS = 24  # lists of segments that are really computed
STUDENT_T = 2.353  # one-sided 95 %, ELSEWHERE - 1 degrees of freedom

Segments = tuple[int, ...]


class Losses(Protocol):
    """What the search asks; see `bench.Bench`, which computes it."""

    @property
    def n_blocks(self) -> int: ...
    @property
    def measure(self) -> Measure: ...
    @property
    def has_more_inputs(self) -> bool: ...
    def added(self, n_segments: int) -> tuple[float, ...]: ...
    def loss(self, segments: Sequence[int]) -> float: ...
    def losses_elsewhere(self, number: int, *lists: Sequence[int]) -> tuple[float, ...]: ...


@dataclass(frozen=True, slots=True)
class Spent:
    """What a search found. uniform, found: segments of each block; losses of both, on the input of the search.

    elsewhere: losses of both on each input that the search has not seen; none where there are no such inputs, or
    where uniform is what was found. measure: kl or residual. added: by block, alone, with uniform segments.
    tried: how many lists were computed.
    """

    measure: Measure
    uniform: Segments
    found: Segments
    uniform_loss: float
    found_loss: float
    added: tuple[float, ...]
    elsewhere: tuple[tuple[float, float], ...]
    tried: int

    @property
    def gain(self) -> float:
        """The part of uniform's loss that is saved, on the input of the search."""
        return 1 - self.found_loss / self.uniform_loss if self.uniform_loss else 0.0

    @property
    def gain_elsewhere(self) -> tuple[float, float] | None:
        """As `gain`, on the inputs that the search has not seen: mean and standard error of the mean."""
        if not self.elsewhere:
            return None
        gains = [1 - found / uniform if uniform else 0.0 for uniform, found in self.elsewhere]
        mean = math.fsum(gains) / len(gains)
        variance = math.fsum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1)
        return mean, math.sqrt(variance / len(gains))

    @property
    def holds(self) -> bool | None:
        """Whether the gain is beyond the noise on inputs that the search has not seen; None: not to be known."""
        if self.found == self.uniform:
            return False
        if (gain := self.gain_elsewhere) is None:
            return None
        return gain[0] > STUDENT_T * gain[1]


def spend(losses: Losses, prices: Prices, evaluations: int = EVALUATIONS, progress: Progress = SILENT) -> Spent:
    """Searches the list of segments with the least loss within the prices' budget, beginning with equal ones."""

    def loss(allocation: Allocation) -> float:
        return losses.loss(prices.segments(allocation))

    uniform = prices.uniform
    added = losses.added(prices.levels[uniform[0]])
    known = {uniform: loss(uniform)}
    if evaluations > 1 and uniform[0] < len(prices.levels) - 1:
        progress.line("how much each block adds, by its segments")
        expected = _expected(losses, prices, uniform[0])
        allocations = dict.fromkeys(spending.allocate(guess, prices) for guess in expected)
        candidates = [one for one in allocations if one != uniform]
        known |= {one: loss(one) for one in candidates[: evaluations - 1]}
        progress.line("moving segments from block to block")
        known = spending.improve(known, loss, expected[0], prices, evaluations - len(known))
    found = min(known, key=lambda one: (known[one], prices.cost(one), one))
    lists = prices.segments(uniform), prices.segments(found)
    elsewhere = []
    if found != uniform and losses.has_more_inputs:
        progress.line(f"the same on {ELSEWHERE} other inputs")
        elsewhere = [losses.losses_elsewhere(number, *lists) for number in range(1, ELSEWHERE + 1)]
    return Spent(
        losses.measure,
        *lists,
        known[uniform],
        known[found],
        added,
        tuple((one, other) for one, other in elsewhere),
        len(known),
    )


def _expected(losses: Losses, prices: Prices, uniform: int) -> list[list[list[float]]]:
    """Three guesses of what each block costs the output at each level, in units that add up.

    A block's own error is measured by level; what it comes to at the output is measured for each block once, with the
    others at the highest level. The second guess takes all blocks' errors for equally harmful, the third is in between.
    """
    highest = prices.levels[-1]
    curves = {level: losses.added(level) for level in spending.measured_levels(prices.levels, prices.levels[uniform])}
    power = 2 if losses.measure == "residual" else 1  # a KL divergence is quadratic in small errors already
    guesses: list[list[list[float]]] = [[], [], []]
    for block in range(losses.n_blocks):
        squares = {level: errors[block] ** 2 for level, errors in curves.items()}
        one = [highest] * losses.n_blocks
        one[block] = prices.levels[uniform]
        at_output, own = losses.loss(one) ** power, squares[one[block]]
        weight = at_output / own if own else 0.0
        curve = spending.interpolated(squares, prices.levels)
        for guess, scale in zip(guesses, (weight, 1.0, math.sqrt(weight)), strict=True):
            guess.append([scale * square for square in curve])
    return guesses
