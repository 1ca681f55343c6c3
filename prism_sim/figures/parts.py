"""Where the latency goes: stacked bars, one a strategy or a swept value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from prism_sim.figures.bars import bar_figure, bar_labels
from prism_sim.figures.base import Plot
from prism_sim.figures.quantities import RESULTS
from prism_sim.figures.rows import checked
from prism_sim.figures.style import EDGE, PART_COLOURS, PART_HATCHES
from prism_sim.units_text import seconds_text

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "latency-parts"
PARTS = ("compute", "staging", "overhead", "transfer", "propagation", "queue")
COLUMNS = tuple(f"breakdown_{part}_s" for part in PARTS)


def draw_latency_parts(table: DataFrame, *, title: str = "") -> Figure:
    """A bar a row, named by its strategy and by what else varies, from the top down.

    table: seconds of each part, `breakdown_compute_s` to `breakdown_queue_s`.
    Raises ValueError for a missing column or too many rows.
    """
    rows = checked(table, NAME, *COLUMNS)
    bars = [
        (label, {part: float(row[column]) for part, column in zip(PARTS, COLUMNS, strict=True)})
        for label, (_, row) in zip(bar_labels(rows, NAME), rows.iterrows(), strict=True)
    ]
    return draw_parts(bars, title)


def draw_parts(bars: Sequence[tuple[str, Mapping[str, float]]], title: str) -> Figure:
    """bars: a name, and seconds of each part of the critical path; drawn from the top down.

    Raises ValueError if there is no bar.
    """
    if not bars:
        raise ValueError("there is no bar to draw: give at least one strategy's parts")
    totals_s = [sum(parts.values()) for _, parts in bars]
    factor, unit = RESULTS["latency_s"].scale(totals_s)
    ends = [total / factor for total in totals_s]
    texts = [seconds_text(total) for total in totals_s]
    with bar_figure([name for name, _ in bars], ends, texts, title) as figure:
        axes = figure.axes[0]
        left = [0.0] * len(bars)
        for part in bars[0][1]:
            widths = [parts[part] / factor for _, parts in bars]
            if any(widths):
                axes.barh(
                    range(len(bars)),
                    widths,
                    left=left,
                    height=0.7,
                    label=part,
                    color=PART_COLOURS[part],
                    hatch=PART_HATCHES.get(part),
                    edgecolor=EDGE,
                    linewidth=0.3,
                )
            left = [start + width for start, width in zip(left, widths, strict=True)]
        axes.set_xlabel(RESULTS["latency_s"].axis_label(unit))
    return figure


PLOT = Plot(NAME, "parts of the latency, stacked, a bar a row", draw_latency_parts, COLUMNS)
