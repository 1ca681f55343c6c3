"""Strategies beside each other on the same hardware: latency with its range; exact and lossy differ in shape too."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import numpy as np

from prism_sim.figures.rows import checked
from prism_sim.pages.charts.look import (
    BAR_PIXELS,
    FURTHEST,
    INK,
    AxisAmounts,
    Rows,
    finished,
    layered,
    over,
    strategy_styles,
    tooltips,
)
from prism_sim.pages.charts.rows import Results, rows_of

NAME, TITLE = "a chart of strategies", "Strategies on the same hardware"
EXACT, LOSSY = "exact outputs", "loses something"
SHAPES = {EXACT: "circle", LOSSY: "diamond"}
HOW = "circle: exact; hollow diamond: loses something"
SAMPLED = "line: 5 % to 95 % of samples of the numbers' fits"


def strategies_chart(results: Results, title: str = TITLE) -> alt.LayerChart:
    """A bar a result, the fastest first. results: of `compare`, or several of `run`.

    A table has `strategy` and `latency_s`; `lossless`, `n_ranks`, `latency_low_s` and `latency_high_s` where known.
    Raises ValueError where there is nothing to draw.
    """
    table = checked(rows_of(results), NAME, "latency_s", "strategy").sort_values("latency_s", kind="stable")
    ends = [table[column] for column in ("latency_s", "latency_high_s") if column in table]
    amounts = AxisAmounts.of("latency_s", [value for column in ends for value in column.dropna()])
    rows = _told_apart([_row(row, amounts) for _, row in table.iterrows()])
    furthest = [row["furthest"] for row in rows]
    order = alt.Y("name:N", sort=[row["name"] for row in rows], title=None)
    styles = strategy_styles(list(table["strategy"]))
    colours = alt.Scale(domain=list(styles), range=[style.colour for style in styles.values()])
    base = over(rows).encode(y=order)
    along = alt.X("latency:Q", title=amounts.title, scale=alt.Scale(zero=True, domainMax=FURTHEST * max(furthest)))
    shown = tooltips(name="way", text="latency", within="range", outputs="outputs")
    bars = base.mark_bar(size=10, opacity=0.55).encode(
        x=along, color=alt.Color("strategy:N", scale=colours, legend=None), tooltip=shown
    )
    ranges = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2, color=INK)
    own_fill = alt.Fill("strategy:N", scale=colours, legend=None)
    points = base.mark_point(size=110, strokeWidth=2, opacity=1).encode(
        x="latency:Q",
        stroke=alt.Stroke("strategy:N", scale=colours, legend=None),
        fill=alt.condition(alt.datum.outputs == LOSSY, alt.value("white"), own_fill),
        shape=alt.Shape("outputs:N", scale=alt.Scale(domain=list(SHAPES), range=list(SHAPES.values())), legend=None),
        tooltip=shown,
    )
    words = base.mark_text(align="left", dx=12, color=INK).encode(x="furthest:Q", text="text:N")
    has_range = any(row["low"] is not None for row in rows)
    drawn = [bars, *([ranges.encode(x="low:Q", x2="high:Q")] if has_range else []), points, words]
    chart = layered(*drawn)
    return finished(chart, alt.Step(BAR_PIXELS), title, _said(rows), [HOW, SAMPLED if has_range else ""])


def _row(row: Any, amounts: AxisAmounts) -> dict[str, Any]:
    devices = int(row.get("n_ranks") or 1)
    low, high = row.get("latency_low_s"), row.get("latency_high_s")
    known = low is not None and high is not None and math.isfinite(low)
    alone = f"{row['on']} alone" if isinstance(row.get("on"), str) else str(row["strategy"])
    return {
        "name": f"{row['strategy']} x{devices}" if devices > 1 else alone,
        "strategy": row["strategy"],
        "latency": row["latency_s"] / amounts.factor,
        "text": amounts.text(row["latency_s"]),
        "low": low / amounts.factor if known else None,
        "high": high / amounts.factor if known else None,
        "furthest": max(row["latency_s"], high if known else 0.0) / amounts.factor,
        "within": f"{amounts.text(low)} to {amounts.text(high)}" if known else "not known",
        "outputs": EXACT if _is_exact(row) else LOSSY,
    }


def _is_exact(row: Any) -> bool:
    """As the row says; what says nothing of it loses something if it compresses."""
    lossless = row.get("lossless")
    return bool(lossless) if isinstance(lossless, (bool, np.bool_)) else not (row.get("compression_rate") or 0.0) > 1


def _told_apart(rows: Rows) -> Rows:
    """Names once each: what stands for one row must not hide another."""
    seen: dict[str, int] = {}
    found = []
    for row in rows:
        number = seen[row["name"]] = seen.get(row["name"], 0) + 1
        found.append(row if number == 1 else {**row, "name": f"{row['name']} ({number})"})
    return found


def _said(rows: Rows) -> str:
    """'Bars, the fastest first: prism x2 415 ms (loses something), ...'"""
    each = [f"{row['name']} {row['text']} ({row['outputs']})" for row in rows]
    return f"Bars, the fastest first: {', '.join(each)}."
