"""Distribution strategies: one a file, found by itself. A module that offers `STRATEGY` is in the catalogue."""

from __future__ import annotations

from functools import cache

from prism_sim.catalogue import discover, look_up
from prism_sim.strategies.auto import AUTO
from prism_sim.strategies.base import Strategy

__all__ = ["AUTO", "catalogue", "find", "nameable"]


@cache
def catalogue() -> dict[str, Strategy]:
    """All strategies by name, in alphabetical order."""
    return {strategy.name: strategy for strategy in discover(__name__, "STRATEGY", Strategy)}


def nameable() -> dict[str, Strategy]:
    """What a scenario can name: the catalogue, and `auto` for a choice among it."""
    return {**catalogue(), AUTO.name: AUTO}


def find(name: str) -> Strategy:
    """Raises ValueError with the nearest name if there is none of this name."""
    return look_up("strategy", name, nameable())
