"""Line charts: one quantity or several along x, a line a strategy, panels for what else varies, bands for seeds."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from prism_sim.figures.frame import LETTERS_PER_INCH, add_legend, add_title, is_wide, log_axis
from prism_sim.figures.panels import Panel, PanelLine, lines, panels
from prism_sim.figures.quantities import quantity
from prism_sim.figures.style import (
    COLUMN_INCHES,
    FAINT,
    WIDE_INCHES,
    look,
    new_figure,
    plain,
    strategy_style,
    variant_style,
)

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_MARKERS = 40  # of a line
MOST_TICKS = 12  # at whole numbers
NEAR_ONE = ("fidelity_top1_agreement", "fidelity_cosine")  # zero is too far away to be shown


@dataclass(frozen=True)
class Chart:
    """What a line chart shows. rows: checked. ys: a row of panels each. across: strategies that do not move along x.

    decorate: adds to a panel of the first quantity, given its lines (in SI) and the units of both axes.
    """

    plot: str
    rows: DataFrame
    x: str
    ys: tuple[str, ...]
    title: str = ""
    across: Callable[[PanelLine], bool] = lambda line: False
    decorate: Callable[[Axes, Sequence[PanelLine], tuple[float, float]], None] | None = None
    ideal: bool = False
    notes: dict[str, str] = field(default_factory=dict)


def draw_chart(chart: Chart) -> Figure:
    """Raises ValueError if there is too much for one picture."""
    found = panels(chart.rows, chart.plot, chart.x)
    beside = len(found) == 1  # several quantities stand side by side where nothing else varies
    n_columns = len(chart.ys) if beside else 1 + max(panel.column for panel in found)
    panel_rows = 1 + max(panel.row for panel in found)
    n_rows = 1 if beside else len(chart.ys) * panel_rows
    width = COLUMN_INCHES if n_columns == 1 else WIDE_INCHES
    height = 0.3 + (2.1 if n_columns <= 2 else 1.55) * n_rows
    with look():
        figure = new_figure(width, height)
        grid = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=False if beside else "row")
        x_unit = quantity(chart.x).scale(chart.rows[chart.x])
        places = set[float]()
        for number, y in enumerate(chart.ys):
            y_unit = quantity(y).scale(chart.rows[y])
            drawn: list[tuple[Axes, list[PanelLine]]] = []
            for panel in found:
                axes = grid[0, number] if beside else grid[number * panel_rows + panel.row, panel.column]
                drawn.append((axes, _draw_panel(chart, axes, panel, y, (x_unit[0], y_unit[0]))))
                _label(chart, axes, panel, y, (x_unit[1], y_unit[1]), beside, n_columns)
            moving = [line for _, shown in drawn for line in shown if not chart.across(line)]
            places.update(value / x_unit[0] for line in moving for value in line.x)
            for row in range(panel_rows):
                _scale_y([pair for pair, panel in zip(drawn, found, strict=True) if panel.row == row], y, y_unit[0])
            if number == 0 and chart.decorate is not None:
                for axes, shown in drawn:
                    chart.decorate(axes, shown, (x_unit[0], y_unit[0]))
        _scale_x(list(grid.flat), sorted(places), n_columns > 2)
        if not beside:
            middle = (n_columns - 1) // 2  # once, below the lowest row
            grid[-1][middle].set_xlabel(quantity(chart.x).axis_label(x_unit[1]), x=0.5 if n_columns % 2 else 1.1)
        add_legend(figure, list(grid.flat))
        add_title(figure, chart.title)
    return figure


def _draw_panel(chart: Chart, axes: Axes, panel: Panel, y: str, factors: tuple[float, float]) -> list[PanelLine]:
    shown = lines(panel.rows, chart.plot, chart.x, y)
    variants = {line.strategy: [one for one in shown if one.strategy == line.strategy] for line in shown}
    for line in shown:
        own = variants[line.strategy]
        _draw_line(axes, line, (own.index(line), len(own)), factors, chart.across(line))
    if chart.ideal and shown:
        furthest = max(max(line.x) for line in shown)
        axes.plot([1, furthest], [1, furthest], color=FAINT, linestyle=":", linewidth=1, label="ideal")
    return shown


def _draw_line(axes: Axes, line: PanelLine, place: tuple[int, int], factors: tuple[float, float], across: bool) -> None:
    style, label = variant_style(line.strategy, *place), plain(line.label)
    if across:
        axes.axhline(sum(line.y) / len(line.y) / factors[1], color=style.colour, linestyle=style.line, label=label)
        return
    x, y, low, high = line.x / factors[0], line.y / factors[1], line.low / factors[1], line.high / factors[1]
    axes.plot(
        x,
        y,
        color=style.colour,
        marker=style.marker if len(x) <= MOST_MARKERS else None,
        markeredgecolor="white",
        markeredgewidth=0.4,
        linestyle=strategy_style(line.strategy).line,
        label=label,
    )
    if line.band and line.intervals:  # as bars: bands of several lines would cover each other
        around = np.maximum(0.0, [line.y - line.low, line.high - line.y]) / factors[1]
        axes.errorbar(x, y, around, fmt="none", ecolor=style.colour, elinewidth=0.8, capsize=1.8, label=line.band)
    elif line.band:
        axes.fill_between(x, low, high, color=style.colour, alpha=0.25, linewidth=0, label=line.band)


def _label(
    chart: Chart, axes: Axes, panel: Panel, y: str, units: tuple[str, str], beside: bool, n_columns: int
) -> None:
    if beside:
        axes.set_xlabel(quantity(chart.x).axis_label(units[0]))
    if beside or panel.column == 0:
        label = quantity(y).axis_label(units[1])
        lines_of_label = textwrap.wrap(label, 26) if n_columns > 2 else [label]
        axes.set_ylabel("\n".join([plain(panel.down), *lines_of_label] if panel.down else lines_of_label))
    if panel.across and panel.row == 0 and y == chart.ys[0]:
        wrapped = textwrap.wrap(panel.across, round(LETTERS_PER_INCH * WIDE_INCHES / n_columns))
        axes.set_title("\n".join(wrapped), loc="left", fontsize=8, parse_math=False)
    if y in chart.notes:
        looks: dict[str, Any] = {"fontsize": 6.5, "color": FAINT, "style": "italic"}
        axes.annotate(chart.notes[y], (0.02, 0.02), xycoords="axes fraction", **looks)


def _scale_y(drawn: Sequence[tuple[Axes, Sequence[PanelLine]]], y: str, factor: float) -> None:
    amounts = [value / factor for _, shown in drawn for line in shown for value in (*line.low, *line.high)]
    if not amounts:
        return
    is_metric = any(line.intervals for _, own in drawn for line in own)  # whose ratios mean nothing
    for axes, _ in drawn:
        if is_wide(amounts) and not is_metric:
            log_axis(axes.yaxis, min(amounts), max(amounts))
        elif is_metric or y in NEAR_ONE:
            margin = 0.06 * ((max(amounts) - min(amounts)) or abs(max(amounts)))
            axes.set_ylim(min(amounts) - 2 * margin, max(amounts) + margin)
        else:
            axes.set_ylim(min(0.0, 1.08 * min(amounts)), 1.08 * max(amounts) or 1.0)


def _scale_x(every: Sequence[Axes], places: Sequence[float], narrow: bool) -> None:
    whole = all(place.is_integer() for place in places)
    for axes in every:
        axes.set_visible(axes.has_data())
        if not places:
            continue
        if is_wide(places):
            log_axis(axes.xaxis, places[0], places[-1], places, narrow)
        elif whole and len(places) <= MOST_TICKS:
            axes.xaxis.set_major_locator(FixedLocator(list(places)))
        else:
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=whole))
