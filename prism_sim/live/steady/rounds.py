"""Which orders are run in a round: all as often as asked, then those that others disturbed, while there is time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prism_sim.live.steady.watch import Disturbance


@dataclass(frozen=True, slots=True)
class Patience:
    """rounds: at most, beyond those that were asked for. within_s: of the first round's begin; none begins later.

    Raises ValueError unless rounds >= 0 and within_s >= 0.
    """

    rounds: int
    within_s: float

    def __post_init__(self) -> None:
        if self.rounds < 0 or not self.within_s >= 0:
            raise ValueError(f"patience for {self.rounds} rounds within {self.within_s} s: neither may be less than 0")


@dataclass(frozen=True, slots=True)
class Schedule:
    """warmup: rounds that are not measured. repeats: measured ones, of each order, that nobody disturbed.

    patience: None: as many rounds as asked for, whatever happens.
    """

    warmup: int
    repeats: int
    patience: Patience | None = None

    @property
    def asked(self) -> int:
        """Rounds, if nothing is disturbed."""
        return self.warmup + self.repeats

    def due(self, number: int, runs: Sequence[Sequence[Disturbance]], since_s: float) -> list[int]:
        """Places of the orders of round `number`, from 0 on; none: that was all.

        runs: of each order, its measured runs so far. since_s: since the first round's begin. One measured round there
        is in any case.
        """
        everyone = list(range(len(runs)))
        if self.patience is None or number <= self.warmup:
            return everyone if number < self.asked else []
        if since_s >= self.patience.within_s or number >= self.asked + self.patience.rounds:
            return []
        return everyone if number < self.asked else still_due(runs, self.repeats)


def still_due(runs: Sequence[Sequence[Disturbance]], wanted: int) -> list[int]:
    """Which orders have fewer runs so far than wanted that nobody disturbed."""
    return [place for place, found in enumerate(runs) if sum(not one.is_felt for one in found) < wanted]
