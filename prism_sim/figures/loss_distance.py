"""Whether tokens near their partition's border lose more: error against the distance to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.deviation import COLUMNS, ERROR_LABEL, losing, pooled
from prism_sim.figures.frame import add_legend, add_title
from prism_sim.figures.rows import checked
from prism_sim.figures.style import COLUMN_INCHES, MARKERS, RANK_COLOURS, look, new_figure, shaded

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "loss-distance"
BIN = ("nearest", "furthest")
NEEDED = (*BIN, *COLUMNS)
ROOMY = 7  # so many ticks have room
PALEST = 0.6  # white in the line of the first block


def draw_loss_distance(table: DataFrame, *, title: str = "") -> Figure:
    """Accumulated error after the first, the middle and the last block, and what blocks add alone in the mean.

    Ranks that lose nothing, as a causal model's first, do not count.

    table: as of `draw_loss_blocks`, with `nearest` and `furthest`: the distances in tokens that are pooled in a row.
    Raises ValueError for a missing column or nothing to draw.
    """
    rows = checked(table, NAME, *NEEDED)
    losers = losing(pooled(rows, "rank", "block"))
    errors = pooled(rows[rows["rank"].isin(losers)] if losers else rows, *BIN, "block")
    bins = list(dict.fromkeys(zip(errors["nearest"], errors["furthest"], strict=True)))
    blocks = sorted(set(errors["block"]))
    shown = list(dict.fromkeys([blocks[0], blocks[len(blocks) // 2], blocks[-1]]))
    with look():
        figure = new_figure(COLUMN_INCHES, 2.6)
        axes = figure.add_subplot()
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
        texts = [_text(int(nearest), int(furthest)) for nearest, furthest in bins]
        axes.set_xticks(range(len(bins)), texts, fontsize=7.5 if len(bins) <= ROOMY else 6)
        axes.set_ylim(0, 1.08 * max(errors["error"].max(), added.max()) or 1.0)
        axes.set_xlabel("distance to the next rank's tokens (tokens)")
        axes.set_ylabel(ERROR_LABEL)
        add_legend(figure, [axes])
        add_title(figure, title)
    return figure


def _text(nearest: int, furthest: int) -> str:
    return str(nearest) if nearest == furthest else f"{nearest}–{furthest}"


PLOT = Plot(NAME, "error of the residual stream against the distance to the border", draw_loss_distance, NEEDED)
