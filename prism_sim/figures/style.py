"""One look for all figures: colour-blind-safe, the same colour for the same thing everywhere, legible when small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

COLUMN_INCHES = 3.5  # one column of a two-column paper
WIDE_INCHES = 7.0

# Okabe and Ito's palette (jfly.uni-koeln.de/color, 2008), ordered so that neighbours differ in greyscale too
STRATEGY_COLOURS = {
    "single": "#000000",
    "voltage": "#E69F00",
    "prism": "#0072B2",
    "tensor_parallel": "#CC79A7",
    "pipeline": "#009E73",
    "galaxy": "#D55E00",
}
PART_COLOURS = {
    "compute": "#0072B2",
    "staging": "#F0E442",
    "overhead": "#999999",
    "transfer": "#D55E00",
    "propagation": "#CC79A7",
    "queue": "#56B4E9",
    "wait": "#EEEEEE",
}
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_SPARE = ("#56B4E9", "#F0E442", "#999999")

_LOOK: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 4,
    "savefig.dpi": 200,
    "svg.hashsalt": "prism-sim",  # same data, same file
}


def strategy_colour(name: str) -> str:
    """The colour of a strategy, the same in every figure; strategies added later get one by their name."""
    return STRATEGY_COLOURS.get(name) or _SPARE[sum(name.encode()) % len(_SPARE)]


def saved(figure: Figure) -> Callable[[Path], None]:
    """Writes the figure into a file, in the format that its name ends in: same figure, same bytes, also as SVG or PDF.

    Raises ValueError if matplotlib has no such format.
    """

    def save(path: Path) -> None:
        undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower())
        with look():  # resolution and ids are chosen when saving
            figure.savefig(path, metadata=undated)

    return save


def look() -> Any:
    """A context in which figures are made with this look; nothing global changes."""
    return rc_context(_LOOK)


def new_figure(width_inches: float = WIDE_INCHES, height_inches: float = 3.0) -> Figure:
    """A figure of its own, outside pyplot: no window, no state."""
    return Figure(figsize=(width_inches, height_inches), layout="constrained")
