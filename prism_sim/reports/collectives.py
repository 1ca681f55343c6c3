"""By which ways exchanges went, in words."""

from __future__ import annotations

from collections.abc import Iterable

from prism_sim.simulation.simulate import Simulation
from prism_sim.timing import QUICKEST

WAYS = {
    "direct": "direct",
    "ring": "round a ring",
    "star": "through a star",
    "tree": "along a tree",
    "broadcast": "by one transmission to all",
}


def ways_text(simulation: Simulation) -> str:
    """'all-reduce round a ring, broadcast along a tree'; nothing where ranks only send, scatter and gather."""
    found = simulation.collectives.items()
    return ", ".join(
        f"{kind.replace('_', '-')} {' or '.join(WAYS[name] for name in names)}{' (by size)' if len(names) > 1 else ''}"
        for kind, names in found
    )


def exchanges_lines(named: Iterable[tuple[str, Simulation]]) -> list[str]:
    """A line for each set of ways, with the names of those that take it; without names where there is one only."""
    simulations = dict(named)
    names_of: dict[str, list[str]] = {}
    for name, simulation in simulations.items():
        if text := ways_text(simulation):
            names_of.setdefault(text, []).append(name)
    if not names_of:
        return []
    quickest = any(simulation.network.collective == QUICKEST for simulation in simulations.values())
    why = "each by its quickest way" if quickest else "as network.collective says"
    if len(simulations) == 1:
        return [f"exchanges, {why}: {next(iter(names_of))}"]
    return [f"exchanges, {why}:", *(f"  {text}: {', '.join(names)}" for text, names in names_of.items())]
