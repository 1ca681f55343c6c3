"""How an exchange becomes messages: the plan says what must cross, an algorithm says along which ways.

Sums of a reduction are made in the host's memory as messages arrive, and take no time of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from prism_sim.plan import EXCHANGE_KINDS, Exchange
from prism_sim.timing.collectives import broadcast, direct, ring, star, tree
from prism_sim.timing.collectives.base import Message, Script

__all__ = ["ALGORITHMS", "CHOICES", "COLLECTIVES", "QUICKEST", "Message", "lower", "ways_of"]

Lowering = Callable[[Exchange], Script]

# Kinds of exchange that an algorithm has no way of its own for (a send, say) go direct.
ALGORITHMS: Mapping[str, Mapping[str, Lowering]] = {
    "direct": direct.KINDS,
    "ring": ring.KINDS,
    "star": star.KINDS,
    "tree": tree.KINDS,
    "broadcast": broadcast.KINDS,
}
QUICKEST = "quickest"  # of these, for each exchange by itself: see `quickest.py`
CHOICES = (*ALGORITHMS, QUICKEST)


def ways_of(kind: str) -> tuple[str, ...]:
    """The algorithms that have a way of their own for this kind of exchange."""
    return tuple(name for name, kinds in ALGORITHMS.items() if kind in kinds)


COLLECTIVES = tuple(kind for kind in EXCHANGE_KINDS if len(ways_of(kind)) > 1)  # kinds that have a choice


def lower(exchange: Exchange, algorithm: str = "direct") -> tuple[Message, ...]:
    """The messages of an exchange; those without bytes are not sent.

    A participant sends its own messages in this order; one with `after` is sent on when those have arrived.
    Raises ValueError for an unknown algorithm, or an exchange that lacks the root it needs.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"collective(={algorithm!r}) must be one of {', '.join(ALGORITHMS)}")
    return _lower(replace(exchange, label=""), algorithm)


@lru_cache(maxsize=64)  # a strategy has a handful of shapes of exchange, and a sweep plays them again and again
def _lower(exchange: Exchange, algorithm: str) -> tuple[Message, ...]:
    lowering = ALGORITHMS[algorithm].get(exchange.kind) or direct.KINDS[exchange.kind]
    return tuple(lowering(exchange).messages)
