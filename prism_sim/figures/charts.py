"""Line charts: one quantity or several along x, a line a strategy, panels for what else varies, bands for seeds."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from prism_sim.figures.quantities import quantity, short
from prism_sim.figures.rows import Line, Panel, lines, panels
from prism_sim.figures.style import (
    COLUMN_INCHES,
    FAINT,
    MARKERS,
    WIDE_INCHES,
    look,
    new_figure,
    plain,
    shaded,
    strategy_style,
)

if TYPE_CHECKING:
    from pandas import DataFrame

LOGARITHMIC_FROM = 8.0  # largest over smallest value
PALEST = 0.6  # white in the last of several variants
LETTERS_PER_INCH = 14  # of a figure's title
LINE_INCHES = 0.16  # of a title or legend


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
    x_log: bool | None = None
    across: Callable[[Line], bool] = lambda line: False
    decorate: Callable[[Axes, Sequence[Line], tuple[float, float]], None] | None = None
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
        x_unit = _unit(chart.x, chart.rows[chart.x])
        for number, y in enumerate(chart.ys):
            y_unit = _unit(y, chart.rows[y])
            drawn: list[tuple[Axes, list[Line]]] = []
            for panel in found:
                axes = grid[0, number] if beside else grid[number * panel_rows + panel.row, panel.column]
                drawn.append((axes, _draw_panel(chart, axes, panel, y, (x_unit[0], y_unit[0]))))
                _label(chart, axes, panel, y, (x_unit[1], y_unit[1]), beside, n_columns)
            for row in range(panel_rows):
                _scale_y([pair for pair, panel in zip(drawn, found, strict=True) if panel.row == row], y, y_unit[0])
            if number == 0 and chart.decorate is not None:
                for axes, shown in drawn:
                    chart.decorate(axes, shown, (x_unit[0], y_unit[0]))
        _scale_x(chart, [axes for row in grid for axes in row], x_unit[0], n_columns > 2)
        if not beside:
            _label_below(grid[-1], quantity(chart.x).axis_label(x_unit[1]))
        add_legend(figure, [axes for row in grid for axes in row])
        add_title(figure, chart.title)
    return figure


def _label_below(bottom: Sequence[Axes], label: str) -> None:
    """Once, in the middle of the lowest row."""
    middle = (len(bottom) - 1) // 2
    bottom[middle].set_xlabel(label, x=0.5 if len(bottom) % 2 else 1.1)


def _unit(column: str, values: Iterable[float]) -> tuple[float, str]:
    return quantity(column).scale(values)


def _draw_panel(chart: Chart, axes: Axes, panel: Panel, y: str, factors: tuple[float, float]) -> list[Line]:
    shown = lines(panel.rows, chart.plot, chart.x, y)
    variants = {line.strategy: [one for one in shown if one.strategy == line.strategy] for line in shown}
    for line in shown:
        own = variants[line.strategy]
        _draw_line(axes, line, (own.index(line), len(own)), factors, chart.across(line))
    if chart.ideal and shown:
        furthest = max(max(line.x) for line in shown)
        axes.plot([1, furthest], [1, furthest], color=FAINT, linestyle=":", linewidth=1, label="ideal")
    return shown


def _draw_line(axes: Axes, line: Line, place: tuple[int, int], factors: tuple[float, float], across: bool) -> None:
    style, (number, many) = strategy_style(line.strategy), place
    colour = shaded(style.colour, PALEST * number / (many - 1)) if many > 1 else style.colour
    if across:
        axes.axhline(
            sum(line.y) / len(line.y) / factors[1], color=colour, linestyle=style.line, label=plain(line.label)
        )
        return
    x = [value / factors[0] for value in line.x]
    marker = MARKERS[number % len(MARKERS)] if many > 1 else style.marker
    axes.plot(
        x,
        [value / factors[1] for value in line.y],
        color=colour,
        marker=marker if len(x) <= 40 else None,
        markeredgecolor="white",
        markeredgewidth=0.4,
        linestyle=style.line,
        label=plain(line.label),
    )
    if line.repeats > 1 and line.low != line.high:
        axes.fill_between(
            x,
            [value / factors[1] for value in line.low],
            [value / factors[1] for value in line.high],
            color=colour,
            alpha=0.25,
            linewidth=0,
            label=f"least to most of {line.repeats} seeds",
        )


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
        axes.annotate(
            chart.notes[y],
            (0.02, 0.02),
            xycoords="axes fraction",
            fontsize=6.5,
            color=FAINT,
            style="italic",
        )


def _scale_y(drawn: Sequence[tuple[Axes, Sequence[Line]]], y: str, factor: float) -> None:
    amounts = [value / factor for _, shown in drawn for line in shown for value in (*line.low, *line.high)]
    if not amounts:
        return
    for axes, _ in drawn:
        if is_wide(amounts):
            log_axis(axes.yaxis, min(amounts), max(amounts))
        elif y in ("fidelity_top1_agreement", "fidelity_cosine"):
            margin = 0.06 * ((max(amounts) - min(amounts)) or abs(max(amounts)))
            axes.set_ylim(min(amounts) - 2 * margin, max(amounts) + margin)
        else:
            axes.set_ylim(min(0.0, 1.08 * min(amounts)), 1.08 * max(amounts) or 1.0)


def _scale_x(chart: Chart, every: Sequence[Axes], factor: float, narrow: bool) -> None:
    moving = [line for line in lines(chart.rows, chart.plot, chart.x, chart.ys[0]) if not chart.across(line)]
    amounts = [value / factor for line in moving for value in line.x]
    log = is_wide(amounts) if chart.x_log is None else chart.x_log and min(amounts) > 0
    whole = all(float(value).is_integer() for value in amounts)
    for axes in every:
        if not axes.has_data():
            axes.set_visible(False)
        if log and min(amounts) < max(amounts):
            log_axis(axes.xaxis, min(amounts), max(amounts), sorted(set(amounts)), narrow)
        elif whole and len(set(amounts)) <= 12:
            axes.xaxis.set_major_locator(FixedLocator(sorted(set(amounts))))
        else:
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=whole))


def is_wide(amounts: Sequence[float]) -> bool:
    """Whether amounts read better on a logarithmic axis."""
    return min(amounts) > 0 and max(amounts) / min(amounts) >= LOGARITHMIC_FROM


def log_axis(axis: Axis, least: float, most: float, points: Sequence[float] = (), narrow: bool = False) -> None:
    """A logarithmic axis with plain numbers: at 1, 2, 5 and their decades, or at powers of two if all points are."""
    name = "x" if axis is axis.axes.xaxis else "y"
    margin = (most / least) ** 0.05
    axis.axes.set(**{f"{name}scale": "log", f"{name}lim": (least / margin, most * margin)})
    if len(points) > 1 and all(math.log2(point).is_integer() for point in points) and len(points) <= 10:
        axis.set_major_locator(FixedLocator(list(points)))
        axis.set_minor_locator(FixedLocator([]))
    else:
        subs = (1.0,) if most / least > (30 if narrow else 150) else (1.0, 2.0, 5.0)
        axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axis.set_minor_formatter(NullFormatter())


def add_title(figure: Figure, title: str) -> None:
    """On the left, in as many lines as it takes."""
    if title:
        wrapped = "\n".join(textwrap.wrap(title, round(LETTERS_PER_INCH * figure.get_figwidth())))
        figure.set_figheight(figure.get_figheight() + LINE_INCHES * (1 + wrapped.count("\n")))
        figure.suptitle(wrapped, x=0.01, ha="left", fontsize=9, parse_math=False)


def add_legend(figure: Figure, every: Sequence[Axes]) -> None:
    """Below everything, each entry once, so that it covers no data."""
    entries: dict[str, Artist] = {}
    for axes in every:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if entries:
        longest = max(map(len, entries))
        fitting = max(1, int(figure.get_figwidth() / (0.5 + 0.055 * longest)))  # inches of a handle and of a letter
        figure.set_figheight(figure.get_figheight() + LINE_INCHES * math.ceil(len(entries) / fitting))
        figure.legend(
            list(entries.values()),
            list(entries),
            loc="outside lower center",
            ncols=min(fitting, len(entries)),
            columnspacing=1.2,
            handlelength=2.8,
        )
