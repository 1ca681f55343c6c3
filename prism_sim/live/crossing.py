"""One exchange at one process: what its members have handed in, what has arrived, what can be sent on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from prism_sim.live import codec
from prism_sim.live.outline import Leaf
from prism_sim.live.routing import OWN, Addends, Route
from prism_sim.plan import ExchangeId, MessageId, ParticipantId

Content = dict[int, Any]  # parts of a message, by their numbers


class Crossing:
    """An exchange under way. local: the participants that live here."""

    def __init__(self, exchange_id: ExchangeId, route: Route, local: frozenset[ParticipantId]) -> None:
        self.exchange_id, self.route = exchange_id, route
        self.members = [member for member in route.outline.exchange.group if member in local]
        self.own: dict[ParticipantId, Content] = {}
        self.arrived: dict[MessageId, Content] = {}
        self.sent: set[MessageId] = set()
        self.remaining = dict.fromkeys(self.members, 0)
        for message in route.messages:
            if message.destination in self.remaining:
                self.remaining[message.destination] += 1
        self.waiting: set[ParticipantId] = set()
        self.served = 0

    def __str__(self) -> str:
        return repr(self.route.outline.exchange.label)

    def begin(self, member: ParticipantId, value: Any) -> None:
        """A member takes part."""
        outline, kind = self.route.outline, self.route.outline.exchange.kind
        place = outline.exchange.group.index(member)
        if kind == "all_reduce":
            sizes = [part.elements for part in self.route.parts if isinstance(part, Leaf)]
            self.own[member] = dict(enumerate(codec.chunks(self._checked(value, place), sizes)))
        elif kind in ("scatter", "reduce_scatter"):
            self.own[member] = {} if value is None else dict(enumerate(value))
        else:
            self.own[member] = {place: value}

    def _checked(self, value: Any, place: int) -> Any:
        structure = self.route.outline.parts[place]
        assert isinstance(structure, Leaf)
        return codec.unpack(codec.pack([value], [structure]), [structure])[0]

    def to_send(self, member: ParticipantId) -> Iterator[MessageId]:
        """Messages of a member that has begun, for which all has come, and which have not been sent; in order."""
        for number in self.route.numbers:
            message = self.route.messages[number]
            if message.source == member and number not in self.sent and self.arrived.keys() >= set(message.after):
                self.sent.add(number)
                yield number

    def content(self, number: MessageId) -> Content:
        """What a message carries."""
        source = self.route.messages[number].source
        return {part: self._value(source, part, addends) for part, addends in self.route.made_of[number].items()}

    def _value(self, member: ParticipantId, part: int, addends: Addends) -> Any:
        values = [self.own[member][part] if one == OWN else self.arrived[one][part] for one in addends]
        total = values[0]
        for value in values[1:]:
            total = total + value
        return total

    def pack(self, number: MessageId, content: Content) -> torch.Tensor:
        carried = self.route.carried[number]
        return codec.pack([content[part] for part in carried], [self.route.parts[part] for part in carried])

    def unpack(self, number: MessageId, buffer: torch.Tensor) -> Content:
        carried = self.route.carried[number]
        values = codec.unpack(buffer, [self.route.parts[part] for part in carried])
        return dict(zip(carried, values, strict=True))

    def outcome(self, member: ParticipantId) -> Any:
        """What a member's program gets once all has arrived; as `prism_sim.meetings` gives it in one process."""
        place = self.route.outline.exchange.group.index(member)
        got = {part: self._value(member, part, addends) for part, addends in self.route.given[member].items()}
        found = self._outcome(member, place, got)
        self.served += 1
        if self.served == len(self.members) and self._nothing_left():
            self.own.clear()
            self.arrived.clear()
        return found

    def _nothing_left(self) -> bool:
        return all(
            number in self.sent for number in self.route.numbers if self.route.messages[number].source in self.members
        )

    def _outcome(self, member: ParticipantId, place: int, got: Content) -> Any:
        outline = self.route.outline
        exchange, root = outline.exchange, outline.exchange.root
        match exchange.kind:
            case "all_gather":
                return self._all(got)
            case "gather":
                return self._all(got) if member == root else None
            case "all_reduce":
                whole = outline.parts[place]
                assert isinstance(whole, Leaf)
                return codec.joined([got[part] for part in sorted(got)], whole.shape)
            case "scatter" | "reduce_scatter":
                return got[place] if place in got else codec.empty(outline.parts[place])
            case "send" if member == root:
                return None
            case _:
                assert root is not None
                place_of_root = exchange.group.index(root)
                return got[place_of_root] if place_of_root in got else codec.empty(outline.parts[place_of_root])

    def _all(self, got: Content) -> tuple[Any, ...]:
        return tuple(
            got[part] if part in got else codec.empty(structure) for part, structure in enumerate(self.route.parts)
        )
