"""Who did what when: a lane for each participant's processor, and one for the messages that it sends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import altair as alt

from prism_sim.figures.style import EDGE
from prism_sim.figures.timeline import PROCESSOR_KINDS, SENDING_KINDS
from prism_sim.pages.charts.look import AxisAmounts, Rows, finished, layered, over, part_colours, tooltips
from prism_sim.simulation.simulate import Simulation
from prism_sim.timing.timeline import Span

KINDS = (*PROCESSOR_KINDS, *SENDING_KINDS)
MOST_SPANS = 4000  # that a browser still moves smoothly; then only the first participants are drawn
LANE_PIXELS = 24
HOW = "drag: move; Alt and wheel: zoom; double click: all of it"


def timeline_chart(simulation: Simulation, title: str = "Who does what when") -> alt.LayerChart:
    """Of one pass over the input; where text is generated, up to the first token.

    Of many participants, only the first are drawn, as the subtitle says.
    """
    spans = [span for span in simulation.timeline.spans if span.end_s > span.start_s]
    names = _names(simulation)
    drawn, n_lanes = _drawn(spans)
    amounts = AxisAmounts.of("latency_s", [simulation.timeline.latency_s])
    kinds = [kind for kind in KINDS if any(span.kind == kind for span in drawn)]
    lanes = list(dict.fromkeys(_lane(span, names) for span in sorted(drawn, key=_order)))
    zoom = alt.selection_interval(bind="scales", encodings=["x"], zoom="wheel![event.altKey]", name="zoomed")
    chart = (
        over(_rows(drawn, names, amounts))
        .mark_rect(stroke=EDGE, strokeWidth=0.4, clip=True, aria=False)
        .encode(
            x=alt.X(
                "start:Q",
                scale=alt.Scale(domain=[0, simulation.timeline.latency_s / amounts.factor], nice=False),
                axis=alt.Axis(title=f"time ({amounts.unit})"),
            ),
            x2="end:Q",
            y=alt.Y("lane:N", sort=lanes, title=None),
            color=alt.Color("kind:N", scale=part_colours(kinds), title=None),
            tooltip=tooltips(lane="who", kind="what", label="step", begins="from", takes="takes"),
        )
        .add_params(zoom)
    )
    shown = {span.participant for span in drawn}
    left_out = f"the first {len(shown)} of {n_lanes} participants" if len(shown) < n_lanes else ""
    return finished(layered(chart), alt.Step(LANE_PIXELS), title, _said(simulation, names, left_out), [HOW, left_out])


def _drawn(spans: Sequence[Span]) -> tuple[list[Span], int]:
    """Those of as many participants as may be, at least one, and how many there are."""
    kept: list[Span] = []
    by_participant = [list(run) for _, run in groupby(sorted(spans, key=_order), key=lambda span: span.participant)]
    for own in by_participant:
        if kept and len(kept) + len(own) > MOST_SPANS:
            break
        kept += own
    return kept, len(by_participant)


def _order(span: Span) -> tuple[int, bool, float]:
    return span.participant, span.kind in SENDING_KINDS, span.start_s


def _names(simulation: Simulation) -> list[str]:
    """Of the participants; those of one device are told apart by their number."""
    found = simulation.participant_names
    return [f"{name}, rank {one}" if found.count(name) > 1 else name for one, name in enumerate(found)]


def _lane(span: Span, names: Sequence[str]) -> str:
    return f"{names[span.participant]} {'sends' if span.kind in SENDING_KINDS else 'works'}"


def _rows(spans: Sequence[Span], names: Sequence[str], amounts: AxisAmounts) -> Rows:
    return [
        {
            "lane": _lane(span, names),
            "kind": span.kind,
            "label": span.label,
            "start": round(span.start_s / amounts.factor, 9),
            "end": round(span.end_s / amounts.factor, 9),
            "begins": amounts.text(span.start_s),
            "takes": amounts.text(span.end_s - span.start_s),
        }
        for span in spans
    ]


def _said(simulation: Simulation, names: Sequence[str], left_out: str) -> str:
    """The busy and the waiting time of each, in words."""
    amounts, timeline = AxisAmounts.of("latency_s", [simulation.timeline.latency_s]), simulation.timeline
    each = [
        f"{name} works {amounts.text(timeline.participant_busy_s[one])} and waits {amounts.text(timeline.wait_s[one])}"
        for one, name in enumerate(names)
        if simulation.plan.programs[one]
    ]
    lanes = left_out or "one or two a participant"
    others = "; and others" if len(each) > 8 else ""
    return f"Lanes of time, {lanes}, from 0 to {amounts.text(timeline.latency_s)}: {'; '.join(each[:8])}{others}."
