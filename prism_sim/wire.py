"""What happens to values at a participant's border: on the way out of its program, and on the way in."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any

from prism_sim.effects import (
    AllGather,
    AllReduce,
    Await,
    Begin,
    Broadcast,
    Effect,
    Gather,
    Mark,
    Program,
    ReduceScatter,
    Scatter,
    Send,
)

Change = Callable[[Any], Any]  # of one value that has `nbytes`

# Effects that hand something in, and their fields: the first is what is handed in.
HANDING_IN: dict[type, tuple[str, ...]] = {
    kind: tuple(kind.__dataclass_fields__)
    for kind in (AllGather, AllReduce, Broadcast, Gather, Send, ReduceScatter, Scatter)
}


def at_the_border(program: Program, outgoing: Change, incoming: Change) -> Program:
    """The same program; what it hands in passes `outgoing`, what it gets back passes `incoming`, value by value.

    Tuples are changed item by item; None, nothing to exchange, and tickets stay as they are. So does an effect whose
    values a change leaves as they are.
    """
    received: Any = None
    while True:
        try:
            effect = program.send(received)
        except StopIteration as stop:
            return stop.value
        kind = type(effect)
        if kind is Mark:
            received = yield effect
            continue
        if kind is not Await:
            effect = _changed(effect, outgoing)
        received = yield effect
        del effect  # nothing may be kept alive here that the program has let go
        if kind is not Begin:  # which gives a ticket
            received = each(received, incoming)


def each(value: Any, change: Change) -> Any:
    """Changes what has `nbytes`, in tuples too; a tuple of which nothing changes is the same one."""
    if isinstance(value, tuple):
        items = [each(item, change) for item in value]
        return value if all(map(is_, items, value)) else tuple(items)
    return change(value) if hasattr(value, "nbytes") else value


def _changed(effect: Effect, change: Change) -> Effect:
    if isinstance(effect, Begin):
        inner: Any = _changed(effect.effect, change)
        return effect if inner is effect.effect else Begin(inner)
    fields = HANDING_IN.get(type(effect))
    if fields is None:
        return effect
    value = getattr(effect, fields[0])
    changed = each(value, change)
    if changed is value:
        return effect
    kind: Callable[..., Effect] = type(effect)
    return kind(changed, *(getattr(effect, name) for name in fields[1:]))
