"""What the processes of a live run wrote down, in the form of a simulated run: pictures and explanations work on it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

from prism_sim import timing
from prism_sim.live.records import Arrived, Posted, Records, Waited, Worked
from prism_sim.live_runs.passes import series_of
from prism_sim.plan import ExchangeId, MessageId, ParticipantId, Plan
from prism_sim.simulation.simulate import Simulation
from prism_sim.timing.collectives import Message
from prism_sim.timing.ids import Cause, DeviceIndex, FlightId, HoldId, of_flight, of_hold
from prism_sim.timing.log import Blocked, Hold, Log
from prism_sim.timing.media.base import Flight


def records_from_json(found: Mapping[str, Any]) -> Records:
    """From dictionaries and lists."""
    return Records(
        [Worked(*one) for one in found["worked"]],
        [Waited(*one) for one in found["waited"]],
        [Posted(*one) for one in found["posted"]],
        [Arrived(*one) for one in found["arrived"]],
        [(participant, end_s) for participant, end_s in found["ends"]],
    )


def measured_timelines(
    predicted: Simulation, records: Sequence[Sequence[Records]], begins_s: Sequence[float]
) -> list[timing.Timeline]:
    """Each pass of a run like a simulated one, with the cause of every start. A message's whole way is transfer.

    records: of each process, by pass, from the common start. begins_s: of each pass.
    """
    device_of = cast(tuple[DeviceIndex, ...], predicted.device_of)
    passes = [one for one in series_of(predicted) for _ in one.jobs]
    found = []
    for one, begin_s, *of_pass in zip(passes, begins_s, *records, strict=True):
        since = [records.since(begin_s).from_zero() for records in of_pass]
        messages = cast(tuple[tuple[Message, ...], ...], one.messages)
        log = _Merging(one.plan, device_of, messages, since).log()
        found.append(timing.Timeline.of(log, len(predicted.devices)))
    return found


class _Merging:
    """Puts the records of all processes into one log, with the cause of every start."""

    def __init__(
        self,
        plan: Plan,
        device_of: tuple[DeviceIndex, ...],
        messages: Sequence[Sequence[Message]],
        records: Iterable[Records],
    ) -> None:
        records = list(records)
        self.plan, self.device_of, self.messages = plan, device_of, messages
        self.posted = sorted((one for found in records for one in found.posted), key=lambda one: one.at_s)
        self.flight_of = {(one.exchange, one.message): FlightId(index) for index, one in enumerate(self.posted)}
        self.arrived = {(one.exchange, one.message): one.at_s for found in records for one in found.arrived}
        self.waited = [one for found in records for one in found.waited]
        self.ended = {participant: end_s for found in records for participant, end_s in found.ends}
        worked = [one for found in records for one in found.worked]
        self.worked = sorted(worked, key=lambda one: (device_of[one.participant], one.start_s))
        # per device: its first job, and when its jobs begin
        self.begins: dict[DeviceIndex, tuple[int, list[float]]] = {}
        for number, one in enumerate(self.worked):
            self.begins.setdefault(device_of[one.participant], (number, []))[1].append(one.start_s)

    def log(self) -> Log:
        released = {(one.participant, one.end_s): one.exchange for one in self.waited}
        jobs: list[Hold] = []
        for number, one in enumerate(self.worked):
            first = self.begins[self.device_of[one.participant]][0]
            cause: Cause = of_hold(HoldId(number - 1)) if number > first else None
            exchange = released.get((one.participant, one.start_s))
            if exchange is not None:
                cause = self._last_arrival(one.participant, exchange)
            jobs.append(Hold(one.participant, one.kind, one.subject, max(one.start_s, 0.0), one.end_s, cause))
        flights = [self._flight(one) for one in self.posted]
        blocked = [Blocked(*one) for one in self.waited]
        ends = [self._end(participant) for participant in self.plan.participants]
        return Log(self.plan, self.device_of, jobs, flights, blocked, ends)

    def _job_at(self, device: DeviceIndex, at_s: float) -> Cause:
        """The job of a device that was under way, or over, at a moment."""
        first, begins = self.begins.get(device, (0, []))
        place = bisect_right(begins, at_s) - 1
        return of_hold(HoldId(first + place)) if place >= 0 else None

    def _last_arrival(self, participant: ParticipantId, exchange: ExchangeId) -> Cause:
        due = [MessageId(n) for n, m in enumerate(self.messages[exchange]) if m.destination == participant]
        last = max(due, key=lambda number: self.arrived[exchange, number])
        return of_flight(self.flight_of[exchange, last])

    def _flight(self, one: Posted) -> Flight:
        message = self.messages[one.exchange][one.message]
        source, destination = self.device_of[message.source], self.device_of[message.destination]
        if one.released_by is None:
            cause = self._job_at(source, one.at_s)
        else:
            cause = of_flight(self.flight_of[one.exchange, one.released_by])
        index, state = self.flight_of[one.exchange, one.message], SimpleNamespace(exchange=one.exchange)
        flight = Flight(index, one.message, message, source, destination, cause, state)
        arrival_s = max(self.arrived[one.exchange, one.message], one.at_s)  # clocks of two hosts agree only roughly
        flight.posted_s = flight.uplink_start_s = flight.uplink_end_s = one.at_s
        flight.head_s = flight.downlink_start_s = one.at_s
        flight.arrival_s = arrival_s
        flight.legs = (("transfer", one.at_s, arrival_s),)
        return flight

    def _end(self, participant: ParticipantId) -> tuple[float, Cause]:
        if participant not in self.ended:
            return 0.0, None
        end_s = self.ended[participant]
        return end_s, self._job_at(self.device_of[participant], end_s)
