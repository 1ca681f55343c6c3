"""The commands of `prism-sim`: one a file, found by itself. A module that offers `COMMAND` is on the command line."""

from __future__ import annotations

from prism_sim.catalogue import discover
from prism_sim.commands.base import Command, Purpose


def catalogue() -> list[Command]:
    """All commands, by their purpose, in the order in which a newcomer meets them."""
    purposes = [*Purpose]  # `list` is a module here
    return sorted(
        discover(__name__, "COMMAND", Command),
        key=lambda command: (purposes.index(command.purpose), command.order, command.name),
    )
