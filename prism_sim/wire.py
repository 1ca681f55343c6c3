"""What happens to values at a participant's border: on the way out of its program, and on the way in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from prism_sim.effects import (
    AllGather,
    AllReduce,
    Begin,
    Broadcast,
    Effect,
    Gather,
    Program,
    ReduceScatter,
    Scatter,
    Send,
)

Change = Callable[[Any], Any]  # of one value that has `nbytes`


def at_the_border(program: Program, outgoing: Change, incoming: Change) -> Program:
    """The same program; what it hands in passes `outgoing`, what it gets back passes `incoming`, value by value.

    Tuples are changed item by item; None, nothing to exchange, and tickets stay as they are.
    """
    received: Any = None
    while True:
        try:
            effect = program.send(received)
        except StopIteration as stop:
            return stop.value
        effect = _changed(effect, outgoing)
        received = yield effect
        del effect  # nothing may be kept alive here that the program has let go
        received = each(received, incoming)


def each(value: Any, change: Change) -> Any:
    """Changes what has `nbytes`, in tuples too."""
    if isinstance(value, tuple):
        return tuple(each(item, change) for item in value)
    return change(value) if hasattr(value, "nbytes") else value


def _changed(effect: Effect, change: Change) -> Effect:
    match effect:
        case Begin(inner):
            changed: Any = _changed(inner, change)
            return Begin(changed)
        case AllGather() | AllReduce() | Broadcast() | Gather() | Send():
            return replace(effect, value=each(effect.value, change))
        case ReduceScatter() | Scatter():
            return replace(effect, pieces=each(effect.pieces, change))
        case _:
            return effect
