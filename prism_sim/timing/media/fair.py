"""Ports shared fairly: all connections flow at once, none blocks another.

A connection leads from one device to another and carries its messages one after the other, as TCP does. Rates are
max-min fair (Bertsekas and Gallager, "Data Networks", 6.5.2: progressive filling): all grow together until a port is
full; its connections stop growing, the others go on. They change only when a connection falls idle or begins to flow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from simpy import Environment, Event

from prism_sim.timing.media.base import Deliver, Flight

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Of a connection's first message: bits and those left. Of the connection: bits a second, the same without others'
# flows, seconds lost to others.
TOTAL, LEFT, RATE, ALONE, LOST = range(5)
UNLIMITED_BITS_PER_S = 1e200  # stands for infinity where shares are subtracted
MOST_KNOWN = 1024  # sets of connections whose rates are remembered: a run has the same ones again and again


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
        self.capacity = np.minimum(np.array([*up, *down], dtype=np.float64), UNLIMITED_BITS_PER_S)
        self.posted: list[Flight] = []  # since the latest change of rates, all at the same time
        self.change: Event | None = None  # the event at which rates change next; others are out of date
        self.since_s = 0.0
        # Messages of each busy connection in order, beside what it had lost when they were posted.
        self.queues: list[deque[tuple[Flight, float]]] = []
        self.ports: Ints = np.zeros((2, 0), dtype=np.int64)  # egress and ingress of each of them
        self.state: Floats = np.zeros((5, 0))  # rows TOTAL to LOST of each of them
        self.known: dict[bytes, Floats] = {}  # RATE and ALONE by the ports of all busy connections

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
        self._flow_until(self.env.now)
        self._end_finished()
        self._begin_posted()
        self.change = None
        if not self.queues:
            return
        self.state[RATE : ALONE + 1] = self._rates()
        self._change_after(float((self.state[LEFT] / self.state[RATE]).min()))

    def _rates(self) -> Floats:
        """(2, connections): as they flow, and as they would without others' flows."""
        key = self.ports.tobytes()
        found = self.known.get(key)
        if found is None:
            if len(self.known) >= MOST_KNOWN:
                self.known.clear()
            found = np.stack([max_min_rates(self.ports, self.capacity), self._rates_without_others()])
            self.known[key] = found
        return found

    def _rates_without_others(self) -> Floats:
        """Each connection's share of its uplink among those of its own device, or the rate of its receiver's port."""
        egress, ingress = self.ports
        return cast(Floats, np.minimum(self.capacity[egress] / np.bincount(egress)[egress], self.capacity[ingress]))

    def _flow_until(self, now_s: float) -> None:
        elapsed_s, self.since_s = now_s - self.since_s, now_s
        if self.queues:
            self.state[LEFT] -= self.state[RATE] * elapsed_s
            self.state[LOST] += elapsed_s * np.maximum(0.0, 1.0 - self.state[RATE] / self.state[ALONE])

    def _end_finished(self) -> None:
        done = self.state[LEFT] <= 1e-12 * self.state[TOTAL] + 1e-15 * self.env.now * self.state[RATE]  # rounding
        if not done.any():
            return
        for place in np.flatnonzero(done).tolist():
            flight, lost_before_s = self.queues[place].popleft()
            self._leave(flight, float(self.state[LOST, place]) - lost_before_s)
            if self.queues[place]:
                self._begin(place)
        busy = [bool(queue) for queue in self.queues]
        self.queues = [queue for queue in self.queues if queue]
        self.ports, self.state = self.ports[:, busy], self.state[:, busy]

    def _begin(self, place: int) -> None:
        """The first message of a connection begins to flow."""
        flight = self.queues[place][0][0]
        flight.uplink_start_s = self.env.now
        self.state[TOTAL, place] = self.state[LEFT, place] = 8 * flight.message.payload_bytes

    def _begin_posted(self) -> None:
        if not self.posted:
            return
        posted, self.posted = self.posted, []
        places = {ports: place for place, ports in enumerate(zip(*self.ports.tolist(), strict=True))}
        fresh = [ports for ports in dict.fromkeys(map(self._ports_of, posted)) if ports not in places]
        places |= {ports: place for place, ports in enumerate(fresh, start=len(places))}
        self.queues += [deque() for _ in fresh]
        self.ports = np.concatenate([self.ports, np.array(fresh, dtype=np.int64).reshape(-1, 2).T], axis=1)
        self.state = np.concatenate([self.state, np.zeros((5, len(fresh)))], axis=1)
        for flight in posted:
            place = places[self._ports_of(flight)]
            self.queues[place].append((flight, float(self.state[LOST, place])))
            if len(self.queues[place]) == 1:
                self._begin(place)

    def _ports_of(self, flight: Flight) -> tuple[int, int]:
        return flight.source_device, self.n_ports + flight.destination_device

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


def max_min_rates(ports: Ints, capacity: Floats) -> Floats:
    """Max-min fair rates of flows.

    ports: (2, flows), the two ports that each flow crosses.  capacity: (ports,), bits per second.  Returns (flows,).
    """
    n_ports = len(capacity)
    meeting = np.bincount(ports[0] * n_ports + ports[1], minlength=n_ports**2).reshape(n_ports, n_ports)
    meeting = (meeting + meeting.T).astype(np.float64)  # still growing flows that two ports have in common
    load, left = meeting.sum(axis=0), capacity.copy()
    level = np.full(n_ports, np.inf)  # a flow's rate when its port fills; ports fill in order of level
    while load.any():
        share = np.divide(left, load, out=np.full(n_ports, np.inf), where=load > 0)
        lowest = share.min()
        full = share <= lowest * (1 + 1e-12)
        level[full] = lowest
        stopping = meeting[full].sum(axis=0)
        left -= lowest * stopping
        load -= stopping
        load[full] = 0.0
        meeting[full] = 0.0
        meeting[:, full] = 0.0
    rates: Floats = np.minimum(level[ports[0]], level[ports[1]])  # the port that fills first decides
    return rates
