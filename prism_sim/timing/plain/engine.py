"""Plays a plan on devices and a network with SimPy: who computes, copies, sends and waits when.

One process a participant, callbacks for the rest: a message takes two events (three if its sender must first be done
with copies or overhead), a blocked Wait one, a stretch of computing one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import cast

from simpy import Environment, Event

from prism_sim.plan import Compute, Exchange, MessageId, ParticipantId, Plan, Start, Step
from prism_sim.timing.ids import Cause, FlightId, RequestId, of_flight
from prism_sim.timing.log import Blocked, Forgotten, Hold, Log, UnderWay
from prism_sim.timing.media.base import Flight
from prism_sim.timing.plain.exchange_state import Exchanges, ExchangeState
from prism_sim.timing.plain.processors import Processors
from prism_sim.timing.rig import Rig

ONLY_REQUEST = RequestId(0)


class Engine:
    """One run: its clock, its processors and its medium, the exchanges under way, and the log, if it is to be kept."""

    def __init__(self, plan: Plan, rig: Rig, algorithm_of: Callable[[Exchange], str], keep_log: bool = True) -> None:
        """algorithm_of: by which of `collectives.ALGORITHMS` an exchange becomes messages.

        Raises ValueError if the sizes do not fit each other.
        """
        devices, device_of = rig.devices, rig.device_of
        rig.check(plan)
        self.env = Environment()
        self.plan = plan
        self.medium = rig.network.open(self.env, len(devices), self.deliver)
        self.overhead_s = rig.network.message_overhead_s
        self.flights: list[Flight] = [] if keep_log else UnderWay()
        self.blocked: list[Blocked] = []
        self.ends: list[tuple[float, Cause]] = [(0.0, None)] * len(plan.programs)
        jobs: list[Hold] = [] if keep_log else Forgotten()
        self.log = Log(plan, device_of, jobs, self.flights, self.blocked, self.ends)
        self.processors = Processors(self.env, devices, device_of, jobs)
        self.exchanges = Exchanges(plan, rig, algorithm_of)
        self.n_steps = [0] * len(plan.programs)  # that each participant has taken, of whichever request

    def once(self) -> None:
        """All participants play their programs once, all from 0 s.

        Raises ValueError if one waits for what nobody sends.
        """
        processes = {one: self.env.process(self.participant(one)) for one in self.plan.participants}
        self.env.run()
        for participant, process in processes.items():
            if process.is_alive:
                raise ValueError(self.missing(participant))

    def participant(self, participant: ParticipantId) -> Generator[Event, None, None]:
        cause = yield from self.play(participant, self.plan.programs[participant], ONLY_REQUEST, None)
        self.ends[participant] = (self.env.now, cause)

    def play(
        self, participant: ParticipantId, program: Sequence[Step], request: RequestId, cause: Cause
    ) -> Generator[Event, None, Cause]:
        """A participant's steps for one request; returns what their end is bound to."""
        env = self.env
        for step in program:
            if isinstance(step, Compute):
                end_s, cause = self.processors.compute(participant, step, cause)
            elif isinstance(step, Start):
                cause = yield from self.start(participant, self.exchanges(request, step.exchange), cause)
                self.n_steps[participant] += 1
                continue
            else:
                state = self.exchanges(request, step.exchange)
                if state.remaining[participant]:
                    since_s, state.waiters[participant] = env.now, env.event()
                    yield state.waiters[participant]
                    last = state.last[participant].index
                    self.blocked.append(Blocked(participant, step.exchange, since_s, env.now, last))
                    cause = of_flight(last)
                end_s, cause = self.copy_in(participant, state, cause)
            self.n_steps[participant] += 1
            if end_s > env.now:
                yield env.timeout(end_s - env.now)
        return cause

    def start(self, participant: ParticipantId, state: ExchangeState, cause: Cause) -> Generator[Event, None, Cause]:
        """Copies out and posts a participant's messages, until its processor is done with that."""
        if participant in state.started:
            raise ValueError(f"participant {participant} starts exchange {self.log.label(state.exchange)!r} twice")
        state.started.add(participant)
        prepared, hold, end_s = state.prepared, self.processors.hold, self.env.now
        for local in prepared.local.get(participant, ()):
            self.post(state, local, end_s, cause)
        for copy_s, message in prepared.sends.get(participant, ()):
            if copy_s:
                end_s, cause = hold(participant, "staging", state.exchange, copy_s, cause)
            if message is None:
                continue
            if self.overhead_s and prepared.rides[message] is None:
                end_s, cause = hold(participant, "overhead", state.exchange, self.overhead_s, cause)
            self.post(state, message, end_s, cause)
        if end_s > self.env.now:
            yield self.env.timeout(end_s - self.env.now)
        for forward in prepared.forwards.get(participant, ()):
            self.unblock(state, forward, cause)
        return cause

    def unblock(self, state: ExchangeState, message: MessageId, cause: Cause) -> None:
        """One of the things that a message sent on waits for has come; the last one sends it.

        It lies in its sender's memory already, where sums are made, so it costs the message overhead and no copy.
        """
        state.blockers[message] -= 1
        if state.blockers[message]:
            return
        at_s, (source_device, destination_device) = self.env.now, state.prepared.ways[message]
        if self.overhead_s and source_device != destination_device:
            source = state.prepared.messages[message].source
            at_s, cause = self.processors.hold(source, "overhead", state.exchange, self.overhead_s, cause)
        self.post(state, message, at_s, cause)

    def post(self, state: ExchangeState, message: MessageId, at_s: float, cause: Cause) -> None:
        """Hands a message to the medium at `at_s`; between participants of one device it arrives there and then."""
        prepared = state.prepared
        source_device, destination_device = prepared.ways[message]
        index: FlightId = len(self.flights)  # type: ignore[assignment]  # a call of the NewType costs run time
        flight = Flight(index, message, prepared.messages[message], source_device, destination_device, cause, state)
        self.flights.append(flight)
        if source_device == destination_device:
            flight.posted_s = flight.arrival_s = at_s
            self.deliver(flight)
            return
        if prepared.broadcasts:
            ridden = prepared.rides[message]
            state.transmissions[message] = flight
            flight.rides = None if ridden is None else state.transmissions[ridden]
        if at_s > self.env.now:
            self.env.timeout(at_s - self.env.now, flight).callbacks.append(self.posted)
        else:
            flight.posted_s = at_s
            self.medium.post(flight)

    def posted(self, event: Event) -> None:
        flight = cast(Flight, event.value)
        flight.posted_s = self.env.now
        self.medium.post(flight)

    def deliver(self, flight: Flight) -> None:
        """A message has arrived: wakes its receiver if it was the last, and sends on what waited for it."""
        state: ExchangeState = flight.state
        destination = flight.message.destination
        state.last[destination] = flight
        state.remaining[destination] -= 1
        if not state.remaining[destination] and destination in state.waiters:
            state.waiters.pop(destination).succeed()
        for message in state.prepared.followers[flight.number]:
            self.unblock(state, message, of_flight(flight.index))

    def copy_in(self, participant: ParticipantId, state: ExchangeState, cause: Cause) -> tuple[float, Cause]:
        """Copies what has arrived to the accelerator, once."""
        copy_s = state.prepared.copy_in_s[participant]
        if not copy_s or participant in state.copied_in:
            return self.env.now, cause
        state.copied_in.add(participant)
        end_s, cause = self.processors.hold(participant, "staging", state.exchange, copy_s, cause)
        self.processors.received(participant, state.prepared.copied_bytes[participant])
        return end_s, cause

    def missing(self, participant: ParticipantId) -> str:
        """Which Wait a participant is stuck in, for an error message."""
        for (_, exchange), state in self.exchanges.states.items():
            if participant in state.waiters and state.remaining[participant]:
                label, n_missing = self.log.label(exchange), state.remaining[participant]
                return (
                    f"participant {participant} waits for ever: {n_missing} messages of exchange {label!r} never come"
                )
        raise AssertionError("a participant that does not end must be in a Wait")
