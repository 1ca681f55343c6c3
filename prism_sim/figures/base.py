"""What a plot says of itself in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plot:
    """A kind of picture. written_by: the command that draws it."""

    name: str
    summary: str
    written_by: str
