"""A full-duplex star: every device has an uplink and a downlink of its own to a switch that is never the bottleneck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from simpy import Environment, Event

from prism_sim.devices import check_not_negative
from prism_sim.timing.ids import DeviceIndex, FlightId
from prism_sim.timing.media.base import Carrier, Deliver, Flight, Medium, check_network
from prism_sim.timing.media.fair import FairSwitch
from prism_sim.timing.media.slow_start import SlowStart


@dataclass(frozen=True)
class Switch:
    """A star of full-duplex ports, cut-through.

    up_bits_per_s, down_bits_per_s: one for all devices, or one a device.
    latency_s: from a bit's leaving its sender to its reaching the receiver's port.
    message_overhead_s: what a message costs on its sender's processor.
    sharing: "fifo": one message at a time on a port; uplinks in send order, downlinks in the order of arriving heads.
        "fair": all connections at once, egress and ingress each shared max-min fairly; each its messages in turn.
    collective: the algorithm by which exchanges become messages (`collectives.CHOICES`).
    slow_start: connections that were idle begin with a small TCP window (`slow_start.py`).
    Raises ValueError that shows the field, its value and the rule.
    """

    up_bits_per_s: float | tuple[float, ...]
    down_bits_per_s: float | tuple[float, ...]
    latency_s: float = 0.0
    message_overhead_s: float = 0.0
    sharing: str = "fifo"
    collective: str = "direct"
    slow_start: bool = False

    def __post_init__(self) -> None:
        check_rates("up_bits_per_s", self.up_bits_per_s)
        check_rates("down_bits_per_s", self.down_bits_per_s)
        check_not_negative(self, "latency_s")
        check_network(self)
        if self.sharing not in SHARING:
            raise ValueError(f"sharing(={self.sharing!r}) must be one of {', '.join(SHARING)}")
        if self.sharing == "fair" and self.collective == "broadcast":
            raise ValueError("collective(='broadcast') must be another where sharing(='fair'): flows have one receiver")

    @property
    def reaches_all(self) -> bool:
        """Ethernet's multicast reaches no TCP connection, so only who asks for it gets it."""
        return False

    def open(self, env: Environment, n_devices: int, deliver: Deliver) -> Medium:
        """Raises ValueError unless rates given one a device are as many as there are devices."""
        up = per_device("up_bits_per_s", self.up_bits_per_s, n_devices)
        down = per_device("down_bits_per_s", self.down_bits_per_s, n_devices)
        medium = SHARING[self.sharing](env, up, down, self.latency_s, deliver)
        if not self.slow_start:
            return medium
        return SlowStart(medium, lambda a, b: (min(up[a], down[b]), 2 * self.latency_s))

    def occupied_s(self, flight: Flight) -> dict[Carrier, float]:
        """Its sender's uplink, once a broadcast, and its receiver's downlink."""
        source, destination, bits = flight.source_device, flight.destination_device, 8 * flight.message.payload_bytes
        found: dict[Carrier, float] = {("downlink", destination): bits / _of_device(self.down_bits_per_s, destination)}
        if flight.rides is None:
            found["uplink", source] = bits / _of_device(self.up_bits_per_s, source)
        return found


class FifoSwitch:
    """A port carries one message at a time.

    A message holds its sender's uplink from s for 8 bytes / up; its head reaches the receiver's port at s + latency and
    only then claims the downlink: a reservation at send time would block messages that could pass (head of line).
    It ends at max(downlink start + 8 bytes / down, uplink end + latency).
    """

    def __init__(
        self, env: Environment, up: Sequence[float], down: Sequence[float], latency_s: float, deliver: Deliver
    ) -> None:
        self.env = env
        self.up, self.down = up, down
        self.latency_s = latency_s
        self.deliver = deliver
        self.up_free_s, self.down_free_s = [0.0] * len(up), [0.0] * len(down)
        self.up_last: list[FlightId | None] = [None] * len(up)  # None: a port that has carried nothing
        self.down_last: list[FlightId | None] = [None] * len(down)

    def post(self, flight: Flight) -> None:
        first, source = flight.rides, flight.source_device
        if first is not None:  # the switch copies a broadcast to every port; the uplink carries it once
            flight.uplink_start_s, flight.uplink_end_s = first.uplink_start_s, first.uplink_end_s
            flight.ahead = first.ahead
        else:
            start_s = self.up_free_s[source]
            if start_s > flight.posted_s:
                flight.ahead = self.up_last[source]
            else:
                start_s = flight.posted_s
            self.up_last[source] = flight.index
            flight.uplink_start_s = start_s
            flight.uplink_end_s = self.up_free_s[source] = start_s + 8 * flight.message.payload_bytes / self.up[source]
        head = self.env.timeout(flight.uplink_start_s + self.latency_s - flight.posted_s, flight)
        head.callbacks.append(self._claim_downlink)

    def _claim_downlink(self, event: Event) -> None:
        flight = cast(Flight, event.value)
        port = flight.destination_device
        now_s = flight.head_s = self.env.now
        start_s = self.down_free_s[port]
        if start_s > now_s:
            flight.ahead_down = self.down_last[port]
        else:
            start_s = now_s
        self.down_last[port] = flight.index
        flight.downlink_start_s = start_s
        end_s = start_s + 8 * flight.message.payload_bytes / self.down[port]
        last_bit_s = flight.uplink_end_s + self.latency_s
        if last_bit_s > end_s:
            end_s = last_bit_s
        self.down_free_s[port] = end_s
        self.env.timeout(end_s - now_s, flight).callbacks.append(self._arrive)

    def _arrive(self, event: Event) -> None:
        flight = cast(Flight, event.value)
        flight.arrival_s = self.env.now
        self.deliver(flight)


SHARING: dict[str, Callable[[Environment, Sequence[float], Sequence[float], float, Deliver], Medium]] = {
    "fifo": FifoSwitch,
    "fair": FairSwitch,
}


def check_rates(field: str, rates: float | tuple[float, ...]) -> None:
    for rate in rates if isinstance(rates, tuple) else (rates,):
        if not rate > 0:
            raise ValueError(f"{field}(={rates}) must be > 0")


def per_device(field: str, rates: float | tuple[float, ...], n_devices: int) -> tuple[float, ...]:
    if not isinstance(rates, tuple):
        return (rates,) * n_devices
    if len(rates) != n_devices:
        raise ValueError(f"{field}(={rates}) must have one rate for each of the {n_devices} devices")
    return rates


def _of_device(rates: float | tuple[float, ...], device: DeviceIndex) -> float:
    return rates[device] if isinstance(rates, tuple) else rates
