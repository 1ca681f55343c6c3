"""What a plot says of itself in the catalogue."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Plot:
    """A kind of picture.

    draw: takes a pandas DataFrame, and by keyword a title and what else the plot can be told; its name begins with
    `draw_`, so that `from prism_sim.figures import draw_...` finds it.
    columns: what the table must have. reads: rows of results, or the spans of one run's trace.
    """

    name: str
    summary: str
    draw: Callable[..., Figure]
    columns: tuple[str, ...]
    reads: Literal["rows", "spans"] = "rows"

    @property
    def options(self) -> tuple[str, ...]:
        """What it can be told beside the title."""
        found = inspect.signature(self.draw).parameters.values()
        return tuple(one.name for one in found if one.kind is one.KEYWORD_ONLY and one.name != "title")

    @property
    def written_by(self) -> str:
        """The command that draws it."""
        return f"prism-sim plot {self.name} {'RESULTS' if self.reads == 'rows' else 'TRACE'}"
