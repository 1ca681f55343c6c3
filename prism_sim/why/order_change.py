"""A point at which two strategies were simulated, and where along a field their order changes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from prism_sim.choice.flips import TIE
from prism_sim.why.varied import SAME


@dataclass(frozen=True)
class VariedPoint:
    """Both latencies at one amount of the varied field; infinite where a plan does not fit the devices.

    reason: why it could not be simulated, or that neither fits.
    """

    amount: float
    own_s: float = math.nan
    other_s: float = math.nan
    reason: str | None = None

    @property
    def sign(self) -> int:
        """-1: the scenario's own strategy is faster, or the only one that fits; 1: the other; 0: neither."""
        if math.isinf(self.own_s) or math.isinf(self.other_s):
            return -1 if math.isinf(self.other_s) else 1
        difference_s = self.own_s - self.other_s
        if abs(difference_s) <= TIE * max(self.own_s, self.other_s):
            return 0
        return -1 if difference_s < 0 else 1


@dataclass(frozen=True)
class OrderChange:
    """Where the order changes: between `low` and `high`, next to each other.

    kind: equal, both take the same time at `at`; flips, between two whole numbers; jumps, a latency does; fits, one of
    them fits the devices on one side only; gap, what lies between cannot be simulated. at: None unless equal.
    """

    low: VariedPoint
    high: VariedPoint
    kind: Literal["equal", "flips", "jumps", "fits", "gap"]
    at: VariedPoint | None = None


def merged(crossings: Sequence[OrderChange]) -> Iterator[OrderChange]:
    """A change to equal and one from equal, at one amount, are one change, or none if they only touch there."""
    waiting: OrderChange | None = None
    for crossing in crossings:
        if waiting is not None and _meet(waiting.high, crossing.low):
            joined = replace(waiting, high=crossing.high, kind="equal", at=crossing.low)
            waiting = joined if joined.low.sign != joined.high.sign else None
            continue
        if waiting is not None:
            yield waiting
        waiting = crossing
    if waiting is not None:
        yield waiting


def _meet(a: VariedPoint, b: VariedPoint) -> bool:
    return a.sign == 0 == b.sign and abs(a.amount - b.amount) <= 2 * SAME * max(abs(a.amount), abs(b.amount))
