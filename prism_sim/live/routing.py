"""How the messages of one exchange fit together: what each carries, of what it is made, and what a member gets.

Read off the messages themselves, so an algorithm of the network's needs no second description here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from prism_sim.live.outline import Leaf, Outline, Structure, nbytes
from prism_sim.partition import even_split
from prism_sim.plan import MessageId, ParticipantId

OWN = MessageId(-1)  # stands, among numbers of messages, for what a member has itself
SUMS = ("all_reduce", "reduce_scatter")

# Numbers of messages (or OWN) whose values are added up or, of a kind without sums, the one that has the value.
Addends = tuple[MessageId, ...]


class RoutedMessage(Protocol):
    """A message as the timing model lowers an exchange; see `prism_sim.timing.collectives`."""

    @property
    def source(self) -> ParticipantId: ...
    @property
    def destination(self) -> ParticipantId: ...
    @property
    def payload_bytes(self) -> int: ...
    @property
    def after(self) -> tuple[MessageId, ...]: ...
    @property
    def transmission(self) -> MessageId | None: ...
    @property
    def parts(self) -> tuple[int, ...]: ...


@dataclass(frozen=True, slots=True)
class Route:
    """An exchange as messages.

    parts: what there is, by number: contributions, pieces, or the chunks of an all-reduce's sum.
    carried: per message, the numbers of the parts in it, in order; made_of: per message and part of it, its addends.
    given: per member and part that it gets, its addends.
    """

    outline: Outline
    messages: tuple[RoutedMessage, ...]
    parts: tuple[Structure, ...]
    carried: tuple[tuple[int, ...], ...]
    made_of: tuple[dict[int, Addends], ...]
    given: dict[ParticipantId, dict[int, Addends]]

    @property
    def numbers(self) -> Sequence[MessageId]:
        return numbers_of(self.messages)

    def message_bytes(self, number: MessageId) -> int:
        """As it is sent; chunks of a sum end where an element or a group does, so up to that from the Plan's."""
        return sum(nbytes(self.parts[part]) for part in self.carried[number])


def numbers_of(messages: Sequence[RoutedMessage]) -> Sequence[MessageId]:
    return cast(Sequence[MessageId], range(len(messages)))


def route(outline: Outline, messages: Sequence[RoutedMessage], algorithm: str) -> Route:
    """Raises ValueError for messages that processes cannot send, or whose contents cannot be told."""
    exchange = outline.exchange
    if any(message.transmission is not None for message in messages):
        what = f"exchange {exchange.label!r} ({exchange.kind}) would be sent once and heard by all"
        raise ValueError(
            f"collective {algorithm!r}: {what}, which processes cannot do; "
            f"choose another, as with --set network.collective=direct"
        )
    parts = _parts(outline, messages)
    routing = _Routing(outline, messages, parts, algorithm)
    made_of = [routing.make(number) for number in numbers_of(messages)]
    given = {member: routing.give(place) for place, member in enumerate(exchange.group)}
    found = Route(outline, tuple(messages), parts, tuple(routing.carried), tuple(made_of), given)
    for number, message in zip(numbers_of(messages), messages, strict=True):
        if exchange.kind != "all_reduce" and found.message_bytes(number) != message.payload_bytes:
            raise routing.unclear(f"message {number} has {message.payload_bytes} bytes")
    return found


def _parts(outline: Outline, messages: Sequence[RoutedMessage]) -> tuple[Structure, ...]:
    """The sum of an all-reduce is one part or, where messages carry chunks of it, as many as there are members."""
    if outline.exchange.kind not in SUMS:
        return outline.parts
    if not all(isinstance(part, Leaf) for part in outline.parts):
        raise ValueError(f"exchange {outline.exchange.label!r} sums what is not one tensor a member")
    if outline.exchange.kind == "reduce_scatter":
        return outline.parts
    whole = outline.parts[0]
    assert isinstance(whole, Leaf)
    if not any(message.parts for message in messages):
        return (Leaf((whole.elements,), whole.dtype),)
    n_groups = whole.elements // whole.group
    return tuple(Leaf((chunk * whole.group,), whole.dtype) for chunk in even_split(n_groups, len(outline.parts)))


class _Routing:
    """One exchange's messages, followed from the first to the last."""

    def __init__(
        self, outline: Outline, messages: Sequence[RoutedMessage], parts: tuple[Structure, ...], algorithm: str
    ) -> None:
        self.outline, self.messages, self.parts, self.algorithm = outline, messages, parts, algorithm
        self.exchange = outline.exchange
        self.sums = self.exchange.kind in SUMS
        self.place = {member: place for place, member in enumerate(self.exchange.group)}
        self.root = None if self.exchange.root is None else self.place[self.exchange.root]
        self.carried = [self._carried(message) for message in messages]
        self.holds: list[dict[int, frozenset[int]]] = []  # per message and part: whose terms are in the sum

    def _carried(self, message: RoutedMessage) -> tuple[int, ...]:
        if message.parts:
            return tuple(part for part in message.parts if nbytes(self.parts[part]) or self.sums)
        if self.exchange.kind == "all_reduce":
            return tuple(range(len(self.parts)))
        if self.exchange.kind in ("broadcast", "send"):
            assert self.root is not None
            return (self.root,)
        raise self.unclear("it does not say which parts a message carries")

    def make(self, number: MessageId) -> dict[int, Addends]:
        message = self.messages[number]
        made, holds = {}, {}
        for part in self.carried[number]:
            made[part], holds[part] = self._made(self.place[message.source], part, message.after)
        self.holds.append(holds)
        return made

    def give(self, place: int) -> dict[int, Addends]:
        """What the member at this place gets, of what has arrived at the end."""
        member = self.exchange.group[place]
        arrived = [number for number in numbers_of(self.messages) if self.messages[number].destination == member]
        given = {}
        for part in self._wanted(place):
            given[part], holds = self._made(place, part, arrived)
            if self.sums and len(holds) < len(self.exchange.group) and nbytes(self.parts[part]):
                raise self.unclear(f"the sum that participant {member} gets lacks terms")
        return given

    def _wanted(self, place: int) -> Iterable[int]:
        match self.exchange.kind:
            case "all_gather" | "all_reduce":
                wanted: Iterable[int] = range(len(self.parts))
            case "gather":
                wanted = range(len(self.parts)) if place == self.root else ()
            case "scatter" | "reduce_scatter":
                wanted = (place,)
            case "broadcast":
                wanted = () if self.root is None else (self.root,)
            case _:
                wanted = () if place == self.root or self.root is None else (self.root,)
        return [part for part in wanted if self.sums or nbytes(self.parts[part])]

    def _made(self, place: int, part: int, arrived: Iterable[MessageId]) -> tuple[Addends, frozenset[int]]:
        """Of what a part is made at a member to whom these messages have come, and whose terms are then in it."""
        bearing = [number for number in arrived if part in self.carried[number]]
        if not self.sums:
            if self._is_own(place, part):
                return (OWN,), frozenset()
            if not bearing:
                raise self.unclear(f"part {part} never reaches participant {self.exchange.group[place]}")
            return (bearing[0],), frozenset()
        addends: dict[MessageId, frozenset[int]] = {}
        whose: frozenset[int] = frozenset()
        for number in sorted(bearing, key=lambda number: -len(self.holds[number][part])):
            if not whose & self.holds[number][part]:  # a sum that holds all is not added to what led to it
                addends[number] = self.holds[number][part]
                whose |= addends[number]
        if place not in whose:
            addends[OWN] = frozenset({place})
            whose |= addends[OWN]
        return tuple(sorted(addends, key=lambda number: min(addends[number]))), whose  # added in the order of the group

    def _is_own(self, place: int, part: int) -> bool:
        return part == place if self.exchange.kind in ("all_gather", "gather") else place == self.root

    def unclear(self, what: str) -> ValueError:
        return ValueError(
            f"collective {self.algorithm!r} cannot be run live for exchange {self.exchange.label!r} "
            f"({self.exchange.kind}): {what}"
        )
