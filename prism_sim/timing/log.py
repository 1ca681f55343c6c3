"""What the engine writes down during a run: little, fast, and with the cause of every start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from prism_sim.plan import ExchangeId, ParticipantId, Plan
from prism_sim.timing.ids import Cause, DeviceIndex, FlightId
from prism_sim.timing.media.base import Flight

T = TypeVar("T")


class Hold(NamedTuple):
    """A hold of a processor.  kind: compute, staging or overhead.

    subject: the label of a Compute, or the exchange that the job serves.
    launch_s: the part of a compute job, at its begin, that launching its kernels takes (overhead).
    """

    participant: ParticipantId
    kind: str
    subject: str | ExchangeId
    start_s: float
    end_s: float
    cause: Cause
    launch_s: float = 0.0


class Blocked(NamedTuple):
    """Time that a participant spent in a Wait before the last message came, which is `last` where that is known."""

    participant: ParticipantId
    exchange: ExchangeId
    start_s: float
    end_s: float
    last: FlightId | None = None


class Forgotten(list[T]):
    """Counts what it is given and keeps nothing: the log of a long run of which only the times are wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.n_given = 0

    def append(self, entry: T) -> None:
        self.n_given += 1

    def __len__(self) -> int:
        return self.n_given


class UnderWay(Forgotten[Flight]):
    """Of flights, keeps those that have not arrived."""

    def append(self, entry: Flight) -> None:
        super().append(entry)
        self.insert(super(Forgotten, self).__len__(), entry)

    def n_arrived(self) -> int:
        """The first so many have arrived; forgets all that have."""
        self[:] = [flight for flight in self if not hasattr(flight, "arrival_s")]
        return next((flight.index for flight in self), self.n_given)


class Figures(NamedTuple):
    """What follows from a log, where it is known without reading that.

    breakdown_s: of each of `critical_path.PARTS`. air_s: of each device, as `energy.air_s_by_device`.
    participant_busy_s: as `Timeline.participant_busy_s`.
    """

    breakdown_s: tuple[float, ...]
    air_s: tuple[float, ...]
    participant_busy_s: tuple[float, ...]


@dataclass(eq=False)
class Log:
    """ends: per participant, when it was done and what its end is bound to.  flights: free ones included."""

    plan: Plan
    device_of: tuple[DeviceIndex, ...]
    jobs: list[Hold]
    flights: list[Flight]
    blocked: list[Blocked]
    ends: list[tuple[float, Cause]]
    figures: Figures | None = None

    def label(self, subject: str | ExchangeId) -> str:
        return subject if isinstance(subject, str) else self.plan.exchanges[subject].label
