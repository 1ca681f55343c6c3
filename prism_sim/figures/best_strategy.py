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
    winners = _winners(rows, (x, y), (across, up), by)
    found = in_order(strategy for strategy, _ in winners.values())
    with look():
        figure = new_figure(COLUMN_INCHES, min(4.5, 1.4 + max(0.28 * len(up), 1.2)))
        axes = figure.add_subplot()
        for strategy in found:
            style = strategy_style(strategy)
            cells = [
                Rectangle((column - 0.5, row - 0.5), 1, 1)
                for (column, row), (winner, _) in winners.items()
                if winner == strategy
            ]
            held = PatchCollection(cells, facecolor=style.colour, edgecolor="#FFFFFF90", linewidth=0.4, label=strategy)
            held.set_hatch(style.hatch or "")
            axes.add_collection(held)
        _write_ratios(axes, rows, winners, (x, y), (across, up), by)
        _ticks(axes, x, across, "x")
        _ticks(axes, y, up, "y")
        axes.grid(visible=False)
        axes.set_facecolor("#F4F4F4")
        handles = [
            Patch(facecolor=style.colour, edgecolor="white", hatch=style.hatch, label=plain(strategy), linewidth=0.4)
            for strategy in found
            for style in [strategy_style(strategy)]
        ]
        if len(winners) < len(across) * len(up):
            handles.append(Patch(facecolor="#F4F4F4", edgecolor=EDGE, linewidth=0.4, label="none possible"))
        figure.legend(handles=handles, loc="outside lower center", ncols=min(3, len(handles)), title=_legend_title(by))
        figure.legends[0].get_title().set_fontsize(7)
        add_title(figure, title)
    return figure


def _legend_title(by: str) -> str:
    kind = quantity(by)
    word = {"latency_s": "fastest", "energy_j": "least energy"}.get(by)
    return word or f"{'least' if kind.better == 'low' else 'most'} {kind.label}"


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


def _places(rows: DataFrame, fields: tuple[str, str], values: tuple[Sequence[Any], Sequence[Any]]) -> Any:
    """Of each row, its column and row on the map."""
    numbers = [{str(value): number for number, value in enumerate(known)} for known in values]
    texts = [rows[field].map(str) for field in fields]
    return zip(
        (numbers[0][text] for text in texts[0]),
        (numbers[1][text] for text in texts[1]),
        strict=True,
    )


def _winners(rows: DataFrame, fields: tuple[str, str], values: tuple[Sequence[Any], Sequence[Any]], by: str) -> Winners:
    sign = 1 if quantity(by).better == "low" else -1
    order = {name: number for number, name in enumerate(in_order(rows["strategy"]))}
    best: Winners = {}
    for place, strategy, amount in zip(_places(rows, fields, values), rows["strategy"], rows[by], strict=True):
        rival = best.get(place)
        if rival is None or (sign * amount, order[strategy]) < (sign * rival[1], order[rival[0]]):
            best[place] = (strategy, float(amount))
    return best


def _write_ratios(
    axes: Axes,
    rows: DataFrame,
    winners: Winners,
    fields: tuple[str, str],
    values: tuple[Sequence[Any], Sequence[Any]],
    by: str,
) -> None:
    singles = rows[rows["strategy"] == "single"]
    if len(winners) > MOST_TEXTS or len(values[0]) > 10 or singles.empty:
        return
    alone = _winners(singles, fields, values, by)
    for place, (strategy, amount) in winners.items():
        if strategy != "single" and place in alone and amount:
            ratio = alone[place][1] / amount
            better = ratio if quantity(by).better == "low" else 1 / ratio
            axes.annotate(
                f"{better:.1f}×" if better < 9.95 else f"{better:.0f}×",
                place,
                ha="center",
                va="center",
                fontsize=6.5,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )


def _ticks(axes: Axes, field: str, values: Sequence[Any], name: str) -> None:
    axis = axes.xaxis if name == "x" else axes.yaxis
    kind = quantity(field)
    is_number = all(isinstance(value, Real) for value in values)
    if is_number:
        factor, unit = kind.scale(float(value) for value in values)
        texts = [short(float(value) / factor) for value in values]
        label = kind.axis_label(unit)
    else:
        texts, label = [text_of(field, value) for value in values], kind.label
    step = math.ceil(len(values) / MOST_TICKS)
    shown = range(0, len(values), step)
    axis.set_ticks(list(shown), [plain(texts[number]) for number in shown])
    axes.set(**{f"{name}lim": (-0.5, len(values) - 0.5), f"{name}label": label})


PLOT = Plot(NAME, "which strategy wins, on a map over two fields (--x, --y)", draw_best_strategy, COLUMNS)
