"""In which block a lossy strategy's error arises, and how it accumulates: a line a rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from prism_sim.figures.base import Plot
from prism_sim.figures.deviation import ADDED, COLUMNS, ERROR, ERROR_LABEL, losing, pooled
from prism_sim.figures.frame import add_legend, add_title, is_wide, log_axis
from prism_sim.figures.rows import checked
from prism_sim.figures.style import COLUMN_INCHES, FAINT, MARKERS, RANK_COLOURS, look, new_figure

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "loss-blocks"


def draw_loss_blocks(table: DataFrame, *, title: str = "") -> Figure:
    """Relative error after each block, accumulated and of the block alone. Many ranks share a line, with their range.

    table: `block`, `rank`, and the sums `squared_error`, `squared_added` and `squared_norm` over some rows each.
    Raises ValueError for a missing column or nothing to draw.
    """
    rows = checked(table, NAME, *COLUMNS)
    apart = pooled(rows, "rank", "block")
    with look():
        figure = new_figure(COLUMN_INCHES, 2.6)
        axes = figure.add_subplot()
        if apart["rank"].nunique() <= len(RANK_COLOURS):
            _draw_each(axes, apart)
        else:
            _draw_together(axes, apart, pooled(rows, "block"))
        shown = apart[apart["rank"].isin(losing(apart))] if losing(apart) else apart
        _scale(axes, [*shown["error"], *shown["added"]])
        axes.set_xlabel("block")
        axes.set_ylabel(ERROR_LABEL)
        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
        add_legend(figure, [axes])
        add_title(figure, title)
    return figure


def _draw_each(axes: Axes, apart: DataFrame) -> None:
    known = set(losing(apart))
    for number, (rank, own) in enumerate(apart.groupby("rank")):
        colour, marker = RANK_COLOURS[number], MARKERS[number]
        if rank not in known:  # a logarithmic axis would blow its rounding up
            axes.plot([], [], color=colour, marker=marker, label=f"rank {rank}: no error")
            continue
        axes.plot(own["block"], own["error"], color=colour, marker=marker, label=f"rank {rank}")
        axes.plot(own["block"], own["added"], color=colour, marker=marker, markerfacecolor="white", linestyle="--")
    for label, line in ((ERROR, "-"), (ADDED, "--")):
        axes.plot([], [], color=FAINT, linestyle=line, label=label)


def _draw_together(axes: Axes, apart: DataFrame, together: DataFrame) -> None:
    n_ranks = apart["rank"].nunique()
    for number, (column, label, line) in enumerate((("error", ERROR, "-"), ("added", ADDED, "--"))):
        colour, marker = RANK_COLOURS[number], MARKERS[number]
        axes.plot(together["block"], together[column], color=colour, linestyle=line, marker=marker, label=label)
        spread = apart.groupby("block")[column].agg(["min", "max"])
        band = f"least to most of {n_ranks} ranks" if column == "error" else None
        axes.fill_between(spread.index, spread["min"], spread["max"], color=colour, alpha=0.25, linewidth=0, label=band)


def _scale(axes: Axes, amounts: Sequence[float]) -> None:
    if is_wide(amounts):
        log_axis(axes.yaxis, min(amounts), max(amounts))
    else:
        axes.set_ylim(0, 1.08 * max(amounts) or 1.0)


PLOT = Plot(NAME, "error of the residual stream after each block, and what each adds", draw_loss_blocks, COLUMNS)
