"""Many points: two results against each other, with the front, a brush, and choices of strategy and of devices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
from pandas import DataFrame

from prism_sim.figures.compression import fidelity_column
from prism_sim.figures.pareto import front
from prism_sim.figures.quantities import quantity
from prism_sim.figures.rows import checked, named_text, numeric, varying
from prism_sim.figures.style import FAINT
from prism_sim.pages.charts.look import (
    HEIGHT_PIXELS,
    AxisAmounts,
    Rows,
    colours,
    finished,
    layered,
    over,
    shapes,
    strategy_styles,
    tooltips,
)
from prism_sim.pages.charts.rows import Results, rows_of

NAME, ALL = "a chart of points", "all"
MOST_POINTS = 3000  # that a browser still redraws at once; beyond, the front and every so many-th other
STRATEGY, DEVICES, BRUSH = "strategy_chosen", "devices_chosen", "brushed"  # signals that a page may listen to
WORDS = 60  # letters of what a point is


def points_chart(results: Results, x: str = "latency_s", y: str = "", title: str = "") -> alt.LayerChart:
    """A point a row, large on the front: no other row is at least as good in both and better in one.

    results: with `strategy`, x and y (default: a task's `accuracy`, else fidelity, else energy, else bytes sent).
    Dragging chooses points; the others fade. Where several strategies or numbers of devices are there, so is a choice.
    Raises ValueError for a missing column or nothing to draw.
    """
    table = rows_of(results)
    y = y or second_column(table)
    rows = chosen_rows(table, x, y)
    amounts = AxisAmounts.of(x, rows[x]), AxisAmounts.of(y, rows[y])
    better = (quantity(x).better, quantity(y).better)
    best = front([(float(a), float(b)) for a, b in zip(rows[x], rows[y], strict=True)], better)
    kept = sorted({*best, *_some(len(rows))})
    drawn = _rows(rows, kept, set(best), amounts)
    styles = strategy_styles(list(rows["strategy"]))
    choices = _choices(drawn, list(styles))
    brush = alt.selection_interval(name=BRUSH)
    base = (
        over(drawn)
        .transform_filter(_chosen(choices))
        .encode(
            x=alt.X("x:Q", scale=amounts[0].scale(), axis=amounts[0].axis()),
            y=alt.Y("y:Q", scale=amounts[1].scale(), axis=amounts[1].axis()),
        )
    )
    points = base.mark_point(filled=True, aria=False).encode(
        color=colours(styles),
        shape=shapes(styles),
        size=alt.condition("datum.best", alt.value(110), alt.value(35)),
        opacity=alt.condition(brush, alt.value(0.9), alt.value(0.12)),
        tooltip=tooltips(name="strategy", words="at", x_text=quantity(x).label, y_text=quantity(y).label),
    )
    line = base.transform_filter("datum.best").mark_line(color=FAINT, aria=False).encode(order="x:Q")
    chart = layered(line, points.add_params(brush, *choices.values()))
    left_out = f"{len(kept)} of {len(rows)} points are drawn" if len(kept) < len(rows) else ""
    heading = title or f"{quantity(y).label.capitalize()} against {quantity(x).label}"
    how = f"large: the front ({_wish(x)}, {_wish(y)}); drag over points to choose them"
    return finished(chart, HEIGHT_PIXELS, heading, _said(rows, best, amounts, left_out), [how, left_out])


def second_column(table: DataFrame) -> str:
    """What is traded for latency: what is known of the outputs, else energy, else bytes."""
    known = [one for one in ("accuracy", fidelity_column(table), "energy_j") if one and one in table]
    return next((one for one in known if table[one].notna().any()), "sent_bytes")


def chosen_rows(table: DataFrame, x: str, y: str) -> DataFrame:
    """The rows that have both. Raises ValueError if none has."""
    rows = checked(table, NAME, x, y, "strategy")
    rows = numeric(numeric(rows, NAME, x), NAME, y).dropna(subset=[x, y]).reset_index(drop=True)
    if rows.empty:
        raise ValueError(f"{NAME}: no row has both {x} and {y}, so there is nothing to draw")
    return rows


def _some(n_rows: int) -> range:
    return range(0, n_rows, max(1, math.ceil(n_rows / MOST_POINTS)))


def _rows(rows: DataFrame, kept: Sequence[int], best: set[int], amounts: tuple[AxisAmounts, AxisAmounts]) -> Rows:
    fields = varying(rows)
    found: Rows = []
    for number in kept:
        row = rows.iloc[number]
        x, y = (float(row[one.column]) for one in amounts)
        found.append(
            {
                "point": number,
                "name": str(row["strategy"]),
                "devices": _devices(row),
                "best": number in best,
                "words": ", ".join(named_text(field, row[field]) for field in fields)[:WORDS],
                "x": x / amounts[0].factor,
                "y": y / amounts[1].factor,
                "x_text": amounts[0].text(x),
                "y_text": amounts[1].text(y),
            }
        )
    return found


def _devices(row: Any) -> str:
    many = row.get("n_ranks")
    return "" if many is None or many != many else f"{many:.0f}"


def _choices(drawn: Rows, strategies: Sequence[str]) -> dict[str, alt.Parameter]:
    """By the field of a row: of strategies and of numbers of devices, where there are several."""
    devices = sorted({row["devices"] for row in drawn} - {""}, key=int)
    asked = (("name", STRATEGY, "strategy", strategies), ("devices", DEVICES, "devices", devices))
    return {field: _choice(signal, label, values) for field, signal, label, values in asked if len(values) > 1}


def _choice(signal: str, label: str, values: Sequence[str]) -> alt.Parameter:
    return alt.param(name=signal, value=ALL, bind=alt.binding_select(options=[ALL, *values], name=f"{label} "))


def _chosen(choices: Mapping[str, alt.Parameter]) -> str:
    """Of a point: it is what every choice says."""
    conditions = [f"({one.name} == '{ALL}' || datum.{field} == {one.name})" for field, one in choices.items()]
    return " && ".join(conditions) or "true"


def _wish(column: str) -> str:
    return f"{'less' if quantity(column).better == 'low' else 'more'} {quantity(column).label}"


def _said(rows: DataFrame, best: Sequence[int], amounts: tuple[AxisAmounts, AxisAmounts], left_out: str) -> str:
    x, y = amounts
    ends = [rows.iloc[number] for number in dict.fromkeys((best[0], best[-1]))]
    each = " and ".join(
        f"{row['strategy']} at {x.text(float(row[x.column]))} with {y.text(float(row[y.column]))}" for row in ends
    )
    label = f"{quantity(y.column).label} against {quantity(x.column).label}"
    return f"{len(rows)} points of {label}; the front has {len(best)}, its ends are {each}. {left_out}".strip()
