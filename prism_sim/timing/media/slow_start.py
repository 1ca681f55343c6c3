"""TCP's slow start: a connection that has been idle sends little at first, and doubles it every round trip."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import cast

from simpy import Environment, Event

from prism_sim.timing.ids import DeviceIndex
from prism_sim.timing.media.base import Flight, Medium
from prism_sim.timing.media.congestion_window import INITIAL_WINDOW_BYTES, CongestionWindow

Path = Callable[[DeviceIndex, DeviceIndex], tuple[float, float]]


class _Sender:
    """One connection's.  last: what it let go last or will; release_s: when.  held: what it has yet to let go."""

    __slots__ = ("held", "last", "release_s", "window")

    def __init__(self, bits_per_s: float, round_trip_s: float) -> None:
        self.window = CongestionWindow(bits_per_s, round_trip_s)
        self.held: deque[Flight] = deque()
        self.last: Flight | None = None
        self.release_s = 0.0


class SlowStart:
    """Holds a message back as long as its connection's window stalls it; then the medium takes it.

    path: source, destination -> bits_per_s of the way, and its round trip in seconds.
    All stalls of a message come before its first byte, so that its last byte leaves when the window lets it. On an idle
    connection they are the sum over rounds of the round trip less the time in which the window is sent (Kurose and
    Ross, "Computer Networking", latency of TCP with a growing window). They count as propagation.
    A broadcast is of no connection and is not held back. Where others' messages are in the way too, stalls are as long
    as without them; but a connection whose message waits for them is not idle.
    """

    def __init__(self, medium: Medium, path: Path) -> None:
        self.medium, self.path = medium, path
        self.env: Environment = medium.env
        self.senders: dict[tuple[DeviceIndex, DeviceIndex], _Sender | None] = {}

    def post(self, flight: Flight) -> None:
        sender = None if flight.message.transmission is not None else self._sender(flight)
        if sender is None:
            self.medium.post(flight)
            return
        now_s, window, before = self.env.now, sender.window, sender.last
        if before is not None and now_s > max(window.left_s, before.uplink_end_s):
            window.idle(now_s - max(window.left_s, before.uplink_end_s))
        begin_s = max(now_s, window.left_s)
        stalled_s = window.send(flight.message.payload_bytes, now_s)
        sender.last, sender.release_s = flight, max(sender.release_s, begin_s + stalled_s if stalled_s else now_s)
        if sender.release_s <= now_s and not sender.held:
            self.medium.post(flight)
            return
        flight.held_since_s = now_s
        flight.stall_start_s = begin_s if stalled_s else sender.release_s
        if before is not None and flight.stall_start_s > now_s:
            flight.held_behind = before.index
        sender.held.append(flight)
        self.env.timeout(sender.release_s - now_s, sender).callbacks.append(self._release)

    def _sender(self, flight: Flight) -> _Sender | None:
        """None if its path holds no more than any window allows."""
        ends = (flight.source_device, flight.destination_device)
        if ends not in self.senders:
            bits_per_s, round_trip_s = self.path(*ends)
            stalls = bits_per_s * round_trip_s > 8 * INITIAL_WINDOW_BYTES
            self.senders[ends] = _Sender(bits_per_s, round_trip_s) if stalls else None
        return self.senders[ends]

    def _release(self, event: Event) -> None:
        """Of what its connection holds, the oldest: rounding of times lets nothing overtake."""
        flight = cast(_Sender, event.value).held.popleft()
        flight.posted_s = self.env.now
        self.medium.post(flight)
