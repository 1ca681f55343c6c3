"""Ports shared fairly: all connections flow at once, none blocks another.

A connection leads from one device to another and carries its messages one after the other, as TCP does. Rates are
max-min fair (Bertsekas and Gallager, "Data Networks", 6.5.2: progressive filling): all grow together until a port is
full; its connections stop growing, the others go on. They change only when a connection falls idle or begins to flow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TypeAlias, cast

from simpy import Environment, Event

from prism_sim.timing.media.base import Deliver, Flight

Ports: TypeAlias = tuple[int, int]  # egress of the sender's device, ingress of the receiver's
UNLIMITED_BITS_PER_S = 1e200  # stands for infinity where shares are subtracted
MOST_KNOWN = 100_000  # connections in all sets whose rates are remembered: a run has the same sets again and again


class _Connection:
    """Busy with the first of its messages since `since_s`, of which `left_bits` were left then.

    alone: the rate without others' flows. lost_s: seconds lost to others until then. queue: each message with what had
    been lost when it was posted.
    """

    __slots__ = ("alone", "end_s", "left_bits", "lost_s", "queue", "rate", "since_s", "slack_bits")

    def __init__(self) -> None:
        self.queue: deque[tuple[Flight, float]] = deque()
        self.left_bits = self.slack_bits = self.lost_s = self.since_s = self.end_s = 0.0
        self.rate, self.alone = 0.0, UNLIMITED_BITS_PER_S

    def begin(self, now_s: float) -> None:
        """The first message begins to flow, at a rate that is still to be said."""
        flight = self.queue[0][0]
        flight.uplink_start_s = self.since_s = now_s
        self.left_bits = 8.0 * flight.message.payload_bytes
        self.slack_bits, self.rate = 1e-12 * self.left_bits, 0.0

    def settle(self, now_s: float) -> None:
        """What has flowed and what was lost up to now."""
        elapsed_s, self.since_s = now_s - self.since_s, now_s
        self.left_bits -= self.rate * elapsed_s
        if self.rate < self.alone:
            self.lost_s += elapsed_s * (1.0 - self.rate / self.alone)

    def flow(self, now_s: float, rate: float, alone: float) -> None:
        """From now on at these rates."""
        self.settle(now_s)
        self.rate, self.alone, self.end_s = rate, alone, now_s + self.left_bits / rate


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
        self.posted: list[Flight] = []  # since the latest change of rates, all at the same time
        self.change: Event | None = None  # the event at which rates change next; others are out of date
        self.busy: dict[Ports, _Connection] = {}
        self.known: dict[tuple[Ports, ...], list[tuple[float, float]]] = {}  # by busy connections: rate and alone
        self.n_known = 0

    def post(self, flight: Flight) -> None:
        if not self.posted:  # those posted at the same time change the rates together
            self._change_after(0.0)
        self.posted.append(flight)

    def _change_after(self, delay_s: float) -> None:
        self.change = self.env.timeout(delay_s)
        self.change.callbacks.append(self._on_change)

    def _on_change(self, event: Event) -> None:
        if event is not self.change:
            return
        now_s = self.env.now
        self._end_finished(now_s)
        self._begin_posted(now_s)
        self.change = None
        if not self.busy:
            return
        for connection, (rate, alone) in zip(self.busy.values(), self._rates(), strict=True):
            if rate != connection.rate or alone != connection.alone:
                connection.flow(now_s, rate, alone)
        self._change_after(max(0.0, min(connection.end_s for connection in self.busy.values()) - now_s))

    def _end_finished(self, now_s: float) -> None:
        idle = []
        for ports, connection in self.busy.items():
            rate = connection.rate
            if (connection.end_s - now_s) * rate > connection.slack_bits + 1e-15 * now_s * rate:  # rounding
                continue
            connection.settle(now_s)
            flight, lost_before_s = connection.queue.popleft()
            self._leave(flight, connection.lost_s - lost_before_s)
            if connection.queue:
                connection.begin(now_s)
            else:
                idle.append(ports)
        for ports in idle:
            del self.busy[ports]

    def _begin_posted(self, now_s: float) -> None:
        posted, self.posted = self.posted, []
        for flight in posted:
            ports = flight.source_device, self.n_ports + flight.destination_device
            connection = self.busy.get(ports)
            if connection is None:
                connection = self.busy[ports] = _Connection()
            else:
                connection.settle(now_s)
            connection.queue.append((flight, connection.lost_s))
            if len(connection.queue) == 1:
                connection.begin(now_s)

    def _rates(self) -> list[tuple[float, float]]:
        """Of each busy connection: its rate, and what it would be without others' flows."""
        key = tuple(self.busy)
        found = self.known.get(key)
        if found is None:
            if self.n_known + len(key) > MOST_KNOWN:
                self.known.clear()
                self.n_known = 0
            found = list(zip(max_min_rates(key, self.capacity), self._rates_without_others(key), strict=True))
            self.known[key] = found
            self.n_known += len(key)
        return found

    def _rates_without_others(self, connections: Sequence[Ports]) -> Iterator[float]:
        """Each connection's share of its uplink among those of its own device, or the rate of its receiver's port."""
        load: dict[int, int] = {}
        for egress, _ in connections:
            load[egress] = load.get(egress, 0) + 1
        return (min(self.capacity[egress] / load[egress], self.capacity[ingress]) for egress, ingress in connections)

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


def max_min_rates(flows: Sequence[Ports], capacity: Sequence[float]) -> list[float]:
    """Max-min fair rates of flows, bits per second.

    flows: the two ports that each crosses.  capacity: of each port, bits per second.
    """
    crossing: dict[int, list[int]] = {}
    for flow, ports in enumerate(flows):
        for port in ports:
            crossing.setdefault(port, []).append(flow)
    load = {port: len(own) for port, own in crossing.items()}  # flows that still grow
    left = {port: capacity[port] for port in crossing}
    rates = [0.0] * len(flows)
    while load:
        share = {port: left[port] / n_growing for port, n_growing in load.items()}
        lowest = min(share.values())
        for port in [port for port in share if share[port] <= lowest * (1 + 1e-12)]:
            for flow in crossing[port]:
                if not rates[flow]:  # it grew until this port was full
                    rates[flow] = lowest
                    for crossed in flows[flow]:
                        left[crossed] -= lowest
                        load[crossed] -= 1
        load = {port: n_growing for port, n_growing in load.items() if n_growing}
    return rates
