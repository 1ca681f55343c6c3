"""How far predictions can be trusted: predicted against measured times, on logarithmic axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

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


class MeasuredPoint(NamedTuple):
    """Times in the axes' unit. spread: of what was measured; None: unknown. hollow: shown but not judged."""

    measured: float
    predicted: float
    spread: tuple[float, float] | None
    strategy: str
    link: str
    hollow: bool


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
    points = list(_points(rows, factor))
    amounts = [amount for point in points for amount in (point.measured, point.predicted)]
    low, high = min(amounts) / MARGIN, max(amounts) * MARGIN
    with framed(COLUMN_INCHES, COLUMN_INCHES, title, aspect="equal") as (figure, axes):
        _draw_bands(axes, low, high)
        _draw_points(axes, points)
        _explain_looks(axes, points)
        log_axis(axes.xaxis, low, high, narrow=True)
        log_axis(axes.yaxis, low, high, narrow=True)
        axes.set(xlabel=f"measured ({unit})", ylabel=f"predicted ({unit})")
    return figure


def _points(rows: DataFrame, factor: float) -> Iterator[MeasuredPoint]:
    from pandas import to_numeric

    def text(name: str, number: int) -> str:
        value = rows[name][number] if name in rows else None
        return value if isinstance(value, str) else ""

    ends = [to_numeric(rows[name], errors="coerce") / factor for name in SPREAD if name in rows]
    for number in range(len(rows)):
        spread = tuple(float(end[number]) for end in ends)
        yield MeasuredPoint(
            float(rows["measured_s"][number]) / factor,
            float(rows["predicted_s"][number]) / factor,
            (spread[0], spread[1]) if len(spread) == len(SPREAD) and not any(map(isnan, spread)) else None,
            str(rows["strategy"][number]),
            text("link", number),
            bool(text("not_judged", number)),
        )


def _draw_bands(axes: Axes, low: float, high: float) -> None:
    ends = (low / 2, high * 2)
    for share, colour in BANDS:
        below, above = ([end * factor for end in ends] for factor in (1 - share, 1 + share))
        axes.fill_between(ends, below, above, color=colour, linewidth=0, label=f"within {100 * share:.0f} %", zorder=0)
    axes.plot(ends, ends, color=FAINT, linewidth=0.8, zorder=1)


def _draw_points(axes: Axes, points: Sequence[MeasuredPoint]) -> None:
    """With a bar over what was measured."""
    colours = _colours(points)
    for point in points:
        colour = colours[point.link]
        if point.spread is not None:
            axes.plot(point.spread, [point.predicted] * 2, color=colour, linewidth=0.8, zorder=2)
        axes.plot(
            point.measured,
            point.predicted,
            linestyle="none",
            marker=strategy_style(point.strategy).marker,
            markersize=4.5,
            markerfacecolor="none" if point.hollow else colour,
            markeredgecolor=colour if point.hollow else "white",
            markeredgewidth=0.9 if point.hollow else 0.4,
            zorder=2.5 if point.hollow else 3,
        )


def _colours(points: Sequence[MeasuredPoint]) -> dict[str, str]:
    links = dict.fromkeys(point.link for point in points)
    return {link: LINK_COLOURS[place % len(LINK_COLOURS)] for place, link in enumerate(links)}


def _explain_looks(axes: Axes, points: Sequence[MeasuredPoint]) -> None:
    """Entries of the legend that stand for no point."""
    for strategy in in_order(point.strategy for point in points):
        marker = strategy_style(strategy).marker
        axes.plot([], [], linestyle="none", marker=marker, color="black", label=plain(strategy))
    for link, colour in _colours(points).items():
        if link:
            axes.plot([], [], linestyle="-", linewidth=4, color=colour, label=plain(link))
    if any(point.hollow for point in points):
        axes.plot([], [], linestyle="none", marker="o", markerfacecolor="none", color="black", label="not judged")


PLOT = Plot(NAME, "predicted against measured times, as `validate` writes them", draw_predicted_measured, COLUMNS)
