"""Where each strategy wins: a map over two fields, each cell in the colour of the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from prism_sim.figures.base import Plot
from prism_sim.figures.frame import add_title
from prism_sim.figures.quantities import quantity, short
from prism_sim.figures.rows import checked, text_of, values_of, varying, with_references
from prism_sim.figures.style import COLUMN_INCHES, EDGE, in_order, look, new_figure, plain, strategy_style

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "best-strategy"
COLUMNS = ("latency_s", "strategy")
MOST_TICKS = 8
MOST_TEXTS = 60  # cells that are small enough in number to hold their figure

Winners = dict[tuple[int, int], tuple[str, float]]  # strategy and its figure by place


def draw_best_strategy(table: DataFrame, *, x: str = "", y: str = "", by: str = "latency_s", title: str = "") -> Figure:
    """Each cell has the colour of the strategy with the best `by` there, whatever its options and other fields.

    table: `strategy`, `by` and the fields x and y (default: the two that vary, the finer one across). Where single is
    among the rows, cells say how many times better than single the winner is, if there is room.
    Raises ValueError for a missing column, nothing to draw, or no two fields.
    """
    rows = checked(table, NAME, by, "strategy", *(field for field in (x, y) if field))
    rows = with_references(rows) if by == "latency_s" else rows
    x, y = _fields(rows, x, y)
    across, up = values_of(rows, x), values_of(rows, y)
    columns, lines = ([str(value) for value in values] for values in (across, up))
    rows = rows.assign(column=rows[x].map(str).map(columns.index), row=rows[y].map(str).map(lines.index))
    winners = _winners(rows, by)
    with look():
        figure = new_figure(COLUMN_INCHES, min(4.5, 1.4 + max(0.28 * len(up), 1.2)))
        axes = figure.add_subplot()
        handles = []
        for strategy in in_order(strategy for strategy, _ in winners.values()):
            style = strategy_style(strategy)
            looks: dict[str, Any] = {"facecolor": style.colour, "hatch": style.hatch, "linewidth": 0.4}
            handles.append(Patch(**looks, edgecolor="white", label=plain(strategy)))
            own = [place for place, (winner, _) in winners.items() if winner == strategy]
            cells = [Rectangle((column - 0.5, row - 0.5), 1, 1) for column, row in own]
            looks["hatch"] = style.hatch or ""
            axes.add_collection(PatchCollection(cells, **looks, edgecolor="#FFFFFF90", label=strategy))
        singles = rows[rows["strategy"] == "single"]
        if len(winners) <= MOST_TEXTS and len(across) <= 10:
            _write_ratios(axes, winners, _winners(singles, by), quantity(by).better)
        _ticks(axes, x, across, "x")
        _ticks(axes, y, up, "y")
        axes.grid(visible=False)
        axes.set_facecolor("#F4F4F4")
        if len(winners) < len(across) * len(up):
            handles.append(Patch(facecolor="#F4F4F4", edgecolor=EDGE, linewidth=0.4, label="none possible"))
        most = f"{'least' if quantity(by).better == 'low' else 'most'} {quantity(by).label}"
        best_of = {"latency_s": "fastest", "energy_j": "least energy"}.get(by, most)
        figure.legend(handles=handles, loc="outside lower center", ncols=min(3, len(handles)), title=best_of)
        figure.legends[0].get_title().set_fontsize(7)
        add_title(figure, title)
    return figure


def _fields(rows: DataFrame, x: str, y: str) -> tuple[str, str]:
    if x and y:
        return x, y
    own = [field for field in varying(rows, [x, y]) if not field.startswith("strategy.")]
    own.sort(key=lambda field: -len(values_of(rows, field)))
    chosen = [x or (own.pop(0) if own else ""), y or (own.pop(0) if own else "")]
    if not all(chosen) or own:
        known = [field for field in varying(rows) if not field.startswith("strategy.")]
        raise ValueError(
            f"{NAME} needs two fields that vary: --x FIELD --y FIELD; fields that vary: {', '.join(known) or 'none'}"
        )
    return chosen[0], chosen[1]


def _winners(rows: DataFrame, by: str) -> Winners:
    sign = 1 if quantity(by).better == "low" else -1
    order = in_order(rows["strategy"])
    best: Winners = {}
    for column, row, strategy, amount in zip(*(rows[name] for name in ("column", "row", "strategy", by)), strict=True):
        rival = best.get((column, row))
        if rival is None or (sign * amount, order.index(strategy)) < (sign * rival[1], order.index(rival[0])):
            best[column, row] = (strategy, float(amount))
    return best


def _write_ratios(axes: Axes, winners: Winners, alone: Winners, better: str) -> None:
    """How many times better than one device alone the winner is."""
    for place, (strategy, amount) in winners.items():
        if strategy != "single" and place in alone and amount:
            ratio = alone[place][1] / amount
            times = ratio if better == "low" else 1 / ratio
            text = f"{times:.1f}×" if times < 9.95 else f"{times:.0f}×"
            halo = [withStroke(linewidth=2, foreground="white")]
            axes.annotate(text, place, ha="center", va="center", fontsize=6.5, path_effects=halo)


def _ticks(axes: Axes, field: str, values: Sequence[Any], name: str) -> None:
    axis = axes.xaxis if name == "x" else axes.yaxis
    kind = quantity(field)
    if all(isinstance(value, Real) for value in values):
        factor, unit = kind.scale(float(value) for value in values)
        texts = [short(float(value) / factor) for value in values]
        label = kind.axis_label(unit)
    else:
        texts, label = [text_of(field, value) for value in values], kind.label
    shown = range(0, len(values), math.ceil(len(values) / MOST_TICKS))
    axis.set_ticks(list(shown), [plain(texts[number]) for number in shown])
    axes.set(**{f"{name}lim": (-0.5, len(values) - 0.5), f"{name}label": label})


PLOT = Plot(NAME, "which strategy wins, on a map over two fields (--x, --y)", draw_best_strategy, COLUMNS)
