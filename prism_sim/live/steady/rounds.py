"""What is run again: whatever others disturbed, for so many rounds and so long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prism_sim.live.steady.watch import Disturbance


@dataclass(frozen=True, slots=True)
class Patience:
    """rounds: at most, beyond those that were asked for. within_s: of the first round's begin, none begins later.

    Raises ValueError unless rounds >= 0 and within_s >= 0.
    """

    rounds: int
    within_s: float

    def __post_init__(self) -> None:
        if self.rounds < 0 or not self.within_s >= 0:
            raise ValueError(f"patience of {self.rounds} rounds within {self.within_s} s: neither may be less than 0")

    def is_left(self, round_after: int, since_s: float) -> bool:
        """round_after: of those beyond, from 0 on. since_s: since the first round's begin."""
        return round_after < self.rounds and since_s < self.within_s


def still_due(disturbances: Sequence[Sequence[Disturbance]], wanted: int) -> list[int]:
    """Which orders have fewer runs so far than wanted that nothing disturbed. disturbances: of each order's runs."""
    return [place for place, runs in enumerate(disturbances) if sum(not one.is_felt for one in runs) < wanted]
