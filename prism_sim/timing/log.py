"""What the engine writes down during a run: little, fast, and with the cause of every start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from prism_sim.plan import Plan
from prism_sim.timing.media.base import Flight

# What bound a start: the number of a job (>= 0), the complement of a flight's number (< 0), or None: the run's begin.
Cause = int | None


class Job(NamedTuple):
    """A hold of a processor.  kind: compute, staging or overhead.

    subject: the label of a Compute, or the number of the exchange that the job serves.
    launch_s: the part of a compute job, at its begin, that launching its kernels takes (overhead).
    """

    participant: int
    kind: str
    subject: str | int
    start_s: float
    end_s: float
    cause: Cause
    launch_s: float = 0.0


class Blocked(NamedTuple):
    """Time that a participant spent in a Wait before the last message came."""

    participant: int
    exchange: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """ends: per participant, when it was done and what its end is bound to.  flights: free ones included."""

    plan: Plan
    device_of: tuple[int, ...]
    jobs: list[Job]
    flights: list[Flight]
    blocked: list[Blocked]
    ends: list[tuple[float, Cause]]

    def label(self, subject: str | int) -> str:
        return subject if isinstance(subject, str) else self.plan.exchanges[subject].label
