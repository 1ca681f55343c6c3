"""What a participant's program may `yield`: every effect reaches the outside world, nothing else does.

A program is a generator. `received = yield AllGather(rows, group, label)` hands in a value and gets back what the
exchange gives this participant. `ticket = yield Begin(effect)` and, later, `received = yield Await(ticket)` split the
same exchange in two, so that work in between overlaps it. Values are opaque here: whatever has `nbytes`, or a tuple of
such, or None for nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from prism_sim.plan import ParticipantId


@dataclass(frozen=True, slots=True)
class Mark:
    """The work that follows belongs to a `Compute` of this label, until the next Mark."""

    label: str


@dataclass(frozen=True, slots=True)
class AllGather:
    """Gives every member the tuple of all members' values, in the order of `group`."""

    value: Any
    group: tuple[ParticipantId, ...]
    label: str


@dataclass(frozen=True, slots=True)
class AllReduce:
    """Gives every member the sum of all members' values."""

    value: Any
    group: tuple[ParticipantId, ...]
    label: str


@dataclass(frozen=True, slots=True)
class ReduceScatter:
    """Member i of `group` hands in one piece a member and gets the sum of all members' i-th pieces."""

    pieces: tuple[Any, ...]
    group: tuple[ParticipantId, ...]
    label: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """The root hands in one piece a member of `group` (None for itself), the others None; each gets its own."""

    pieces: tuple[Any, ...] | None
    root: ParticipantId
    group: tuple[ParticipantId, ...]
    label: str


@dataclass(frozen=True, slots=True)
class Gather:
    """Gives the root the tuple of all members' values, in the order of `group`; everyone else gets None."""

    value: Any
    root: ParticipantId
    group: tuple[ParticipantId, ...]
    label: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Gives every member the root's value; the others hand in None."""

    value: Any
    root: ParticipantId
    group: tuple[ParticipantId, ...]
    label: str


@dataclass(frozen=True, slots=True)
class Send:
    """Eager: the sender goes on at once; the n-th Send from a to b meets the n-th Recv at b from a."""

    value: Any
    to: ParticipantId
    label: str


@dataclass(frozen=True, slots=True)
class Recv:
    """Gives the value that `source` sent."""

    source: ParticipantId
    label: str


Collective = AllGather | AllReduce | ReduceScatter | Scatter | Gather | Broadcast
Exchanging = Collective | Send | Recv


@dataclass(frozen=True, slots=True)
class Ticket:
    """A begun exchange (the interpreter's own handle); hand it to Await once."""

    meeting: Any
    participant: ParticipantId


@dataclass(frozen=True, slots=True)
class Begin:
    effect: Exchanging


@dataclass(frozen=True, slots=True)
class Await:
    ticket: Ticket


Effect = Mark | Exchanging | Begin | Await
Program = Generator[Effect, Any, Any]  # returns the rows that it leaves in place, or None
