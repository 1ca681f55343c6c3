"""Where the latency goes: a stacked bar a result, a colour a part of the critical path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from prism_sim.figures.style import EDGE
from prism_sim.pages.charts.look import (
    BAR_PIXELS,
    FURTHEST,
    INK,
    AxisAmounts,
    Rows,
    finished,
    layered,
    over,
    part_colours,
    tooltips,
)

TITLE = "Where the latency goes"


def parts_chart(bars: Mapping[str, Mapping[str, float]], title: str = TITLE) -> alt.LayerChart:
    """bars: under each one's name, the seconds of each part, as a result's `breakdown_s`; from the top down.

    Raises ValueError if there is none.
    """
    if not bars:
        raise ValueError("there is no bar to draw: give the parts of at least one latency")
    totals_s = {name: sum(parts.values()) for name, parts in bars.items()}
    amounts = AxisAmounts.of("latency_s", [*totals_s.values()])
    parts = [part for part in next(iter(bars.values())) if any(one.get(part, 0.0) for one in bars.values())]
    longest = FURTHEST * max(totals_s.values()) / amounts.factor
    order = alt.Y("name:N", sort=list(bars), title=None)
    bar = (
        over(_rows(bars, parts, amounts))
        .mark_bar(stroke=EDGE, strokeWidth=0.5)
        .encode(
            x=alt.X("seconds:Q", stack="zero", title=amounts.title, scale=alt.Scale(domainMax=longest)),
            y=order,
            color=alt.Color("part:N", scale=part_colours(parts), title=None),
            order="place:Q",
            tooltip=tooltips(name="of", part="part", text="time", share="share"),
        )
    )
    ends = [
        {"name": name, "end": total / amounts.factor, "text": amounts.text(total)} for name, total in totals_s.items()
    ]
    words = over(ends).mark_text(align="left", dx=4, color=INK)
    return finished(
        layered(bar, words.encode(x="end:Q", y=order, text="text:N")),
        alt.Step(BAR_PIXELS),
        title,
        f"Stacked bars: {'; '.join(_said(name, parts, amounts) for name, parts in bars.items())}.",
        ["along the critical path; the parts add up to the whole"],
    )


def _rows(bars: Mapping[str, Mapping[str, float]], parts: Sequence[str], amounts: AxisAmounts) -> Rows:
    return [
        {
            "name": name,
            "part": part,
            "place": place,
            "seconds": found.get(part, 0.0) / amounts.factor,
            "text": amounts.text(found.get(part, 0.0)),
            "share": f"{100 * found.get(part, 0.0) / (sum(found.values()) or 1.0):.1f} %",
        }
        for name, found in bars.items()
        for place, part in enumerate(parts)
    ]


def _said(name: str, parts: Mapping[str, float], amounts: AxisAmounts) -> str:
    """'prism takes 415 ms, of which compute 375 ms, transfer 17 ms'."""
    longest = sorted((part for part in parts if parts[part]), key=lambda part: -parts[part])
    of_which = ", ".join(f"{part} {amounts.text(parts[part])}" for part in longest)
    return f"{name} takes {amounts.text(sum(parts.values()))}" + (f", of which {of_which}" if of_which else "")
