"""Distribution strategies: one a file, found by itself. A module that offers `STRATEGY` is in the catalogue."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from prism_sim.catalogue import collect, look_up
from prism_sim.plugins import remembered
from prism_sim.strategies.auto import AUTO
from prism_sim.strategies.base import Strategy

__all__ = ["AUTO", "catalogue", "effective_options", "find", "nameable"]


@remembered()
def catalogue() -> dict[str, Strategy]:
    """All strategies by name, in alphabetical order."""
    return collect("strategies", Strategy, reserved=[AUTO.name])


def nameable() -> dict[str, Strategy]:
    """What a scenario can name: the catalogue, and `auto` for a choice among it."""
    return {**catalogue(), AUTO.name: AUTO}


def effective_options(name: str, options: Any) -> dict[str, Any]:
    """The options by name, less those that have no effect beside the others: what determines a result."""
    idle = find(name).idle(options)
    return {option: value for option, value in asdict(options).items() if option not in idle}


def find(name: str) -> Strategy:
    """Raises ValueError with the nearest name if there is none of this name."""
    return look_up("strategy", name, nameable())
