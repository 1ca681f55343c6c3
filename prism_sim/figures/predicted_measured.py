"""How far predictions can be trusted: predicted against measured times, on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.frame import add_legend, add_title, log_axis
from prism_sim.figures.quantities import SECONDS, Quantity
from prism_sim.figures.rows import checked, numeric
from prism_sim.figures.style import COLUMN_INCHES, FAINT, in_order, look, new_figure, plain, strategy_style

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "predicted-measured"
COLUMNS = ("predicted_s", "measured_s", "strategy")
BANDS = ((0.25, "#EEEEEE"), (0.10, "#DDDDDD"))  # relative error, colour; the wider first
# Okabe and Ito's palette (jfly.uni-koeln.de/color, 2008)
LINK_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
TIME = Quantity("time", SECONDS)


def draw_predicted_measured(table: DataFrame, *, title: str = "") -> Figure:
    """A point a row with a strategy: its marker is the strategy's, its colour the link's; hollow if not judged.

    table: `predicted_s`, `measured_s` and `strategy`; `link`, `spread_low_s`, `spread_high_s` and `not_judged` if it
    has them. The spread of what was measured is a bar. Raises ValueError for a missing column or nothing to draw.
    """
    rows = numeric(numeric(checked(table, NAME, *COLUMNS), NAME, "predicted_s"), NAME, "measured_s")
    rows = rows[(rows["predicted_s"] > 0) & (rows["measured_s"] > 0) & rows["strategy"].notna()].reset_index(drop=True)
    if rows.empty:
        raise ValueError(f"{NAME}: no row has a strategy and two times above 0, so there is nothing to draw")
    factor, unit = TIME.scale([*rows["predicted_s"], *rows["measured_s"]])
    amounts = [float(amount) / factor for column in COLUMNS[:2] for amount in rows[column]]
    low, high = min(amounts) / 1.3, max(amounts) * 1.3
    with look():
        figure = new_figure(COLUMN_INCHES, COLUMN_INCHES)
        axes = figure.add_subplot(aspect="equal")
        _draw_bands(axes, low, high)
        _draw_points(axes, rows, factor)
        log_axis(axes.xaxis, low, high)
        log_axis(axes.yaxis, low, high)
        axes.set(xlabel=f"measured ({unit})", ylabel=f"predicted ({unit})")
        add_legend(figure, [axes])
        add_title(figure, title)
    return figure


def _draw_bands(axes: Axes, low: float, high: float) -> None:
    ends = (low / 2, high * 2)
    for share, colour in BANDS:
        below, above = ([end * factor for end in ends] for factor in (1 - share, 1 + share))
        axes.fill_between(ends, below, above, color=colour, linewidth=0, label=f"within {share:.0%}", zorder=0)
    axes.plot(ends, ends, color=FAINT, linewidth=0.8, zorder=1)


def _draw_points(axes: Axes, rows: DataFrame, factor: float) -> None:
    links = _links(rows)
    for place, link in enumerate(dict.fromkeys(links)):
        colour = LINK_COLOURS[place % len(LINK_COLOURS)]
        if link:
            axes.plot([], [], linestyle="none", marker="s", color=colour, label=plain(link))
        for strategy in in_order(rows["strategy"]):
            for hollow in (True, False):
                own = [
                    number
                    for number in range(len(rows))
                    if (links[number], rows["strategy"][number], _is_hollow(rows, number)) == (link, strategy, hollow)
                ]
                _draw_some(axes, rows, own, factor, strategy, colour, hollow)
    for strategy in in_order(rows["strategy"]):
        marker = strategy_style(strategy).marker
        axes.plot([], [], linestyle="none", marker=marker, color="none", markeredgecolor="black", label=plain(strategy))
    if any(_is_hollow(rows, number) for number in range(len(rows))):
        axes.plot([], [], linestyle="none", label="hollow: not judged")


def _links(rows: DataFrame) -> list[str]:
    if "link" not in rows:
        return [""] * len(rows)
    return ["" if link != link or link is None else str(link) for link in rows["link"]]


def _is_hollow(rows: DataFrame, number: int) -> bool:
    return "not_judged" in rows and isinstance(rows["not_judged"][number], str) and bool(rows["not_judged"][number])


def _draw_some(
    axes: Axes, rows: DataFrame, own: Sequence[int], factor: float, strategy: str, colour: str, hollow: bool
) -> None:
    """Points of one look, with a bar over what was measured."""
    for number in own:
        x, y = (float(rows[column][number]) / factor for column in ("measured_s", "predicted_s"))
        if {"spread_low_s", "spread_high_s"} <= set(rows) and rows["spread_low_s"][number] == rows["spread_low_s"][
            number
        ]:
            ends = [float(rows[column][number]) / factor for column in ("spread_low_s", "spread_high_s")]
            axes.plot(ends, [y, y], color=colour, linewidth=0.8, zorder=2)
        axes.plot(
            x,
            y,
            linestyle="none",
            marker=strategy_style(strategy).marker,
            markersize=4.5,
            markerfacecolor="none" if hollow else colour,
            markeredgecolor=colour if hollow else "white",
            markeredgewidth=0.9 if hollow else 0.4,
            zorder=3,
        )


PLOT = Plot(NAME, "predicted against measured times, as `validate` writes them", draw_predicted_measured, COLUMNS)
