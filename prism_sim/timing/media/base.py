"""What every medium is: something that takes a message at one device and, later, delivers it at another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Protocol

from simpy import Environment

from prism_sim.devices import check_not_negative
from prism_sim.plan import MessageId
from prism_sim.timing.collectives import CHOICES, Message
from prism_sim.timing.ids import Cause, DeviceIndex, FlightId

# What carries bytes, one message or share of the rate at a time: ("uplink", device), ("downlink", device), ("air",), or
# ("link", node, node) for one direction of a link.
Carrier = tuple[str | int, ...]

# A stretch of a message's way: what it is (transfer, propagation or queue), from when to when, in seconds.
Leg = tuple[str, float, float]


class Flight:
    """A message on its way.  The engine writes `posted_s`, media the times after it, all in seconds.

    index: its place in the log.  number: the message's in the exchange.  state: how far that has come.
    cause: what bound `posted_s`.
    ahead: index of a flight of the same device that held the way out until `uplink_start_s`, if that bound it.
    ahead_down: the same at the receiver's port, until `downlink_start_s`, whichever device sent it.
    rides: the flight whose transmission this one shares, in a broadcast.
    legs: the way from `posted_s` to `arrival_s`, where it isn't the plain one over two ports.
    held_since_s: when its sender was done with it, if its connection then held it back until `posted_s`; from
    `stall_start_s` on for want of acknowledgements, before that for what it sends first.
    held_behind: index of the flight of its connection that had to leave until `stall_start_s`, if that bound it.
    uplink_end_s: infinite until its medium knows.
    """

    __slots__ = (
        "ahead",
        "ahead_down",
        "arrival_s",
        "cause",
        "destination_device",
        "downlink_start_s",
        "head_s",
        "held_behind",
        "held_since_s",
        "index",
        "legs",
        "message",
        "number",
        "posted_s",
        "rides",
        "source_device",
        "stall_start_s",
        "state",
        "uplink_end_s",
        "uplink_start_s",
    )

    posted_s: float
    stall_start_s: float
    uplink_start_s: float
    head_s: float
    downlink_start_s: float
    arrival_s: float

    def __init__(
        self,
        index: FlightId,
        number: MessageId,
        message: Message,
        source_device: DeviceIndex,
        destination_device: DeviceIndex,
        cause: Cause,
        state: Any,
    ) -> None:
        self.index = index
        self.number = number
        self.message = message
        self.source_device = source_device
        self.destination_device = destination_device
        self.cause = cause
        self.state = state
        self.ahead: FlightId | None = None
        self.ahead_down: FlightId | None = None
        self.rides: Flight | None = None
        self.legs: Sequence[Leg] | None = None
        self.held_since_s: float | None = None
        self.held_behind: FlightId | None = None
        self.uplink_end_s = inf


Deliver = Callable[[Flight], None]


class Medium(Protocol):
    """A network in motion, within one run."""

    env: Environment

    def post(self, flight: Flight) -> None:
        """Takes a message that its sender is done with now, at `flight.posted_s`."""


class Network(Protocol):
    """A network at rest: frozen parameters.

    message_overhead_s: what a message costs on its sender's processor.
    collective: the algorithm by which exchanges become messages, one of `collectives.ALGORITHMS`, or `quickest`, for
        each exchange that of these which is quickest for it (`quickest.py`).
    slow_start: whether connections that were idle begin with a small window (`slow_start.py`).
    reaches_all: whether one transmission is known to reach all devices, and at what rate.

    Adding a network: one file beside this one, and its name in `media.NETWORKS`.
    """

    @property
    def message_overhead_s(self) -> float: ...

    @property
    def collective(self) -> str: ...

    @property
    def slow_start(self) -> bool: ...

    @property
    def reaches_all(self) -> bool: ...

    def __hash__(self) -> int: ...

    def open(self, env: Environment, n_devices: int, deliver: Deliver) -> Medium:
        """Raises ValueError if the network does not fit this number of devices."""

    def occupied_s(self, flight: Flight) -> dict[Carrier, float]:
        """Seconds of each carrier's capacity that a message between two devices takes; none for what another paid."""


def check_network(network: Network) -> None:
    """Raises ValueError that shows the field, its value and the rule, for the fields that every network has."""
    check_not_negative(network, "message_overhead_s")
    if network.collective not in CHOICES:
        raise ValueError(f"collective(={network.collective!r}) must be one of {', '.join(CHOICES)}")
