"""Why the latency is what it is: the chain of causes that ends in the last participant's end.

Walked backwards, each piece of time is met once, so the pieces add up to the latency.
"""

from __future__ import annotations

from math import fsum
from typing import NamedTuple

from prism_sim.plan import ParticipantId
from prism_sim.timing.ids import Cause, FlightId, flight_of, hold_of, is_flight
from prism_sim.timing.log import Hold, Log
from prism_sim.timing.media.base import Flight

PARTS = ("compute", "staging", "overhead", "transfer", "propagation", "queue")


class Segment(NamedTuple):
    """A piece of the critical path.

    part: one of PARTS.  transfer: a link carries bytes of this device; propagation: the latency of a link; queue: a
    port or the air is busy with others' bytes.  participant: who works or, for bytes, who sends them.
    message: its flight in the log, None for work.
    """

    part: str
    participant: ParticipantId
    label: str
    start_s: float
    end_s: float
    message: FlightId | None


def critical_path(log: Log) -> tuple[Segment, ...]:
    """Segments in order of time, gapless from 0 s to the latency."""
    at_s, cause = max(log.ends, key=lambda end: end[0])
    walk = _Walk(log, at_s)
    while cause is not None:
        cause = walk.flight(log.flights[flight_of(cause)]) if is_flight(cause) else walk.job(log.jobs[hold_of(cause)])
    return tuple(reversed(walk.segments))


def breakdown_s(path: tuple[Segment, ...]) -> dict[str, float]:
    """Seconds of each part; they sum to the latency."""
    return {part: fsum(s.end_s - s.start_s for s in path if s.part == part) for part in PARTS}


class _Walk:
    """Goes back in time; `at_s` is the begin of the latest segment found so far."""

    def __init__(self, log: Log, at_s: float) -> None:
        self.log, self.at_s = log, at_s
        self.segments: list[Segment] = []

    def job(self, job: Hold) -> Cause:
        """A hold of a processor; the launches of a compute job's kernels count as its begin."""
        label = self.log.label(job.subject)
        if job.launch_s:
            self._back_to(job.start_s + job.launch_s, job.kind, job.participant, label)
            self._back_to(job.start_s, "overhead", job.participant, label)
        else:
            self._back_to(job.start_s, job.kind, job.participant, label)
        return job.cause

    def flight(self, flight: Flight) -> Cause:
        """A message, and those of its own device that were ahead of it; others' messages ahead are queue."""
        if flight.source_device == flight.destination_device:
            return flight.cause
        if flight.legs is None:
            flight = self._downlink(flight)
            self._bytes_back_to(flight.uplink_start_s, "propagation", flight)
        flight = self._way_out(flight)
        while flight.held_since_s is not None:
            self._bytes_back_to(flight.stall_start_s, "propagation", flight)
            if flight.held_behind is None:
                break
            flight = self.log.flights[flight.held_behind]
            self._bytes_back_to(flight.uplink_start_s, "transfer", flight)
            flight = self._way_out(flight)
        return flight.cause

    def _way_out(self, flight: Flight) -> Flight:
        """Back to the moment when it was posted, or the first of those of its device that were ahead of it."""
        if flight.legs is not None:
            for part, start_s, _ in reversed(flight.legs):
                self._bytes_back_to(start_s, part, flight)
        while flight.ahead is not None:
            flight = self.log.flights[flight.ahead]
            self._bytes_back_to(flight.uplink_start_s, "transfer", flight)
        return flight

    def _downlink(self, flight: Flight) -> Flight:
        """Back to the moment when a head reached the receiver's port."""
        self._bytes_back_to(flight.downlink_start_s, "transfer", flight)
        while flight.ahead_down is not None:
            ahead = self.log.flights[flight.ahead_down]
            if ahead.source_device != flight.source_device:
                break
            flight = ahead
            self._bytes_back_to(flight.downlink_start_s, "transfer", flight)
        self._bytes_back_to(flight.head_s, "queue", flight)
        return flight

    def _bytes_back_to(self, start_s: float, part: str, flight: Flight) -> None:
        label = self.log.label(flight.state.exchange)
        self._back_to(start_s, part, flight.message.source, label, flight.index)

    def _back_to(
        self, start_s: float, part: str, participant: ParticipantId, label: str, message: FlightId | None = None
    ) -> None:
        if start_s < self.at_s:  # equal moments may differ by an ulp: never go forward
            self.segments.append(Segment(part, participant, label, start_s, self.at_s, message))
            self.at_s = start_s
