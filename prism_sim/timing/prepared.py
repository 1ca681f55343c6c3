"""An exchange made ready for a set of devices: its messages, which of them are free, and the copies around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from prism_sim.devices import Device
from prism_sim.plan import Exchange, MessageId, ParticipantId
from prism_sim.timing.collectives import Message, lower
from prism_sim.timing.ids import DeviceIndex


class PreparedExchange:
    """What all exchanges of one shape have in common; nothing in it changes during a run.

    numbers: of the messages.
    sends: participant -> (seconds of copying out before it, a message) in the order of sending; None for a
        message: only the copy, for a participant that first sends what it makes of others' messages.
    forwards: participant -> the messages that it sends on when others have arrived.
    local: the messages between participants of one device, which are free, sent at the start.
    followers, blockers: per message: those that wait for it, and for how many arrivals it waits.
    rides: per message: the first remote message of its broadcast, unless it is that itself.  broadcasts: any such.
    incoming, copy_in_s: per participant: messages to arrive, and seconds of copying them in.
    copied_bytes: per participant: what is copied in.
    """

    def __init__(
        self, exchange: Exchange, algorithm: str, devices: Sequence[Device], device_of: Sequence[DeviceIndex]
    ) -> None:
        self.messages = lower(exchange, algorithm)
        self.numbers = cast(Sequence[MessageId], range(len(self.messages)))
        self.ways = [(device_of[m.source], device_of[m.destination]) for m in self.messages]
        self.followers: list[list[MessageId]] = [[] for _ in self.messages]
        self.blockers = [len(m.after) for m in self.messages]
        self.incoming = [0] * len(device_of)
        self.copy_in_s = [0.0] * len(device_of)
        self.copied_bytes = [0] * len(device_of)
        self.sends: dict[ParticipantId, list[tuple[float, MessageId | None]]] = {}
        self.forwards: dict[ParticipantId, list[MessageId]] = {}
        self.local: dict[ParticipantId, list[MessageId]] = {}
        self._came: dict[ParticipantId, list[int]] = {}
        self.rides = self._riders()
        self.broadcasts = any(ridden is not None for ridden in self.rides)
        for number, message in zip(self.numbers, self.messages, strict=True):
            self._enter(number, message)
        leaving = {source for source, destination in self.ways if source != destination}
        for place, participant in enumerate(exchange.group):
            device = device_of[participant]
            if device in leaving:
                self._copy_out(participant, contribution_bytes(exchange, place), devices[device])
            self._copy_in(participant, sum_bytes(exchange, place), devices[device])

    def _enter(self, number: MessageId, message: Message) -> None:
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
        if remote:
            self._came.setdefault(message.destination, []).append(message.payload_bytes)

    def _copy_out(self, participant: ParticipantId, contributed_bytes: int | None, device: Device) -> None:
        """Before its first message a participant copies out its contribution; a scatter (None), piece by piece.

        It does so too if what it hands a participant of its own device, in a ring say, leaves the device from there.
        """
        sends = self.sends.get(participant, [])
        if contributed_bytes is None:
            self.sends[participant] = [
                (device.staging_s(self.messages[number].payload_bytes), number)
                for _, number in sends
                if number is not None
            ]
        elif sends:
            self.sends[participant][0] = (device.staging_s(contributed_bytes), sends[0][1])
        elif contributed_bytes:
            self.sends[participant] = [(device.staging_s(contributed_bytes), None)]

    def _copy_in(self, participant: ParticipantId, result_bytes: int | None, device: Device) -> None:
        """What other devices sent: each message by itself, or a sum (which was made on the host) once."""
        came = self._came.get(participant, [])
        copies = came if result_bytes is None or not came else [result_bytes]
        self.copy_in_s[participant] = sum(map(device.staging_s, copies))
        self.copied_bytes[participant] = sum(copies)

    def _riders(self) -> list[MessageId | None]:
        first: dict[MessageId, MessageId] = {}
        rides: list[MessageId | None] = []
        for number, message in zip(self.numbers, self.messages, strict=True):
            key = number if message.transmission is None else message.transmission
            ridden = first.setdefault(key, number) if self._leaves(number) else number
            rides.append(None if ridden == number else ridden)
        return rides

    def _leaves(self, number: MessageId) -> bool:
        source_device, destination_device = self.ways[number]
        return source_device != destination_device


def contribution_bytes(exchange: Exchange, place: int) -> int | None:
    """What a member copies out of its accelerator if anything leaves its device; None: piece by piece."""
    if exchange.kind == "scatter":
        return None
    return sum(exchange.bytes_by_rank) if exchange.kind == "reduce_scatter" else exchange.bytes_by_rank[place]


def sum_bytes(exchange: Exchange, place: int) -> int | None:
    """Size of the sum that a member gets; None: it gets no sum."""
    return exchange.bytes_by_rank[place] if exchange.kind in ("all_reduce", "reduce_scatter") else None
