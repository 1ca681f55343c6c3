"""TCP's slow start: a connection that has been idle sends little at first, and doubles it every round trip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from simpy import Environment, Event

from prism_sim.timing.media.base import Flight, Medium

INITIAL_WINDOW_BYTES = 10 * 1460  # RFC 6928
IDLE_S = 0.2  # the window falls back after a retransmission timeout of idleness (RFC 2861); Linux: at least 200 ms

Path = Callable[[int, int], tuple[float, float]]


@dataclass(slots=True)
class _Connection:
    """release_s: when its latest message was let go, so that none overtakes another."""

    window_bytes: float = INITIAL_WINDOW_BYTES
    release_s: float = 0.0
    used_until_s: float = 0.0


class SlowStart:
    """Holds a message back as long as its sender would stall for acknowledgements; then the medium takes it.

    path: source, destination -> bits_per_s of the way, and its round trip in seconds.
    The stall is the sum over rounds of the round trip less the time in which the window is sent (Kurose and Ross,
    "Computer Networking", latency of TCP with a growing window), and counts as propagation.
    """

    def __init__(self, medium: Medium, path: Path) -> None:
        self.medium, self.path = medium, path
        self.env: Environment = medium.env
        self.connections: dict[tuple[int, int], _Connection] = {}

    def post(self, flight: Flight) -> None:
        ends = (flight.source_device, flight.destination_device)
        bits_per_s, round_trip_s = self.path(*ends)
        now_s, connection = self.env.now, self.connections.setdefault(ends, _Connection())
        if now_s - connection.used_until_s > IDLE_S:
            connection.window_bytes = INITIAL_WINDOW_BYTES
        payload_bytes = flight.message.payload_bytes
        stalled_s, connection.window_bytes = stall_s(payload_bytes, connection.window_bytes, bits_per_s, round_trip_s)
        connection.release_s = release_s = max(now_s, connection.release_s) + stalled_s
        connection.used_until_s = release_s + 8 * payload_bytes / bits_per_s
        if release_s <= now_s:
            self.medium.post(flight)
            return
        flight.held_since_s = now_s
        self.env.timeout(release_s - now_s, flight).callbacks.append(self._release)

    def _release(self, event: Event) -> None:
        flight = cast(Flight, event.value)
        flight.posted_s = self.env.now
        self.medium.post(flight)


def stall_s(payload_bytes: int, window_bytes: float, bits_per_s: float, round_trip_s: float) -> tuple[float, float]:
    """Seconds that a sender stalls for acknowledgements during a message, and the window (bytes) that it ends with."""
    stalled_s, left_bytes = 0.0, float(payload_bytes)
    while left_bytes > window_bytes:
        round_s = 8 * window_bytes / bits_per_s
        if round_s >= round_trip_s:  # acknowledgements come back while the sender is still busy: no more stalls
            break
        stalled_s += round_trip_s - round_s
        left_bytes -= window_bytes
        window_bytes *= 2
    return stalled_s, window_bytes
