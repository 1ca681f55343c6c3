"""Where values meet: what each kind of exchange asks of its members, gives them, and weighs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any, NamedTuple

from prism_sim.effects import (
    AllGather,
    AllReduce,
    Broadcast,
    Exchanging,
    Gather,
    Recv,
    ReduceScatter,
    Scatter,
    Send,
)
from prism_sim.plan import Exchange, ExchangeId, ExchangeKind, ParticipantId, Start, Wait


class Terms(NamedTuple):
    """What members must agree on to meet."""

    kind: ExchangeKind
    group: tuple[ParticipantId, ...]
    root: ParticipantId | None


def terms(effect: Exchanging, member: ParticipantId) -> tuple[Terms, Any]:
    """What `member` wants to take part in, and the value that it hands in."""
    read = _READ.get(type(effect))
    if read is None:
        raise TypeError(f"a program may not yield {effect!r}; see prism_sim.effects")
    agreed, value = read(effect, member)
    if member not in agreed.group:
        raise ValueError(f"participant {member} is not in the group {agreed.group} of its {agreed.kind}")
    return agreed, value


# By kind of effect, what it asks for: (effect, member) -> terms, value. A table, since a plan has thousands of them.
_READ: dict[type, Callable[[Any, ParticipantId], tuple[Terms, Any]]] = {
    AllGather: lambda effect, _: (Terms("all_gather", effect.group, None), effect.value),
    AllReduce: lambda effect, _: (Terms("all_reduce", effect.group, None), effect.value),
    ReduceScatter: lambda effect, _: (Terms("reduce_scatter", effect.group, None), effect.pieces),
    Scatter: lambda effect, _: (Terms("scatter", effect.group, effect.root), effect.pieces),
    Gather: lambda effect, _: (Terms("gather", effect.group, effect.root), effect.value),
    Broadcast: lambda effect, _: (Terms("broadcast", effect.group, effect.root), effect.value),
    Send: lambda effect, member: (Terms("send", (member, effect.to), member), effect.value),
    Recv: lambda effect, member: (Terms("send", (effect.source, member), effect.source), None),
}


def payload_bytes(value: Any) -> int:
    """Bytes of a value that crosses: whatever has `nbytes`, a tuple of such, or None for nothing."""
    if value is None:
        return 0
    if isinstance(value, tuple):
        return sum(map(payload_bytes, value))
    return int(value.nbytes)


@dataclass(slots=True)
class Meeting:
    """An exchange under way: who has handed in what.

    exchange_id, start, wait: in the Plan, and its members' steps there; None where a member is alone.
    """

    agreed: Terms
    label: str
    exchange_id: ExchangeId | None = None
    start: Start | None = None
    wait: Wait | None = None
    values: dict[ParticipantId, Any] = field(default_factory=dict)
    waiting: list[ParticipantId] = field(default_factory=list)
    _bytes: dict[ParticipantId, int | tuple[int, ...]] = field(default_factory=dict)
    _served: int = 0
    _sum: Any = None

    def __str__(self) -> str:
        missing = [member for member in self.agreed.group if member not in self._bytes]
        return f"{self.agreed.kind} {self.label!r} of {self.agreed.group}: missing {missing}"

    @property
    def complete(self) -> bool:
        return len(self._bytes) == len(self.agreed.group)

    def enter(self, member: ParticipantId, value: Any) -> None:
        self.values[member] = value
        if self.agreed.kind in ("scatter", "reduce_scatter") and value is not None:
            if len(value) != len(self.agreed.group):
                raise ValueError(f"{self.agreed.kind} {self.label!r} needs one piece for each of {self.agreed.group}")
            self._bytes[member] = tuple(map(payload_bytes, value))
        else:
            self._bytes[member] = payload_bytes(value)

    def ready_for(self, member: ParticipantId) -> bool:
        """True once all that comes in for `member` has been handed in."""
        root = self.agreed.root
        if root is None:
            return self.complete
        if self.agreed.kind == "gather":
            return member != root or self.complete
        return member == root or root in self._bytes

    def outcome(self, member: ParticipantId) -> Any:
        """What `member` gets; the values are let go when all members have got theirs."""
        found = self._outcome(member)
        self._served += 1
        if self._served == len(self.agreed.group):
            self.values.clear()
            self._sum = None
        return found

    def _outcome(self, member: ParticipantId) -> Any:
        agreed = self.agreed
        from_root = None if agreed.root is None else self.values.get(agreed.root)
        match agreed.kind:
            case "all_gather":
                return tuple(self.values[other] for other in agreed.group)
            case "gather":
                return tuple(self.values[other] for other in agreed.group) if member == agreed.root else None
            case "all_reduce":
                if self._sum is None:
                    self._sum = reduce(add, (self.values[other] for other in agreed.group))
                    self.values.clear()  # the sum stands for them
                return self._sum
            case "reduce_scatter":
                return reduce(add, (self.values[other][agreed.group.index(member)] for other in agreed.group))
            case "scatter":
                return None if from_root is None else from_root[agreed.group.index(member)]
            case "broadcast":
                return from_root
            case _:
                return None if member == agreed.root else from_root

    def exchange(self) -> Exchange:
        """The Plan's entry of a complete meeting. Raises ValueError if members disagree on the pieces of a sum."""
        agreed = self.agreed
        if agreed.kind in ("scatter", "reduce_scatter"):
            sizes = self._bytes[agreed.root if agreed.root is not None else agreed.group[0]]
            if agreed.root is None and len(set(self._bytes.values())) > 1:
                raise ValueError(f"members of {agreed.kind} {self.label!r} disagree on the sizes of its pieces")
        else:
            sizes = tuple(self._bytes[member] for member in agreed.group)  # type: ignore[misc]
        assert isinstance(sizes, tuple)
        return Exchange(agreed.kind, agreed.group, sizes, agreed.root, self.label)
