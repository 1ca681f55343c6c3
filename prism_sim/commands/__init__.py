"""The commands of `prism-sim`: one a file, found by itself. A module that offers `COMMAND` is on the command line."""

from __future__ import annotations

from prism_sim.catalogue import discover
from prism_sim.commands.base import Command


def catalogue() -> list[Command]:
    """All commands, in the order in which a newcomer meets them."""
    return sorted(discover(__name__, "COMMAND", Command), key=lambda command: (command.order, command.name))
