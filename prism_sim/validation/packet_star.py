"""Plays a plan packet by packet with ns.py (github.com/TL-System/ns.py): a star of ports around a switch.

Nothing of the simulator's own network is used here, only the plan and which messages its exchanges become.  A host
queues packets at its uplink; a wire leads to the switch, which stores each packet and queues it, first come first
served, at the receiver's port.  Queues have room for everything: nothing is lost, nothing sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from simpy import Environment, Event

from prism_sim.plan import Compute, ExchangeId, MessageId, ParticipantId, Plan, Start
from prism_sim.timing import Device
from prism_sim.timing.collectives import Message, lower

PACKET_BYTES = 1500  # of an Ethernet frame, IEEE 802.3


@dataclass(frozen=True, slots=True)
class PacketStar:
    """up_bits_per_s, down_bits_per_s: of each device's ports. wire_s: from its uplink to the switch.

    interleaved: a host sends a packet of each of its connections in turn (deficit round robin), not one message after
    the other. collective: the algorithm by which exchanges become messages.
    """

    up_bits_per_s: tuple[float, ...]
    down_bits_per_s: tuple[float, ...]
    wire_s: float = 0.0
    interleaved: bool = False
    collective: str = "direct"

    @property
    def packet_s(self) -> float:
        """How long a packet takes on the fastest port: what storing it in the switch adds to a message's latency."""
        return 8 * PACKET_BYTES / max(*self.up_bits_per_s, *self.down_bits_per_s)


def latency_s(plan: Plan, star: PacketStar, board: Device) -> float:
    """When the last rank has done its program; every rank on a device of its own, all alike but for their ports.

    Raises ValueError if a rank waits for what nobody sends; ImportError without ns.py.
    """
    run = _Run(plan, star, board)
    processes = [run.env.process(run.rank(rank)) for rank in plan.ranks]
    run.env.run()
    if any(process.is_alive for process in processes):
        raise ValueError("a rank waits for a message that nobody sends")
    return run.end_s


class _Run:
    """One run: its clock, its network, and how far every exchange has come."""

    def __init__(self, plan: Plan, star: PacketStar, board: Device) -> None:
        self.env = Environment()
        self.plan, self.board, self.end_s = plan, board, 0.0
        self.exchanges = [_Crossing(lower(exchange, star.collective)) for exchange in plan.exchanges]
        self.uplinks = _open(self.env, star, self.delivered)

    def rank(self, rank: ParticipantId) -> Generator[Event, None, None]:
        for step in self.plan.programs[rank]:
            if isinstance(step, Compute):
                yield self.env.timeout(self.board.compute_s(step.kernels))
            elif isinstance(step, Start):
                for message in self.exchanges[step.exchange].own(rank):
                    self.send(step.exchange, message)
            elif self.exchanges[step.exchange].missing(rank):
                yield self.exchanges[step.exchange].waiter(rank, self.env)
        self.end_s = max(self.end_s, self.env.now)

    def send(self, exchange: ExchangeId, number: MessageId) -> None:
        """Queues a message's packets at its sender's uplink, all at once."""
        from ns.packet.packet import Packet

        message = self.exchanges[exchange].messages[number]
        for first_byte in range(0, message.payload_bytes, PACKET_BYTES):
            rest_bytes = message.payload_bytes - first_byte
            packet = Packet(
                self.env.now,
                min(PACKET_BYTES, rest_bytes),
                first_byte // PACKET_BYTES,
                src=message.source,
                dst=message.destination,
                flow_id=message.destination,
                payload=(exchange, number) if rest_bytes <= PACKET_BYTES else None,
            )
            self.uplinks[message.source].put(packet)

    def delivered(self, exchange: ExchangeId, number: MessageId) -> None:
        """The last packet of a message has come: its receiver may go on, and send on what waited for it."""
        for next_one in self.exchanges[exchange].arrived(number):
            self.send(exchange, next_one)


class _Crossing:
    """Messages of one exchange: which have arrived, which wait for others, who waits for them."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages
        self.blocked_by = [set(message.after) for message in messages]
        self.numbers = cast(Sequence[MessageId], range(len(messages)))
        self.under_way = set(self.numbers)
        self.waiters: dict[ParticipantId, Event] = {}

    def own(self, rank: ParticipantId) -> list[MessageId]:
        """What a rank sends of itself."""
        messages = zip(self.numbers, self.messages, strict=True)
        return [number for number, one in messages if one.source == rank and not one.after]

    def missing(self, rank: ParticipantId) -> bool:
        return any(self.messages[number].destination == rank for number in self.under_way)

    def waiter(self, rank: ParticipantId, env: Environment) -> Event:
        self.waiters[rank] = env.event()
        return self.waiters[rank]

    def arrived(self, number: MessageId) -> list[MessageId]:
        """Returns the messages that waited for this one last of all."""
        self.under_way.remove(number)
        destination = self.messages[number].destination
        if destination in self.waiters and not self.missing(destination):
            self.waiters.pop(destination).succeed()
        freed = [later for later in self.numbers if number in self.blocked_by[later]]
        for later in freed:
            self.blocked_by[later].remove(number)
        return [later for later in freed if not self.blocked_by[later]]


def _open(env: Environment, star: PacketStar, delivered: Callable[[ExchangeId, MessageId], None]) -> list[Any]:
    """Every device's uplink, a wire to the switch, and from there the receiver's port."""
    from ns.port.port import Port
    from ns.port.wire import Wire
    from ns.scheduler.drr import DRRServer

    def receive(packet: Any) -> None:
        if packet.payload is not None:
            delivered(*packet.payload)

    downlinks = [Port(env, rate) for rate in star.down_bits_per_s]
    for downlink in downlinks:
        downlink.out = SimpleNamespace(put=receive)  # what ns.py calls
    switch = SimpleNamespace(put=lambda packet: downlinks[packet.dst].put(packet))
    uplinks = []
    for rate in star.up_bits_per_s:
        connections = dict.fromkeys(range(len(downlinks)), 1)
        uplink = DRRServer(env, rate, connections) if star.interleaved else Port(env, rate)
        uplink.out = switch
        if star.wire_s:
            uplink.out = Wire(env, lambda: star.wire_s)
            uplink.out.out = switch
        uplinks.append(uplink)
    return uplinks
