"""What was made of an object, for whoever brings the same object again: to compare long values takes longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")

MOST_KEPT = 1024  # objects


def by_identity(make: Callable[[T], U], most: int = MOST_KEPT) -> Callable[[T], U]:
    """Asks `make` once for each object; objects are kept, so that no other gets their place in memory.

    most: objects that are known at a time; then all are forgotten.
    """
    known: dict[int, tuple[T, U]] = {}

    def made(one: T) -> U:
        found = known.get(id(one))
        if found is None:
            if len(known) >= most:
                known.clear()
            found = known[id(one)] = one, make(one)
        return found[1]

    return made
