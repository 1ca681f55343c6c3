"""What a run of a plan gives: the latency, who was busy, who waited, what crossed, and why it took so long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from prism_sim.plan import ExchangeId, ParticipantId
from prism_sim.timing.critical_path import PARTS, Segment, breakdown_s, critical_path
from prism_sim.timing.ids import DeviceIndex, FlightId
from prism_sim.timing.log import Hold, Log
from prism_sim.timing.media.base import Flight, Leg


class Span(NamedTuple):
    """A stretch of one participant's time, or of one of its messages' (whose participant is the sender).

    kind: compute, staging, overhead, wait; of a message: transfer, propagation, queue.
    exchange: None for compute.  message: None for what is not a message.
    """

    participant: ParticipantId
    device: DeviceIndex
    kind: str
    label: str
    start_s: float
    end_s: float
    exchange: ExchangeId | None = None
    message: FlightId | None = None


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A message between two devices.

    payload_bytes: what its receiver gets; rides: it came with the transmission of
    an earlier message, so its sender sent nothing for it.
    uplink: its sender's port is busy with it; head_s: its first bit is at the receiver's port; downlink: that is busy.
    """

    index: FlightId
    exchange: ExchangeId
    source: ParticipantId
    destination: ParticipantId
    payload_bytes: int
    posted_s: float
    uplink_start_s: float
    uplink_end_s: float
    head_s: float
    downlink_start_s: float
    arrival_s: float
    rides: FlightId | None


@dataclass(frozen=True, eq=False)
class Timeline:
    """A run, in seconds from its begin.

    latency_s: when the last participant ends.
    busy_s: per device, its processor's time in compute, staging and overhead.
    wait_s: per participant, time in Waits before the last message came (stragglers show here, in the others' figures).
    sent_bytes, received_bytes: per participant, between different devices only; a broadcast is sent once.
    """

    latency_s: float
    busy_s: tuple[float, ...]
    wait_s: tuple[float, ...]
    sent_bytes: tuple[int, ...]
    received_bytes: tuple[int, ...]
    log: Log = field(repr=False)

    @staticmethod
    def of(log: Log, n_devices: int) -> Timeline:
        """Adds up a finished run's log."""
        n_participants = len(log.device_of)
        busy_s, wait_s = [0.0] * n_devices, [0.0] * n_participants
        sent_bytes, received_bytes = [0] * n_participants, [0] * n_participants
        for job in log.jobs:
            busy_s[log.device_of[job.participant]] += job.end_s - job.start_s
        for blocked in log.blocked:
            wait_s[blocked.participant] += blocked.end_s - blocked.start_s
        for flight in log.flights:
            if flight.source_device != flight.destination_device:
                message = flight.message
                received_bytes[message.destination] += message.payload_bytes
                if flight.rides is None:
                    sent_bytes[message.source] += message.payload_bytes
        latency_s = max(end_s for end_s, _ in log.ends)
        return Timeline(latency_s, tuple(busy_s), tuple(wait_s), tuple(sent_bytes), tuple(received_bytes), log)

    @cached_property
    def critical_path(self) -> tuple[Segment, ...]:
        """The chain of causes behind the latency, in order of time, gapless."""
        return critical_path(self.log)

    @cached_property
    def breakdown_s(self) -> dict[str, float]:
        """Compute, staging, overhead, transfer, propagation and queue of the critical path; they sum to `latency_s`."""
        if self.log.figures is not None:
            return dict(zip(PARTS, self.log.figures.breakdown_s, strict=True))
        return breakdown_s(self.critical_path)

    @cached_property
    def participant_busy_s(self) -> tuple[float, ...]:
        """Per participant: its time in compute, staging and overhead."""
        if self.log.figures is not None:
            return self.log.figures.participant_busy_s
        busy_s = [0.0] * len(self.log.device_of)
        for job in self.log.jobs:
            busy_s[job.participant] += job.end_s - job.start_s
        return tuple(busy_s)

    @cached_property
    def messages(self) -> tuple[MessageRecord, ...]:
        """Messages between devices, in the order in which they were issued."""
        return tuple(_record(f) for f in self.log.flights if f.source_device != f.destination_device)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """Everything that took time, ordered by begin, participant and kind."""
        spans = [*self._work(), *self._waits(), *self._ways()]
        return tuple(sorted(spans, key=lambda span: (span.start_s, span.participant, span.kind, span.end_s)))

    def _work(self) -> Iterator[Span]:
        for job in self.log.jobs:
            device, label = self.log.device_of[job.participant], self.log.label(job.subject)
            exchange = None if isinstance(job.subject, str) else job.subject
            for kind, start_s, end_s in _stretches(job):
                yield Span(job.participant, device, kind, label, start_s, end_s, exchange)

    def _waits(self) -> Iterator[Span]:
        for blocked in self.log.blocked:
            device, label = self.log.device_of[blocked.participant], self.log.label(blocked.exchange)
            yield Span(blocked.participant, device, "wait", label, blocked.start_s, blocked.end_s, blocked.exchange)

    def _ways(self) -> Iterator[Span]:
        for flight in self.log.flights:
            exchange: ExchangeId = flight.state.exchange
            label, source = self.log.label(exchange), flight.message.source
            for kind, start_s, end_s in way(flight):
                if end_s > start_s:
                    yield Span(source, flight.source_device, kind, label, start_s, end_s, exchange, flight.index)


def way(flight: Flight) -> tuple[Leg, ...]:
    """A message's legs from its posting to its arrival; none between participants of one device.

    At its sender's port it queues behind whatever was posted earlier, its own device's messages included.
    """
    if flight.source_device == flight.destination_device:
        return ()
    held: tuple[Leg, ...] = ()
    if flight.held_since_s is not None:
        held = (
            ("queue", flight.held_since_s, flight.stall_start_s),
            ("propagation", flight.stall_start_s, flight.posted_s),
        )
    if flight.legs is not None:
        return (*held, *flight.legs)
    return (
        *held,
        ("queue", flight.posted_s, flight.uplink_start_s),
        ("propagation", flight.uplink_start_s, flight.head_s),
        ("queue", flight.head_s, flight.downlink_start_s),
        ("transfer", flight.downlink_start_s, flight.arrival_s),
    )


def _stretches(job: Hold) -> tuple[Leg, ...]:
    if not job.launch_s:
        return ((job.kind, job.start_s, job.end_s),)
    launched_s = job.start_s + job.launch_s
    return ("overhead", job.start_s, launched_s), (job.kind, launched_s, job.end_s)


def _record(flight: Flight) -> MessageRecord:
    return MessageRecord(
        index=flight.index,
        exchange=flight.state.exchange,
        source=flight.message.source,
        destination=flight.message.destination,
        payload_bytes=flight.message.payload_bytes,
        posted_s=flight.posted_s if flight.held_since_s is None else flight.held_since_s,
        uplink_start_s=flight.uplink_start_s,
        uplink_end_s=flight.uplink_end_s,
        head_s=flight.head_s,
        downlink_start_s=flight.downlink_start_s,
        arrival_s=flight.arrival_s,
        rides=None if flight.rides is None else flight.rides.index,
    )
