"""An exchange made ready for a set of devices: its messages, which of them are free, and the copies around them."""

from __future__ import annotations

from collections.abc import Sequence

from prism_sim.plan import Exchange
from prism_sim.timing.collectives import Message, lower
from prism_sim.timing.devices import Device


class PreparedExchange:
    """What all exchanges of one shape have in common; nothing in it changes during a run.

    sends: participant -> (seconds of copying out before it, number of a message) in the order of sending; None for a
        message: only the copy, for a participant that first sends what it makes of others' messages.
    forwards: participant -> numbers of the messages that it sends on when others have arrived.
    local: numbers of the messages between participants of one device, which are free, sent at the start.
    followers, blockers: per message: those that wait for it, and for how many arrivals it waits.
    rides: per message: the first remote message of its broadcast, unless it is that itself.  broadcasts: any such.
    incoming, copy_in_s: per participant: messages to arrive, and seconds of copying them in.
    """

    def __init__(self, exchange: Exchange, algorithm: str, devices: Sequence[Device], device_of: Sequence[int]) -> None:
        self.messages = lower(exchange, algorithm)
        self.ways = [(device_of[m.source], device_of[m.destination]) for m in self.messages]
        self.followers: list[list[int]] = [[] for _ in self.messages]
        self.blockers = [len(m.after) for m in self.messages]
        self.incoming = [0] * len(device_of)
        self.copy_in_s = [0.0] * len(device_of)
        self.sends: dict[int, list[tuple[float, int | None]]] = {}
        self.forwards: dict[int, list[int]] = {}
        self.local: dict[int, list[int]] = {}
        self.rides = self._riders()
        self.broadcasts = any(ridden is not None for ridden in self.rides)
        for number, message in enumerate(self.messages):
            self._enter(number, message, devices)
        for participant, contributed_bytes in zip(exchange.group, contributions(exchange, algorithm), strict=True):
            self._copy_out(participant, contributed_bytes, devices[device_of[participant]])

    def _enter(self, number: int, message: Message, devices: Sequence[Device]) -> None:
        remote = self._leaves(number)
        for earlier in message.after:
            self.followers[earlier].append(number)
        if message.after:
            self.forwards.setdefault(message.source, []).append(number)
        elif remote:
            self.sends.setdefault(message.source, []).append((0.0, number))
        else:
            self.local.setdefault(message.source, []).append(number)
        self.incoming[message.destination] += 1
        if remote and not message.passing:
            self.copy_in_s[message.destination] += devices[self.ways[number][1]].staging_s(message.payload_bytes)

    def _copy_out(self, participant: int, contributed_bytes: int | None, device: Device) -> None:
        """Before its first message a participant copies out its contribution; a scatter (None), piece by piece."""
        sends = self.sends.get(participant, [])
        if contributed_bytes is None:
            self.sends[participant] = [
                (device.staging_s(self.messages[number].payload_bytes), number)
                for _, number in sends
                if number is not None
            ]
        elif sends:
            self.sends[participant][0] = (device.staging_s(contributed_bytes), sends[0][1])
        elif any(self._leaves(number) for number in self.forwards.get(participant, ())):
            self.sends[participant] = [(device.staging_s(contributed_bytes), None)]

    def _riders(self) -> list[int | None]:
        first: dict[int, int] = {}
        rides: list[int | None] = []
        for number, message in enumerate(self.messages):
            key = number if message.rides is None else message.rides
            ridden = first.setdefault(key, number) if self._leaves(number) else number
            rides.append(None if ridden == number else ridden)
        return rides

    def _leaves(self, number: int) -> bool:
        source_device, destination_device = self.ways[number]
        return source_device != destination_device


def contributions(exchange: Exchange, algorithm: str) -> tuple[int | None, ...]:
    """Bytes that each member copies out of its accelerator if anything leaves its device; None: piece by piece."""
    if exchange.kind == "scatter":
        return (None,) * len(exchange.group)
    if exchange.kind == "reduce_scatter":
        total = sum(exchange.bytes_by_rank)
        return tuple(total - own if algorithm == "direct" else total for own in exchange.bytes_by_rank)
    return exchange.bytes_by_rank
