"""Where two strategies cost the same: both latencies along a field, and the places where their order changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import altair as alt

from prism_sim.figures.quantities import quantity
from prism_sim.figures.rows import named_text
from prism_sim.pages.charts.look import (
    HEIGHT_PIXELS,
    INK,
    AxisAmounts,
    Layer,
    colours,
    dashes,
    finished,
    layered,
    marked,
    over,
    shapes,
    strategy_styles,
    tooltips,
)
from prism_sim.pages.charts.rows import Described, described

SAMPLED = "bands: 5 % to 95 % of samples of the numbers' fits"


def break_even_chart(
    result: Described | Mapping[str, Any], present: float | None = None, title: str = ""
) -> alt.LayerChart:
    """A ring where both are equal. result: of `break_even`, or its JSON. present: where the scenario is, in SI.

    Raises KeyError for the JSON of another command.
    """
    found = described(result)
    field = found["field"]
    rows = list(_rows(found))
    x = AxisAmounts.of(field, [row["x"] for row in rows] + ([] if present is None else [present]))
    y = AxisAmounts.of("latency_s", [row[end] for row in rows for end in ("low", "high") if row[end] is not None])
    styles = strategy_styles([found["strategy"], found["against"]])
    base = over([_scaled(row, x, y) for row in rows]).encode(
        x=alt.X("x:Q", scale=x.scale(), axis=x.axis()),
        y=alt.Y("y:Q", scale=y.scale(zero=True), axis=y.axis()),
        color=colours(styles),
    )
    shown = tooltips(name="strategy", at=quantity(field).label, text="latency")
    drawn: list[Layer] = [
        base.mark_area(opacity=0.2, aria=False).encode(y="low:Q", y2="high:Q"),
        base.mark_line(aria=False).encode(strokeDash=dashes(styles)),
        base.mark_point(filled=True, opacity=1, size=25).encode(shape=shapes(styles), tooltip=shown),
    ]
    if equal := [_equal(one, x, y) for one in found["crossings"] if one["at"] is not None]:
        rings = over(equal).encode(x="x:Q", y="y:Q")
        drawn.append(
            rings.mark_point(shape="circle", filled=False, size=180, stroke=INK, strokeWidth=1.5).encode(
                tooltip=tooltips(at="equal at", text="latency")
            )
        )
        drawn.append(rings.mark_text(dy=-16, color=INK, fontSize=12).encode(text="at:N"))
    if present is not None:
        drawn.append(marked(x, present))
    heading = title or f"{found['strategy']} against {found['against']} along {quantity(field).label}"
    sampled = SAMPLED if any(one["latency_range_s"] for one in found["points"]) else ""
    return finished(layered(*drawn), HEIGHT_PIXELS, heading, _said(found), [sampled])


def _rows(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for point in found["points"]:
        for name, prefix in ((found["strategy"], ""), (found["against"], "against_")):
            seconds, within = point[f"{prefix}latency_s"], point[f"{prefix}latency_range_s"]
            if seconds is not None:  # it fits there
                low, high = within or (seconds, seconds)
                yield {"name": name, "x": point["value"], "y": seconds, "low": low, "high": high}


def _scaled(row: dict[str, Any], x: AxisAmounts, y: AxisAmounts) -> dict[str, Any]:
    scaled = {end: row[end] / y.factor for end in ("y", "low", "high")}
    return {**row, **scaled, "x": row["x"] / x.factor, "at": named_text(x.column, row["x"]), "text": y.text(row["y"])}


def _equal(crossing: Mapping[str, Any], x: AxisAmounts, y: AxisAmounts) -> dict[str, Any]:
    value, seconds = crossing["at"]["value"], crossing["at"]["latency_s"]
    return {
        "x": value / x.factor,
        "y": seconds / y.factor,
        "at": named_text(x.column, value),
        "text": y.text(seconds),
    }


def _said(found: Mapping[str, Any]) -> str:
    """Which is faster on which side."""
    field, label = found["field"], quantity(found["field"]).label
    places = [
        f"below {named_text(field, one['high']['value'] if one['at'] is None else one['at']['value'])} "
        f"{_winner(one['winner_below'])}, above it {_winner(one['winner_above'])}"
        for one in found["crossings"]
    ]
    throughout = [] if places else [f"{_winner(found['winner_throughout'])} throughout"]
    return f"Latency of {found['strategy']} and {found['against']} along {label}: {'; '.join(places or throughout)}."


def _winner(name: str | None) -> str:
    return "both are equally fast" if name is None else f"{name} is faster"
