"""A graph of point-to-point links over several hops: cables, radio bridges, a wide-area line between two sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, cast

from simpy import Environment, Event

from prism_sim.devices import check_not_negative, check_positive
from prism_sim.timing.ids import DeviceIndex
from prism_sim.timing.media.base import Carrier, Deliver, Flight, Leg, Medium, check_network
from prism_sim.timing.media.line import Line
from prism_sim.timing.media.slow_start import SlowStart

SWITCHING = ("cut-through", "store-and-forward")
PACKET_BITS = 8 * 1500  # routes are the fastest for a full Ethernet frame, IEEE 802.3

Node = int | str


@dataclass(frozen=True)
class Link:
    """Full duplex between two nodes: a device's index, or the name of a switch or router.

    bits_per_s: from a to b; back_bits_per_s: from b to a, None: the same.  latency_s: one way.
    """

    a: Node
    b: Node
    bits_per_s: float
    back_bits_per_s: float | None = None
    latency_s: float = 0.0

    def __post_init__(self) -> None:
        check_positive(self, "bits_per_s", *(["back_bits_per_s"] if self.back_bits_per_s is not None else []))
        check_not_negative(self, "latency_s")


@dataclass(frozen=True)
class Links:
    """Messages take the fastest route, hop by hop; each direction of a link carries one at a time.

    switching: "cut-through": the head goes on as soon as it arrives; "store-and-forward": the whole message first.
    message_overhead_s, collective, slow_start: as for `Switch`, but no collective of broadcasts.
    Raises ValueError that shows the field, its value and the rule.
    """

    links: tuple[Link, ...]
    message_overhead_s: float = 0.0
    collective: str = "direct"
    switching: str = "cut-through"
    slow_start: bool = False

    def __post_init__(self) -> None:
        check_network(self)
        if self.switching not in SWITCHING:
            raise ValueError(f"switching(={self.switching!r}) must be one of {', '.join(SWITCHING)}")
        if self.collective == "broadcast":
            raise ValueError("collective(='broadcast') must be another over links: no transmission reaches all")

    @property
    def reaches_all(self) -> bool:
        return False

    @cached_property
    def graph(self) -> Any:
        """Nodes and directed edges with `line` (bits_per_s, latency_s) and `packet_s`, a full frame's time."""
        import networkx  # only a network of links needs it

        graph = networkx.DiGraph()
        for link in self.links:
            back = link.bits_per_s if link.back_bits_per_s is None else link.back_bits_per_s
            for a, b, bits_per_s in ((link.a, link.b, link.bits_per_s), (link.b, link.a, back)):
                graph.add_edge(
                    a, b, line=(bits_per_s, link.latency_s), packet_s=link.latency_s + PACKET_BITS / bits_per_s
                )
        return graph

    def route(self, source: Node, destination: Node) -> tuple[tuple[Node, Node], ...]:
        """The hops of the fastest way.  Raises ValueError if there is none."""
        import networkx

        try:
            nodes = networkx.shortest_path(self.graph, source, destination, weight="packet_s")
        except (networkx.NetworkXNoPath, networkx.NodeNotFound):
            raise ValueError(f"no links lead from device {source} to device {destination}") from None
        return tuple(pairwise(nodes))

    def open(self, env: Environment, n_devices: int, deliver: Deliver) -> Medium:
        """Raises ValueError unless every device can be reached from the first."""
        for device in range(1, n_devices):
            self.route(0, device)
        medium = _Hops(env, self, deliver)
        return SlowStart(medium, self.path) if self.slow_start else medium

    def occupied_s(self, flight: Flight) -> dict[Carrier, float]:
        """Every link on its way, in its direction."""
        hops = self.route(flight.source_device, flight.destination_device)
        bits = 8 * flight.message.payload_bytes
        return {("link", *hop): bits / self.graph.edges[hop]["line"][0] for hop in hops}

    def path(self, source: DeviceIndex, destination: DeviceIndex) -> tuple[float, float]:
        """Bits per second of the slowest hop, and the round trip in seconds."""
        lines = [self.graph.edges[hop]["line"] for hop in self.route(source, destination)]
        return min(bits_per_s for bits_per_s, _ in lines), 2 * sum(latency_s for _, latency_s in lines)


class _Hops:
    """Each direction of each link is a line; a message's head meets one after another."""

    def __init__(self, env: Environment, network: Links, deliver: Deliver) -> None:
        self.env, self.network, self.deliver = env, network, deliver
        self.cut_through = network.switching == "cut-through"
        self.lines: dict[tuple[Node, Node], Line] = {}
        self.routes: dict[tuple[DeviceIndex, DeviceIndex], tuple[tuple[Node, Node], ...]] = {}

    def post(self, flight: Flight) -> None:
        ends = (flight.source_device, flight.destination_device)
        if ends not in self.routes:
            self.routes[ends] = self.network.route(*ends)
        self._enter(flight, self.routes[ends], [], 0.0)

    def _enter(self, flight: Flight, hops: Sequence[tuple[Node, Node]], legs: list[Leg], last_bit_s: float) -> None:
        """The head is at the first of `hops`; the last bit follows no earlier than last_bit_s."""
        now_s = self.env.now
        bits_per_s, latency_s = self.network.graph.edges[hops[0]]["line"]
        line = self.lines.setdefault(hops[0], Line())
        transfer_s = 8 * flight.message.payload_bytes / bits_per_s
        begin_s, end_s, wait = line.book(now_s, transfer_s, flight.source_device, last_bit_s)
        legs += wait
        if not flight.legs:
            flight.uplink_start_s, flight.uplink_end_s = begin_s, end_s
        flight.legs = legs
        last = len(hops) == 1
        if last or not self.cut_through:
            legs.append(("transfer", begin_s, end_s))
        next_s = (end_s if last or not self.cut_through else begin_s) + latency_s
        legs.append(("propagation", next_s - latency_s, next_s))
        if last:
            flight.head_s = flight.downlink_start_s = begin_s + latency_s
        event = self.env.timeout(next_s - now_s, (flight, hops[1:], legs, end_s + latency_s))
        event.callbacks.append(self._at_node)

    def _at_node(self, event: Event) -> None:
        flight, hops, legs, last_bit_s = cast(tuple[Flight, Sequence[tuple[Node, Node]], list[Leg], float], event.value)
        if hops:
            self._enter(flight, hops, legs, last_bit_s if self.cut_through else 0.0)
            return
        flight.arrival_s = self.env.now
        self.deliver(flight)
