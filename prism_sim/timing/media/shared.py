"""A half-duplex radio channel: one transmission at a time, whoever sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from simpy import Environment, Event

from prism_sim.devices import check_not_negative, check_positive
from prism_sim.timing.ids import DeviceIndex
from prism_sim.timing.media.base import Carrier, Deliver, Flight, Medium, check_network
from prism_sim.timing.media.line import Line
from prism_sim.timing.media.slow_start import SlowStart


@dataclass(frozen=True)
class SharedRadio:
    """Stations that share the air; what they send each other passes the access point and so uses the air twice.

    bits_per_s: what the channel carries.  latency_s: from end to end, once a message.
    direct: stations reach each other without an access point, using the air once.
    access_point: the device that is the access point, if one is: what it sends or receives uses the air once.
    broadcast_bits_per_s: what a transmission to all gets (802.11: a basic rate, unacknowledged); None: `bits_per_s`.
    message_overhead_s, collective, slow_start: as for `Switch`.
    Raises ValueError that shows the field, its value and the rule.
    """

    bits_per_s: float
    latency_s: float = 0.0
    message_overhead_s: float = 0.0
    collective: str = "direct"
    direct: bool = False
    access_point: int | None = None
    broadcast_bits_per_s: float | None = None
    slow_start: bool = False

    def __post_init__(self) -> None:
        check_positive(self, "bits_per_s", *(["broadcast_bits_per_s"] if self.broadcast_bits_per_s is not None else []))
        check_not_negative(self, "latency_s")
        check_network(self)

    @property
    def reaches_all(self) -> bool:
        """Where that rate is stated: `bits_per_s` would flatter a Wi-Fi, which sends to all at a slow basic rate."""
        return self.broadcast_bits_per_s is not None

    def hops(self, source: DeviceIndex, destination: DeviceIndex) -> int:
        """How often a message uses the air."""
        return 1 if self.direct or self.access_point in (source, destination) else 2

    def transmissions_bits_per_s(self, flight: Flight) -> tuple[float, ...]:
        """The rate of each time that a message is on the air; an access point sends a broadcast on to all."""
        to_all, source = flight.message.transmission is not None, flight.source_device
        last = (self.broadcast_bits_per_s if to_all else None) or self.bits_per_s
        relayed = self.hops(source, source if to_all else flight.destination_device) == 2
        return (self.bits_per_s, last) if relayed else (last,)

    def occupied_s(self, flight: Flight) -> dict[Carrier, float]:
        """The air, as often as it is used; what rides on another's transmission takes none."""
        bits = 0 if flight.rides is not None else 8 * flight.message.payload_bytes
        return {("air",): sum(bits / bits_per_s for bits_per_s in self.transmissions_bits_per_s(flight))}

    def open(self, env: Environment, n_devices: int, deliver: Deliver) -> Medium:
        """Raises ValueError if the access point is none of the devices."""
        if self.access_point is not None and not 0 <= self.access_point < n_devices:
            raise ValueError(f"access_point(={self.access_point}) must be the index of one of the {n_devices} devices")
        medium = _Air(env, self, deliver)
        if not self.slow_start:
            return medium
        return SlowStart(medium, lambda a, b: (self.bits_per_s / self.hops(a, b), 2 * self.latency_s))


class _Air:
    """Transmissions in the order in which they are ready; the access point queues for the air like everyone else."""

    def __init__(self, env: Environment, radio: SharedRadio, deliver: Deliver) -> None:
        self.env, self.radio, self.deliver = env, radio, deliver
        self.line = Line()
        self.riders: dict[Flight, list[Flight]] = {}  # flights of a broadcast by its first

    def post(self, flight: Flight) -> None:
        if flight.rides is not None:
            self.riders[flight.rides].append(flight)
            return
        self.riders[flight] = [flight]
        rates = self.radio.transmissions_bits_per_s(flight)
        end_s = self._transmit(flight, rates[0])
        flight.uplink_start_s, flight.uplink_end_s = flight.downlink_start_s, end_s
        at_access_point = self.env.timeout(end_s - self.env.now, flight)
        at_access_point.callbacks.append(self._relay if len(rates) == 2 else self._received)

    def _relay(self, event: Event) -> None:
        """The access point has it and sends it on, to all if it is a broadcast."""
        flight = cast(Flight, event.value)
        end_s = self._transmit(flight, self.radio.transmissions_bits_per_s(flight)[-1])
        self.env.timeout(end_s - self.env.now, flight).callbacks.append(self._received)

    def _transmit(self, flight: Flight, bits_per_s: float) -> float:
        """Books the air from now on; returns when the transmission ends."""
        now_s = self.env.now
        begin_s, end_s, wait = self.line.book(
            now_s, 8 * flight.message.payload_bytes / bits_per_s, flight.source_device
        )
        flight.legs = [*(flight.legs or ()), *wait, ("transfer", begin_s, end_s)]
        flight.downlink_start_s = begin_s
        return end_s

    def _received(self, event: Event) -> None:
        first = cast(Flight, event.value)
        latency_s = self.radio.latency_s
        head_s = first.downlink_start_s + latency_s
        for flight in self.riders.pop(first):
            flight.uplink_start_s, flight.uplink_end_s = first.uplink_start_s, first.uplink_end_s
            flight.downlink_start_s = flight.head_s = head_s
            flight.legs = first.legs
            self.env.timeout(latency_s, flight).callbacks.append(self._arrive)

    def _arrive(self, event: Event) -> None:
        flight = cast(Flight, event.value)
        flight.arrival_s = self.env.now
        flight.legs = [*(flight.legs or ()), ("propagation", self.env.now - self.radio.latency_s, self.env.now)]
        self.deliver(flight)
