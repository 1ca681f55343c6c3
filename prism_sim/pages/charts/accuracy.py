"""What speed costs: a task's metric against latency, with its interval, and the undistributed model's across."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from prism_sim.figures.quantities import quantity
from prism_sim.figures.rows import UNDISTRIBUTED, checked, named_text, varying
from prism_sim.figures.style import FAINT
from prism_sim.pages.charts.look import (
    HEIGHT_PIXELS,
    AxisAmounts,
    Layer,
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

NAME, METRIC = "a chart of accuracy", "accuracy_metric"
INTERVALS = "vertical lines: 95 % intervals"


def accuracy_chart(results: Results, title: str = "") -> alt.LayerChart:
    """A point a row, where the metric is known.

    results: `accuracy`, `latency_s` and `strategy`, as `accuracy` and `sweep` write them, or of `run` with a task;
    `accuracy_low` and `accuracy_high` where known. `accuracy_metric` names what `accuracy` is.
    Raises ValueError for a missing column, several metrics, or nothing to draw.
    """
    table = checked(rows_of(results), NAME, "accuracy", "latency_s", "strategy").dropna(subset=["latency_s"])
    metrics = [str(name) for name in table[METRIC].dropna().unique()] if METRIC in table else ["accuracy"]
    if len(metrics) > 1:
        raise ValueError(f"{NAME}: {', '.join(metrics)} cannot share an axis; keep the rows of one")
    metric = metrics[0]
    values = [table[name] for name in ("accuracy", "accuracy_low", "accuracy_high") if name in table]
    x, y = (
        AxisAmounts.of("latency_s", table["latency_s"]),
        AxisAmounts.of(metric, [v for one in values for v in one.dropna()]),
    )
    rows = _rows(table, x, y)
    styles = strategy_styles(list(table["strategy"]))
    base = over(rows).encode(x=alt.X("x:Q", scale=x.scale(zero=True), axis=x.axis()), color=colours(styles))
    points = base.mark_point(filled=True, opacity=1, size=90).encode(
        shape=shapes(styles),
        y=alt.Y("y:Q", scale=alt.Scale(zero=False), axis=alt.Axis(title=y.title)),
        tooltip=tooltips(name="strategy", words="at", x_text="latency", text=quantity(metric).label, within="interval"),
    )
    drawn: list[Layer] = []
    has_intervals = any(row["low"] is not None for row in rows)
    if has_intervals:
        bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=1.5)
        drawn.append(bars.encode(y="low:Q", y2="high:Q"))
    if UNDISTRIBUTED in table and table[UNDISTRIBUTED].notna().any():
        drawn.append(_level(float(table[UNDISTRIBUTED].dropna().iloc[0]), y))
    heading = title or f"{quantity(metric).label.capitalize()} against latency"
    each = "; ".join(f"{row['name']} {row['text']} at {row['x_text']}" for row in rows[:6])
    said = f"Points of {quantity(metric).label} against latency: {each}{'; and others' if len(rows) > 6 else ''}."
    return finished(layered(*drawn, points), HEIGHT_PIXELS, heading, said, [INTERVALS] if has_intervals else [])


def _level(amount: float, y: AxisAmounts) -> alt.LayerChart:
    """The model as it is, on one device."""
    text = f"undistributed: {y.text(amount)}"
    base = over([{"y": amount / y.factor, "text": text}]).encode(y="y:Q")
    words = base.mark_text(align="left", baseline="bottom", dx=4, dy=-2, color="#444444").encode(x=alt.value(0))
    return layered(base.mark_rule(color=FAINT, strokeDash=[4, 3]), words.encode(text="text:N"))


def _rows(table: Any, x: AxisAmounts, y: AxisAmounts) -> Rows:
    fields = varying(table)
    found: Rows = []
    for _, row in table.iterrows():
        low, high = row.get("accuracy_low"), row.get("accuracy_high")
        known = low is not None and high is not None and math.isfinite(low)
        found.append(
            {
                "name": str(row["strategy"]),
                "words": ", ".join(named_text(field, row[field]) for field in fields),
                "x": row["latency_s"] / x.factor,
                "y": row["accuracy"] / y.factor,
                "low": low / y.factor if known else None,
                "high": high / y.factor if known else None,
                "x_text": x.text(row["latency_s"]),
                "text": y.text(row["accuracy"]),
                "within": f"{y.text(low)} to {y.text(high)}" if known else "not known",
            }
        )
    return found
