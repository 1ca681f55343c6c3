"""A message of an exchange, and how an algorithm writes its messages down."""

from __future__ import annotations

from dataclasses import dataclass

from prism_sim.plan import Exchange


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes from one participant to another.

    after: numbers of messages of the same exchange that must have arrived at `source` before it can send this one.
    passing: what arrives is only summed or passed on by the destination's host: it is not copied to its accelerator.
    rides: number of the message on whose transmission this one rides (a broadcast: sent once, received by many).
    """

    source: int
    destination: int
    payload_bytes: int
    after: tuple[int, ...] = ()
    passing: bool = False
    rides: int | None = None


class Script:
    """The messages of one exchange, in the order in which each participant sends its own."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(
        self, source: int, destination: int, payload_bytes: int, after: tuple[int, ...] = (), passing: bool = False
    ) -> tuple[int, ...]:
        """Adds a message; returns what must have arrived for its bytes to be there: nothing if it has no bytes."""
        if not payload_bytes:
            return ()
        self.messages.append(Message(source, destination, payload_bytes, after, passing))
        return (len(self.messages) - 1,)

    def broadcast(self, source: int, destinations: list[int], payload_bytes: int) -> None:
        """One transmission that reaches all destinations."""
        if not payload_bytes:
            return
        first = len(self.messages)
        for number, destination in enumerate(destinations):
            self.messages.append(Message(source, destination, payload_bytes, rides=first if number else None))


def others(group: tuple[int, ...], place: int) -> tuple[int, ...]:
    """Places in the group after `place`, in turn: place + 1, place + 2, ... modulo its length."""
    n = len(group)
    return tuple((place + step) % n for step in range(1, n))


def root_of(exchange: Exchange) -> int:
    """Raises ValueError if the exchange needs a root and has none."""
    if exchange.root is None:
        raise ValueError(f"an exchange of kind {exchange.kind!r} must have a root, not None")
    return exchange.root
