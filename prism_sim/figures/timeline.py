"""Who computes, copies, sends and waits when: a Gantt picture of one run."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from prism_sim.figures.base import Plot
from prism_sim.figures.style import PART_COLOURS, WIDE_INCHES, look, new_figure
from prism_sim.timing.timeline import Span, Timeline

PLOT = Plot("timeline", "who computes, copies, sends and waits when (Gantt)", "prism-sim run SCENARIO --out DIR")

PROCESSOR_KINDS = ("compute", "staging", "overhead", "wait")
SENDING_KINDS = ("transfer", "propagation", "queue")
HATCHES = {"staging": "....", "transfer": "////", "wait": None}  # told apart in greyscale


def draw_timeline(timeline: Timeline, names: Sequence[str], title: str) -> Figure:
    """Two lanes a participant: its processor, and the messages that it sends. names: of the participants.

    Raises ValueError if there are not as many names as participants.
    """
    if len(names) != len(timeline.wait_s):
        raise ValueError(f"{len(names)} names are given for {len(timeline.wait_s)} participants")
    scale, unit = (1e3, "ms") if timeline.latency_s < 10 else (1.0, "s")
    active = [number for number in range(len(names)) if any(span.participant == number for span in timeline.spans)]
    with look():
        figure = new_figure(WIDE_INCHES, 1.3 + 0.55 * len(active))
        axes = figure.add_subplot()
        lanes = _draw_lanes(axes, timeline.spans, active, scale)
        axes.set_yticks(range(len(lanes)), [f"{names[number]}\n{what}" for number, what in lanes], parse_math=False)
        axes.invert_yaxis()
        axes.set_xlim(0, timeline.latency_s * scale)
        axes.set_xlabel(f"time ({unit})")
        axes.set_title(title, loc="left", parse_math=False)
        axes.grid(axis="y", visible=False)
        _add_legend(figure, timeline.spans)
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
                    axes.broken_barh(
                        bars,
                        (len(lanes) - 0.4, 0.8),
                        facecolors=PART_COLOURS[kind],
                        hatch=HATCHES.get(kind),
                        edgecolor="#555555",
                        linewidth=0.2,
                        label=kind,
                    )
                    drawn = True
            if drawn:
                lanes.append((number, what))
    return lanes


def _add_legend(figure: Figure, spans: Sequence[Span]) -> None:
    kinds = [kind for kind in (*PROCESSOR_KINDS, *SENDING_KINDS) if any(span.kind == kind for span in spans)]
    handles = [
        Patch(facecolor=PART_COLOURS[kind], hatch=HATCHES.get(kind), edgecolor="#555555", linewidth=0.2, label=kind)
        for kind in kinds
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), columnspacing=1.2)
