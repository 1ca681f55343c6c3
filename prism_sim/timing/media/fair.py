"""Ports shared fairly: all connections flow at once, none blocks another.

A connection leads from one device to another and carries its messages one after the other, as TCP does. Rates are
max-min fair (`max_min.py`). They change only when a connection falls idle or begins to flow, and only of those which a
chain of shared ports ties to it: what happens elsewhere costs nothing here. All that happens at one moment changes them
once, after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from typing import cast

from simpy import Environment, Event

from prism_sim.timing.media.base import Deliver, Flight
from prism_sim.timing.media.max_min import Ports, max_min_rates

UNLIMITED_BITS_PER_S = 1e200  # stands for infinity where shares are subtracted
NOT_AWAITED_S = -1.0  # no end
AFTER_ALL_ELSE = 2  # a priority of SimPy's, whose others are 0 and 1


class _Connection:
    """Busy with the first of its messages since `since_s`, of which `left_bits` were left then.

    order: in which connections became busy. alone: the rate without others' flows. lost_s: seconds lost to others until
    then. queue: each message with what had been lost when it was posted. entry: its own in the heap of ends.
    """

    __slots__ = ("alone", "entry", "left_bits", "lost_s", "order", "ports", "queue", "rate", "since_s", "slack_bits")

    def __init__(self, ports: Ports, order: int) -> None:
        self.ports, self.order = ports, order
        self.queue: deque[tuple[Flight, float]] = deque()
        self.left_bits = self.slack_bits = self.lost_s = self.since_s = 0.0
        self.rate, self.alone = 0.0, UNLIMITED_BITS_PER_S
        self.entry: _End | None = None

    def begin(self, now_s: float) -> None:
        """The first message begins to flow."""
        flight = self.queue[0][0]
        flight.uplink_start_s = self.since_s = now_s
        self.left_bits = 8.0 * flight.message.payload_bytes
        self.slack_bits = 1e-12 * self.left_bits

    def settle(self, now_s: float) -> None:
        """What has flowed and what was lost up to now."""
        elapsed_s, self.since_s = now_s - self.since_s, now_s
        self.left_bits -= self.rate * elapsed_s
        if self.rate < self.alone:
            self.lost_s += elapsed_s * (1.0 - self.rate / self.alone)

    def flow(self, now_s: float, rate: float, alone: float) -> _End:
        """From now on at these rates; its new end."""
        self.settle(now_s)
        self.rate, self.alone = rate, alone
        self.entry = now_s + self.left_bits / rate, self.order, self
        return self.entry


_End = tuple[float, int, _Connection]  # when; of those at the same time, first who became busy first


class _AfterAllElse(Event):
    """Happens at this moment, when all else that is to happen at it has."""

    def __init__(self, env: Environment, callback: Callable[[Event], None]) -> None:
        self.env, self.callbacks, self._ok, self._value = env, [callback], True, None
        env.schedule(self, AFTER_ALL_ELSE)  # type: ignore[arg-type]  # which names the two only


class FairSwitch:
    """A message flows when those before it on its connection have; it arrives one latency after its last bit has left.

    Queue, in its legs, is what its connection loses to other devices from its posting on: with only its own device's it
    would have flowed at the fair share of its own uplink, or at the rate of its receiver's port.
    """

    def __init__(
        self, env: Environment, up: Sequence[float], down: Sequence[float], latency_s: float, deliver: Deliver
    ) -> None:
        self.env, self.latency_s, self.deliver = env, latency_s, deliver
        self.n_ports = len(up)
        self.capacity = [min(rate, UNLIMITED_BITS_PER_S) for rate in (*up, *down)]
        self.posted: list[Flight] = []  # at this moment
        self.busy: dict[Ports, _Connection] = {}
        self.n_begun = 0  # connections that became busy
        self.through: list[dict[_Connection, None]] = [{} for _ in self.capacity]  # busy ones, by port
        self.touched: dict[int, None] = {}  # ports through which there are others than before
        self.ends: list[_End] = []  # a heap; entries that are not their connection's own are out of date
        self.change: _AfterAllElse | None = None  # at this moment
        self.next_end: Event | None = None  # others are out of date
        self.next_end_s = NOT_AWAITED_S

    def post(self, flight: Flight) -> None:
        self.posted.append(flight)
        self._change_after_all()

    def _change_after_all(self) -> None:
        if self.change is None:
            self.change = _AfterAllElse(self.env, self._on_change)

    def _on_end(self, event: Event) -> None:
        if event is not self.next_end:
            return
        self.next_end, self.next_end_s = None, NOT_AWAITED_S
        self._end_finished(self.env.now)
        if self.touched:
            self._change_after_all()
        elif self.change is None:
            self._await_end()

    def _on_change(self, event: Event) -> None:
        now_s, self.change = self.env.now, None
        self._end_finished(now_s)
        self._begin_posted(now_s)
        for connections in self._tied():
            flows = [connection.ports for connection in connections]
            for connection, rate in zip(connections, max_min_rates(flows, self.capacity), strict=True):
                alone = self._alone(connection.ports)
                if rate != connection.rate or alone != connection.alone:
                    heappush(self.ends, connection.flow(now_s, rate, alone))
        self.touched.clear()
        self._await_end()

    def _tied(self) -> Iterator[list[_Connection]]:
        """Connections that touched ports, and ports which they share, tie together."""
        seen = set[int]()
        for first in self.touched:
            if first in seen or not self.through[first]:
                continue
            seen.add(first)
            found, ports = list[_Connection](), [first]
            for port in ports:  # which grows
                for connection in self.through[port]:
                    egress, ingress = connection.ports
                    if port == egress:
                        found.append(connection)
                    other = ingress if port == egress else egress
                    if other not in seen:
                        seen.add(other)
                        ports.append(other)
            yield found

    def _await_end(self) -> None:
        """Unless the next end is awaited already."""
        self._drop_old_ends()
        if not self.ends:
            self.next_end, self.next_end_s = None, NOT_AWAITED_S
        elif self.next_end_s != self.ends[0][0]:
            self.next_end_s = self.ends[0][0]
            self.next_end = self.env.timeout(max(0.0, self.next_end_s - self.env.now))
            self.next_end.callbacks.append(self._on_end)

    def _drop_old_ends(self) -> None:
        while self.ends and self.ends[0][2].entry is not self.ends[0]:
            heappop(self.ends)

    def _end_finished(self, now_s: float) -> None:
        finished = []
        self._drop_old_ends()
        while self.ends:
            end_s, _, connection = self.ends[0]
            rate = connection.rate
            if (end_s - now_s) * rate > connection.slack_bits + 1e-15 * now_s * rate:  # rounding
                break
            connection.entry = None
            finished.append(connection)
            self._drop_old_ends()
        for connection in sorted(finished, key=lambda one: one.order):
            connection.settle(now_s)
            flight, lost_before_s = connection.queue.popleft()
            self._leave(flight, connection.lost_s - lost_before_s)
            if connection.queue:
                connection.begin(now_s)
                heappush(self.ends, connection.flow(now_s, connection.rate, connection.alone))
            else:
                del self.busy[connection.ports]
                for port in connection.ports:
                    del self.through[port][connection]
                    self.touched[port] = None

    def _begin_posted(self, now_s: float) -> None:
        for flight in self.posted:
            ports = flight.source_device, self.n_ports + flight.destination_device
            connection = self.busy.get(ports)
            if connection is not None:
                connection.settle(now_s)
                connection.queue.append((flight, connection.lost_s))
                continue
            connection = self.busy[ports] = _Connection(ports, self.n_begun)
            self.n_begun += 1
            connection.queue.append((flight, 0.0))
            connection.begin(now_s)
            for port in ports:
                self.through[port][connection] = None
                self.touched[port] = None
        self.posted.clear()

    def _alone(self, ports: Ports) -> float:
        """Its share of its uplink among the connections of its own device, or the rate of its receiver's port."""
        egress, ingress = ports
        return min(self.capacity[egress] / len(self.through[egress]), self.capacity[ingress])

    def _leave(self, flight: Flight, lost_s: float) -> None:
        """Its last bit has left; lost_s: seconds that others' messages cost it."""
        flight.uplink_end_s = now_s = self.env.now
        flight.head_s = flight.downlink_start_s = flight.uplink_start_s + self.latency_s
        queued_until_s = min(flight.posted_s + lost_s, now_s)
        flight.legs = [
            ("queue", flight.posted_s, queued_until_s),
            ("transfer", queued_until_s, now_s),
            ("propagation", now_s, now_s + self.latency_s),
        ]
        self.env.timeout(self.latency_s, flight).callbacks.append(self._arrive)

    def _arrive(self, event: Event) -> None:
        flight = cast(Flight, event.value)
        flight.arrival_s = self.env.now
        self.deliver(flight)
