"""What one process writes down during a run: who worked, waited, sent and received when, on its own clock."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import NamedTuple

from prism_sim.plan import ExchangeId, MessageId, ParticipantId

BETWEEN_PASSES = "next token"  # what is computed before a step's programs begin: its input, and their making
SLIVER_S = 2e-6  # shorter stretches count to what follows: reading the clock takes about as long


class Worked(NamedTuple):
    """kind: compute, staging (values made ready to leave or to be computed on) or overhead (messages handed over).

    subject: a Compute's label, or an exchange.
    """

    participant: ParticipantId
    kind: str
    subject: str | ExchangeId
    start_s: float
    end_s: float


class Waited(NamedTuple):
    participant: ParticipantId
    exchange: ExchangeId
    start_s: float
    end_s: float


class Posted(NamedTuple):
    """A message handed over. released_by: the message of the same exchange whose arrival let it go; None: no other."""

    exchange: ExchangeId
    message: MessageId
    at_s: float
    released_by: MessageId | None


class Arrived(NamedTuple):
    """A message noticed at its receiver's."""

    exchange: ExchangeId
    message: MessageId
    at_s: float


Ends = list[tuple[ParticipantId, float]]


@dataclass(slots=True)
class Records:
    """Of one device in one pass. ends: per participant."""

    worked: list[Worked] = field(default_factory=list)
    waited: list[Waited] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    ends: Ends = field(default_factory=list)

    def since(self, start_s: float) -> Records:
        """The same with `start_s` as 0."""
        return Records(
            [one._replace(start_s=one.start_s - start_s, end_s=one.end_s - start_s) for one in self.worked],
            [one._replace(start_s=one.start_s - start_s, end_s=one.end_s - start_s) for one in self.waited],
            [one._replace(at_s=one.at_s - start_s) for one in self.posted],
            [one._replace(at_s=one.at_s - start_s) for one in self.arrived],
            [(participant, at_s - start_s) for participant, at_s in self.ends],
        )

    def from_zero(self) -> Records:
        """Without what was before 0: the waiting of those who were ready for a step before its token was known.

        Those who then still had to do with the pass before come to the step from there: that is between passes too.
        """
        return Records(
            [
                one._replace(start_s=0.0 if one.subject == BETWEEN_PASSES else max(one.start_s, 0.0))
                for one in self.worked
                if one.end_s > 0
            ],
            [one._replace(start_s=max(one.start_s, 0.0)) for one in self.waited if one.end_s > 0],
            [one._replace(at_s=max(one.at_s, 0.0)) for one in self.posted],
            [one._replace(at_s=max(one.at_s, 0.0)) for one in self.arrived],
            [(participant, max(at_s, 0.0)) for participant, at_s in self.ends],
        )


class Recorder:
    """Cuts a processor's time into stretches, each from the end of the one before."""

    def __init__(self) -> None:
        self.records = Records()
        self.at_s = time.monotonic()

    def begin(self, at_s: float) -> None:
        self.at_s = at_s

    def cut(self, participant: ParticipantId, kind: str, subject: str | ExchangeId) -> None:
        """What was done since the last cut."""
        now_s, worked = time.monotonic(), self.records.worked
        if now_s - self.at_s < SLIVER_S:
            return
        last = worked[-1] if worked else None
        if last is not None and last[:3] == (participant, kind, subject) and last.end_s == self.at_s:
            worked[-1] = last._replace(end_s=now_s)
        else:
            worked.append(Worked(participant, kind, subject, self.at_s, now_s))
        self.at_s = now_s

    def waited(self, participant: ParticipantId, exchange: ExchangeId, start_s: float, end_s: float) -> None:
        """The processor was idle until then, or busy with another participant for longer."""
        if end_s > start_s:
            self.records.waited.append(Waited(participant, exchange, start_s, end_s))
        self.at_s = max(self.at_s, end_s)

    def end(self, participant: ParticipantId) -> None:
        self.records.ends.append((participant, time.monotonic()))
