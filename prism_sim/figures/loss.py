"""Where a lossy strategy's error arises: of the residual stream, by block and rank, and by distance to the border.

Errors are pooled from sums over rows, which `prism-sim loss` writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from prism_sim.figures.base import Plot
from prism_sim.figures.frame import framed, is_wide, log_axis
from prism_sim.figures.rows import checked
from prism_sim.figures.style import COLUMN_INCHES, FAINT, MARKERS, PALEST, RANK_COLOURS, shaded

if TYPE_CHECKING:
    from pandas import DataFrame

BLOCKS, DISTANCE = "loss-blocks", "loss-distance"
COLUMNS = ("squared_error", "squared_added", "squared_norm", "block", "rank")
BIN = ("nearest", "furthest")
ERROR, ADDED = "accumulated", "added by the block alone"
ERROR_LABEL = "relative error of the residual stream"
SUMS = {"error": "squared_error", "added": "squared_added"}
NOTHING = 1e-4  # of the largest error: rounding
ROOMY = 7  # so many ticks have room


def draw_loss_blocks(table: DataFrame, *, title: str = "") -> Figure:
    """Relative error after each block, accumulated and of the block alone. Many ranks share a line, with their range.

    table: `block`, `rank`, and the sums `squared_error`, `squared_added` and `squared_norm` over some rows each.
    Raises ValueError for a missing column or nothing to draw.
    """
    rows = checked(table, BLOCKS, *COLUMNS)
    apart = pooled(rows, "rank", "block")
    with framed(COLUMN_INCHES, 2.6, title) as (figure, axes):
        if apart["rank"].nunique() <= len(RANK_COLOURS):
            _draw_each(axes, apart)
        else:
            _draw_together(axes, apart, pooled(rows, "block"))
        shown = apart[apart["rank"].isin(losing(apart))] if losing(apart) else apart
        amounts = [*shown["error"], *shown["added"]]
        if is_wide(amounts):
            log_axis(axes.yaxis, min(amounts), max(amounts))
        else:
            axes.set_ylim(0, 1.08 * max(amounts) or 1.0)
        axes.set(xlabel="block", ylabel=ERROR_LABEL)
        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
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


def draw_loss_distance(table: DataFrame, *, title: str = "") -> Figure:
    """Accumulated error after the first, the middle and the last block, and what blocks add alone in the mean.

    Ranks that lose nothing, as a causal model's first, do not count.

    table: as of `draw_loss_blocks`, with `nearest` and `furthest`: the distances in tokens that are pooled in a row.
    Raises ValueError for a missing column or nothing to draw.
    """
    rows = checked(table, DISTANCE, *BIN, *COLUMNS)
    losers = losing(pooled(rows, "rank", "block"))
    errors = pooled(rows[rows["rank"].isin(losers)] if losers else rows, *BIN, "block")
    bins = list(dict.fromkeys(zip(errors["nearest"], errors["furthest"], strict=True)))
    blocks = sorted(set(errors["block"]))
    shown = list(dict.fromkeys([blocks[0], blocks[len(blocks) // 2], blocks[-1]]))
    with framed(COLUMN_INCHES, 2.6, title) as (figure, axes):
        for number, block in enumerate(shown):
            own = errors[errors["block"] == block]
            pale = PALEST * (len(shown) - 1 - number) / max(1, len(shown) - 1)
            places = [bins.index(pair) for pair in zip(own["nearest"], own["furthest"], strict=True)]
            colour = shaded(RANK_COLOURS[0], pale)
            axes.plot(places, own["error"], color=colour, marker=MARKERS[number], label=f"accumulated to block {block}")
        added = errors.assign(square=errors["added"] ** 2).groupby(list(BIN))["square"].mean() ** 0.5
        axes.plot(
            range(len(bins)),
            added,
            color=RANK_COLOURS[1],
            linestyle="--",
            marker=MARKERS[len(shown)],
            label="added by one block (root mean square)",
        )
        texts = [f"{near:.0f}" if near == far else f"{near:.0f}–{far:.0f}" for near, far in bins]
        axes.set_xticks(range(len(bins)), texts, fontsize=7.5 if len(bins) <= ROOMY else 6)
        axes.set_ylim(0, 1.08 * max(errors["error"].max(), added.max()) or 1.0)
        axes.set(xlabel="distance to the next rank's tokens (tokens)", ylabel=ERROR_LABEL)
    return figure


def losing(apart: DataFrame) -> list[int]:
    """The ranks that lose something, of errors pooled by rank: a causal model's first one does not."""
    errors = apart.groupby("rank")["error"].max()
    return [int(rank) for rank in errors.index[errors > NOTHING * errors.max()]]


def pooled(rows: DataFrame, *columns: str) -> DataFrame:
    """Relative errors `error` and `added` of all rows that share the values of these columns, which come first."""
    sums = rows.groupby(list(columns), as_index=False)[[*SUMS.values(), "squared_norm"]].sum()
    for name, column in SUMS.items():
        sums[name] = (sums[column] / sums["squared_norm"].where(sums[column] > 0, 1.0)) ** 0.5
    return sums[[*columns, *SUMS]]


PLOTS = (
    Plot(BLOCKS, "error of the residual stream after each block, and what each adds", draw_loss_blocks, COLUMNS),
    Plot(
        DISTANCE,
        "error of the residual stream against the distance to the border",
        draw_loss_distance,
        (*BIN, *COLUMNS),
    ),
)
