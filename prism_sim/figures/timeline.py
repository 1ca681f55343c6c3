"""Who computes, copies, sends and waits when: a Gantt picture of one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from prism_sim.figures.base import Plot
from prism_sim.figures.frame import add_title
from prism_sim.figures.quantities import RESULTS
from prism_sim.figures.rows import checked
from prism_sim.figures.style import EDGE, PART_COLOURS, PART_HATCHES, WIDE_INCHES, look, new_figure
from prism_sim.plan import ParticipantId
from prism_sim.timing.ids import DeviceIndex
from prism_sim.timing.timeline import Span, Timeline

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "timeline"
COLUMNS = ("participant", "name", "kind", "start_s", "end_s")
PROCESSOR_KINDS = ("compute", "staging", "overhead", "wait")
SENDING_KINDS = ("transfer", "propagation", "queue")
UNKNOWN = DeviceIndex(-1)  # a trace's table names none, and none is drawn


def draw_spans(table: DataFrame, *, title: str = "") -> Figure:
    """The picture of `draw_timeline` from the spans of a trace.

    table: a row a span: its `participant` (a number) and that one's `name`, `kind`, `start_s` and `end_s`.
    Raises ValueError for a missing column or no spans.
    """
    rows = checked(table, NAME, *COLUMNS)
    of_rows = zip(*(rows[column] for column in COLUMNS), strict=True)
    spans, names = [], dict[int, str]()
    for participant, name, kind, start_s, end_s in of_rows:
        spans.append(Span(ParticipantId(int(participant)), UNKNOWN, str(kind), "", float(start_s), float(end_s)))
        names[int(participant)] = str(name)
    in_all = [names.get(number, "") for number in range(max(names) + 1)]
    return _draw(spans, in_all, max(span.end_s for span in spans), title)


def draw_timeline(timeline: Timeline, names: Sequence[str], title: str) -> Figure:
    """Two lanes a participant: its processor, and the messages that it sends. names: of the participants.

    Raises ValueError if there are not as many names as participants.
    """
    if len(names) != len(timeline.wait_s):
        raise ValueError(f"{len(names)} names are given for {len(timeline.wait_s)} participants")
    return _draw(timeline.spans, names, timeline.latency_s, title)


def _draw(spans: Sequence[Span], names: Sequence[str], latency_s: float, title: str) -> Figure:
    factor, unit = RESULTS["latency_s"].scale([latency_s])
    active = [number for number in range(len(names)) if any(span.participant == number for span in spans)]
    with look():
        figure = new_figure(WIDE_INCHES, 1.3 + 0.55 * len(active))
        axes = figure.add_subplot()
        lanes = _draw_lanes(axes, spans, active, 1 / factor)
        axes.set_yticks(range(len(lanes)), [f"{names[number]}\n{what}" for number, what in lanes], parse_math=False)
        axes.invert_yaxis()
        axes.set_xlim(0, latency_s / factor)
        axes.set_xlabel(f"time ({unit})")
        axes.grid(axis="y", visible=False)
        drawn = {span.kind for span in spans}
        handles = [Patch(**_looks(kind)) for kind in (*PROCESSOR_KINDS, *SENDING_KINDS) if kind in drawn]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), columnspacing=1.2)
        add_title(figure, title)
    return figure


def _draw_lanes(axes: Axes, spans: Sequence[Span], active: Sequence[int], scale: float) -> list[tuple[int, str]]:
    lanes: list[tuple[int, str]] = []
    for number in active:
        for what, kinds in (("works", PROCESSOR_KINDS), ("sends", SENDING_KINDS)):
            drawn = False
            for kind in kinds:
                bars = [
                    (span.start_s * scale, (span.end_s - span.start_s) * scale)
                    for span in spans
                    if span.participant == number and span.kind == kind and span.end_s > span.start_s
                ]
                if bars:
                    axes.broken_barh(bars, (len(lanes) - 0.4, 0.8), **_looks(kind))
                    drawn = True
            if drawn:
                lanes.append((number, what))
    return lanes


def _looks(kind: str) -> dict[str, Any]:
    hatch = PART_HATCHES.get(kind)
    return {"facecolor": PART_COLOURS[kind], "hatch": hatch, "edgecolor": EDGE, "linewidth": 0.2, "label": kind}


PLOT = Plot(
    NAME, "who computes, copies, sends and waits when (Gantt), from a trace.json", draw_spans, COLUMNS, reads="spans"
)
