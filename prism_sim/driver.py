"""The lock-step loop that the shapes and the tensors interpreter share: runs all programs, leaves a Plan's steps.

Each participant's program runs until it must wait for somebody; values that meet in an exchange are combined as its
kind says (meetings.py). The loop knows neither torch nor sizes: a participant's `Meter` says what was computed since
it was last asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from prism_sim.effects import Await, Begin, Effect, Exchanging, Mark, Program, Ticket
from prism_sim.meetings import Meeting, Terms, terms
from prism_sim.plan import Compute, Exchange, ExchangeId, Kernel, ParticipantId, Start, Step, Wait, participants


class Meter(Protocol):
    """What one participant has computed; the driver tells it when the participant's turn comes."""

    def resume(self) -> None: ...
    def drain(self) -> tuple[Kernel, ...]:
        """The kernels since the last resume or drain."""
        ...


class DeadlockError(RuntimeError):
    """Unfinished programs wait for each other, or did not all enter an exchange: a strategy's program is wrong."""


@dataclass(frozen=True, slots=True)
class Driven:
    """What the programs did (steps per participant, exchanges) and what they returned.

    numbers: of each exchange, the one that it had while they ran, as in its tickets.
    """

    programs: tuple[tuple[Step, ...], ...]
    exchanges: tuple[Exchange, ...]
    results: tuple[Any, ...]
    numbers: tuple[ExchangeId, ...]


@dataclass(slots=True)
class _Participant:
    index: ParticipantId
    program: Program
    meter: Meter
    steps: list[Step] = field(default_factory=list)
    label: str = ""
    waits_in: Meeting | None = None
    finished: bool = False
    result: Any = None


def run(programs: Sequence[Program], meters: Sequence[Meter]) -> Driven:
    """Runs all programs (ranks, then the terminal) to their end. Raises DeadlockError if they cannot reach it."""
    return Loop(programs, meters).run()


def in_order(programs: Sequence[Sequence[Step]]) -> tuple[tuple[tuple[Step, ...], ...], list[ExchangeId]]:
    """The programs, exchanges numbered in the order of their starts; and by these numbers, those that they had.

    First everybody's first, in the order of participants, then everybody's second, and so on: no matter who ran ahead.
    """
    first: dict[ExchangeId, tuple[int, int]] = {}
    for participant, program in enumerate(programs):
        started = [step.exchange for step in program if isinstance(step, Start)]
        for turn, exchange in enumerate(started):
            key = turn, participant
            if key < first.get(exchange, (turn, participant + 1)):
                first[exchange] = key
    order = sorted(first, key=first.__getitem__)
    ids = [ExchangeId(number) for number in range(len(order))]
    starts = {before: Start(number) for before, number in zip(order, ids, strict=True)}
    waits = {before: Wait(number) for before, number in zip(order, ids, strict=True)}
    renumbered = tuple(
        tuple(
            step if isinstance(step, Compute) else (starts if isinstance(step, Start) else waits)[step.exchange]
            for step in program
        )
        for program in programs
    )
    return renumbered, order


@dataclass(slots=True)
class _Series:
    """The meetings on the same terms: the n-th that a member enters is every other member's n-th."""

    meetings: list[Meeting] = field(default_factory=list)
    entered: dict[ParticipantId, int] = field(default_factory=dict)


class Loop:
    """One run of all programs (ranks, then the terminal). Its participants' steps so far may be looked at meanwhile."""

    def __init__(self, programs: Sequence[Program], meters: Sequence[Meter]) -> None:
        self.participants = [
            _Participant(index, program, meter)
            for index, program, meter in zip(participants(len(programs) - 1), programs, meters, strict=True)
        ]
        self.meetings: list[Meeting] = []  # in the order of their first entry: a Plan's exchange numbers
        self.series: dict[Terms, _Series] = {}
        self.ready: deque[_Participant] = deque(self.participants)

    def run(self) -> Driven:
        while self.ready:
            self._advance(self.ready.popleft())
        stuck = [me for me in self.participants if not me.finished]
        if stuck:
            raise DeadlockError("; ".join(f"participant {me.index} waits in {me.waits_in}" for me in stuck))
        if orphans := [meeting for meeting in self.meetings if not meeting.complete]:
            raise DeadlockError("not all members entered " + "; ".join(map(str, orphans)))
        programs, order = in_order([me.steps for me in self.participants])
        return Driven(
            programs=programs,
            exchanges=tuple(self.meetings[number].exchange() for number in order),
            results=tuple(me.result for me in self.participants),
            numbers=tuple(order),
        )

    def _advance(self, me: _Participant) -> None:
        """Runs one participant until it waits for others or ends."""
        me.meter.resume()
        answer: Any = None
        if me.waits_in is not None:
            answer, me.waits_in = me.waits_in.outcome(me.index), None
        while True:
            try:
                effect = me.program.send(answer)
            except StopIteration as stop:
                self._record_work(me)
                me.finished, me.result = True, stop.value
                return
            self._record_work(me)
            answer = self._perform(me, effect)
            del effect  # the loop must not keep tensors alive that the program has let go
            if me.waits_in is not None:
                return

    def _perform(self, me: _Participant, effect: Effect) -> Any:
        """What the program gets back, unless it must wait: then `me.waits_in` says for what."""
        if isinstance(effect, Mark):
            me.label = effect.label
            return None
        if isinstance(effect, Begin):
            return Ticket(self._enter(me, effect.effect), me.index)
        if isinstance(effect, Await):
            meeting: Meeting = effect.ticket.meeting
            if effect.ticket.participant != me.index:
                raise ValueError(f"participant {me.index} awaits the ticket of participant {effect.ticket.participant}")
        else:
            meeting = self._enter(me, effect)
        if meeting.wait is not None:
            me.steps.append(meeting.wait)
        if meeting.ready_for(me.index):
            return meeting.outcome(me.index)
        meeting.waiting.append(me.index)
        me.waits_in = meeting
        return None

    def _enter(self, me: _Participant, effect: Exchanging) -> Meeting:
        agreed, value = terms(effect, me.index)
        series = self.series.get(agreed)
        if series is None:
            series = self.series[agreed] = _Series()
        turn = series.entered.get(me.index, 0)
        series.entered[me.index] = turn + 1
        if turn == len(series.meetings):
            series.meetings.append(self._opened(agreed, effect.label))
        meeting = series.meetings[turn]
        meeting.enter(me.index, value)
        if meeting.start is not None:
            me.steps.append(meeting.start)
        if meeting.waiting:
            for index in [waiting for waiting in meeting.waiting if meeting.ready_for(waiting)]:
                meeting.waiting.remove(index)
                self.ready.append(self.participants[index])
        return meeting

    def _opened(self, agreed: Terms, label: str) -> Meeting:
        if len(agreed.group) == 1:  # nothing crosses: no exchange in the Plan
            return Meeting(agreed, label)
        exchange_id = ExchangeId(len(self.meetings))
        meeting = Meeting(agreed, label, exchange_id, Start(exchange_id), Wait(exchange_id))
        self.meetings.append(meeting)
        return meeting

    def _record_work(self, me: _Participant) -> None:
        if kernels := me.meter.drain():
            me.steps.append(Compute(me.label, kernels))
