"""What others took of the processors on which a process ran: other programs, the system, other machines of its host.

Time of a core is idle, our own, or taken. Idle time is what the system says; it does not grow while another machine of
the host has the processor (steal), so that this is in what was taken, and is told apart where the system knows it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil

TAKEN_LEAST = 0.05  # part of the time from which on a run counts as disturbed: what live runs are to be known to
TOLD_LEAST = 0.01  # part that is worth a word
RESOLUTION_S = 0.02  # of what the system says: hundredths of a second, at both ends


@dataclass(frozen=True, slots=True)
class CoreUse:
    """Seconds of some cores, all together: how long, of those without work, taken by another machine, and our own."""

    all_s: float
    idle_s: float
    stolen_s: float
    own_s: float

    def __sub__(self, before: CoreUse) -> CoreUse:
        return CoreUse(
            self.all_s - before.all_s,
            self.idle_s - before.idle_s,
            self.stolen_s - before.stolen_s,
            self.own_s - before.own_s,
        )

    def with_own_of(self, others: Sequence[CoreUse]) -> CoreUse:
        """Where all share these cores: what is another's of us is not taken."""
        return CoreUse(self.all_s, self.idle_s, self.stolen_s, self.own_s + sum(one.own_s for one in others))


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Of a run: the part of the time of its cores that others took, on the core that lost most; of that, stolen."""

    taken: float
    stolen: float

    @property
    def is_felt(self) -> bool:
        return self.taken >= TAKEN_LEAST

    def __str__(self) -> str:
        """Part of a core, in a few words."""
        return f"{self.taken:.0%} taken" + f", {self.stolen:.0%} stolen" * (self.stolen >= TOLD_LEAST)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def disturbance(uses: Sequence[CoreUse], each_its_own: bool) -> Disturbance:
    """uses: of the processes of a run while it ran. each_its_own: no two have a core in common."""
    first, *others = uses
    found = [_of_cores(one) for one in (uses if each_its_own else [first.with_own_of(others)])]
    return max(found, key=lambda one: one.taken)


def _of_cores(use: CoreUse) -> Disturbance:
    """What is below the resolution is nothing."""
    taken_s = use.all_s - use.idle_s - use.own_s
    if taken_s < RESOLUTION_S or use.all_s <= 0:
        return Disturbance(0.0, 0.0)
    return Disturbance(taken_s / use.all_s, max(use.stolen_s, 0.0) / use.all_s)


class Watch:
    """Over the cores of this process: `cores`, or all of the machine."""

    def __init__(self, cores: Sequence[int] | None) -> None:
        self.cores = cores

    def now(self) -> CoreUse:
        """Of all time until now."""
        every = psutil.cpu_times(percpu=True)
        mine = every if self.cores is None else [every[core] for core in self.cores]
        return CoreUse(
            all_s=len(mine) * time.monotonic(),
            idle_s=sum(one.idle + getattr(one, "iowait", 0.0) for one in mine),  # not every system knows the others
            stolen_s=sum(getattr(one, "steal", 0.0) for one in mine),
            own_s=time.process_time(),
        )
