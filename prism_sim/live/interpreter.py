"""Runs the participants of one device, in one loop, against those of other processes.

Participants are generators that run until they must wait; a terminal beside a rank never blocks it. Arrivals are
awaited by threads, which also send on what waited for them while the processor computes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import RLock
from typing import Any

from prism_sim.effects import Await, Begin, Effect, Exchanging, Mark, Program, Ticket
from prism_sim.live.channel import Channel, Incoming, LinkError
from prism_sim.live.crossing import Content, Crossing
from prism_sim.live.records import Arrived, Posted, Recorder
from prism_sim.live.routing import Route
from prism_sim.live.voice import ProcessIndex
from prism_sim.meetings import Meeting, Terms, terms
from prism_sim.plan import ExchangeId, MessageId, ParticipantId, participants

MOST_THREADS = 1024  # that await messages; of more, the later ones are noticed later
GLANCE_S = 1.0  # how often a process that waits says for whom


@dataclass(slots=True)
class _Participant:
    index: ParticipantId
    program: Program
    label: str = ""
    waits_in: Crossing | None = None
    since_s: float = 0.0
    finished: bool = False
    result: Any = None


class LiveDevice:
    """One process's part in one pass.

    home: process of each participant, None for one without work. peer_name: of a process, for messages to humans.
    deadline_s: on `time.monotonic`. say: told for whom this process waits. first_tag: of its messages, where those of
    other passes are under way too.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        home: Sequence[ProcessIndex | None],
        me: ProcessIndex,
        channel: Channel,
        deadline_s: float,
        peer_name: Callable[[ProcessIndex], str] = lambda peer: f"process {peer}",
        say: Callable[[str], None] = lambda text: None,
        first_tag: int = 0,
    ) -> None:
        self.routes, self.home, self.me, self.channel = routes, home, me, channel
        self.deadline_s, self.peer_name, self.say = deadline_s, peer_name, say
        local = frozenset(one for one in participants(len(home) - 1) if home[one] == me)
        self.crossings = [Crossing(ExchangeId(index), route, local) for index, route in enumerate(routes)]
        self.first_tag = [first_tag]
        for route in routes:
            self.first_tag.append(self.first_tag[-1] + len(route.messages))
        # as in the driver: the n-th exchange of one kind, group and root that a member enters is every other's n-th
        self.by_terms: dict[Terms, list[Crossing]] = {}
        for crossing in self.crossings:
            exchange = crossing.route.outline.exchange
            self.by_terms.setdefault(Terms(exchange.kind, exchange.group, exchange.root), []).append(crossing)
        self.entered: dict[tuple[ParticipantId, Terms], int] = {}
        self.recorder = Recorder()
        self.inbox: SimpleQueue[tuple[_Participant, float] | Exception] = SimpleQueue()
        self.lock = RLock()
        self.tasks: list[Future[None]] = []
        self.participants: dict[ParticipantId, _Participant] = {}

    def prepare(self, pool: ThreadPoolExecutor) -> None:
        """Expects all messages, so that their senders never wait for this process, and listens for them.

        A thread for each exchange, receiver and sender, in the order in which that sends; threads of `pool`.
        """
        expected: dict[tuple[ExchangeId, ParticipantId, ParticipantId], list[tuple[MessageId, Incoming]]] = {}
        for crossing in self.crossings:
            for number, message in zip(crossing.route.numbers, crossing.route.messages, strict=True):
                source = self.home[message.source]
                if source is not None and source != self.me and self.home[message.destination] == self.me:
                    payload_bytes = crossing.route.message_bytes(number)
                    incoming = self.channel.expect(source, self._tag(crossing, number), payload_bytes)
                    ends = (crossing.exchange_id, message.destination, message.source)
                    expected.setdefault(ends, []).append((number, incoming))
        for (exchange_id, _, _), messages in expected.items():
            self.tasks.append(pool.submit(self._receive, self.crossings[exchange_id], messages))

    def _tag(self, crossing: Crossing, number: MessageId) -> int:
        """Tells one message of all exchanges, and of all passes, from every other."""
        return self.first_tag[crossing.exchange_id] + number

    @property
    def next_tag(self) -> int:
        """The first that no message of this pass has."""
        return self.first_tag[-1]

    def run(self, programs: Mapping[ParticipantId, Program]) -> dict[ParticipantId, Any]:
        """What the participants' programs return. Raises LinkError, TimeoutError, or what a program raises."""
        self.participants = {index: _Participant(index, program) for index, program in programs.items()}
        for one in self.participants.values():
            self._advance(one)
        while not all(one.finished for one in self.participants.values()):
            one, at_s = self._next()
            assert one.waits_in is not None
            self.recorder.waited(one.index, one.waits_in.exchange_id, one.since_s, at_s)
            self._advance(one)
        for task in self.tasks:  # messages that are still to be sent on for others
            task.result(self._left_s())
        while not self.inbox.empty():
            if isinstance(failure := self.inbox.get(), Exception):
                raise failure
        self.channel.flush(self._left_s())
        return {index: one.result for index, one in self.participants.items()}

    def _left_s(self) -> float:
        return max(self.deadline_s - time.monotonic(), 0.01)

    def _next(self) -> tuple[_Participant, float]:
        """The next participant that can go on, and since when."""
        since_s = time.monotonic()
        while True:
            try:
                found = self.inbox.get(timeout=min(GLANCE_S, self._left_s()))
            except Empty:
                waits = "; ".join(f"{time.monotonic() - since_s:.1f} s {text}" for text in self._waits())
                self.say(f"waits {waits}")
                if time.monotonic() >= self.deadline_s:
                    raise TimeoutError(f"waited {waits}") from None
                continue
            if isinstance(found, Exception):
                raise found
            return found

    def _waits(self) -> list[str]:
        """In which exchanges, and for which other processes; a participant that waits for one here says nothing."""
        with self.lock:
            return [
                f"in exchange {one.waits_in} for {' and '.join(map(self.peer_name, missing))}"
                for one in self.participants.values()
                if one.waits_in is not None and (missing := self._missing(one.waits_in, one.index))
            ]

    def _missing(self, crossing: Crossing, member: ParticipantId) -> list[ProcessIndex]:
        sources = {
            self.home[message.source]
            for number, message in zip(crossing.route.numbers, crossing.route.messages, strict=True)
            if message.destination == member and number not in crossing.arrived
        }
        return sorted(source for source in sources if source is not None and source != self.me)

    def _advance(self, me: _Participant) -> None:
        """Runs one participant until it waits for others or ends."""
        answer: Any = None
        if me.waits_in is not None:
            crossing, me.waits_in = me.waits_in, None
            answer = self._outcome(me, crossing)
        while True:
            try:
                effect = me.program.send(answer)
            except StopIteration as stop:
                self.recorder.cut(me.index, "compute", me.label)
                me.finished, me.result = True, stop.value
                self.recorder.end(me.index)
                return
            self.recorder.cut(me.index, "compute", me.label)
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
        meeting = effect.ticket.meeting if isinstance(effect, Await) else self._enter(me, effect)
        if isinstance(meeting, Meeting):
            return meeting.outcome(me.index)
        with self.lock:
            if meeting.remaining[me.index]:
                meeting.waiting.add(me.index)
                me.waits_in, me.since_s = meeting, time.monotonic()
                return None
        return self._outcome(me, meeting)

    def _outcome(self, me: _Participant, crossing: Crossing) -> Any:
        with self.lock:
            answer = crossing.outcome(me.index)
        self.recorder.cut(me.index, "staging", crossing.exchange_id)
        return answer

    def _enter(self, me: _Participant, effect: Exchanging) -> Crossing | Meeting:
        agreed, value = terms(effect, me.index)
        if len(agreed.group) == 1:  # nothing crosses
            alone = Meeting(agreed, effect.label, None)
            alone.enter(me.index, value)
            return alone
        turn = self.entered.get((me.index, agreed), 0)
        self.entered[me.index, agreed] = turn + 1
        crossing = self.by_terms[agreed][turn]
        with self.lock:
            crossing.begin(me.index, value)
            self._send(crossing, me.index)
        self.recorder.cut(me.index, "overhead", crossing.exchange_id)
        return crossing

    def _receive(self, crossing: Crossing, messages: Sequence[tuple[MessageId, Incoming]]) -> None:
        try:
            for number, incoming in messages:
                buffer = incoming.wait(self._left_s() + GLANCE_S)
                at_s = time.monotonic()
                content = crossing.unpack(number, buffer)
                with self.lock:
                    self._deliver(crossing, number, content, at_s)
        except LinkError as error:
            self.inbox.put(LinkError(error.peer, f"exchange {crossing}, {self.peer_name(error.peer)}: {error}"))
        except Exception as error:
            self.inbox.put(error)

    def _deliver(self, crossing: Crossing, number: MessageId, content: Content, at_s: float) -> None:
        """A message is there: sends on what waited for it, and wakes its receiver if it was the last."""
        crossing.arrived[number] = content
        destination = crossing.route.messages[number].destination
        self.recorder.records.arrived.append(Arrived(crossing.exchange_id, number, at_s))
        crossing.remaining[destination] -= 1
        if not crossing.remaining[destination] and destination in crossing.waiting:
            crossing.waiting.remove(destination)
            self.inbox.put((self.participants[destination], at_s))
        if destination in crossing.own:
            self._send(crossing, destination, number)

    def _send(self, crossing: Crossing, member: ParticipantId, released_by: MessageId | None = None) -> None:
        for number in crossing.to_send(member):
            content = crossing.content(number)
            destination = crossing.route.messages[number].destination
            process = self.home[destination]
            assert process is not None
            if process != self.me:
                payload = crossing.pack(number, content)
                if released_by is None:
                    self.recorder.cut(member, "staging", crossing.exchange_id)
            at_s = time.monotonic()
            self.recorder.records.posted.append(Posted(crossing.exchange_id, number, at_s, released_by))
            if process == self.me:
                self._deliver(crossing, number, content, at_s)
            else:
                self.channel.send(process, self._tag(crossing, number), payload)
