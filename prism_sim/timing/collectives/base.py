"""A message of an exchange, and how an algorithm writes its messages down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prism_sim.plan import Exchange, MessageId, ParticipantId


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes from one participant to another.

    after: numbers of messages of the same exchange that must have arrived at `source` before it can send this one.
    transmission: number of the first message of its broadcast (sent once, received by many); None: sent by itself.
    parts: places in the group whose contributions or pieces it carries, in this order, or (of an all-reduce, which has
    one for each member) whose chunks of the sum; nothing: all that there is, or (broadcast, send) the root's payload.
    """

    source: ParticipantId
    destination: ParticipantId
    payload_bytes: int
    after: tuple[MessageId, ...] = ()
    transmission: MessageId | None = None
    parts: tuple[int, ...] = ()


Sent = tuple[MessageId, ...]
"""What must have arrived for some bytes to be there: one message's number, or nothing if there were no bytes."""


class Script:
    """The messages of one exchange, in the order in which each participant sends its own."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(
        self,
        source: ParticipantId,
        destination: ParticipantId,
        payload_bytes: int,
        after: Iterable[MessageId] = (),
        parts: Iterable[int] = (),
    ) -> Sent:
        """Adds a message, unless it has no bytes."""
        if not payload_bytes:
            return ()
        self.messages.append(Message(source, destination, payload_bytes, tuple(after), parts=tuple(parts)))
        return (MessageId(len(self.messages) - 1),)

    def broadcast(self, source: ParticipantId, destinations: Sequence[ParticipantId], payload_bytes: int) -> None:
        """Adds one transmission that reaches all destinations, unless it has no bytes."""
        if not payload_bytes:
            return
        transmission = MessageId(len(self.messages)) if len(destinations) > 1 else None
        for destination in destinations:
            self.messages.append(Message(source, destination, payload_bytes, transmission=transmission))


def others(group: tuple[ParticipantId, ...], place: int) -> tuple[ParticipantId, ...]:
    """The members after `place`, in turn: place + 1, place + 2, ... modulo the group's length."""
    return group[place + 1 :] + group[:place]


def root_of(exchange: Exchange) -> ParticipantId:
    """Raises ValueError if the exchange needs a root and has none."""
    if exchange.root is None:
        raise ValueError(f"an exchange of kind {exchange.kind!r} must have a root, not None")
    return exchange.root


def root_payload_bytes(exchange: Exchange) -> int:
    return exchange.bytes_by_rank[exchange.group.index(root_of(exchange))]


def summed_bytes(exchange: Exchange) -> int:
    """Size of what an all-reduce sums.  Raises ValueError unless it is the same for all members."""
    if len(set(exchange.bytes_by_rank)) > 1:
        raise ValueError(f"an all_reduce sums equal sizes; bytes_by_rank(={exchange.bytes_by_rank}) differ")
    return exchange.bytes_by_rank[0]
