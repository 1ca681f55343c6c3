"""How far predictions can be trusted: predicted against measured times, on logarithmic axes."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.frame import framed, log_axis
from prism_sim.figures.quantities import SECONDS, Quantity
from prism_sim.figures.rows import checked, numeric
from prism_sim.figures.style import COLUMN_INCHES, FAINT, RANK_COLOURS, in_order, plain, strategy_style

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "predicted-measured"
COLUMNS = ("predicted_s", "measured_s", "strategy")
SPREAD = ("spread_low_s", "spread_high_s")
MARGIN = 1.3  # of the axes, beyond the outermost points
BANDS = ((0.25, "#EEEEEE"), (0.10, "#DDDDDD"))  # relative error, colour; the wider first
LINK_COLOURS = (*RANK_COLOURS, "#000000")
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
    rows = _scaled(rows, factor)
    amounts = [*rows["predicted_s"], *rows["measured_s"]]
    low, high = min(amounts) / MARGIN, max(amounts) * MARGIN
    with framed(COLUMN_INCHES, COLUMN_INCHES, title, aspect="equal") as (figure, axes):
        _draw_bands(axes, low, high)
        _draw_points(axes, rows)
        _explain_looks(axes, rows)
        log_axis(axes.xaxis, low, high, narrow=True)
        log_axis(axes.yaxis, low, high, narrow=True)
        axes.set(xlabel=f"measured ({unit})", ylabel=f"predicted ({unit})")
    return figure


def _scaled(rows: DataFrame, factor: float) -> DataFrame:
    """Times in the axes' unit; spreads are nan, links and reasons not to judge empty, where the table has none."""
    from pandas import to_numeric

    times = {name: rows[name] / factor for name in ("predicted_s", "measured_s")}
    spreads = {name: to_numeric(rows[name], errors="coerce") / factor if name in rows else nan for name in SPREAD}
    texts = {
        name: rows[name].map(lambda value: value if isinstance(value, str) else "") if name in rows else ""
        for name in ("link", "not_judged")
    }
    return rows.assign(**times, **spreads, **texts)


def _draw_bands(axes: Axes, low: float, high: float) -> None:
    ends = (low / 2, high * 2)
    for share, colour in BANDS:
        below, above = ([end * factor for end in ends] for factor in (1 - share, 1 + share))
        axes.fill_between(ends, below, above, color=colour, linewidth=0, label=f"within {100 * share:.0f} %", zorder=0)
    axes.plot(ends, ends, color=FAINT, linewidth=0.8, zorder=1)


def _draw_points(axes: Axes, rows: DataFrame) -> None:
    """With a bar over what was measured; hollow where it is shown but not judged."""
    colours = _colours(rows)
    for row in rows.itertuples():
        colour = colours[row.link]
        ends = (row.spread_low_s, row.spread_high_s)
        if not any(map(isnan, ends)):
            axes.plot(ends, [row.predicted_s] * 2, color=colour, linewidth=0.8, zorder=2)
        axes.plot(
            row.measured_s,
            row.predicted_s,
            linestyle="none",
            marker=strategy_style(str(row.strategy)).marker,
            markersize=4.5,
            markerfacecolor="none" if row.not_judged else colour,
            markeredgecolor=colour if row.not_judged else "white",
            markeredgewidth=0.9 if row.not_judged else 0.4,
            zorder=2.5 if row.not_judged else 3,
        )


def _colours(rows: DataFrame) -> dict[str, str]:
    return {link: LINK_COLOURS[place % len(LINK_COLOURS)] for place, link in enumerate(rows["link"].unique())}


def _explain_looks(axes: Axes, rows: DataFrame) -> None:
    """Entries of the legend that stand for no point."""
    for strategy in in_order(map(str, rows["strategy"])):
        marker = strategy_style(strategy).marker
        axes.plot([], [], linestyle="none", marker=marker, color="black", label=plain(strategy))
    for link, colour in _colours(rows).items():
        if link:
            axes.plot([], [], linestyle="-", linewidth=4, color=colour, label=plain(link))
    if rows["not_judged"].any():
        axes.plot([], [], linestyle="none", marker="o", markerfacecolor="none", color="black", label="not judged")


PLOT = Plot(NAME, "predicted against measured times, as `validate` writes them", draw_predicted_measured, COLUMNS)
